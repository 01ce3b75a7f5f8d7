package io.fleetauth.http;

import io.fleetauth.Advice;
import io.fleetauth.AuthHeaders;
import io.fleetauth.FleetAuthClient;
import io.fleetauth.PreparedRequest;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * Sends requests of java.net.http with the headers of a client. A request whose token is refused
 * (401) is repeated once with a new token, if its body has a known length and so can be sent again.
 */
public final class AuthorizedHttpClient {
  private final HttpClient http;
  private final FleetAuthClient client;
  private final PreparedRequest prepared;

  /**
   * Sends through this client, which must not follow redirects (the default): it would carry the
   * provider's headers along to wherever they point.
   */
  public AuthorizedHttpClient(HttpClient http, FleetAuthClient client) {
    this(http, client, null);
  }

  /**
   * As {@link #AuthorizedHttpClient(HttpClient, FleetAuthClient)}, for requests of one kind: of an
   * account, for claims. The prepared request stays open as long as this is used; null means the
   * client's defaults.
   */
  public AuthorizedHttpClient(HttpClient http, FleetAuthClient client, PreparedRequest prepared) {
    if (http.followRedirects() != HttpClient.Redirect.NEVER) {
      throw new IllegalArgumentException(
          "The HttpClient follows redirects and would carry credentials along. Build it with"
              + " followRedirects(HttpClient.Redirect.NEVER).");
    }
    this.http = http;
    this.client = client;
    this.prepared = prepared;
  }

  /** As {@link HttpClient#send}. */
  public <T> HttpResponse<T> send(HttpRequest request, HttpResponse.BodyHandler<T> handler)
      throws IOException, InterruptedException {
    AuthHeaders headers = client.headers(request.uri().toString(), request.method(), prepared);
    HttpResponse<T> response = http.send(authorised(request, headers), handler);
    if (!mayRepeat(request, response, headers)) {
      return response;
    }
    discard(response);
    AuthHeaders renewed = client.headers(request.uri().toString(), request.method(), prepared);
    return http.send(authorised(request, renewed), handler);
  }

  /** As {@link HttpClient#sendAsync}. */
  public <T> CompletableFuture<HttpResponse<T>> sendAsync(
      HttpRequest request, HttpResponse.BodyHandler<T> handler) {
    return client
        .headersAsync(request.uri().toString(), request.method(), prepared)
        .thenCompose(
            headers ->
                http.sendAsync(authorised(request, headers), handler)
                    .thenCompose(response -> repeated(request, handler, response, headers)));
  }

  private <T> CompletableFuture<HttpResponse<T>> repeated(
      HttpRequest request,
      HttpResponse.BodyHandler<T> handler,
      HttpResponse<T> response,
      AuthHeaders headers) {
    if (!mayRepeat(request, response, headers)) {
      return CompletableFuture.completedFuture(response);
    }
    discard(response);
    return client
        .headersAsync(request.uri().toString(), request.method(), prepared)
        .thenCompose(renewed -> http.sendAsync(authorised(request, renewed), handler));
  }

  private boolean mayRepeat(HttpRequest request, HttpResponse<?> response, AuthHeaders headers) {
    if (response.statusCode() < 400) {
      return false;
    }
    String date = response.headers().firstValue("Date").orElse(null);
    boolean isRenewable =
        client.reportRejected(headers, response.statusCode(), date) == Advice.RETRY;
    Optional<HttpRequest.BodyPublisher> body = request.bodyPublisher();
    return isRenewable && (body.isEmpty() || body.get().contentLength() >= 0);
  }

  /** Frees the connection of an answer that is streamed. */
  private static void discard(HttpResponse<?> response) {
    if (response.body() instanceof AutoCloseable) {
      try {
        ((AutoCloseable) response.body()).close();
      } catch (Exception unread) {
        // Nobody will see this answer; the connection is closed either way.
      }
    }
  }

  private static HttpRequest authorised(HttpRequest request, AuthHeaders headers) {
    HttpRequest.Builder copy =
        HttpRequest.newBuilder(request.uri()).expectContinue(request.expectContinue());
    HttpRequest.BodyPublisher none = HttpRequest.BodyPublishers.noBody();
    copy.method(request.method(), request.bodyPublisher().orElse(none));
    request.timeout().ifPresent(copy::timeout);
    request.version().ifPresent(copy::version);
    request.headers().map().forEach((name, values) -> values.forEach(v -> copy.header(name, v)));
    headers.forEach(copy::setHeader);
    return copy.build();
  }
}
