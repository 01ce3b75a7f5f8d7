package io.fleetauth;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fleetauth.http.JavaNetTransport;
import io.fleetauth.okhttp.OkHttpTransport;
import io.fleetauth.testing.EmulatorExtension;
import io.fleetauth.testing.EmulatorProcess;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.CookieManager;
import java.net.http.HttpClient;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.X509TrustManager;
import okhttp3.OkHttpClient;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What each HTTP library does that a transport must not do. */
@ExtendWith({EmulatorExtension.class, LiveHandles.class})
class AdapterTest {
  private FleetAuthRuntime runtime;

  @BeforeEach
  void makeRuntime() {
    runtime = FleetAuthRuntime.builder().build();
  }

  @AfterEach
  void closeRuntime() {
    runtime.close(Duration.ofSeconds(5));
  }

  /** An adapter by its name; the TLS settings are null for plain HTTP. */
  private enum Adapter {
    OKHTTP {
      @Override
      HttpTransport transport(SSLContext context, X509TrustManager trust) {
        OkHttpClient.Builder settings =
            new OkHttpClient.Builder()
                .addInterceptor(
                    chain -> {
                      throw new AssertionError("an interceptor of the program saw a secret");
                    });
        if (context != null) {
          settings.sslSocketFactory(context.getSocketFactory(), trust);
        }
        return new OkHttpTransport(settings.build());
      }
    },
    JAVA_NET {
      @Override
      HttpTransport transport(SSLContext context, X509TrustManager trust) {
        return new JavaNetTransport(
            () -> {
              HttpClient.Builder settings =
                  HttpClient.newBuilder().followRedirects(HttpClient.Redirect.ALWAYS);
              return context == null ? settings : settings.sslContext(context);
            });
      }
    };

    abstract HttpTransport transport(SSLContext context, X509TrustManager trust);
  }

  static Stream<Adapter> adapters() {
    return Arrays.stream(Adapter.values());
  }

  private FleetUp.Builder fleetUp(Adapter adapter, RawServer server) {
    return ScriptedTransport.fleetUp(runtime, adapter.transport(null, null))
        .baseUrl(server.url())
        .allowLoopbackHttp(true);
  }

  /** A descriptor whose token step must be sent once. */
  private FleetAuthClient oneShot(Adapter adapter, RawServer server) {
    return fleetUp(adapter, server)
        .descriptorPatch("{\"steps\":{\"token\":{\"class\":\"one_shot\"}}}")
        .build();
  }

  /** The same by GET, which HTTP libraries repeat more readily. */
  private FleetAuthClient oneShotGet(Adapter adapter, RawServer server) {
    return fleetUp(adapter, server)
        .scheme("legacy")
        .descriptorPatch("{\"steps\":{\"legacy_token\":{\"class\":\"one_shot\"}}}")
        .build();
  }

  private static final String JSON = "Content-Type: application/json";

  private static RawServer.Script token() {
    return RawServer.answer(
        "HTTP/1.1 200 OK", JSON, "Content-Length: 15", "", "{\"token\":\"t-1\"}");
  }

  private static FleetAuthException failureOf(FleetAuthClient client) {
    return assertThrows(FleetAuthException.class, client::token);
  }

  @ParameterizedTest
  @MethodSource("adapters")
  void the_request_arrives_as_the_library_wrote_it(Adapter adapter) throws Exception {
    try (RawServer server = new RawServer(false, token());
        FleetUp client = fleetUp(adapter, server).build();
        Token token = client.token()) {
      assertEquals("t-1", token.reveal());
      String request = server.requests().get(0);
      assertTrue(request.startsWith("POST /token HTTP/1.1\r\n"), request);
      assertTrue(request.endsWith("{\"acctId\":12345,\"secret\":\"secret-canary-1\"}"), request);
      assertTrue(request.contains("x-api-key: key-canary-1"), request);
      String head = request.toLowerCase(java.util.Locale.ROOT);
      assertFalse(head.contains("gzip"), "no decoding: " + request);
    }
  }

  @ParameterizedTest
  @MethodSource("adapters")
  void over_TLS_with_a_private_CA(Adapter adapter, EmulatorProcess emulator) {
    HttpTransport trusting = adapter.transport(emulator.sslContext(), emulator.trustManager());
    try (FleetUp client = emulator.fleetUp().runtime(runtime).transport(trusting).build()) {
      client.token().close();
    }
    HttpTransport ordinary = adapter.transport(null, null);
    try (FleetUp client =
        emulator.fleetUp().secret("other").runtime(runtime).transport(ordinary).build()) {
      assertEquals(Status.TLS, failureOf(client).status());
    }
  }

  @ParameterizedTest
  @MethodSource("adapters")
  void N10_a_request_that_may_have_arrived_is_not_sent_again(Adapter adapter) throws Exception {
    AtomicInteger requests = new AtomicInteger();
    RawServer.Script script =
        (request, out) -> {
          if (requests.incrementAndGet() > 1) {
            throw new IOException("read it and hung up");
          }
          token().answer(request, out);
        };
    try (RawServer server = new RawServer(true, script);
        FleetAuthClient client = oneShot(adapter, server)) {
      client.reportRejected(client.headers(server.url() + "/devices"), 401);
      FleetAuthException failure = failureOf(client);
      assertTrue(failure.isInDoubt(), failure.toString());
      assertEquals(2, server.requests().size());
    }
  }

  @ParameterizedTest
  @MethodSource("adapters")
  void one_shot_requests_use_a_connection_of_their_own(Adapter adapter) throws Exception {
    try (RawServer server = new RawServer(true, token());
        FleetAuthClient client = oneShot(adapter, server)) {
      AuthHeaders headers = client.headers(server.url() + "/devices");
      client.reportRejected(headers, 401);
      client.token().close();
      assertEquals(2, server.requests().size());
      assertEquals(2, server.connections());
    }
  }

  @ParameterizedTest
  @MethodSource("adapters")
  void T03_redirects_are_not_followed(Adapter adapter) throws Exception {
    try (RawServer elsewhere = new RawServer(false, token());
        RawServer server =
            new RawServer(
                false,
                RawServer.answer(
                    "HTTP/1.1 302 Found",
                    "Location: " + elsewhere.url() + "/token",
                    "Content-Length: 0",
                    "",
                    ""));
        FleetUp client = fleetUp(adapter, server).build()) {
      assertEquals(Status.PROTOCOL, failureOf(client).status());
      assertEquals(0, elsewhere.connections());
    }
  }

  @ParameterizedTest
  @MethodSource("adapters")
  void a_503_that_asks_for_an_immediate_repeat_is_not_repeated(Adapter adapter) throws Exception {
    RawServer.Script unavailable =
        RawServer.answer("HTTP/1.1 503 Unavailable", "Retry-After: 0", "Content-Length: 0", "", "");
    try (RawServer server = new RawServer(false, unavailable);
        FleetAuthClient client = oneShot(adapter, server)) {
      assertEquals(503, failureOf(client).httpStatus());
      assertEquals(1, server.requests().size());
    }
  }

  @Test
  void N10_okhttp_sends_a_GET_once_too() throws Exception {
    for (RawServer.Script script :
        List.of(
            (RawServer.Script) (request, out) -> {},
            RawServer.answer(
                "HTTP/1.1 503 Unavailable", "Retry-After: 0", "Content-Length: 0", "", ""))) {
      try (RawServer server = new RawServer(false, script);
          FleetAuthClient client = oneShotGet(Adapter.OKHTTP, server)) {
        failureOf(client);
        assertEquals(1, server.requests().size());
      }
    }
  }

  @Test
  void N10_java_net_refuses_a_GET_that_it_might_send_twice() throws Exception {
    try (RawServer server = new RawServer(false, token());
        FleetAuthClient client = oneShotGet(Adapter.JAVA_NET, server)) {
      assertThrows(UnsupportedOperationException.class, client::token);
      assertEquals(0, server.connections());
    }
  }

  @ParameterizedTest
  @MethodSource("adapters")
  void a_401_without_a_challenge_is_an_answer(Adapter adapter) throws Exception {
    try (RawServer server =
            new RawServer(
                false, RawServer.answer("HTTP/1.1 401 No", JSON, "Content-Length: 2", "", "{}"));
        FleetUp client = fleetUp(adapter, server).build()) {
      assertEquals(Status.INVALID_CREDENTIALS, failureOf(client).status());
      assertEquals(1, server.requests().size());
    }
  }

  @ParameterizedTest
  @MethodSource("adapters")
  void N19_a_compressed_body_is_not_decoded(Adapter adapter) throws Exception {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (OutputStream gzip = new GZIPOutputStream(packed)) {
      gzip.write("{\"token\":\"t-1\"}".getBytes(StandardCharsets.UTF_8));
    }
    RawServer.Script script =
        (request, out) -> {
          RawServer.answer(
                  "HTTP/1.1 200 OK",
                  JSON,
                  "Content-Encoding: gzip",
                  "Content-Length: " + packed.size(),
                  "",
                  "")
              .answer(request, out);
          packed.writeTo(out);
        };
    try (RawServer server = new RawServer(false, script);
        FleetUp client = fleetUp(adapter, server).build()) {
      assertEquals(Status.PROTOCOL, failureOf(client).status());
    }
  }

  @ParameterizedTest
  @MethodSource("adapters")
  void N18_an_endless_body_is_cut_off(Adapter adapter) throws Exception {
    CompletableFuture<Void> hungUp = new CompletableFuture<>();
    RawServer.Script script =
        (request, out) -> {
          RawServer.answer("HTTP/1.1 200 OK", JSON, "Transfer-Encoding: chunked", "", "")
              .answer(request, out);
          byte[] chunk = ("10000\r\n" + " ".repeat(0x10000) + "\r\n").getBytes();
          try {
            while (true) {
              out.write(chunk);
            }
          } catch (IOException closed) {
            hungUp.complete(null);
          }
        };
    try (RawServer server = new RawServer(false, script);
        FleetUp client = fleetUp(adapter, server).build()) {
      assertEquals(Status.TOO_LARGE, failureOf(client).status());
      hungUp.get(5, TimeUnit.SECONDS);
    }
  }

  @ParameterizedTest
  @MethodSource("adapters")
  void an_answer_nobody_waits_for_any_more_is_hung_up_on(Adapter adapter) throws Exception {
    CompletableFuture<Void> hungUp = new CompletableFuture<>();
    CompletableFuture<Void> begun = new CompletableFuture<>();
    RawServer.Script script =
        (request, out) -> {
          RawServer.answer("HTTP/1.1 200 OK", JSON, "Content-Length: 999", "", "{")
              .answer(request, out);
          out.flush();
          begun.complete(null);
          try {
            while (true) {
              out.write(new byte[0]);
              out.write(' ');
              Thread.onSpinWait();
              out.flush();
              java.util.concurrent.locks.LockSupport.parkNanos(5_000_000);
            }
          } catch (IOException closed) {
            hungUp.complete(null);
          }
        };
    try (RawServer server = new RawServer(false, script)) {
      FleetUp client = fleetUp(adapter, server).build();
      CompletableFuture<Token> token = client.tokenAsync();
      begun.get(5, TimeUnit.SECONDS);
      client.close();
      assertThrows(ExecutionException.class, () -> token.get(5, TimeUnit.SECONDS));
      hungUp.get(5, TimeUnit.SECONDS);
    }
  }

  @ParameterizedTest
  @MethodSource("adapters")
  void N01_a_refused_connection_is_told_as_one(Adapter adapter) throws Exception {
    RawServer gone = new RawServer(false, token());
    gone.close();
    try (FleetUp client = fleetUp(adapter, gone).build()) {
      assertEquals(Status.CONNECT, failureOf(client).status());
    }
  }

  @Test
  void settings_that_change_requests_are_refused() {
    assertThrows(
        IllegalArgumentException.class,
        () ->
            new JavaNetTransport(() -> HttpClient.newBuilder().cookieHandler(new CookieManager())));
  }
}
