package io.fleetauth;

import static io.fleetauth.Canaries.SHARED;
import static io.fleetauth.Canaries.assertSilent;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.fleetauth.http.JavaNetTransport;
import io.fleetauth.okhttp.OkHttpTransport;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import okhttp3.OkHttpClient;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.opentest4j.AssertionFailedError;

/** What a program gets to see of secrets, whatever the provider answers. */
@ExtendWith(LiveHandles.class)
class CanaryTest {
  static Stream<JsonNode> clients() {
    return StreamSupport.stream(SHARED.get("clients").spliterator(), false);
  }

  private static FleetAuthClient.Builder builder(JsonNode spec, FleetAuthRuntime runtime) {
    Provider provider = Provider.builtin(spec.get("provider").textValue());
    FleetAuthClient.Builder builder = FleetAuthClient.builder(provider).runtime(runtime);
    set(builder, spec.get("options"));
    return builder;
  }

  private static void set(OptionBag<?> bag, JsonNode options) {
    options
        .fields()
        .forEachRemaining(option -> bag.set(option.getKey(), option.getValue().asText()));
  }

  /** A program that does everything with a client, whose provider answers as a scenario says. */
  private static final class Play implements AutoCloseable {
    private final JsonNode spec;
    private final JsonNode scenario;
    private final ManualClock clock = new ManualClock(Instant.parse("2026-01-01T00:00:00Z"));
    private final FleetAuthRuntime runtime = FleetAuthRuntime.builder().clock(clock).build();
    private final List<AutoCloseable> toClose = new ArrayList<>();
    private final FleetAuthClient client;
    private volatile String phase = "first";
    private int errors;

    Play(JsonNode spec, JsonNode scenario) {
      this.spec = spec;
      this.scenario = scenario;
      // Long enough that a busy machine is not taken for a provider that says nothing.
      client =
          CanaryTest.builder(spec, runtime)
              .transport(this::answer)
              .set("attempt_timeout_ms", "600000")
              .set("total_timeout_ms", "1800000")
              .build();
    }

    void run() throws Exception {
      JsonNode wanted = spec.get("request");
      PreparedRequest.Builder options = client.request();
      if (!wanted.isEmpty()) {
        String vehicle = wanted.at("/claims/vehicleid").textValue();
        options.claimSet(wanted.get("claim_set").textValue()).claims(Map.of("vehicleid", vehicle));
      }
      try (PreparedRequest request = options.build()) {
        String url = spec.get("url").textValue();
        Token first = ask("first", client.tokenAsync(url, "GET", request));
        assertTrue(first != null || !scenario.get("first").textValue().equals("good"));
        ask("first", client.headersAsync(url, "GET", request));
        ask("inquiry", client.whoamiAsync());
        ask("inquiry", client.accountsAsync());
        if (first != null) {
          phase = "renewal";
          client.reportRejected(first, 401);
        }
        ask("renewal", client.tokenAsync(url, "GET", request));
        ask("logout", client.logoutAsync());
        client.close();
        ask("first", client.tokenAsync(request));
        assertSilent(request, "the request");
      }
      assertSilent(client, "the client");
      assertSilent(runtime, "the runtime");
      assertTrue(errors > 0, "at least of the closed client");
    }

    private <T> T ask(String doing, CompletableFuture<T> pending) throws Exception {
      phase = doing;
      for (int waited = 0; ; waited++) {
        try {
          T value = pending.get(20, TimeUnit.MILLISECONDS);
          if (value instanceof AutoCloseable handle) {
            toClose.add(handle);
          }
          if (value != null) {
            assertSilent(value, "what the " + doing + " came to");
          }
          return value;
        } catch (TimeoutException waiting) {
          // For its turn, for another attempt, or for an answer that never comes.
          clock.advance(Duration.ofSeconds(5L << Math.min(Math.max(0, waited - 5), 6)));
        } catch (ExecutionException failed) {
          errors++;
          assertSilent(failed, "the error of the " + doing);
          assertSilent(failed.getCause(), "the error of the " + doing);
          var error = assertInstanceOf(FleetAuthException.class, failed.getCause());
          if (doing.equals("first") && error.challenge().isPresent()) {
            answer(error.challenge().get());
          }
          return null;
        }
      }
    }

    private void answer(Challenge challenge) throws Exception {
      toClose.add(challenge);
      assertSilent(challenge, "the challenge");
      byte[] sealed = client.sealChallenge(challenge, new byte[32]);
      assertSilent(new String(sealed, StandardCharsets.ISO_8859_1), "the sealed challenge");
      ask("code", client.answerAsync(challenge, Canaries.value("code").toCharArray()));
    }

    private void answer(HttpCall call) {
      assertSilent(call, "the call");
      String name = scenario.path(phase).asText("good");
      if (name.equals("silence")) {
        call.onCancel(() -> call.fail(Status.NETWORK, null));
        return;
      }
      JsonNode answer = name.equals("good") ? spec.get("good") : SHARED.get("answers").get(name);
      for (JsonNode header : answer.get("headers")) {
        call.addHeader(header.get(0).textValue(), header.get(1).textValue());
      }
      byte[] body = answer.get("body").textValue().getBytes(StandardCharsets.UTF_8);
      call.appendBody(body, 0, body.length);
      call.complete(answer.get("status").intValue());
    }

    @Override
    public void close() throws Exception {
      for (AutoCloseable handle : toClose) {
        handle.close();
      }
      client.close();
      runtime.close(Duration.ofSeconds(5));
      clock.close();
    }
  }

  @ParameterizedTest
  @MethodSource("clients")
  void L03_nothing_shows_a_secret_whatever_happens(JsonNode spec) throws Exception {
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    PrintStream out = System.out;
    PrintStream err = System.err;
    System.setOut(new PrintStream(printed, true));
    System.setErr(System.out);
    try {
      for (JsonNode scenario : SHARED.get("scenarios")) {
        String sent = "\"" + scenario.path("sent").textValue() + "\"";
        if (!scenario.has("sent") || spec.get("secrets").toString().contains(sent)) {
          try (Play play = new Play(spec, scenario)) {
            play.run();
          }
        }
      }
    } finally {
      System.setOut(out);
      System.setErr(err);
    }
    assertEquals("", printed.toString());
  }

  @ParameterizedTest
  @MethodSource("clients")
  void L03_no_refusal_of_options_shows_a_secret(JsonNode spec) {
    FleetAuthRuntime runtime = FleetAuthRuntime.builder().build();
    int refused = 0;
    for (JsonNode mistake : spec.get("mistakes")) {
      FleetAuthClient.Builder builder = builder(spec, runtime);
      assertSilent(builder, "the builder");
      try {
        set(builder, mistake);
        builder.build().close();
      } catch (FleetAuthException failure) {
        assertSilent(failure, "the refusal");
        refused++;
      }
    }
    assertTrue(refused > spec.get("mistakes").size() / 2, "refused: " + refused);
    runtime.close(Duration.ofSeconds(5));
  }

  static Stream<Named<HttpTransport>> transports() {
    return Stream.of(
        Named.of("OkHttp", new OkHttpTransport(new OkHttpClient())),
        Named.of("java.net", new JavaNetTransport()));
  }

  /**
   * What a provider sends before it hangs up. The body is no JSON: so lenient libraries fail too.
   */
  private static List<String> brokenAnswers() {
    String token = Canaries.value("token");
    String head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    String chunked = head + "Transfer-Encoding: chunked\r\n\r\n";
    String chunk = Integer.toHexString(token.length()) + "\r\n" + token + "\r\n";
    return List.of(
        "",
        token + "\r\n\r\n" + token,
        "HTTP/1.1 " + token + "\r\n\r\n" + token,
        head + "X-Token: " + token + "\r\n",
        head + "Content-Length: " + token + "\r\n\r\n" + token,
        head + "Content-Length: " + (token.length() + 1) + "\r\n\r\n" + token,
        head + "not a header " + token + "\r\n\r\n" + token,
        chunked + token + "\r\n" + token,
        chunked + chunk + token + "\r\n" + token);
  }

  @ParameterizedTest
  @MethodSource("transports")
  void L03_our_transports_show_no_secret_of_a_broken_answer(HttpTransport transport)
      throws Exception {
    FleetAuthRuntime runtime = FleetAuthRuntime.builder().build();
    for (String answer : brokenAnswers()) {
      try (RawServer server = new RawServer(false, RawServer.answer(answer));
          FleetUp client =
              FleetUp.builder()
                  .apiKey(Canaries.value("api_key"))
                  .acctId(1)
                  .secret(Canaries.value("secret"))
                  .transport(transport)
                  .runtime(runtime)
                  .baseUrl(server.url())
                  .allowLoopbackHttp(true)
                  .descriptorPatch("{\"steps\":{\"token\":{\"class\":\"one_shot\"}}}")
                  .build()) {
        var failure = assertThrows(FleetAuthException.class, client::token, answer);
        assertSilent(failure, "the error");
        // PROTOCOL where the library took it for an answer.
        assertTrue(Set.of(Status.NETWORK, Status.PROTOCOL).contains(failure.status()), answer);
        assertEquals(1, server.requests().size());
      }
    }
    runtime.close(Duration.ofSeconds(5));
  }

  @Test
  void L03_a_secret_is_found_in_every_form_and_place() {
    String token = Canaries.value("token");
    byte[] pair = ("user:" + token).getBytes(StandardCharsets.UTF_8);
    byte[] wide = token.getBytes(StandardCharsets.UTF_16LE);
    List<String> texts =
        List.of(
            token,
            Base64.getEncoder().encodeToString(pair),
            new String(wide, StandardCharsets.ISO_8859_1),
            Arrays.toString(pair));
    for (String text : texts) {
      for (Object thing :
          List.of(text, new IllegalStateException("x", new RuntimeException(text)))) {
        assertThrows(AssertionFailedError.class, () -> assertSilent(thing, "it"));
      }
    }
  }
}
