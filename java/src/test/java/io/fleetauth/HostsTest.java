package io.fleetauth;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fleetauth.http.JavaNetTransport;
import io.fleetauth.okhttp.OkHttpTransport;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import okhttp3.Cookie;
import okhttp3.CookieJar;
import okhttp3.HttpUrl;
import okhttp3.OkHttpClient;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The table that all host transports are held to (tests/hosts). */
class HostsTest {
  private static final Path FOLDER = Paths.get("..", "tests", "hosts");
  private static final ObjectMapper JSON = new ObjectMapper();

  /** What its documentation says. */
  private static final Set<String> JAVA_NET_DOES_OTHERWISE =
      Set.of(
          "N10 a GET whose connection ends without an answer is not repeated",
          "N10 a GET is not sent twice when the connection that was used before dies",
          "N20 T06 endless headers are hung up on",
          "N20 an endless header is hung up on");

  private static Process server;
  private static Writer questions;
  private static BufferedReader answers;

  @BeforeAll
  static void startServer() throws IOException {
    NativeLoader.require();
    server =
        new ProcessBuilder("python3", FOLDER.resolve("server.py").toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    questions = server.outputWriter();
    answers = server.inputReader();
  }

  @AfterAll
  static void stopServer() throws IOException {
    questions.close();
  }

  private static JsonNode ask(ObjectNode question) throws IOException {
    questions.write(question + "\n");
    questions.flush();
    return JSON.readTree(answers.readLine());
  }

  @TestFactory
  Stream<DynamicTest> okhttp() throws IOException {
    return cases(() -> new OkHttpTransport(keepingCookies()), List.of(), Set.of());
  }

  /** As a program may have it for its own requests. */
  private static OkHttpClient keepingCookies() {
    List<Cookie> kept = new CopyOnWriteArrayList<>();
    CookieJar jar =
        new CookieJar() {
          @Override
          public void saveFromResponse(HttpUrl url, List<Cookie> cookies) {
            kept.addAll(cookies);
          }

          @Override
          public List<Cookie> loadForRequest(HttpUrl url) {
            return kept;
          }
        };
    return new OkHttpClient.Builder().cookieJar(jar).build();
  }

  @TestFactory
  Stream<DynamicTest> java_net() throws IOException {
    return cases(JavaNetTransport::new, List.of("connecting"), JAVA_NET_DOES_OTHERWISE);
  }

  private static Stream<DynamicTest> cases(
      Supplier<HttpTransport> adapter, List<String> cannot, Set<String> except) throws IOException {
    JsonNode table = JSON.readTree(FOLDER.resolve("cases.json").toFile());
    return StreamSupport.stream(table.get("cases").spliterator(), false)
        .map(given -> given.get("name").textValue())
        .filter(name -> !except.contains(name))
        .map(name -> DynamicTest.dynamicTest(name, () -> play(name, adapter.get(), cannot)));
  }

  private static void play(String name, HttpTransport transport, List<String> cannot)
      throws Exception {
    ObjectNode played = JSON.createObjectNode().put("play", name);
    played.set("cannot", JSON.valueToTree(cannot));
    JsonNode answer = ask(played);
    while (answer.has("call")) {
      ObjectNode outcome = send(transport, answer.get("call"));
      answer = ask(JSON.createObjectNode().set("outcome", outcome));
    }
    assertEquals("{\"problems\":[]}", answer.toString(), name);
  }

  /** Sends a call as the library does: at its deadline the answer is no longer wanted. */
  private static ObjectNode send(HttpTransport transport, JsonNode given) throws Exception {
    RecordedCall recorded = new RecordedCall(given);
    HttpCall call = new HttpCall(recorded, () -> {}, HostErrors::release);
    CompletableFuture<Void> sending =
        CompletableFuture.runAsync(() -> call.answer(new HostCall.Hosts(transport, null)));
    CompletableFuture<Void> deadline =
        CompletableFuture.runAsync(
            call::cancelled,
            CompletableFuture.delayedExecutor(call.timeout().toMillis(), TimeUnit.MILLISECONDS));
    boolean isCancelled = given.get("cancel").booleanValue();
    if (isCancelled) {
      assertEquals("{}", ask(JSON.createObjectNode().put("await_cancel", true)).toString());
      call.cancelled();
    }
    sending.get();
    deadline.cancel(false);
    ObjectNode outcome = recorded.outcome.get(0, TimeUnit.SECONDS);
    return isCancelled && outcome.has("failure") ? outcome.put("failure", "cancelled") : outcome;
  }
}
