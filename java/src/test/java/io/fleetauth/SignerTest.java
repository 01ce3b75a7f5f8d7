package io.fleetauth;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.nimbusds.jose.crypto.RSASSAVerifier;
import com.nimbusds.jwt.SignedJWT;
import java.io.IOException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.NoSuchAlgorithmException;
import java.security.Signature;
import java.security.interfaces.RSAPublicKey;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Signers that a program supplies. */
@ExtendWith(LiveHandles.class)
class SignerTest {
  private static final KeyPair KEY = newKey();
  private static final Map<String, String> VEHICLE = Map.of("vehicleid", "v-1");

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

  private static KeyPair newKey() {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
      generator.initialize(2048);
      return generator.generateKeyPair();
    } catch (NoSuchAlgorithmException impossible) {
      throw new AssertionError(impossible);
    }
  }

  private static byte[] sign(byte[] data) throws Exception {
    Signature signature = Signature.getInstance("SHA256withRSA");
    signature.initSign(KEY.getPrivate());
    signature.update(data);
    return signature.sign();
  }

  private FleetEngine.Builder builder() {
    return FleetEngine.builder().clientEmail("fleet@example.com").keyId("key-1").runtime(runtime);
  }

  private FleetEngine client(Signer signer) {
    return builder().signer(signer).build();
  }

  private static FleetEngine.Builder failing(FleetEngine.Builder builder, Throwable failure) {
    return builder.asyncSigner(data -> CompletableFuture.failedFuture(failure));
  }

  private static Token mint(FleetEngine client) {
    return client.mint(FleetEngine.ClaimSet.DRIVER, VEHICLE);
  }

  private static CompletableFuture<Token> mintAsync(FleetEngine client) {
    return client.mintAsync(FleetEngine.ClaimSet.DRIVER, VEHICLE);
  }

  private static Throwable failureOf(CompletableFuture<?> future) {
    return assertThrows(ExecutionException.class, () -> future.get(5, TimeUnit.SECONDS)).getCause();
  }

  /** A signer as a key store would be, and how often it signed. */
  private static final class Counting implements Signer {
    final AtomicInteger signatures = new AtomicInteger();

    @Override
    public byte[] sign(byte[] data) throws Exception {
      signatures.incrementAndGet();
      return SignerTest.sign(data);
    }
  }

  @Test
  void a_key_of_the_java_security_API_signs() throws Exception {
    AtomicReference<byte[]> signed = new AtomicReference<>();
    Signer signer =
        data -> {
          signed.set(data);
          return sign(data);
        };
    try (FleetEngine client = client(signer);
        Token token = mint(client)) {
      SignedJWT jwt = SignedJWT.parse(token.reveal());
      assertTrue(jwt.verify(new RSASSAVerifier((RSAPublicKey) KEY.getPublic())));
      assertEquals("key-1", jwt.getHeader().getKeyID());
      assertEquals("fleet@example.com", jwt.getJWTClaimsSet().getIssuer());
      assertEquals("fleet@example.com", jwt.getJWTClaimsSet().getSubject());
      assertEquals(VEHICLE, jwt.getJWTClaimsSet().getJSONObjectClaim("authorization"));
      assertArrayEquals(jwt.getSigningInput(), signed.get());
    }
  }

  @Test
  void without_a_key_id_the_token_names_none() throws Exception {
    FleetEngine.Builder builder = FleetEngine.builder().clientEmail("a@example.com");
    try (FleetEngine client = builder.signer(SignerTest::sign).runtime(runtime).build();
        Token token = client.mint(FleetEngine.ClaimSet.SERVER)) {
      assertEquals(null, SignedJWT.parse(token.reveal()).getHeader().getKeyID());
    }
  }

  @Test
  void a_signature_may_come_later_and_from_any_thread() throws Exception {
    ScriptedSigner signer = new ScriptedSigner();
    try (FleetEngine client = builder().asyncSigner(signer).build()) {
      CompletableFuture<Token> token = mintAsync(client);
      CompletableFuture<byte[]> wanted = signer.next().signature;
      assertFalse(token.isDone());
      wanted.complete(new byte[] {1, 2, 3});
      String signature =
          Base64.getUrlEncoder().withoutPadding().encodeToString(new byte[] {1, 2, 3});
      try (Token made = token.get(5, TimeUnit.SECONDS)) {
        assertTrue(made.reveal().endsWith("." + signature));
      }
    }
  }

  @Test
  void the_same_claims_are_signed_once() throws Exception {
    Counting signer = new Counting();
    try (FleetEngine client = client(signer);
        Token first = mint(client);
        Token again = mint(client);
        Token later = mintAsync(client).get(5, TimeUnit.SECONDS)) {
      assertEquals(first.reveal(), again.reveal());
      assertEquals(first.reveal(), later.reveal());
      assertTrue(again.isFromCache());
      assertEquals(1, signer.signatures.get());
      try (Token other =
          client.mint(FleetEngine.ClaimSet.DRIVER, Map.of(FleetEngine.Claim.VEHICLEID, "v-2"))) {
        assertNotEquals(first.reveal(), other.reveal());
      }
      assertEquals(2, signer.signatures.get());
    }
  }

  @Test
  void headers_are_those_of_the_claims_that_a_request_names() {
    String url = "https://fleetengine.googleapis.com/v1/providers/p/vehicles/v-1";
    try (FleetEngine client = client(SignerTest::sign);
        PreparedRequest one = client.request().claimSet("driver").claims(VEHICLE).build();
        PreparedRequest same = client.request().claimSet("driver").claims(VEHICLE).build();
        PreparedRequest all = client.request().claimSet("server").build()) {
      AuthHeaders headers = client.headers(url, "GET", one);
      assertSame(headers, client.headers(url, "GET", one));
      assertEquals(headers, client.headers(url, "GET", same));
      assertNotEquals(headers, client.headers(url, "GET", all));
      assertSame(headers, client.headers(url, "GET", one));
    }
  }

  @Test
  void a_renewal_in_the_background_is_signed_although_nobody_waits() throws Exception {
    Counting signer = new Counting();
    try (FleetEngine client = client(signer);
        PreparedRequest request = client.request().claimSet("server").build()) {
      String first;
      try (Token token = client.token(request)) {
        first = token.reveal();
      }
      clock.advance(Duration.ofMinutes(54));
      try (Token stale = client.peekToken(null, null, request).orElseThrow()) {
        assertEquals(first, stale.reveal());
      }
      assertTrue(
          LiveHandles.await(
              () -> {
                try (Token token = client.token(request)) {
                  return !token.reveal().equals(first);
                }
              }));
      assertEquals(2, signer.signatures.get());
    }
  }

  @Test
  void what_a_signer_throws_comes_out_itself() {
    IllegalStateException thrown = new IllegalStateException("no HSM today: secret-canary");
    Signer signer =
        data -> {
          throw thrown;
        };
    try (FleetEngine client = client(signer)) {
      assertSame(thrown, assertThrows(IllegalStateException.class, () -> mint(client)));
      assertSame(thrown, failureOf(mintAsync(client)));
    }
    try (FleetEngine client = failing(builder().keyId("key-2"), thrown).build()) {
      assertSame(thrown, assertThrows(IllegalStateException.class, () -> mint(client)));
      assertSame(thrown, failureOf(mintAsync(client)));
    }
  }

  @Test
  void an_error_a_signer_throws_comes_out_itself() {
    AssertionError thrown = new AssertionError("impossible");
    Signer signer =
        data -> {
          throw thrown;
        };
    try (FleetEngine client = client(signer)) {
      assertSame(thrown, assertThrows(AssertionError.class, () -> mint(client)));
    }
  }

  @Test
  void a_checked_exception_is_the_cause_or_comes_out_of_the_future() {
    IOException thrown = new IOException("the KMS said secret-canary");
    Signer signer =
        data -> {
          throw thrown;
        };
    try (FleetEngine client = client(signer)) {
      FleetAuthException failure = assertThrows(FleetAuthException.class, () -> mint(client));
      assertEquals(Status.CALLBACK, failure.status());
      assertEquals("fleet_engine", failure.provider());
      assertSame(thrown, failure.getCause());
      assertTrue(failure.getMessage().contains("IOException"), failure.getMessage());
      assertFalse(failure.getMessage().contains("secret-canary"), failure.getMessage());
      assertSame(thrown, failureOf(mintAsync(client)));
    }
    AsyncSigner later =
        data -> CompletableFuture.completedFuture(data).thenApplyAsync(ignored -> boom(thrown));
    try (FleetEngine client = builder().keyId("key-2").asyncSigner(later).build()) {
      assertSame(thrown, failureOf(mintAsync(client)));
    }
  }

  private static byte[] boom(IOException cause) {
    throw new CompletionException(cause);
  }

  @Test
  void a_signer_that_answers_nothing_fails() {
    try (FleetEngine client = client(data -> null)) {
      assertThrows(NullPointerException.class, () -> mint(client));
    }
    try (FleetEngine client = builder().keyId("key-2").asyncSigner(data -> null).build()) {
      assertThrows(NullPointerException.class, () -> mint(client));
    }
  }

  @Test
  void a_signature_that_is_empty_or_too_long_is_refused() {
    try (FleetEngine client = client(data -> new byte[0])) {
      assertThrows(FleetAuthException.class, () -> mint(client));
    }
    try (FleetEngine client = builder().keyId("key-2").signer(data -> new byte[4096]).build()) {
      FleetAuthException failure = assertThrows(FleetAuthException.class, () -> mint(client));
      assertTrue(failure.getMessage().contains("signature"), failure.getMessage());
    }
  }

  @Test
  void what_nobody_is_there_to_sign_fails() {
    try (FleetEngine client = builder().set("signer", "host").build()) {
      FleetAuthException failure = assertThrows(FleetAuthException.class, () -> mint(client));
      assertEquals(Status.CALLBACK, failure.status());
    }
  }

  @Test
  void a_signature_that_is_forgotten_fails() {
    try (FleetEngine client = builder().asyncSigner(data -> new CompletableFuture<>()).build()) {
      CompletableFuture<Token> token = mintAsync(client);
      assertTrue(LiveHandles.await(token::isDone));
      FleetAuthException failure = assertInstanceOf(FleetAuthException.class, failureOf(token));
      assertEquals(Status.CALLBACK, failure.status());
    }
  }

  @Test
  void a_signature_that_comes_too_late_is_cancelled() throws Exception {
    ScriptedSigner signer = new ScriptedSigner();
    try (FleetEngine client =
        builder().asyncSigner(signer).totalTimeout(Duration.ofSeconds(10)).build()) {
      CompletableFuture<Token> token = mintAsync(client);
      CompletableFuture<byte[]> wanted = signer.next().signature;
      clock.advance(Duration.ofMinutes(10));
      assertTrue(LiveHandles.await(wanted::isCancelled));
      assertInstanceOf(TimeoutException.class, failureOf(token));
    }
  }

  @Test
  void a_signature_for_a_client_that_was_closed_is_cancelled() throws Exception {
    ScriptedSigner signer = new ScriptedSigner();
    FleetEngine client = builder().asyncSigner(signer).build();
    CompletableFuture<Token> token = mintAsync(client);
    CompletableFuture<byte[]> wanted = signer.next().signature;
    client.close();
    assertInstanceOf(ClosedException.class, failureOf(token));
    assertTrue(LiveHandles.await(wanted::isCancelled));
  }

  @Test
  void P10_a_signer_that_waits_for_its_own_client_is_refused() {
    AtomicReference<FleetEngine> own = new AtomicReference<>();
    Signer signer =
        data -> {
          mint(own.get()).close();
          return new byte[1];
        };
    try (FleetEngine client = client(signer)) {
      own.set(client);
      FleetAuthException failure = assertThrows(FleetAuthException.class, () -> mint(client));
      assertEquals(Status.REENTRANT, failure.status());
    }
  }

  @Test
  void an_executor_of_the_programs_own_is_used() {
    AtomicReference<String> ran = new AtomicReference<>();
    Signer signer =
        data -> {
          ran.set(Thread.currentThread().getName());
          return sign(data);
        };
    try (FleetEngine client =
        builder().signer(signer).executor(task -> new Thread(task, "mine").start()).build()) {
      mint(client).close();
      assertEquals("mine", ran.get());
    }
  }

  @Test
  void an_executor_that_refuses_fails_the_call() {
    try (FleetEngine client =
        builder()
            .signer(SignerTest::sign)
            .executor(
                task -> {
                  throw new RejectedExecutionException("full");
                })
            .build()) {
      assertThrows(RejectedExecutionException.class, () -> mint(client));
    }
  }

  @Test
  void a_signer_needs_the_name_of_its_account_and_no_key() {
    FleetEngine.Builder nameless = FleetEngine.builder().runtime(runtime).signer(SignerTest::sign);
    ConfigurationException failure = assertThrows(ConfigurationException.class, nameless::build);
    assertTrue(failure.getMessage().contains("client_email"), failure.getMessage());
    FleetEngine.Builder both = builder().signer(SignerTest::sign).serviceAccount("{}");
    assertThrows(ConfigurationException.class, both::build);
    assertThrows(NullPointerException.class, () -> builder().signer(null));
    assertThrows(NullPointerException.class, () -> builder().asyncSigner(null));
  }
}
