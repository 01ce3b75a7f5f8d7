package io.fleetauth;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/** Carries one conformance vector out; tests/conformance/README.md says what its members mean. */
final class VectorPlayer implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int PATIENCE_S = 5;
  private static final byte[] CHALLENGE_KEY =
      "a key of 32 bytes for challenges".getBytes(StandardCharsets.UTF_8);

  private final JsonNode vector;
  private final ManualClock clock;
  private final FleetAuthRuntime runtime;

  /** A single thread: what the library asks for at once comes in its order. */
  private final ExecutorService executor =
      Executors.newSingleThreadExecutor(work -> Workers.daemon("vector", work));

  private final ScriptedTransport transport = new ScriptedTransport();
  private final ScriptedSigner signer = new ScriptedSigner();
  private final List<AutoCloseable> toClose = new ArrayList<>();
  private final Map<String, CompletableFuture<?>> operations = new HashMap<>();
  private final Map<String, Challenge> challenges = new HashMap<>();
  private final Set<String> askedFor = new HashSet<>();
  private FleetAuthClient client;
  private HttpCall unanswered;
  private CompletableFuture<byte[]> unsigned;
  private CountDownLatch withdrawn;
  private Throwable thrown;
  private String where = "client";

  private VectorPlayer(JsonNode vector) {
    this.vector = vector;
    clock = new ManualClock(Instant.parse(vector.path("wall").asText("2026-01-01T00:00:00Z")));
    runtime = FleetAuthRuntime.builder().clock(clock).build();
  }

  static void play(JsonNode vector) throws Exception {
    try (VectorPlayer player = new VectorPlayer(vector)) {
      player.play();
    }
  }

  private void play() throws Exception {
    checkMembers(
        vector, "name", "note", "rows", "client", "wall", "secrets", "steps", "client_error");
    if (vector.has("client_error")) {
      FleetAuthException refused = null;
      try {
        makeClient();
      } catch (FleetAuthException failure) {
        refused = failure;
      }
      assertNotNull(refused, "the client could be made");
      compareError(vector.get("client_error"), refused);
      return;
    }
    makeClient();
    int number = 0;
    for (JsonNode step : vector.get("steps")) {
      where = "step " + ++number;
      carryOut(step);
    }
    where = "at the end";
    expectNothing();
    assertEquals(operations.keySet(), askedFor, where);
  }

  private void makeClient() {
    JsonNode spec = vector.get("client");
    try (Provider provider =
        spec.has("descriptor")
            ? Provider.fromJson(spec.get("descriptor").toString(), "descriptor")
            : Provider.builtin(spec.get("provider").asText())) {
      FleetAuthClient.Builder builder =
          FleetAuthClient.builder(provider)
              .runtime(runtime)
              .executor(executor)
              .transport(transport);
      ObjectNode options = spec.get("options").deepCopy();
      if (options.path("signer").asText().equals("host")) {
        options.remove("signer");
        builder.asyncSigner(signer);
      }
      setAll(builder, options);
      client = builder.build();
    }
    toClose.add(client);
    see(client.toString());
  }

  private static void setAll(OptionBag<?> bag, JsonNode options) {
    options
        .fields()
        .forEachRemaining(
            option -> {
              JsonNode value = option.getValue();
              if (value.isBoolean()) {
                bag.set(option.getKey(), value.booleanValue());
              } else if (value.isIntegralNumber()) {
                bag.set(option.getKey(), value.longValue());
              } else if (option.getKey().length() % 2 == 0 && value.isTextual()) {
                // Every other one as characters, which is how secrets can be given.
                bag.set(option.getKey(), value.textValue().toCharArray());
              } else {
                bag.set(option.getKey(), value.isObject() ? value.toString() : value.textValue());
              }
            });
  }

  private void carryOut(JsonNode step) throws Exception {
    if (is(step, "start", "url", "method", "request")) {
      start(step);
    } else if (is(step, "expect_request", "answer", "fail")) {
      expectRequest(step);
    } else if (is(step, "expect_sign", "signature_base64", "fail")) {
      expectSign(step);
    } else if (is(step, "inquire", "what", "request")) {
      inquire(step);
    } else if (is(step, "answer_challenge", "of", "code", "sealed")) {
      answerChallenge(step);
    } else if (is(step, "log_out")) {
      begin(step.get("log_out"), client::logoutAsync);
    } else if (is(step, "done", "token", "headers", "identity", "accounts", "error")) {
      done(step);
    } else if (is(step, "peek", "token", "headers", "error")) {
      peek(step);
    } else if (is(step, "reject", "http_status", "date", "advice")) {
      reject(step);
    } else if (is(step, "advance_ms")) {
      clock.advance(Duration.ofMillis(step.get("advance_ms").longValue()));
    } else if (is(step, "step_wall_ms")) {
      clock.stepWall(Duration.ofMillis(step.get("step_wall_ms").longValue()));
    } else if (is(step, "answer")) {
      answer(unanswered, step.get("answer"));
    } else if (is(step, "cancel")) {
      operations.get(step.get("cancel").asText()).cancel(true);
    } else if (is(step, "close")) {
      client.close();
    } else if (is(step, "expect_cancel")) {
      assertTrue(withdrawn.await(PATIENCE_S, TimeUnit.SECONDS), where + ": not withdrawn");
    } else if (is(step, "expect_nothing")) {
      expectNothing();
    } else {
      fail(where + ": the format has no step " + step);
    }
  }

  private boolean is(JsonNode step, String kind, String... more) {
    if (!step.has(kind)) {
      return false;
    }
    List<String> known = new ArrayList<>(List.of(more));
    known.addAll(List.of(kind, "note"));
    checkMembers(step, known.toArray(new String[0]));
    return true;
  }

  private void checkMembers(JsonNode object, String... known) {
    object
        .fieldNames()
        .forEachRemaining(
            name ->
                assertTrue(List.of(known).contains(name), where + ": the format has no " + name));
  }

  // Steps

  private PreparedRequest request(JsonNode call) {
    if (!call.has("request")) {
      return null;
    }
    PreparedRequest.Builder builder = client.request();
    ObjectNode options = call.get("request").deepCopy();
    if (options.path("claims").isObject()) {
      JsonNode claims = options.remove("claims");
      builder.claims(JSON.convertValue(claims, new TypeReference<Map<String, Object>>() {}));
    }
    setAll(builder, options);
    PreparedRequest request = builder.build();
    toClose.add(request);
    return request;
  }

  private void start(JsonNode step) {
    begin(
        step.get("start"),
        () -> client.tokenAsync(text(step, "url"), text(step, "method"), request(step)));
  }

  private void inquire(JsonNode step) {
    boolean accounts = text(step, "what").equals("accounts");
    begin(
        step.get("inquire"),
        () -> accounts ? client.accountsAsync(request(step)) : client.whoamiAsync(request(step)));
  }

  private void answerChallenge(JsonNode step) {
    Challenge challenge = challenges.get(text(step, "of"));
    assertNotNull(challenge, where + ": the operation has no challenge");
    if (step.path("sealed").asBoolean()) {
      byte[] sealed = client.sealChallenge(challenge, CHALLENGE_KEY);
      challenge = client.openChallenge(sealed, CHALLENGE_KEY);
      toClose.add(challenge);
      see(challenge.toString());
    }
    Challenge asked = challenge;
    begin(step.get("answer_challenge"), () -> client.answerAsync(asked, text(step, "code")));
  }

  private void begin(JsonNode label, Supplier<CompletableFuture<?>> start) {
    CompletableFuture<?> operation;
    try {
      operation = start.get();
    } catch (FleetAuthException refused) {
      operation = CompletableFuture.failedFuture(refused);
    }
    assertEquals(null, operations.put(label.asText(), operation), where);
  }

  private void expectRequest(JsonNode step) throws Exception {
    HttpCall call = transport.next();
    assertNotNull(call, where + ": no request was sent");
    compareRequest(step.get("expect_request"), call);
    see(call.toString());
    if (step.has("answer")) {
      answer(call, step.get("answer"));
    } else if (step.has("fail")) {
      JsonNode failure = step.get("fail");
      Status status = Status.valueOf(failure.get("status").asText().substring(2));
      call.fail(status, failure.path("message").asText(null), null);
    } else {
      unanswered = call;
      withdrawn = new CountDownLatch(1);
      call.onCancel(withdrawn::countDown);
    }
  }

  private void expectSign(JsonNode step) throws Exception {
    ScriptedSigner.Wanted wanted = signer.next();
    assertNotNull(wanted, where + ": nothing was to be signed");
    compareToSign(step.get("expect_sign"), wanted.data);
    executor.submit(() -> {}).get(PATIENCE_S, TimeUnit.SECONDS); // the signer has returned
    if (step.has("signature_base64")) {
      wanted.signature.complete(Base64.getDecoder().decode(text(step, "signature_base64")));
    } else if (step.has("fail")) {
      boolean ofNetwork = !step.get("fail").get("status").asText().equals("E_CALLBACK");
      assumeFalse(ofNetwork, "a signer in Java cannot say that it was not reached");
      thrown = new IllegalStateException(step.get("fail").path("message").asText());
      wanted.signature.completeExceptionally(thrown);
    } else {
      unsigned = wanted.signature; // what nobody refers to would fail
      withdrawn = new CountDownLatch(1);
      CountDownLatch told = withdrawn;
      unsigned.whenComplete((signature, failure) -> told.countDown());
    }
  }

  private void expectNothing() {
    assertTrue(transport.isIdle(), where + ": there is a request");
    assertTrue(signer.isIdle(), where + ": there is something to sign");
    operations.forEach(
        (label, operation) ->
            assertTrue(
                !operation.isDone() || askedFor.contains(label), where + ": completed: " + label));
  }

  private void done(JsonNode step) throws Exception {
    String label = step.get("done").asText();
    assertTrue(askedFor.add(label), where + ": asked for the same outcome again");
    Object outcome = null;
    FleetAuthException failure = null;
    try {
      outcome = operations.get(label).get(PATIENCE_S, TimeUnit.SECONDS);
    } catch (ExecutionException failed) {
      if (failed.getCause() == thrown) {
        // What a signer throws comes out itself.
        assertEquals("E_CALLBACK", step.path("error").path("status").asText(), where);
        return;
      }
      failure = (FleetAuthException) failed.getCause();
    } catch (java.util.concurrent.CancellationException cancelled) {
      failure = Status.CANCELLED.exception(ErrorDetails.of(Status.CANCELLED, "cancelled"));
    } catch (TimeoutException late) {
      fail(where + ": the operation did not complete");
    }
    if (outcome instanceof Token) {
      toClose.add((Token) outcome);
    }
    if (failure != null) {
      failure.challenge().ifPresent(challenge -> challenges.put(label, challenge));
    }
    compareOutcome(step, outcome, failure);
  }

  private void peek(JsonNode step) {
    JsonNode call = step.get("peek");
    String url = text(call, "url");
    Optional<Token> token;
    try {
      PreparedRequest request = request(call);
      token = client.peekToken(url, text(call, "method"), request);
      token.ifPresent(toClose::add);
      if (step.has("headers") && url != null) {
        String method = Optional.ofNullable(text(call, "method")).orElse("GET");
        compareHeaders(step.get("headers"), client.peek(url, method, request).orElseThrow());
      }
    } catch (FleetAuthException refused) {
      compareOutcome(step, null, refused);
      return;
    }
    if (token.isEmpty()) {
      // That memory holds none is an answer in Java, not an error with a message.
      assertEquals("E_WOULD_BLOCK", step.path("error").path("status").asText(), where);
      return;
    }
    compareOutcome(step, token.get(), null);
  }

  private static ErrorDetails wouldBlock() {
    return ErrorDetails.of(Status.WOULD_BLOCK, "memory holds no usable token");
  }

  private void reject(JsonNode step) {
    Token token = (Token) operations.get(step.get("reject").asText()).getNow(null);
    int httpStatus = step.path("http_status").asInt(401);
    Advice advice = client.reportRejected(token, httpStatus, step.path("date").asText(null));
    assertEquals(step.get("advice").asText(), advice.name().toLowerCase(Locale.ROOT), where);
  }

  // What is sent

  private void compareRequest(JsonNode expected, HttpCall call) throws Exception {
    checkMembers(expected, "method", "url", "headers", "body", "json", "form", "one_shot");
    String body = new String(call.body(), StandardCharsets.UTF_8);
    boolean saysBody = expected.has("body") || expected.has("json") || expected.has("form");
    if (!saysBody) {
      assertEquals("", body, where);
    }
    if (expected.has("method")) {
      assertEquals(expected.get("method").asText(), call.method(), where);
    }
    if (expected.has("url")) {
      assertEquals(expected.get("url").asText(), call.url(), where);
    }
    if (expected.has("headers")) {
      compareRequestHeaders(expected.get("headers"), call);
    }
    if (expected.has("body")) {
      assertEquals(expected.get("body").asText(), body, where);
    }
    if (expected.has("json")) {
      assertEquals(expected.get("json"), JSON.readTree(body), where);
    }
    if (expected.has("form")) {
      assertEquals(pairs(expected.get("form")), form(body), where);
    }
    if (expected.has("one_shot")) {
      assertEquals(expected.get("one_shot").booleanValue(), call.isOneShot(), where);
    }
  }

  private void compareRequestHeaders(JsonNode expected, HttpCall call) {
    Map<String, String> wanted = new TreeMap<>();
    expected
        .fields()
        .forEachRemaining(h -> wanted.put(lower(h.getKey()), h.getValue().textValue()));
    Map<String, String> sent = new TreeMap<>();
    for (Map.Entry<String, String> header : call.headers()) {
      if (!header.getKey().equalsIgnoreCase("User-Agent")) {
        assertEquals(null, sent.put(lower(header.getKey()), header.getValue()), where);
      }
    }
    assertEquals(wanted, sent, where);
  }

  private void compareToSign(JsonNode expected, byte[] data) throws Exception {
    checkMembers(expected, "algorithm", "key_id", "data");
    String signed = new String(data, StandardCharsets.UTF_8);
    assertEquals(text(expected, "data"), signed, where);
    // A signer is given the bytes alone; they say what they are to be signed with.
    byte[] decoded = Base64.getUrlDecoder().decode(signed.substring(0, signed.indexOf('.')));
    JsonNode header = JSON.readTree(decoded);
    assertEquals(text(expected, "algorithm"), text(header, "alg"), where);
    assertEquals(text(expected, "key_id"), text(header, "kid"), where);
  }

  private static List<Map.Entry<String, String>> pairs(JsonNode object) {
    List<Map.Entry<String, String>> pairs = new ArrayList<>();
    object.fields().forEachRemaining(m -> pairs.add(Map.entry(m.getKey(), m.getValue().asText())));
    return pairs;
  }

  private static List<Map.Entry<String, String>> form(String body) {
    List<Map.Entry<String, String>> members = new ArrayList<>();
    for (String member : body.split("&")) {
      String[] sides = member.split("=", 2);
      members.add(
          Map.entry(
              URLDecoder.decode(sides[0], StandardCharsets.UTF_8),
              URLDecoder.decode(sides[1], StandardCharsets.UTF_8)));
    }
    return members;
  }

  private void answer(HttpCall call, JsonNode answer) throws Exception {
    try {
      describe(call, answer);
    } catch (ProviderUnavailableException tooLarge) {
      assertEquals(Status.TOO_LARGE, tooLarge.status(), where);
      call.fail(Status.TOO_LARGE, null);
      return;
    }
    call.complete(answer.get("status").intValue());
  }

  private void describe(HttpCall call, JsonNode answer) {
    checkMembers(answer, "status", "headers", "json", "body", "body_base64", "body_repeat");
    boolean saysType = false;
    for (var headers = answer.path("headers").fields(); headers.hasNext(); ) {
      Map.Entry<String, JsonNode> header = headers.next();
      saysType |= header.getKey().equalsIgnoreCase("Content-Type");
      JsonNode values = header.getValue();
      for (JsonNode value : values.isArray() ? values : array(values)) {
        if (!value.isNull()) {
          call.addHeader(header.getKey(), value.asText());
        }
      }
    }
    if (!saysType) {
      call.addHeader("Content-Type", "application/json");
    }
    byte[] body = body(answer);
    call.appendBody(body, 0, body.length);
  }

  private static ArrayNode array(JsonNode value) {
    return JsonNodeFactory.instance.arrayNode().add(value);
  }

  private static byte[] body(JsonNode answer) {
    if (answer.has("body_base64")) {
      return Base64.getDecoder().decode(answer.get("body_base64").asText());
    }
    String text = answer.has("json") ? answer.get("json").toString() : answer.path("body").asText();
    if (answer.has("body_repeat")) {
      JsonNode repeat = answer.get("body_repeat");
      text = repeat.get("text").asText().repeat(repeat.get("times").intValue());
    }
    return text.getBytes(StandardCharsets.UTF_8);
  }

  // What comes out

  private void compareOutcome(JsonNode step, Object outcome, FleetAuthException failure) {
    if (step.has("error")) {
      assertNotNull(failure, where + ": expected an error, got an outcome");
      compareError(step.get("error"), failure);
      return;
    }
    if (failure != null) {
      fail(where + ": expected an outcome, got " + failure.status() + ": " + failure.getMessage());
    }
    see(String.valueOf(outcome));
    if (step.has("identity")) {
      assertEquals(map(step.get("identity")), outcome, where);
    } else if (step.has("accounts")) {
      compareAccounts(step.get("accounts"), (List<?>) outcome);
    } else if (step.has("token") || step.has("headers")) {
      compareTokenAndHeaders(step, (Token) outcome);
    } else {
      assertNull(outcome, where);
    }
  }

  private void compareAccounts(JsonNode expected, List<?> accounts) {
    ArrayNode found = JSON.createArrayNode();
    for (Object account : accounts) {
      String name = ((Account) account).name();
      found.addObject().put("id", ((Account) account).id()).put("name", name);
    }
    assertEquals(expected, found, where);
  }

  private void compareTokenAndHeaders(JsonNode step, Token token) {
    see(token.headers().toString());
    if (step.has("token")) {
      compareToken(step.get("token"), token);
    }
    if (step.has("headers")) {
      compareHeaders(step.get("headers"), token.headers());
    }
  }

  private void compareToken(JsonNode expected, Token token) {
    checkMembers(expected, "secret", "kind", "scheme", "expires_in_ms", "expires_at", "from_cache");
    if (expected.has("secret")) {
      assertEquals(expected.get("secret").asText(), token.reveal(), where);
    }
    if (expected.has("kind")) {
      assertEquals(expected.get("kind").asText(), lower(token.kind().name()), where);
    }
    if (expected.has("scheme")) {
      assertEquals(expected.get("scheme").asText(), token.scheme(), where);
    }
    if (expected.has("from_cache")) {
      assertEquals(expected.get("from_cache").booleanValue(), token.isFromCache(), where);
    }
    if (expected.has("expires_in_ms")) {
      JsonNode in = expected.get("expires_in_ms");
      Optional<Duration> wanted =
          in.isNull() ? Optional.empty() : Optional.of(Duration.ofMillis(in.longValue()));
      assertEquals(wanted, token.expiresIn(), where);
    }
    if (expected.has("expires_at")) {
      JsonNode at = expected.get("expires_at");
      Optional<Instant> wanted =
          at.isNull() ? Optional.empty() : Optional.of(Instant.parse(at.textValue()));
      assertEquals(wanted, token.expiresAt(), where);
    }
  }

  private void compareHeaders(JsonNode expected, AuthHeaders headers) {
    see(headers.toString());
    assertEquals(map(expected), new TreeMap<>(headers), where);
  }

  private static Map<String, String> map(JsonNode object) {
    Map<String, String> map = new TreeMap<>();
    object.fields().forEachRemaining(m -> map.put(m.getKey(), m.getValue().textValue()));
    return map;
  }

  private void compareError(JsonNode expected, FleetAuthException failure) {
    checkMembers(
        expected,
        "status",
        "http_status",
        "provider_code",
        "retryable",
        "retry_after_ms",
        "in_doubt",
        "provider",
        "message");
    String what = where + ": " + failure;
    see(failure.toString());
    see(failure.challenge().toString());
    failure.challenge().ifPresent(toClose::add);
    assertEquals(failure.status().exception(wouldBlock()).getClass(), failure.getClass(), what);
    boolean isAsked = failure.status() == Status.OTP_REQUIRED;
    assertEquals(isAsked, failure.challenge().isPresent(), what);
    if (expected.has("status")) {
      assertEquals(expected.get("status").asText(), "E_" + failure.status().name(), what);
    }
    if (expected.has("http_status")) {
      assertEquals(expected.get("http_status").intValue(), failure.httpStatus(), what);
    }
    if (expected.has("provider_code")) {
      assertEquals(expected.get("provider_code").asText(), failure.providerCode(), what);
    }
    if (expected.has("retryable")) {
      assertEquals(expected.get("retryable").booleanValue(), failure.isRetryable(), what);
    }
    if (expected.has("retry_after_ms")) {
      long actual = failure.retryAfter().map(Duration::toMillis).orElse(-1L);
      assertEquals(expected.get("retry_after_ms").longValue(), actual, what);
    }
    if (expected.has("in_doubt")) {
      assertEquals(expected.get("in_doubt").booleanValue(), failure.isInDoubt(), what);
    }
    if (expected.has("provider")) {
      assertEquals(expected.get("provider").asText(), failure.provider(), what);
    }
    for (JsonNode part : expected.path("message")) {
      assertTrue(failure.getMessage().contains(part.asText()), what);
    }
  }

  private void see(String printed) {
    for (JsonNode secret : vector.path("secrets")) {
      assertTrue(!printed.contains(secret.asText()), where + ": a secret is in: " + printed);
    }
  }

  private static String text(JsonNode object, String name) {
    return object.path(name).textValue();
  }

  private static String lower(String text) {
    return text.toLowerCase(Locale.ROOT);
  }

  private static void closeToken(Object outcome) {
    if (outcome instanceof Token) {
      ((Token) outcome).close();
    }
  }

  @Override
  public void close() throws Exception {
    for (AutoCloseable thing : toClose) {
      thing.close();
    }
    operations.values().forEach(o -> o.thenAccept(VectorPlayer::closeToken));
    runtime.close();
    clock.close();
    executor.shutdown();
  }
}
