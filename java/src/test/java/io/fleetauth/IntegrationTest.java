package io.fleetauth;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fleetauth.http.AuthorizedHttpClient;
import io.fleetauth.okhttp.FleetAuthInterceptor;
import io.fleetauth.testing.EmulatorExtension;
import io.fleetauth.testing.EmulatorProcess;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import okio.BufferedSink;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Requests that are authorised on their way. */
@ExtendWith({EmulatorExtension.class, LiveHandles.class})
class IntegrationTest {
  private final EmulatorProcess emulator;
  private FleetAuthRuntime runtime;
  private FleetUp client;

  IntegrationTest(EmulatorProcess emulator) {
    this.emulator = emulator;
  }

  @BeforeEach
  void makeClient() {
    runtime = FleetAuthRuntime.builder().build();
    client = emulator.fleetUp().runtime(runtime).build();
  }

  @AfterEach
  void close() {
    client.close();
    runtime.close(Duration.ofSeconds(5));
  }

  private String devices() {
    return emulator.url() + "/fleetup/devices";
  }

  private OkHttpClient.Builder okHttp() {
    return new OkHttpClient.Builder()
        .sslSocketFactory(emulator.sslContext().getSocketFactory(), emulator.trustManager());
  }

  private static int status(OkHttpClient http, Request.Builder request) throws IOException {
    try (Response response = http.newCall(request.build()).execute()) {
      return response.code();
    }
  }

  private int countOf(String path) throws IOException {
    return emulator.log().split("\"path\":\"" + path + "\"", -1).length - 1;
  }

  // OkHttp

  @Test
  void okhttp_requests_are_authorised() throws Exception {
    OkHttpClient http = FleetAuthInterceptor.install(okHttp(), client).build();
    assertEquals(200, status(http, new Request.Builder().url(devices())));
    assertEquals(200, status(http, new Request.Builder().url(devices())));
    assertEquals(1, countOf("/fleetup/token"));
  }

  @Test
  void H08_okhttp_repeats_a_refused_request_once() throws Exception {
    OkHttpClient http = FleetAuthInterceptor.install(okHttp(), client).build();
    assertEquals(200, status(http, new Request.Builder().url(devices())));
    emulator.revoke("fleetup");
    assertEquals(200, status(http, new Request.Builder().url(devices())));
    assertEquals(2, countOf("/fleetup/token"));
    assertEquals(3, countOf("/fleetup/devices"));
  }

  @Test
  void H08_okhttp_does_not_go_round_in_circles() throws Exception {
    emulator.fault(
        "{\"match\":{\"path\":\"/fleetup/devices\"},\"times\":9,\"do\":{\"status\":401}}");
    OkHttpClient http = FleetAuthInterceptor.install(okHttp(), client).build();
    assertEquals(401, status(http, new Request.Builder().url(devices())));
    assertTrue(countOf("/fleetup/devices") <= 2, emulator.log());
    assertEquals(401, status(http, new Request.Builder().url(devices())));
    assertTrue(countOf("/fleetup/token") <= 2, emulator.log());
  }

  @Test
  void okhttp_does_not_repeat_a_body_that_can_be_sent_once() throws Exception {
    OkHttpClient http = FleetAuthInterceptor.install(okHttp(), client).build();
    status(http, new Request.Builder().url(devices()));
    emulator.revoke("fleetup");
    RequestBody once =
        new RequestBody() {
          @Override
          public MediaType contentType() {
            return MediaType.get("application/json");
          }

          @Override
          public boolean isOneShot() {
            return true;
          }

          @Override
          public void writeTo(BufferedSink sink) throws IOException {
            sink.writeUtf8("{}");
          }
        };
    int before = countOf("/fleetup/devices");
    status(http, new Request.Builder().url(devices()).post(once));
    assertEquals(before + 1, countOf("/fleetup/devices"));
  }

  @Test
  void T03_okhttp_takes_no_credentials_along_when_a_redirect_leaves_the_provider()
      throws Exception {
    try (RawServer elsewhere =
        new RawServer(false, RawServer.answer("HTTP/1.1 200 OK", "Content-Length: 0", "", ""))) {
      emulator.fault(
          "{\"match\":{\"path\":\"/fleetup/devices\"},\"times\":1,\"do\":{\"status\":302,"
              + "\"headers\":{\"Location\":\""
              + elsewhere.url()
              + "/\"}}}");
      OkHttpClient http = FleetAuthInterceptor.install(okHttp(), client).build();
      assertEquals(200, status(http, new Request.Builder().url(devices())));
      String request = elsewhere.requests().get(0).toLowerCase(java.util.Locale.ROOT);
      assertFalse(request.contains("x-api-key"), request);
      assertFalse(request.contains("authorization"), request);
    }
  }

  @Test
  void okhttp_gets_failures_as_the_exceptions_it_lets_pass() {
    try (FleetUp wrong = emulator.fleetUp().secret("wrong").runtime(runtime).build()) {
      OkHttpClient http = FleetAuthInterceptor.install(okHttp(), wrong).build();
      Request.Builder request = new Request.Builder().url(devices());
      IOException failure = assertThrows(IOException.class, () -> status(http, request));
      assertInstanceOf(InvalidCredentialsException.class, failure.getCause());
      Request.Builder foreign = new Request.Builder().url("https://evil.example/");
      failure = assertThrows(IOException.class, () -> status(http, foreign));
      assertInstanceOf(ConfigurationException.class, failure.getCause());
    }
  }

  @Test
  void requests_are_authorised_for_the_account_they_are_for() throws Exception {
    String vehicles = emulator.url() + "/trimble/vehicles";
    try (TrimbleMaps partner = emulator.trimbleMaps().runtime(runtime).build();
        PreparedRequest one = partner.request().account("FLTACC1").build();
        PreparedRequest other = partner.request().account("FLTACC2").build()) {
      OkHttpClient http = FleetAuthInterceptor.install(okHttp(), partner, one).build();
      Request.Builder request = new Request.Builder().url(vehicles);
      String ones = body(http, request);
      String others = body(http, request.tag(PreparedRequest.class, other));
      assertNotEquals(ones, others);
      OkHttpClient unprepared = FleetAuthInterceptor.install(okHttp(), partner).build();
      assertEquals(others, body(unprepared, request));

      HttpClient plain = HttpClient.newBuilder().sslContext(emulator.sslContext()).build();
      HttpRequest get = HttpRequest.newBuilder(URI.create(vehicles)).build();
      HttpResponse.BodyHandler<String> text = HttpResponse.BodyHandlers.ofString();
      AuthorizedHttpClient javaNet = new AuthorizedHttpClient(plain, partner, other);
      assertEquals(others, javaNet.send(get, text).body());
      assertEquals(others, javaNet.sendAsync(get, text).get(5, TimeUnit.SECONDS).body());
    }
  }

  private static String body(OkHttpClient http, Request.Builder request) throws IOException {
    try (Response response = http.newCall(request.build()).execute()) {
      assertEquals(200, response.code());
      return response.body().string();
    }
  }

  // java.net.http

  private AuthorizedHttpClient javaNet() {
    HttpClient http = HttpClient.newBuilder().sslContext(emulator.sslContext()).build();
    return new AuthorizedHttpClient(http, client);
  }

  private HttpRequest.Builder get() {
    return HttpRequest.newBuilder(URI.create(devices())).header("Accept", "application/json");
  }

  @Test
  void java_net_requests_are_authorised() throws Exception {
    AuthorizedHttpClient http = javaNet();
    HttpResponse.BodyHandler<String> text = HttpResponse.BodyHandlers.ofString();
    assertEquals(200, http.send(get().build(), text).statusCode());
    assertEquals(200, http.sendAsync(get().build(), text).get(5, TimeUnit.SECONDS).statusCode());
    assertEquals(1, countOf("/fleetup/token"));
  }

  @Test
  void H08_java_net_repeats_a_refused_request_once() throws Exception {
    AuthorizedHttpClient http = javaNet();
    http.send(get().build(), HttpResponse.BodyHandlers.discarding());
    emulator.revoke("fleetup");
    assertEquals(
        200, http.send(get().build(), HttpResponse.BodyHandlers.ofInputStream()).statusCode());
    emulator.fault(
        "{\"match\":{\"path\":\"/fleetup/devices\"},\"times\":9,\"do\":{\"status\":401}}");
    int before = countOf("/fleetup/devices");
    assertEquals(
        401,
        http.sendAsync(get().build(), HttpResponse.BodyHandlers.ofString())
            .get(5, TimeUnit.SECONDS)
            .statusCode());
    assertTrue(countOf("/fleetup/devices") - before <= 2, emulator.log());
  }

  @Test
  void java_net_does_not_repeat_a_body_of_unknown_length() throws Exception {
    AuthorizedHttpClient http = javaNet();
    http.send(get().build(), HttpResponse.BodyHandlers.discarding());
    emulator.revoke("fleetup");
    HttpRequest.BodyPublisher stream =
        HttpRequest.BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(new byte[2]));
    int before = countOf("/fleetup/devices");
    http.send(get().POST(stream).build(), HttpResponse.BodyHandlers.discarding());
    assertEquals(before + 1, countOf("/fleetup/devices"));
  }

  @Test
  void T03_a_java_net_client_that_follows_redirects_is_refused() {
    HttpClient http = HttpClient.newBuilder().followRedirects(HttpClient.Redirect.NORMAL).build();
    assertThrows(IllegalArgumentException.class, () -> new AuthorizedHttpClient(http, client));
  }
}
