package io.fleetauth;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fleetauth.testing.EmulatorExtension;
import io.fleetauth.testing.EmulatorProcess;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Clients against the emulator, over TLS and with the library's own transport. */
@ExtendWith({EmulatorExtension.class, LiveHandles.class})
class ClientTest {
  private final EmulatorProcess emulator;
  private final String devices;
  private FleetAuthRuntime runtime;

  ClientTest(EmulatorProcess emulator) {
    this.emulator = emulator;
    devices = emulator.url() + "/fleetup/devices";
  }

  @BeforeEach
  void makeRuntime() {
    runtime = FleetAuthRuntime.builder().build();
  }

  @AfterEach
  void closeRuntime() {
    runtime.close(Duration.ofSeconds(5));
  }

  private FleetUp fleetUp() {
    return emulator.fleetUp().runtime(runtime).build();
  }

  @Test
  void a_token_says_what_it_is() {
    try (FleetUp client = fleetUp();
        Token token = client.token();
        Token again = client.token()) {
      assertEquals(TokenKind.BEARER, token.kind());
      assertEquals("jwt", token.scheme());
      assertTrue(token.reveal().startsWith("eyJ"), "a JWT");
      assertEquals(token.reveal(), new String(token.revealBytes()));
      assertTrue(token.expiresAt().orElseThrow().isAfter(Instant.now().plusSeconds(3500)));
      assertTrue(token.expiresIn().orElseThrow().compareTo(Duration.ofSeconds(3601)) < 0);
      assertFalse(token.isFromCache());
      assertTrue(again.isFromCache());
      assertEquals(token.fingerprint(), again.fingerprint());
      assertTrue(token.headers().isEmpty(), "without a URL");
    }
  }

  @Test
  void memory_is_asked_before_the_network() {
    try (FleetUp client = fleetUp()) {
      assertEquals(Optional.empty(), client.peek());
      assertEquals(Optional.empty(), client.peek(devices));
      client.token().close();
      client.peek().orElseThrow().close();
      assertEquals(client.headers(devices), client.peek(devices).orElseThrow());
    }
  }

  @Test
  void ready_headers_are_handed_out_until_the_token_changes() throws Exception {
    try (FleetUp client = fleetUp()) {
      AuthHeaders first = client.headers(devices);
      assertSame(first, client.headers(devices));
      assertNotSame(first, client.headers(devices, "POST"));
      assertSame(client.headers(devices, "POST"), client.headers(devices, "POST"));

      emulator.revoke("fleetup");
      assertEquals(Advice.RETRY, client.reportRejected(first, 401));
      AuthHeaders renewed = client.headers(devices);
      assertNotEquals(first.get("Authorization"), renewed.get("Authorization"));
      assertSame(renewed, client.headers(devices));
      assertEquals(Advice.STOP, client.reportRejected(renewed, 401), "a fresh token was refused");
    }
  }

  @Test
  void headers_for_a_request_that_counts_remaining_time_are_not_kept() {
    try (FleetUp client = fleetUp();
        PreparedRequest patient = client.request().timeout(Duration.ofSeconds(9)).build();
        PreparedRequest picky = client.request().minRemaining(Duration.ofMinutes(1)).build()) {
      assertSame(client.headers(devices, "GET", patient), client.headers(devices, "GET", patient));
      assertNotSame(client.headers(devices, "GET", picky), client.headers(devices, "GET", picky));
    }
  }

  @Test
  void the_header_cache_is_bounded() {
    try (FleetUp client = fleetUp()) {
      for (int i = 0; i < 3000; i++) {
        client.headers(devices + "?page=" + i);
      }
      AuthHeaders last = client.headers(devices + "?page=2999");
      assertSame(last, client.headers(devices + "?page=2999"));
    }
  }

  @Test
  void headers_are_a_map_that_ignores_case_and_shows_no_value() {
    try (FleetUp client = fleetUp()) {
      AuthHeaders headers = client.headers(devices);
      assertEquals(2, headers.size());
      assertEquals("demo-api-key", headers.get("X-API-KEY"));
      assertTrue(headers.containsKey("authorization"));
      assertFalse(headers.containsKey("cookie"));
      assertEquals("[Authorization=***, x-api-key=***]", headers.toString());
      Map.Entry<String, String> entry = headers.entrySet().iterator().next();
      assertEquals("Authorization=***", entry.toString());
      assertThrows(UnsupportedOperationException.class, () -> headers.put("a", "b"));
      assertThrows(UnsupportedOperationException.class, () -> entry.setValue("b"));
    }
  }

  @Test
  void one_client_authorises_each_api_in_its_own_way() {
    try (MyConnectedFleet client = emulator.myConnectedFleet().runtime(runtime).build()) {
      String api = emulator.url() + "/mcf-api";
      String core = api + "/connect-webservices/services/public/v1/customer/42";
      assertTrue(client.headers(core + "/tracking/live").get("Authorization").startsWith("Basic "));
      assertTrue(client.headers(core + "/tire/events").get("Authorization").startsWith("Bearer "));
      String jobs = api + "/job-management/v1/customer/42/jobs";
      assertTrue(client.headers(jobs).get("x-connect-token").startsWith("TOKEN "));
    }
  }

  @Test
  void futures_complete_and_what_depends_on_them_may_wait_for_the_client() throws Exception {
    try (FleetUp client = fleetUp()) {
      CompletableFuture<AuthHeaders> headers =
          client
              .tokenAsync()
              .thenApply(
                  token -> {
                    token.close();
                    client.reportRejected(client.headers(devices), 401);
                    return client.headers(devices);
                  });
      assertEquals(2, headers.get(10, TimeUnit.SECONDS).size());
      assertTrue(client.headersAsync(devices).isDone(), "from memory");
      assertSame(client.headers(devices), client.headersAsync(devices).get());
    }
  }

  @Test
  void many_callers_share_one_fetch() throws Exception {
    try (FleetUp client = fleetUp()) {
      List<CompletableFuture<Token>> tokens = new ArrayList<>();
      for (int i = 0; i < 500; i++) {
        tokens.add(client.tokenAsync());
      }
      for (CompletableFuture<Token> token : tokens) {
        token.get(10, TimeUnit.SECONDS).close();
      }
    }
    assertEquals(1, count(emulator.log(), "\"path\":\"/fleetup/token\""), emulator.log());
  }

  private static int count(String text, String part) {
    return text.split(java.util.regex.Pattern.quote(part), -1).length - 1;
  }

  @Test
  void wrong_credentials_are_told_with_what_is_known() {
    try (FleetUp client = emulator.fleetUp().secret("wrong").runtime(runtime).build()) {
      InvalidCredentialsException failure =
          assertThrows(InvalidCredentialsException.class, client::token);
      assertEquals(Status.INVALID_CREDENTIALS, failure.status());
      assertEquals(40, failure.statusNumber());
      assertEquals("fleetup", failure.provider());
      assertEquals(401, failure.httpStatus());
      assertFalse(failure.isRetryable());
      assertFalse(failure.isInDoubt());
      boolean showsCaller =
          List.of(failure.getStackTrace()).stream()
              .anyMatch(frame -> frame.getClassName().equals(ClientTest.class.getName()));
      assertTrue(showsCaller, "the stack is the caller's");

      ExecutionException async =
          assertThrows(
              ExecutionException.class, () -> client.tokenAsync().get(10, TimeUnit.SECONDS));
      assertInstanceOf(InvalidCredentialsException.class, async.getCause());
    }
  }

  @Test
  void a_rate_limit_says_when_to_come_back() throws Exception {
    emulator.fault(
        "{\"match\":{\"path\":\"/fleetup/token\"},\"times\":9,"
            + "\"do\":{\"status\":429,\"headers\":{\"Retry-After\":\"77\"}}}");
    try (FleetUp client = fleetUp()) {
      RateLimitedException failure = assertThrows(RateLimitedException.class, client::token);
      assertTrue(failure.isRetryable());
      long wait = failure.retryAfter().orElseThrow().toSeconds();
      assertTrue(wait > 70 && wait <= 77, "wait " + wait);
    }
  }

  @Test
  void credentials_are_not_given_out_for_other_hosts() {
    try (FleetUp client = fleetUp()) {
      ConfigurationException failure =
          assertThrows(ConfigurationException.class, () -> client.headers("https://evil.example/"));
      assertEquals(Status.FOREIGN_ORIGIN, failure.status());
      CompletableFuture<AuthHeaders> later = client.headersAsync("https://evil.example/");
      assertTrue(later.isCompletedExceptionally(), "an async call fails through its future");
    }
  }

  @Test
  void wrong_options_are_named() {
    FleetUp.Builder missing = FleetUp.builder().apiKey("k").runtime(runtime);
    ConfigurationException failure = assertThrows(ConfigurationException.class, missing::build);
    assertTrue(failure.getMessage().contains("acct_id"), failure.getMessage());
    assertTrue(failure.getMessage().contains("secret"), failure.getMessage());

    // What was refused can be corrected.
    missing.acctId(12345).secret((String) null).secret("s".toCharArray()).build().close();
    assertThrows(ClosedException.class, missing::build, "a builder makes one client");

    FleetUp.Builder unknown = emulator.fleetUp().set("aps_key", "k");
    assertTrue(
        assertThrows(ConfigurationException.class, unknown::build)
            .getMessage()
            .contains("aps_key"));
  }

  @Test
  void T13_no_secret_is_printed() {
    try (FleetUp client = fleetUp();
        Token token = client.token()) {
      String authorization = client.headers(devices).get("Authorization");
      String printed =
          client + " " + token + " " + client.headers(devices) + " " + client.request();
      for (String secret : List.of(token.reveal(), authorization, "demo-api-key", "your-app")) {
        assertFalse(printed.contains(secret), printed);
      }
    }
    try (FleetUp client = emulator.fleetUp().secret("canary-4711").runtime(runtime).build()) {
      Throwable failure = assertThrows(FleetAuthException.class, client::token);
      assertFalse(failure.toString().contains("canary-4711"), failure.toString());
    }
  }

  @Test
  void closing_fails_what_is_in_flight_and_is_harmless_again() throws Exception {
    emulator.fault("{\"match\":{\"path\":\"/fleetup/token\"},\"times\":1,\"do\":{\"hold\":\"g\"}}");
    FleetUp client = fleetUp();
    CompletableFuture<Token> token = client.tokenAsync();
    client.close();
    client.close();
    ExecutionException failure =
        assertThrows(ExecutionException.class, () -> token.get(5, TimeUnit.SECONDS));
    assertInstanceOf(ClosedException.class, failure.getCause());
    assertThrows(ClosedException.class, client::token);
    assertThrows(ClosedException.class, () -> client.headers(devices));
    assertThrows(ClosedException.class, client::peek);
  }

  @Test
  void closed_clients_hand_out_no_headers_they_kept() {
    FleetUp client = fleetUp();
    client.headers(devices);
    client.close();
    assertThrows(ClosedException.class, () -> client.headers(devices));
  }

  @Test
  void cancelling_a_future_cancels_its_operation_alone() throws Exception {
    emulator.fault("{\"match\":{\"path\":\"/fleetup/token\"},\"times\":1,\"do\":{\"hold\":\"g\"}}");
    try (FleetUp client = fleetUp()) {
      CompletableFuture<Token> given = client.tokenAsync();
      CompletableFuture<Token> kept = client.tokenAsync();
      assertTrue(given.cancel(true));
      assertThrows(CancellationException.class, given::join);
      emulator.admin("POST", "/release", "{\"gate\":\"g\"}");
      kept.get(10, TimeUnit.SECONDS).close();
    }
  }

  @Test
  void an_interrupted_caller_gives_up_and_stays_interrupted() throws Exception {
    emulator.fault("{\"match\":{\"path\":\"/fleetup/token\"},\"times\":1,\"do\":{\"hold\":\"g\"}}");
    try (FleetUp client = fleetUp()) {
      CompletableFuture<Boolean> outcome = new CompletableFuture<>();
      Thread caller =
          new Thread(
              () -> {
                try {
                  client.token();
                  outcome.complete(false);
                } catch (CancelledException given) {
                  outcome.complete(Thread.currentThread().isInterrupted());
                }
              });
      caller.start();
      emulator.admin("GET", "/log?endpoint=token&wait_for=0", null);
      caller.interrupt();
      assertTrue(outcome.get(5, TimeUnit.SECONDS));
      emulator.admin("POST", "/release", "{\"gate\":\"g\"}");
      client.token().close();
    }
  }

  @Test
  void a_manual_runtime_works_without_a_thread_of_the_library() {
    FleetAuthRuntime manual = FleetAuthRuntime.builder().mode("manual").build();
    try (FleetUp client = emulator.fleetUp().runtime(manual).build()) {
      assertTrue(client.headers(devices).get("Authorization").startsWith("Bearer "));
      assertNotSame(client.headers(devices), client.headers(devices), "every call crosses");
    }
    manual.close(Duration.ofSeconds(5));
  }

  @Test
  void facts_about_the_library() {
    assertTrue(FleetAuth.version().matches("\\d+\\.\\d+\\.\\d+"));
    assertTrue(FleetAuth.dependencies().stream().anyMatch(line -> line.startsWith("openssl ")));
    assertTrue(FleetAuth.hasFeature("transport.curl"));
    assertFalse(FleetAuth.hasFeature("transport.pigeon"));
    assertTrue(
        Provider.builtinNames()
            .containsAll(
                List.of(
                    "fleet_orchestrator",
                    "fleetio",
                    "fleetup",
                    "motive",
                    "my_connected_fleet",
                    "oauth2",
                    "samsara",
                    "tn360",
                    "trimble_maps",
                    "verizon_reveal")));
    try (Provider provider = Provider.builtin("fleetup")) {
      assertEquals("fleetup", provider.name());
      assertTrue(provider.description().contains("acct_id"));
    }
    assertThrows(IllegalStateException.class, () -> FleetAuthRuntime.shared().close(Duration.ZERO));
  }
}
