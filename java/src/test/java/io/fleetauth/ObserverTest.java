package io.fleetauth;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Queue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Events and counters: who is told what, and what becomes of whoever does not listen well. */
@ExtendWith(LiveHandles.class)
class ObserverTest {
  private static final long START = 1_767_225_600_000L;
  private static final Duration PATIENCE = Duration.ofSeconds(5);
  private static final String TOKEN = "{\"token\":\"token-canary\"}";
  private static final String FAILURE =
      "{\"token\":\"token-canary\",\"message\":\"key-canary-1 secret-canary-1\",\"error\":\"secret-canary-1\"}";

  private final List<FleetAuthEvent> events = Collections.synchronizedList(new ArrayList<>());

  /** Gives these answers, and then tokens. */
  private static HttpTransport answers(Integer... statuses) {
    Queue<Integer> left = new ArrayDeque<>(Arrays.asList(statuses));
    return call -> {
      int status = left.isEmpty() ? 200 : left.remove();
      ScriptedTransport.answer(call, status, status == 200 ? TOKEN : FAILURE);
    };
  }

  private static List<String> names(List<FleetAuthEvent> events) {
    return events.stream().map(FleetAuthEvent::event).toList();
  }

  private static void assertNoSecret(Object shown) {
    for (String secret : List.of("key-canary", "secret-canary", "token-canary")) {
      assertFalse(shown.toString().contains(secret), () -> secret + " is in " + shown);
    }
  }

  @Test
  void an_observer_is_told_what_happens_from_then_on_until_it_is_closed() {
    try (ManualClock clock = new ManualClock(Instant.ofEpochMilli(START));
        FleetAuthRuntime runtime = FleetAuthRuntime.builder().clock(clock).build();
        FleetUp client = ScriptedTransport.fleetUp(runtime, answers()).build()) {
      client.token().close();
      clock.advance(Duration.ofHours(2));
      Observer observer = runtime.observe(events::add);
      try (Token token = client.token()) {
        observer.close(PATIENCE);
        client.reportRejected(token, 401);
      }
      observer.close();
      observer.close(PATIENCE);
    }
    assertEquals(List.of("request", "login"), names(events));
    FleetAuthEvent request = events.get(0);
    assertEquals(Instant.ofEpochMilli(START).plus(Duration.ofHours(2)), request.time());
    assertEquals("debug", request.level());
    assertEquals("fleetup", request.provider());
    assertEquals("token", request.step());
    assertEquals("https://api.fleetup.net", request.origin());
    assertEquals(OptionalLong.of(1), request.attempt());
    assertEquals("", request.account());
    assertEquals(OptionalLong.empty(), request.httpStatus());
    assertFalse(request.retryable());
    FleetAuthEvent login = events.get(1);
    assertEquals("jwt", login.credential());
    assertEquals(Optional.of(Duration.ofHours(1)), login.expiresIn());
    assertEquals(Optional.empty(), login.waitTime());
    assertEquals(3_600_000L, login.asMap().get("expires_in_ms"));
    assertTrue(login.toString().startsWith("{\"event\":\"login\",\"time_ms\":"), login::toString);
    assertThrows(UnsupportedOperationException.class, () -> login.asMap().clear());
  }

  @Test
  void L03_no_event_and_no_log_holds_a_secret() {
    Logger logger = Logger.getAnonymousLogger();
    logger.setUseParentHandlers(false);
    logger.setLevel(Level.ALL);
    List<LogRecord> records = Collections.synchronizedList(new ArrayList<>());
    logger.addHandler(
        new Handler() {
          @Override
          public void publish(LogRecord record) {
            records.add(record);
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        });
    try (ManualClock clock = new ManualClock(Instant.ofEpochMilli(START));
        FleetAuthRuntime runtime = FleetAuthRuntime.builder().clock(clock).build();
        FleetUp client = ScriptedTransport.fleetUp(runtime, answers(200, 503, 401)).build()) {
      Observer log = runtime.observe(new EventLogger(logger));
      Observer observer =
          runtime.observe(
              event -> {
                events.add(event);
                // Nobody else lets the repetition leave.
                event.waitTime().ifPresent(clock::advance);
              });
      try (Token token = client.token()) {
        client.reportRejected(token, 401);
      }
      assertThrows(InvalidCredentialsException.class, client::token);
      client.logout();
      observer.close(PATIENCE);
      log.close(PATIENCE);
    }
    assertEquals(
        List.of(
            "request", "login", "rejected", "request", "repeat", "request", "failure", "logout"),
        names(events));
    events.forEach(ObserverTest::assertNoSecret);
    events.forEach(event -> assertNoSecret(event.asMap()));
    FleetAuthEvent failure = events.get(6);
    assertEquals("E_INVALID_CREDENTIALS", failure.statusName());
    assertEquals(OptionalLong.of(401), failure.httpStatus());
    assertTrue(events.get(4).retryable());
    assertEquals(
        events.stream().map(Object::toString).toList(),
        records.stream().map(LogRecord::getMessage).toList());
    Map<String, Level> levels =
        Map.of("repeat", Level.INFO, "failure", Level.WARNING, "logout", Level.FINE);
    for (int i = 0; i < records.size(); i++) {
      Level expected = levels.getOrDefault(events.get(i).event(), Level.FINE);
      assertEquals(expected, records.get(i).getLevel());
    }
  }

  @Test
  void L03_the_shared_runtime_s_events_hold_no_secret() {
    FleetAuthRuntime shared = FleetAuthRuntime.shared();
    long logins = shared.counters().get("login");
    Observer observer = shared.observe(events::add);
    try (FleetUp client = ScriptedTransport.fleetUp(shared, answers()).build()) {
      client.token().close();
    }
    observer.close(PATIENCE);
    assertEquals(List.of("request", "login"), names(events));
    events.forEach(ObserverTest::assertNoSecret);
    assertEquals(logins + 1, shared.counters().get("login"));
  }

  @Test
  void what_a_listener_throws_is_uncaught_and_harms_nobody() {
    List<Throwable> uncaught = Collections.synchronizedList(new ArrayList<>());
    Thread.UncaughtExceptionHandler before = Thread.getDefaultUncaughtExceptionHandler();
    Thread.setDefaultUncaughtExceptionHandler(
        (thread, failure) -> {
          uncaught.add(failure);
          throw new IllegalStateException("so does the handler");
        });
    try (FleetAuthRuntime runtime = FleetAuthRuntime.builder().build();
        FleetUp client = ScriptedTransport.fleetUp(runtime, answers()).build()) {
      Observer throwing =
          runtime.observe(
              event -> {
                if (event.event().equals("request")) {
                  throw new IllegalArgumentException("mine");
                }
                throw new AssertionError("mine, too");
              });
      Observer other = runtime.observe(events::add);
      client.token().close();
      throwing.close(PATIENCE);
      other.close(PATIENCE);
    } finally {
      Thread.setDefaultUncaughtExceptionHandler(before);
    }
    assertEquals(List.of("request", "login"), names(events));
    assertEquals(
        List.of("mine", "mine, too"), uncaught.stream().map(Throwable::getMessage).toList());
  }

  @Test
  void what_happened_in_a_block_is_told_before_its_end() {
    Thread main = Thread.currentThread();
    AtomicBoolean closing = new AtomicBoolean();
    BooleanSupplier waits = () -> closing.get() && main.getState() == Thread.State.TIMED_WAITING;
    Consumer<FleetAuthEvent> slow =
        event -> {
          LiveHandles.await(waits);
          events.add(event);
        };
    try (FleetAuthRuntime runtime = FleetAuthRuntime.builder().build();
        FleetUp client = ScriptedTransport.fleetUp(runtime, answers()).build()) {
      try (Observer observer = runtime.observe(slow)) {
        client.token().close();
        closing.set(true);
      }
      assertEquals(List.of("request", "login"), names(events));
    }
  }

  @Test
  void a_listener_that_closes_its_observer_does_not_wait_for_itself() {
    AtomicReference<Observer> own = new AtomicReference<>();
    try (FleetAuthRuntime runtime = FleetAuthRuntime.builder().build();
        FleetUp client = ScriptedTransport.fleetUp(runtime, answers()).build()) {
      own.set(
          runtime.observe(
              event -> {
                own.get().close(Duration.ofDays(1));
                events.add(event);
              }));
      client.token().close();
      own.get().close(PATIENCE);
    }
    assertEquals("request", events.get(0).event());
  }

  @Test
  void an_interrupted_thread_closes_the_observer_but_does_not_wait() {
    CountDownLatch released = new CountDownLatch(1);
    try (FleetAuthRuntime runtime = FleetAuthRuntime.builder().build();
        FleetUp client = ScriptedTransport.fleetUp(runtime, answers()).build()) {
      Observer observer =
          runtime.observe(
              event -> {
                awaitUninterrupted(released);
                events.add(event);
              });
      client.token().close();
      Thread.currentThread().interrupt();
      assertThrows(CancelledException.class, () -> observer.close(Duration.ofDays(1)));
      observer.close();
      assertTrue(Thread.interrupted(), "the interruption is kept");
      assertEquals(List.of(), names(events));
      released.countDown();
      observer.close(PATIENCE);
    }
    assertEquals(List.of("request", "login"), names(events));
  }

  private static void awaitUninterrupted(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException interrupted) {
      throw new AssertionError(interrupted);
    }
  }

  @Test
  void a_listener_has_the_class_loader_of_whoever_observes() throws IOException {
    List<ClassLoader> seen = Collections.synchronizedList(new ArrayList<>());
    ClassLoader before = Thread.currentThread().getContextClassLoader();
    try (FleetAuthRuntime runtime = FleetAuthRuntime.builder().build();
        FleetUp client = ScriptedTransport.fleetUp(runtime, answers()).build();
        URLClassLoader application = new URLClassLoader(new URL[0])) {
      Thread.currentThread().setContextClassLoader(application);
      Observer observer =
          runtime.observe(event -> seen.add(Thread.currentThread().getContextClassLoader()));
      Thread.currentThread().setContextClassLoader(before);
      client.token().close();
      observer.close(PATIENCE);
      assertEquals(List.of(application, application), seen);
    } finally {
      Thread.currentThread().setContextClassLoader(before);
    }
  }

  @Test
  void an_observer_ends_with_its_runtime() {
    FleetAuthRuntime runtime = FleetAuthRuntime.builder().build();
    Observer observer = runtime.observe(events::add);
    try (FleetUp client = ScriptedTransport.fleetUp(runtime, answers()).build()) {
      client.token().close();
    }
    runtime.close(PATIENCE);
    observer.close(PATIENCE);
    assertEquals(List.of("request", "login"), names(events));
    assertThrows(ClosedException.class, () -> runtime.observe(events::add));
    assertThrows(ClosedException.class, runtime::counters);
  }

  @Test
  void a_listener_that_takes_nothing_does_not_fill_the_memory() throws Exception {
    CountDownLatch busy = new CountDownLatch(1);
    CountDownLatch released = new CountDownLatch(1);
    try (FleetAuthRuntime runtime = FleetAuthRuntime.builder().build();
        FleetUp client = ScriptedTransport.fleetUp(runtime, answers()).build();
        Token token = client.token()) {
      Observer observer =
          runtime.observe(
              event -> {
                events.add(event);
                busy.countDown();
                awaitUninterrupted(released);
              });
      for (int i = 0; i < 2500; i++) {
        client.reportRejected(token, 401);
      }
      busy.await();
      assertThrows(TimeoutException.class, () -> observer.close(Duration.ZERO));
      released.countDown();
      observer.close(PATIENCE);
      Map<String, Long> counters = runtime.counters();
      assertTrue(counters.get("dropped") >= 1499, counters::toString);
      assertEquals(2500, counters.get("rejected"));
      assertEquals(2500, events.size() + counters.get("dropped"));
    }
  }

  @Test
  void counters_are_in_order_and_grow() {
    try (FleetAuthRuntime runtime = FleetAuthRuntime.builder().build();
        FleetUp client = ScriptedTransport.fleetUp(runtime, answers()).build()) {
      assertEquals(
          List.of("login", "refresh", "mint"),
          runtime.counters().keySet().stream().limit(3).toList());
      assertTrue(runtime.counters().values().stream().allMatch(count -> count == 0));
      client.token().close();
      assertEquals(1, runtime.counters().get("login"));
    }
    assertThrows(NullPointerException.class, () -> FleetAuthRuntime.shared().observe(null));
    assertThrows(NullPointerException.class, () -> new EventLogger(null));
  }

  @Test
  void what_the_library_writes_is_read_as_it_is_meant() {
    Map<String, Object> members =
        EventJson.read(
            "{\"a\":\"\\\"\\\\\\b\\f\\n\\r\\t\\u00e9/\",\"n\":-12,\"t\":true,\"f\":false}");
    assertEquals(
        Stream.of("\"\\\b\f\n\r\t\u00e9/", -12L, true, false).toList(),
        new ArrayList<>(members.values()));
    assertEquals(List.of("a", "n", "t", "f"), new ArrayList<>(members.keySet()));
  }
}
