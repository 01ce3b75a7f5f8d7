package io.fleetauth.okhttp;

import io.fleetauth.Advice;
import io.fleetauth.AuthHeaders;
import io.fleetauth.ConfigurationException;
import io.fleetauth.FleetAuthClient;
import io.fleetauth.FleetAuthException;
import io.fleetauth.PreparedRequest;
import java.io.IOException;
import java.util.Map;
import okhttp3.Interceptor;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;

/**
 * Authorises the requests of an OkHttp client.
 *
 * <pre>{@code
 * OkHttpClient http = FleetAuthInterceptor.install(new OkHttpClient.Builder(), client).build();
 * }</pre>
 *
 * <p>It works in two places. Outside of OkHttp's redirects it gets the token, and repeats a request
 * whose token is refused (401) once with a new one, unless its body is one-shot. Inside of them it
 * puts the headers on each request that goes to the provider, and on no other: an interceptor that
 * did this outside would have OkHttp carry the provider's own headers, such as {@code x-api-key},
 * along to wherever a redirect points.
 *
 * <p>A request that is for an account or for claims carries its {@link PreparedRequest} as a tag of
 * that class, unless all are for the same, which {@link #install(OkHttpClient.Builder,
 * FleetAuthClient, PreparedRequest)} is given.
 *
 * <p>A failure to get the headers is thrown as an IOException whose cause is the {@link
 * FleetAuthException}, because OkHttp lets nothing else pass from its own threads.
 */
public final class FleetAuthInterceptor implements Interceptor {
  private final FleetAuthClient client;
  private final PreparedRequest prepared;

  private FleetAuthInterceptor(FleetAuthClient client, PreparedRequest prepared) {
    this.client = client;
    this.prepared = prepared;
  }

  /** Adds it in both places. The client stays open as long as the OkHttp client is used. */
  public static OkHttpClient.Builder install(OkHttpClient.Builder http, FleetAuthClient client) {
    return install(http, client, null);
  }

  /**
   * As {@link #install(OkHttpClient.Builder, FleetAuthClient)}, for requests of one kind: of an
   * account, for claims. The prepared request stays open as long as the client; null means the
   * client's defaults.
   */
  public static OkHttpClient.Builder install(
      OkHttpClient.Builder http, FleetAuthClient client, PreparedRequest prepared) {
    FleetAuthInterceptor interceptor = new FleetAuthInterceptor(client, prepared);
    return http.addInterceptor(interceptor).addNetworkInterceptor(interceptor);
  }

  @Override
  public Response intercept(Chain chain) throws IOException {
    return chain.connection() == null ? outside(chain) : inside(chain);
  }

  /** What the requests of one call last carried. */
  private static final class Sent {
    AuthHeaders headers;
  }

  private Response outside(Chain chain) throws IOException {
    Sent sent = new Sent();
    Request request = chain.request().newBuilder().tag(Sent.class, sent).build();
    headers(request);
    Response response = chain.proceed(request);
    if (!mayRepeat(request, response, sent)) {
      return response;
    }
    response.close();
    headers(request);
    return chain.proceed(request);
  }

  private boolean mayRepeat(Request request, Response response, Sent sent) throws IOException {
    RequestBody body = request.body();
    // After a redirect that changed the method the first request was accepted: it must not be sent
    // again.
    boolean isSame = response.request().method().equals(request.method());
    boolean isRefused = response.code() >= 400 && sent.headers != null && isSame;
    if (!isRefused) {
      return false;
    }
    boolean mayRenew;
    try {
      String date = response.header("Date");
      mayRenew = client.reportRejected(sent.headers, response.code(), date) == Advice.RETRY;
    } catch (FleetAuthException failure) {
      response.close();
      throw new IOException(failure.getMessage(), failure);
    }
    return mayRenew && (body == null || !(body.isOneShot() || body.isDuplex()));
  }

  private Response inside(Chain chain) throws IOException {
    Request request = chain.request();
    Sent sent = request.tag(Sent.class);
    if (sent == null) {
      return chain.proceed(request);
    }
    sent.headers = isRedirected(chain) ? headersIfOurs(request) : headers(request);
    if (sent.headers == null) {
      return chain.proceed(request);
    }
    Request.Builder authorised = request.newBuilder();
    for (Map.Entry<String, String> header : sent.headers.entrySet()) {
      authorised.header(header.getKey(), header.getValue());
    }
    return chain.proceed(authorised.build());
  }

  private static boolean isRedirected(Chain chain) {
    return !chain.request().url().equals(chain.call().request().url());
  }

  private AuthHeaders headers(Request request) throws IOException {
    PreparedRequest own = request.tag(PreparedRequest.class);
    try {
      return client.headers(
          request.url().toString(), request.method(), own == null ? prepared : own);
    } catch (FleetAuthException failure) {
      throw new IOException(failure.getMessage(), failure);
    }
  }

  /** Null where a redirect left the provider. */
  private AuthHeaders headersIfOurs(Request request) throws IOException {
    try {
      return headers(request);
    } catch (IOException refused) {
      if (refused.getCause() instanceof ConfigurationException) {
        return null;
      }
      throw refused;
    }
  }
}
