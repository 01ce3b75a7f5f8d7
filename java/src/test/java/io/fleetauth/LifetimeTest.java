package io.fleetauth;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Closing, forgetting and racing. */
@ExtendWith(LiveHandles.class)
class LifetimeTest {
  private static final HttpTransport ANSWERS =
      call -> ScriptedTransport.answer(call, 200, "{\"token\":\"t-1\"}");

  @Test
  void what_is_forgotten_is_reclaimed() {
    long before = FleetAuth.liveHandles();
    forgetEverything();
    assertTrue(LiveHandles.await(() -> FleetAuth.liveHandles() == before));
  }

  private static void forgetEverything() {
    ManualClock clock = new ManualClock(Instant.now());
    FleetAuthRuntime runtime = FleetAuthRuntime.builder().clock(clock).build();
    FleetUp client = ScriptedTransport.fleetUp(runtime, ANSWERS).build();
    client.request().api("api").build();
    client.token();
    client.tokenAsync().join();
    FleetUp.builder().apiKey("abandoned");
    Provider.builtin("fleetup");
  }

  @Test
  void things_are_closed_in_every_order() throws Exception {
    Random random = new Random(7);
    for (int round = 0; round < 50; round++) {
      ManualClock clock = new ManualClock(Instant.now());
      FleetAuthRuntime runtime = FleetAuthRuntime.builder().clock(clock).build();
      FleetUp client = ScriptedTransport.fleetUp(runtime, ANSWERS).build();
      PreparedRequest request = client.request().api("api").build();
      Token token = client.token(request);
      List<AutoCloseable> things =
          new ArrayList<>(List.of(clock, runtime, client, request, token, client, token));
      Collections.shuffle(things, random);
      for (AutoCloseable thing : things) {
        thing.close();
      }
    }
  }

  @Test
  void a_client_keeps_its_runtime_alive_and_a_future_its_client() throws Exception {
    ScriptedTransport transport = new ScriptedTransport();
    CompletableFuture<Token> token = startedByAForgottenClient(transport);
    HttpCall call = transport.next();
    for (int i = 0; i < 5; i++) {
      System.gc();
    }
    ScriptedTransport.answer(call, 200, "{\"token\":\"t-1\"}");
    try (Token got = token.get(5, TimeUnit.SECONDS)) {
      assertEquals("t-1", got.reveal());
    }
  }

  private static CompletableFuture<Token> startedByAForgottenClient(ScriptedTransport transport) {
    FleetAuthRuntime runtime = FleetAuthRuntime.builder().build();
    return ScriptedTransport.fleetUp(runtime, transport).build().tokenAsync();
  }

  @Test
  void P12_what_is_closed_says_so() {
    ManualClock clock = new ManualClock(Instant.now());
    clock.close();
    String message =
        assertThrows(ClosedException.class, () -> clock.advance(Duration.ZERO)).getMessage();
    assertEquals("This clock is closed.", message);
    Provider provider = Provider.builtin("fleetup");
    provider.close();
    assertThrows(ClosedException.class, provider::name);
    assertThrows(ClosedException.class, () -> FleetAuthClient.builder(provider).build());
  }

  @Test
  void P13_closing_races_with_calls_and_nothing_breaks() throws Exception {
    for (int round = 0; round < 20; round++) {
      FleetAuthRuntime runtime = FleetAuthRuntime.builder().build();
      FleetUp client = ScriptedTransport.fleetUp(runtime, ANSWERS).build();
      AtomicInteger completions = new AtomicInteger();
      List<CompletableFuture<?>> calls = Collections.synchronizedList(new ArrayList<>());
      List<Thread> callers = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        boolean closes = i == 3;
        callers.add(
            new Thread(
                () -> {
                  for (int call = 0; call < 50; call++) {
                    CompletableFuture<Token> token = client.tokenAsync();
                    token.whenComplete((t, failure) -> completions.incrementAndGet());
                    calls.add(token);
                    if (call % 7 == 0) {
                      token.cancel(true);
                    }
                    if (closes && call == 25) {
                      client.close();
                    }
                  }
                }));
      }
      callers.forEach(Thread::start);
      for (Thread caller : callers) {
        caller.join();
      }
      for (CompletableFuture<?> call : calls) {
        try {
          ((Token) call.get(5, TimeUnit.SECONDS)).close();
        } catch (ExecutionException closed) {
          assertEquals(ClosedException.class, closed.getCause().getClass());
        } catch (java.util.concurrent.CancellationException cancelled) {
          // As it was asked to be.
        }
      }
      assertTrue(LiveHandles.await(() -> completions.get() >= 200));
      assertEquals(200, completions.get(), "each completes once");
      runtime.close(Duration.ofSeconds(5));
    }
  }

  @Test
  void P15_runtimes_come_and_go() {
    for (int i = 0; i < 200; i++) {
      FleetAuthRuntime runtime = FleetAuthRuntime.builder().build();
      runtime.close();
      runtime.close();
      FleetUp.Builder late = ScriptedTransport.fleetUp(runtime, ANSWERS);
      assertThrows(ClosedException.class, late::build);
    }
  }
}
