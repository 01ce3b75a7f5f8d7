package io.fleetauth.http;

import io.fleetauth.HttpCall;
import io.fleetauth.HttpTransport;
import io.fleetauth.Status;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.Supplier;

/**
 * Sends token requests with java.net.http. Each request that must not be sent twice gets an
 * HttpClient of its own, and so a new connection. Such a GET is refused, because an HttpClient
 * sends it again when the connection breaks and cannot be told not to; no built-in provider has
 * one. It also keeps a connection open whose headers do not end, and one that is being made when
 * the time is over.
 */
public final class JavaNetTransport implements HttpTransport {
  private static final int CHUNK = 8192;

  /** What the HttpClient writes itself and refuses to be given. */
  private static final Set<String> RESTRICTED =
      Set.of("connection", "content-length", "expect", "host", "upgrade");

  private final Supplier<HttpClient.Builder> settings;
  private final HttpClient shared;

  /** Sends with the JDK's default settings. */
  public JavaNetTransport() {
    this(HttpClient::newBuilder);
  }

  /**
   * Sends with these settings.
   *
   * @param settings makes a builder with TLS, proxy and executor; redirects are switched off here,
   *     and it must name neither authenticator nor cookie handler
   */
  public JavaNetTransport(Supplier<HttpClient.Builder> settings) {
    this.settings = settings;
    this.shared = newClient();
    if (shared.authenticator().isPresent() || shared.cookieHandler().isPresent()) {
      throw new IllegalArgumentException(
          "The settings name an authenticator or a cookie handler, which would change token"
              + " requests. Leave them out.");
    }
  }

  private HttpClient newClient() {
    return settings
        .get()
        .followRedirects(HttpClient.Redirect.NEVER)
        .version(HttpClient.Version.HTTP_1_1)
        .build();
  }

  @Override
  public void send(HttpCall call) throws InterruptedException {
    if (call.isOneShot() && call.method().equals("GET")) {
      throw new UnsupportedOperationException(
          "java.net.http would send this GET again when its connection breaks. Use another"
              + " transport for this provider.");
    }
    HttpClient http = call.isOneShot() ? newClient() : shared;
    byte[] body = call.body();
    CompletableFuture<HttpResponse<InputStream>> sending =
        http.sendAsync(request(call, body), HttpResponse.BodyHandlers.ofInputStream());
    call.onCancel(() -> abort(sending));
    try {
      HttpResponse<InputStream> response = sending.get();
      try (InputStream answer = response.body()) {
        response
            .headers()
            .map()
            .forEach((name, values) -> values.forEach(v -> call.addHeader(name, v)));
        readBody(answer, call);
        call.complete(response.statusCode());
      }
    } catch (ExecutionException failure) {
      fail(call, failure.getCause());
    } catch (CancellationException | IOException failure) {
      fail(call, failure);
    } finally {
      Arrays.fill(body, (byte) 0);
    }
  }

  private static void abort(CompletableFuture<HttpResponse<InputStream>> sending) {
    if (!sending.cancel(true)) {
      sending.thenAccept(
          response -> {
            try {
              response.body().close();
            } catch (IOException closing) {
              // The answer is not wanted any more.
            }
          });
    }
  }

  private static void fail(HttpCall call, Throwable failure) {
    call.failUnquoted(meaning(failure), failure);
  }

  private static Status meaning(Throwable failure) {
    if (failure instanceof HttpConnectTimeoutException) {
      return Status.CONNECT;
    }
    if (failure instanceof HttpTimeoutException || failure instanceof CancellationException) {
      return Status.TIMEOUT;
    }
    if (failure instanceof NumberFormatException) {
      return Status.NETWORK; // of a Content-Length
    }
    return failure instanceof IOException
        ? HttpCall.meaning((IOException) failure)
        : Status.CALLBACK;
  }

  private static HttpRequest request(HttpCall call, byte[] body) {
    boolean hasBody = !call.method().equals("GET");
    HttpRequest.BodyPublisher publisher =
        hasBody
            ? HttpRequest.BodyPublishers.ofByteArray(body)
            : HttpRequest.BodyPublishers.noBody();
    Duration atLeast = Duration.ofMillis(1);
    Duration timeout = call.timeout();
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(call.url()))
            .method(call.method(), publisher)
            .timeout(timeout.compareTo(atLeast) < 0 ? atLeast : timeout);
    for (Map.Entry<String, String> header : call.headers()) {
      if (!RESTRICTED.contains(header.getKey().toLowerCase(Locale.ROOT))) {
        request.header(header.getKey(), header.getValue());
      }
    }
    return request.build();
  }

  private static void readBody(InputStream body, HttpCall call) throws IOException {
    byte[] chunk = new byte[CHUNK];
    for (int count; (count = body.read(chunk)) != -1; ) {
      call.appendBody(chunk, 0, count);
    }
  }
}
