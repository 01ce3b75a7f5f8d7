package io.fleetauth;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Transports that a program supplies. */
@ExtendWith(LiveHandles.class)
class TransportTest {
  private ManualClock clock;
  private FleetAuthRuntime runtime;

  @BeforeEach
  void makeRuntime() {
    clock = new ManualClock(Instant.parse("2026-01-01T00:00:00Z"));
    runtime = FleetAuthRuntime.builder().clock(clock).build();
  }

  @AfterEach
  void closeRuntime() {
    runtime.close(Duration.ofSeconds(5));
    clock.close();
  }

  private FleetUp client(HttpTransport transport) {
    return ScriptedTransport.fleetUp(runtime, transport).build();
  }

  @Test
  void a_lambda_is_a_transport() {
    try (FleetUp client =
            client(call -> ScriptedTransport.answer(call, 200, "{\"token\":\"t-1\"}"));
        Token token = client.token()) {
      assertEquals("t-1", token.reveal());
    }
  }

  @Test
  void T23_what_a_transport_throws_comes_out_itself() {
    IllegalStateException thrown = new IllegalStateException("no keystore today");
    try (FleetUp client =
        client(
            call -> {
              throw thrown;
            })) {
      assertSame(thrown, assertThrows(IllegalStateException.class, client::token));
    }
  }

  @Test
  void an_error_a_transport_throws_comes_out_itself() {
    AssertionError thrown = new AssertionError("impossible");
    try (FleetUp client =
        client(
            call -> {
              throw thrown;
            })) {
      assertSame(thrown, assertThrows(AssertionError.class, client::token));
    }
  }

  @Test
  void a_checked_exception_is_the_cause_or_comes_out_of_the_future() {
    InterruptedException thrown = new InterruptedException("stopped");
    HttpTransport transport =
        call -> {
          throw thrown;
        };
    try (FleetUp client = client(transport)) {
      FleetAuthException failure = assertThrows(FleetAuthException.class, client::token);
      assertEquals(Status.CALLBACK, failure.status());
      assertSame(thrown, failure.getCause());
    }
    try (FleetUp client = ScriptedTransport.fleetUp(runtime, transport).acctId(2).build()) {
      ExecutionException failure =
          assertThrows(
              ExecutionException.class, () -> client.tokenAsync().get(5, TimeUnit.SECONDS));
      assertSame(thrown, failure.getCause());
    }
  }

  @Test
  void a_network_failure_has_its_class_and_its_cause() {
    IOException thrown = new java.net.UnknownHostException("api.fleetup.net");
    ScriptedTransport transport = new ScriptedTransport();
    try (FleetUp client = client(transport)) {
      CompletableFuture<Token> token = client.tokenAsync();
      // Nothing was sent, so the library tries again, until it gives up.
      while (LiveHandles.await(() -> token.isDone() || !transport.isIdle()) && !token.isDone()) {
        transport.next().failNetwork(thrown);
        clock.advance(Duration.ofSeconds(2));
      }
      ExecutionException failure = assertThrows(ExecutionException.class, token::get);
      NetworkException network = assertInstanceOf(NetworkException.class, failure.getCause());
      assertEquals(Status.DNS, network.status());
      assertSame(thrown, network.getCause());
    }
  }

  @Test
  void a_call_that_is_forgotten_fails() {
    try (FleetUp client = client(call -> {})) {
      CompletableFuture<Token> token = client.tokenAsync();
      assertTrue(LiveHandles.await(token::isDone));
      ExecutionException failure = assertThrows(ExecutionException.class, token::get);
      assertEquals(Status.CALLBACK, ((FleetAuthException) failure.getCause()).status());
    }
  }

  @Test
  void a_second_answer_is_refused() {
    ScriptedTransport transport = new ScriptedTransport();
    try (FleetUp client = client(transport)) {
      CompletableFuture<Token> token = client.tokenAsync();
      HttpCall call = transport.next();
      ScriptedTransport.answer(call, 200, "{\"token\":\"t-1\"}");
      assertFalse(call.complete(200));
      assertFalse(call.fail(new IllegalStateException()));
      token.join().close();
    }
  }

  @Test
  void a_transport_is_told_when_its_answer_is_not_wanted() throws Exception {
    ScriptedTransport transport = new ScriptedTransport();
    CountDownLatch cancelled = new CountDownLatch(1);
    FleetUp client = client(transport);
    CompletableFuture<Token> token = client.tokenAsync();
    HttpCall call = transport.next();
    assertTrue(call.timeout().toMillis() > 0);
    assertTrue(call.maxBody() > 0);
    call.onCancel(cancelled::countDown);
    clock.advance(Duration.ofMinutes(10));
    assertTrue(cancelled.await(5, TimeUnit.SECONDS));
    assertThrows(ExecutionException.class, () -> token.get(5, TimeUnit.SECONDS));
    assertFalse(call.complete(200));
    client.close();
  }

  @Test
  void P10_a_transport_that_waits_for_its_own_client_is_refused() {
    AtomicReference<FleetUp> client = new AtomicReference<>();
    HttpTransport transport =
        call -> {
          try {
            client.get().token().close();
            call.fail(new AssertionError("a token from nowhere"));
          } catch (FleetAuthException refused) {
            call.fail(refused);
          }
        };
    try (FleetUp made = client(transport)) {
      client.set(made);
      FleetAuthException failure = assertThrows(FleetAuthException.class, made::token);
      assertEquals(Status.REENTRANT, failure.status());
    }
  }

  @Test
  void P11_a_transport_may_close_the_client_and_the_runtime_that_called_it() {
    AtomicReference<FleetUp> client = new AtomicReference<>();
    HttpTransport transport =
        call -> {
          client.get().close();
          runtime.close();
          ScriptedTransport.answer(call, 200, "{\"token\":\"t-1\"}");
        };
    try (FleetUp made = client(transport)) {
      client.set(made);
      assertThrows(ClosedException.class, made::token);
    }
  }

  @Test
  void a_renewal_in_the_background_is_sent_although_nobody_waits() {
    ScriptedTransport transport = new ScriptedTransport();
    try (FleetUp client = client(transport)) {
      CompletableFuture<Token> first = client.tokenAsync();
      transport.answerToken("t-1");
      first.join().close();
      clock.advance(Duration.ofMinutes(59));
      client.peek().orElseThrow().close();
      transport.answerToken("t-2");
      assertTrue(
          LiveHandles.await(
              () -> {
                try (Token token = client.token()) {
                  return token.reveal().equals("t-2");
                }
              }));
    }
  }

  @Test
  void an_executor_of_the_programs_own_is_used() {
    AtomicReference<Thread> ran = new AtomicReference<>();
    try (FleetUp client =
        ScriptedTransport.fleetUp(
                runtime,
                call -> {
                  ran.set(Thread.currentThread());
                  ScriptedTransport.answer(call, 200, "{\"token\":\"t-1\"}");
                })
            .executor(task -> new Thread(task, "mine").start())
            .build()) {
      client.token().close();
      assertEquals("mine", ran.get().getName());
    }
  }

  @Test
  void an_executor_that_refuses_fails_the_call() {
    try (FleetUp client =
        ScriptedTransport.fleetUp(runtime, call -> {})
            .executor(
                task -> {
                  throw new java.util.concurrent.RejectedExecutionException("full");
                })
            .build()) {
      assertThrows(java.util.concurrent.RejectedExecutionException.class, client::token);
    }
  }

  @Test
  void nothing_is_claimed_for_a_client_that_was_closed() throws Exception {
    ScriptedTransport transport = new ScriptedTransport();
    FleetUp client = client(transport);
    CompletableFuture<Token> token = client.tokenAsync();
    HttpCall call = transport.next();
    client.close();
    assertThrows(ExecutionException.class, () -> token.get(5, TimeUnit.SECONDS));
    assertFalse(call.complete(200));
    assertNull(transport.isIdle() ? null : transport.next());
  }
}
