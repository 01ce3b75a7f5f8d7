package io.fleetauth.okhttp;

import io.fleetauth.FleetAuthException;
import io.fleetauth.HttpCall;
import io.fleetauth.HttpTransport;
import io.fleetauth.Status;
import java.io.IOException;
import java.net.ProtocolException;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.Collections;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLException;
import okhttp3.Authenticator;
import okhttp3.Call;
import okhttp3.ConnectionPool;
import okhttp3.CookieJar;
import okhttp3.Headers;
import okhttp3.Interceptor;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Protocol;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import okhttp3.ResponseBody;
import okio.BufferedSink;
import okio.BufferedSource;

/**
 * Sends token requests with OkHttp. It takes over the client's TLS, proxy, DNS and socket settings,
 * but neither its interceptors nor its cache, cookies and authenticators: they would see secrets or
 * send a request twice.
 */
public final class OkHttpTransport implements HttpTransport {
  private static final int CHUNK = 8192;

  private final OkHttpClient client;

  /** Sends through a client with the settings of this one. */
  public OkHttpTransport(OkHttpClient settings) {
    OkHttpClient.Builder builder = settings.newBuilder();
    builder.interceptors().clear();
    builder.networkInterceptors().clear();
    client =
        builder
            .addNetworkInterceptor(OkHttpTransport::onConnection)
            .followRedirects(false)
            .followSslRedirects(false)
            .retryOnConnectionFailure(false)
            .authenticator(Authenticator.NONE)
            .cookieJar(CookieJar.NO_COOKIES)
            .cache(null)
            .protocols(Collections.singletonList(Protocol.HTTP_1_1))
            .connectTimeout(0, TimeUnit.MILLISECONDS)
            .readTimeout(0, TimeUnit.MILLISECONDS)
            .writeTimeout(0, TimeUnit.MILLISECONDS)
            .build();
  }

  /** What became of a request on the network. */
  private static final class Exchange {
    /** There was a connection to send it over. */
    boolean mayBeSent;

    /** All that were received. */
    Headers headers;
  }

  /** Sends a request over its connection, noting what OkHttp does not tell afterwards. */
  private static Response onConnection(Interceptor.Chain chain) throws IOException {
    Exchange exchange = chain.request().tag(Exchange.class);
    exchange.mayBeSent = true;
    Response response = chain.proceed(chain.request());
    // OkHttp takes the number for granted.
    if (response.body().contentLength() < -1) {
      throw new ProtocolException("negative Content-Length");
    }
    exchange.headers = response.headers();
    // At "Retry-After: 0" OkHttp would repeat after a 503, whatever it is told.
    return response.newBuilder().removeHeader("Retry-After").build();
  }

  @Override
  public void send(HttpCall call) {
    Exchange exchange = new Exchange();
    OkHttpClient.Builder attempt =
        client
            .newBuilder()
            .callTimeout(Math.max(1, call.timeout().toMillis()), TimeUnit.MILLISECONDS);
    if (call.isOneShot()) {
      attempt.connectionPool(new ConnectionPool(0, 1, TimeUnit.NANOSECONDS));
    }
    byte[] body = call.body();
    Call sending = attempt.build().newCall(request(call, body, exchange));
    call.onCancel(sending::cancel);
    try (Response response = sending.execute()) {
      for (int i = 0; i < exchange.headers.size(); i++) {
        call.addHeader(exchange.headers.name(i), exchange.headers.value(i));
      }
      readBody(response.body(), call, sending);
      call.complete(response.code());
    } catch (IOException failure) {
      call.failUnquoted(
          exchange.mayBeSent ? HttpCall.meaning(failure) : whyNotSent(failure), failure);
    } finally {
      Arrays.fill(body, (byte) 0);
    }
  }

  private static Request request(HttpCall call, byte[] body, Exchange exchange) {
    Request.Builder request = new Request.Builder().url(call.url()).tag(Exchange.class, exchange);
    boolean saysEncoding = false;
    for (Map.Entry<String, String> header : call.headers()) {
      request.addHeader(header.getKey(), header.getValue());
      saysEncoding |= header.getKey().equalsIgnoreCase("Accept-Encoding");
    }
    if (!saysEncoding) {
      // Or OkHttp would ask for gzip and decode it.
      request.header("Accept-Encoding", "identity");
    }
    boolean hasBody = !call.method().equals("GET");
    return request.method(call.method(), hasBody ? new OneShotBody(body) : null).build();
  }

  private static void readBody(ResponseBody body, HttpCall call, Call sending) throws IOException {
    BufferedSource source = body.source();
    byte[] chunk = new byte[CHUNK];
    try {
      for (int count; (count = source.read(chunk)) != -1; ) {
        call.appendBody(chunk, 0, count);
      }
    } catch (FleetAuthException tooLarge) {
      sending.cancel(); // closing alone would go on reading for a while
      throw tooLarge;
    }
  }

  private static Status whyNotSent(IOException failure) {
    if (failure instanceof UnknownHostException) {
      return Status.DNS;
    }
    return failure instanceof SSLException ? Status.TLS : Status.CONNECT;
  }

  /** A body that OkHttp knows not to send again. */
  private static final class OneShotBody extends RequestBody {
    private final byte[] body;

    OneShotBody(byte[] body) {
      this.body = body;
    }

    @Override
    public MediaType contentType() {
      return null;
    }

    @Override
    public long contentLength() {
      return body.length;
    }

    @Override
    public boolean isOneShot() {
      return true;
    }

    @Override
    public void writeTo(BufferedSink sink) throws IOException {
      sink.write(body);
    }
  }
}
