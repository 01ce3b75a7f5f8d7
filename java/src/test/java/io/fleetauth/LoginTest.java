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
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.function.Executable;

/** One-time codes, logout, who the client is and for whom it acts. */
@ExtendWith({EmulatorExtension.class, LiveHandles.class})
class LoginTest {
  private static final String CODE = "123456";
  private static final byte[] KEY = "0123456789abcdef0123456789abcdef".getBytes();

  private final EmulatorProcess emulator;
  private final String vehicles;
  private FleetAuthRuntime runtime;

  LoginTest(EmulatorProcess emulator) {
    this.emulator = emulator;
    vehicles = emulator.url() + "/fo/vehicles";
  }

  @BeforeEach
  void makeRuntime() {
    runtime = FleetAuthRuntime.builder().build();
  }

  @AfterEach
  void closeRuntime() {
    runtime.close(Duration.ofSeconds(5));
  }

  /** A client that is asked for {@link #CODE}. */
  private FleetOrchestrator asked() {
    return emulator.fleetOrchestrator().email("otp@fleet.example").runtime(runtime).build();
  }

  private static Challenge challengeOf(FleetAuthClient client) {
    return assertThrows(OtpRequiredException.class, client::token).challenge().orElseThrow();
  }

  private static <T extends Throwable> T failureOf(Class<T> type, CompletableFuture<?> future) {
    Executable get = () -> future.get(10, TimeUnit.SECONDS);
    return assertInstanceOf(type, assertThrows(ExecutionException.class, get).getCause());
  }

  private int countOf(String path) throws IOException {
    return emulator.log().split("\"path\":\"" + path + "\"", -1).length - 1;
  }

  // One-time codes

  @Test
  void a_one_time_code_is_asked_for_and_answered() throws Exception {
    try (FleetOrchestrator client = asked()) {
      OtpRequiredException required = assertThrows(OtpRequiredException.class, client::token);
      assertEquals(Status.OTP_REQUIRED, required.status());
      Challenge challenge = required.challenge().orElseThrow();
      assertSame(challenge, required.challenge().orElseThrow());
      assertEquals("", challenge.account());
      Duration left = Duration.between(Instant.now(), challenge.expiresAt());
      assertTrue(left.toSeconds() > 290 && left.toSeconds() <= 300, "left " + left);
      String printed = "Challenge[account=, expires=" + challenge.expiresAt() + "]";
      assertEquals(printed, challenge.toString());

      OtpRequiredException rejected =
          assertThrows(OtpRequiredException.class, () -> client.answer(challenge, "000000"));
      assertEquals(Status.OTP_REJECTED, rejected.status());
      assertEquals(Optional.empty(), rejected.challenge());

      try (Token token = client.answer(challenge, CODE);
          Token again = client.token()) {
        assertEquals(token.fingerprint(), again.fingerprint());
      }
      LoginRequiredException over =
          assertThrows(LoginRequiredException.class, () -> client.answer(challenge, CODE));
      assertEquals(Status.OTP_OVER, over.status());
      assertEquals(1, countOf("/fo/auth/login"), emulator.log());
    }
  }

  @Test
  void whoami_refresh_and_logout_follow_a_login() throws Exception {
    try (FleetOrchestrator client = asked()) {
      client.answer(challengeOf(client), CODE.toCharArray()).close();
      Identity identity = client.whoami();
      assertEquals("otp@fleet.example", identity.get("email"));
      assertEquals(
          List.of("id", "email", "role", "company", "site"), List.copyOf(identity.keySet()));

      AuthHeaders first = client.headers(vehicles);
      assertEquals(Advice.RETRY, client.reportRejected(first, 401));
      AuthHeaders refreshed = client.headers(vehicles);
      assertNotEquals(first.get("Authorization"), refreshed.get("Authorization"));
      assertEquals(1, countOf("/fo/auth/refresh-token"), emulator.log());

      client.logout();
      assertEquals(Optional.empty(), client.peek());
      assertEquals(Optional.empty(), client.peek(vehicles));
      challengeOf(client);
      assertEquals(2, countOf("/fo/auth/login"), emulator.log());
    }
  }

  @Test
  void a_sealed_challenge_is_answered_elsewhere() throws Exception {
    byte[] sealed;
    try (FleetOrchestrator client = asked();
        Challenge challenge = challengeOf(client)) {
      sealed = client.sealChallenge(challenge, KEY);
    }
    FleetAuthRuntime elsewhere = FleetAuthRuntime.builder().build();
    try (FleetOrchestrator other =
            emulator.fleetOrchestrator().email("otp@fleet.example").runtime(elsewhere).build();
        Challenge opened = other.openChallenge(sealed, KEY);
        Token token = other.answer(opened, CODE.getBytes(StandardCharsets.UTF_8))) {
      assertTrue(opened.expiresAt().isAfter(Instant.now()));
      assertFalse(token.reveal().isEmpty());
    }
    elsewhere.close(Duration.ofSeconds(5));
    assertEquals(1, countOf("/fo/auth/login"), emulator.log());
  }

  @Test
  void a_sealed_challenge_opens_with_its_key_for_its_client_only() {
    byte[] wrong = KEY.clone();
    wrong[0] ^= 1;
    try (FleetOrchestrator client = asked();
        FleetUp foreign = emulator.fleetUp().runtime(runtime).build();
        Challenge challenge = challengeOf(client)) {
      byte[] sealed = client.sealChallenge(challenge, KEY);
      String text = new String(sealed, StandardCharsets.ISO_8859_1);
      assertFalse(text.contains("otp@fleet.example"), "encrypted");
      List<Executable> refused =
          List.of(
              () -> client.openChallenge(sealed, wrong),
              () -> client.openChallenge(sealed, Arrays.copyOf(KEY, 16)),
              () -> client.sealChallenge(challenge, new byte[0]));
      for (Executable call : refused) {
        assertEquals(Status.KEY, assertThrows(ConfigurationException.class, call).status());
      }
      byte[] damaged = Arrays.copyOf(sealed, sealed.length / 2);
      FleetAuthException crypto =
          assertThrows(FleetAuthException.class, () -> client.openChallenge(damaged, KEY));
      assertEquals(Status.CRYPTO, crypto.status());
      FleetAuthException other =
          assertThrows(FleetAuthException.class, () -> foreign.openChallenge(sealed, KEY));
      assertTrue(List.of(Status.CRYPTO, Status.KEY).contains(other.status()), other.toString());
    }
  }

  @Test
  void all_of_it_works_without_waiting() throws Exception {
    try (FleetOrchestrator client = asked()) {
      Challenge challenge =
          failureOf(OtpRequiredException.class, client.tokenAsync()).challenge().orElseThrow();
      OtpRequiredException rejected =
          failureOf(OtpRequiredException.class, client.answerAsync(challenge, "000000"));
      assertEquals(Status.OTP_REJECTED, rejected.status());
      byte[] code = CODE.getBytes(StandardCharsets.UTF_8);
      CompletableFuture<Token> token = client.answerAsync(challenge, code);
      Arrays.fill(code, (byte) 0);
      token.get(10, TimeUnit.SECONDS).close();
      assertEquals("dispatcher", client.whoamiAsync().get(10, TimeUnit.SECONDS).get("role"));
      client.logoutAsync().get(10, TimeUnit.SECONDS);
      assertEquals(Optional.empty(), client.peek());
      challenge =
          failureOf(OtpRequiredException.class, client.whoamiAsync()).challenge().orElseThrow();
      client.answerAsync(challenge, CODE.toCharArray()).get(10, TimeUnit.SECONDS).close();
    }
  }

  @Test
  void what_is_missing_is_named() {
    try (FleetOrchestrator client = asked();
        Challenge challenge = challengeOf(client)) {
      Map<Executable, String> calls =
          Map.of(
              () -> client.answer(null, CODE), "challenge",
              () -> client.answer(challenge, (String) null), "code",
              () -> client.answer(challenge, (char[]) null), "code",
              () -> client.answer(challenge, (byte[]) null), "code",
              () -> client.sealChallenge(null, KEY), "challenge",
              () -> client.sealChallenge(challenge, null), "key",
              () -> client.openChallenge(null, KEY), "sealed",
              () -> client.openChallenge(new byte[9], null), "key");
      calls.forEach(
          (call, name) ->
              assertEquals(name, assertThrows(NullPointerException.class, call).getMessage()));
      for (CompletableFuture<Token> later :
          List.of(
              client.answerAsync(challenge, (String) null),
              client.answerAsync(challenge, (char[]) null),
              client.answerAsync(challenge, (byte[]) null))) {
        assertEquals("code", failureOf(NullPointerException.class, later).getMessage());
      }
    }
  }

  @Test
  void a_closed_challenge_says_so() {
    try (FleetOrchestrator client = asked()) {
      Challenge challenge = challengeOf(client);
      challenge.close();
      challenge.close();
      assertEquals("Challenge[closed]", challenge.toString());
      assertThrows(ClosedException.class, challenge::expiresAt);
      assertThrows(ClosedException.class, () -> client.answer(challenge, CODE));
      failureOf(ClosedException.class, client.answerAsync(challenge, CODE));
      // The login itself can still be answered: every error has a challenge of its own.
      client.answer(challengeOf(client), CODE).close();
    }
  }

  @Test
  void a_serialized_exception_has_no_challenge() throws Exception {
    try (FleetOrchestrator client = asked()) {
      OtpRequiredException required = assertThrows(OtpRequiredException.class, client::token);
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      new ObjectOutputStream(bytes).writeObject(required);
      ByteArrayInputStream input = new ByteArrayInputStream(bytes.toByteArray());
      OtpRequiredException copy = (OtpRequiredException) new ObjectInputStream(input).readObject();
      assertEquals(required.getMessage(), copy.getMessage());
      assertEquals(Optional.empty(), copy.challenge());
    }
  }

  @Test
  void T13_no_code_is_printed() {
    try (FleetOrchestrator client = asked()) {
      OtpRequiredException required = assertThrows(OtpRequiredException.class, client::token);
      Throwable rejected =
          assertThrows(
              OtpRequiredException.class,
              () -> client.answer(required.challenge().orElseThrow(), "471147"));
      String printed = required + " " + required.challenge() + " " + rejected;
      assertFalse(printed.contains("471147"), printed);
      assertFalse(printed.contains("demo-password"), printed);
    }
  }

  // Who and for whom

  @Test
  void an_identity_is_a_map_that_shows_its_names() {
    try (FleetOrchestrator client = emulator.fleetOrchestrator().runtime(runtime).build()) {
      Identity identity = client.whoami();
      assertEquals("admin", identity.get("role"));
      assertEquals(5, identity.size());
      assertTrue(identity.containsKey("site"));
      assertFalse(identity.containsKey("password"));
      assertEquals("Identity[id, email, role, company, site]", identity.toString());
      assertThrows(UnsupportedOperationException.class, () -> identity.put("role", "viewer"));
      assertThrows(UnsupportedOperationException.class, identity::clear);
      assertEquals(identity, client.whoami());
    }
  }

  @Test
  void one_client_acts_for_every_account() {
    String url = emulator.url() + "/trimble/vehicles";
    try (TrimbleMaps client = emulator.trimbleMaps().runtime(runtime).build()) {
      List<Account> accounts = client.accounts();
      assertEquals(List.of("FLTACC1", "FLTACC2"), accounts.stream().map(Account::id).toList());
      Account account = accounts.get(0);
      assertEquals("Fleet Account 1", account.name());
      assertEquals("Account[id=FLTACC1, name=Fleet Account 1]", account.toString());
      assertEquals(accounts, client.accountsAsync().join());
      assertEquals(accounts.hashCode(), client.accounts(null).hashCode());
      assertNotEquals(account, accounts.get(1));
      assertThrows(UnsupportedOperationException.class, () -> accounts.remove(0));

      try (PreparedRequest one = client.request().account("FLTACC1").build();
          PreparedRequest two = client.request().account("FLTACC2").build();
          Token tokenOfOne = client.token(one);
          Token tokenOfTwo = client.tokenAsync(two).join()) {
        assertNotEquals(tokenOfOne.fingerprint(), tokenOfTwo.fingerprint());
        AuthHeaders headersOfOne = client.headers(url, "GET", one);
        AuthHeaders headersOfTwo = client.headersAsync(url, "GET", two).join();
        assertEquals("Bearer " + tokenOfOne.reveal(), headersOfOne.get("Authorization"));
        assertEquals("Bearer " + tokenOfTwo.reveal(), headersOfTwo.get("Authorization"));
        assertSame(headersOfOne, client.headers(url, "GET", one));
        assertSame(headersOfTwo, client.peek(url, "GET", two).orElseThrow());
        assertNotSame(headersOfOne, client.headers(url));
      }
      try (PreparedRequest unknown = client.request().account("FLTACC9").build()) {
        assertThrows(InvalidCredentialsException.class, () -> client.token(unknown));
      }
    }
  }

  @Test
  void a_provider_that_does_not_tell_is_unsupported() {
    try (FleetUp client = emulator.fleetUp().runtime(runtime).build()) {
      for (Executable call : List.<Executable>of(client::whoami, client::accounts)) {
        assertEquals(Status.UNSUPPORTED, assertThrows(ConfigurationException.class, call).status());
      }
      failureOf(ConfigurationException.class, client.whoamiAsync());
      failureOf(ConfigurationException.class, client.accountsAsync());
    }
  }

  // Logout

  private int statusOf(String url, AuthHeaders headers) throws Exception {
    HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url));
    headers.forEach(request::header);
    HttpClient http = HttpClient.newBuilder().sslContext(emulator.sslContext()).build();
    return http.send(request.build(), HttpResponse.BodyHandlers.discarding()).statusCode();
  }

  @Test
  void a_logout_revokes_and_the_next_token_is_a_new_login() throws Exception {
    String resource = emulator.url() + "/oauth2-api/resource";
    try (OAuth2 client = emulator.oauth2().runtime(runtime).build()) {
      AuthHeaders headers = client.headers(resource);
      assertEquals(200, statusOf(resource, headers));
      client.logout();
      assertEquals(401, statusOf(resource, headers));
      assertEquals(Optional.empty(), client.peek(resource));
      assertEquals(200, statusOf(resource, client.headers(resource)));
      assertEquals(2, countOf("/oauth2/token"), emulator.log());
    }
  }

  @Test
  void headers_that_another_client_kept_end_with_a_logout() {
    String resource = emulator.url() + "/oauth2-api/resource";
    try (OAuth2 client = emulator.oauth2().runtime(runtime).build();
        OAuth2 same = emulator.oauth2().runtime(runtime).build()) {
      AuthHeaders kept = same.headers(resource);
      assertSame(kept, same.headers(resource));
      client.logout();
      assertEquals(Optional.empty(), same.peek(resource));
      assertNotEquals(kept.get("Authorization"), same.headers(resource).get("Authorization"));
    }
  }

  @Test
  void a_logout_that_cannot_revoke_says_so_and_forgets_all_the_same() throws Exception {
    emulator.fault("{\"match\":{\"path\":\"/oauth2/revoke\"},\"times\":2,\"do\":{\"status\":400}}");
    try (OAuth2 client = emulator.oauth2().runtime(runtime).build()) {
      client.token().close();
      FleetAuthException failure = assertThrows(FleetAuthException.class, client::logout);
      assertEquals(400, failure.httpStatus());
      assertEquals(Optional.empty(), client.peek());
      client.token().close();
      failureOf(failure.getClass(), client.logoutAsync());
      assertEquals(Optional.empty(), client.peek());
      client.logout();
    }
  }

  // As for tokens: cancelling, interrupting, closing, the program's own transport

  private void hold(String path) throws IOException {
    emulator.fault("{\"match\":{\"path\":\"" + path + "\"},\"times\":9,\"do\":{\"hold\":\"g\"}}");
  }

  @Test
  void each_can_be_cancelled() throws Exception {
    hold("/fo/auth/whoami");
    hold("/oauth2/revoke");
    hold("/trimble/accounts");
    try (FleetOrchestrator who = emulator.fleetOrchestrator().runtime(runtime).build();
        TrimbleMaps whom = emulator.trimbleMaps().runtime(runtime).build();
        OAuth2 out = emulator.oauth2().runtime(runtime).build()) {
      out.token().close();
      for (CompletableFuture<?> future :
          List.of(who.whoamiAsync(), whom.accountsAsync(), out.logoutAsync())) {
        assertFalse(future.isDone());
        assertTrue(future.cancel(true));
        assertTrue(future.isCancelled());
      }
      assertEquals(Optional.empty(), out.peek(), "what a logout forgot stays forgotten");
    }
  }

  @Test
  void an_interrupted_caller_gives_up() throws Exception {
    hold("/fo/auth/whoami");
    try (FleetOrchestrator client = emulator.fleetOrchestrator().runtime(runtime).build()) {
      CompletableFuture<Class<?>> outcome = new CompletableFuture<>();
      Thread caller =
          new Thread(
              () ->
                  outcome.complete(
                      assertThrows(FleetAuthException.class, client::whoami).getClass()));
      caller.start();
      emulator.admin("GET", "/log?endpoint=/fo/auth/whoami&wait_for=1&timeout_ms=5000", null);
      caller.interrupt();
      assertEquals(CancelledException.class, outcome.get(5, TimeUnit.SECONDS));
    }
  }

  @Test
  void closing_fails_what_is_in_flight() throws Exception {
    hold("/fo/auth/whoami");
    FleetOrchestrator client = emulator.fleetOrchestrator().runtime(runtime).build();
    CompletableFuture<Identity> identity = client.whoamiAsync();
    client.close();
    failureOf(ClosedException.class, identity);
    assertThrows(ClosedException.class, client::whoami);
    assertThrows(ClosedException.class, client::accounts);
    assertThrows(ClosedException.class, client::logout);
    assertThrows(ClosedException.class, () -> client.openChallenge(new byte[9], KEY));
    failureOf(ClosedException.class, client.whoamiAsync());
    failureOf(ClosedException.class, client.logoutAsync());
  }

  @Test
  void a_transport_of_the_programs_own_serves_all_of_it() throws Exception {
    HttpTransport transport =
        call -> {
          String path = URI.create(call.url()).getPath();
          String answer =
              path.endsWith("/login")
                  ? "{\"requires2FA\":true,\"tempToken\":\"handle-1\"}"
                  : path.endsWith("/whoami")
                      ? "{\"_id\":\"u-1\",\"email\":\"a@b.example\"}"
                      : "{\"accessToken\":\"t-1\",\"refreshToken\":\"r-1\",\"expiresIn\":3600}";
          ScriptedTransport.answer(call, 200, answer);
        };
    try (FleetOrchestrator client =
        FleetOrchestrator.builder()
            .email("a@b.example")
            .password("password-canary-1")
            .runtime(runtime)
            .transport(transport)
            .build()) {
      try (Token token = client.answer(challengeOf(client), CODE)) {
        assertEquals("t-1", token.reveal());
      }
      assertEquals(Map.of("id", "u-1", "email", "a@b.example"), client.whoami());
      assertEquals("u-1", client.whoamiAsync().get(5, TimeUnit.SECONDS).get("id"));
      client.logout();
      client.logoutAsync().get(5, TimeUnit.SECONDS);
      assertEquals(Optional.empty(), client.peek());
    }
  }

  // The emulator's accounts

  @Test
  void every_provider_has_its_demonstration_account() throws Exception {
    Map<FleetAuthClient, String> clients =
        Map.of(
            emulator.fleetOrchestrator().runtime(runtime).build(), "/fo/vehicles?limit=10&page=1",
            emulator.fleetio().runtime(runtime).build(), "/fleetio/api/v1/vehicles",
            emulator.fleetUp().runtime(runtime).build(), "/fleetup/devices",
            emulator.motive().runtime(runtime).build(), "/motive/v1/vehicles",
            emulator.oauth2().runtime(runtime).build(), "/oauth2-api/resource",
            emulator.samsara().runtime(runtime).build(), "/samsara/fleet/vehicles",
            emulator.tn360().runtime(runtime).build(), "/tn360/v1/vehicles",
            emulator.trimbleMaps().accountId("FLTACC1").runtime(runtime).build(),
                "/trimble/vehicles",
            emulator.verizonReveal().runtime(runtime).build(), "/reveal/cmd/v1/vehicles");
    for (Map.Entry<FleetAuthClient, String> each : clients.entrySet()) {
      try (FleetAuthClient client = each.getKey()) {
        String url = emulator.url() + each.getValue();
        assertEquals(200, statusOf(url, client.headers(url)), url);
      }
    }
  }
}
