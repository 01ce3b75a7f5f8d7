package io.fleetauth;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.AbstractMap.SimpleImmutableEntry;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.LongConsumer;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLPeerUnverifiedException;

/**
 * A request to send and answer exactly once, from any thread. Everything of it may be secret: it is
 * not to be logged.
 */
public final class HttpCall extends HostCall {
  private final NativeHttpCall handle;

  HttpCall(NativeHttpCall handle, Runnable answered, LongConsumer keepsThrown) {
    super(handle, answered, keepsThrown);
    this.handle = handle;
  }

  @Override
  void answer(Hosts hosts) {
    try {
      hosts.transport.send(this);
    } catch (ProviderUnavailableException failure) {
      // What the call itself throws above its limits; the transport need not know of it.
      boolean tooLarge = failure.status() == Status.TOO_LARGE;
      fail(tooLarge ? Status.TOO_LARGE : Status.CALLBACK, tooLarge ? null : failure);
    } catch (Throwable failure) {
      fail(failure);
    }
  }

  /** {@code GET} or {@code POST}. */
  public String method() {
    return handle.method();
  }

  /** The URL; some providers put a secret into it. */
  public String url() {
    return handle.url();
  }

  /** The headers to send, in order. */
  public List<Map.Entry<String, String>> headers() {
    List<Map.Entry<String, String>> headers = new ArrayList<>();
    for (int i = 0; i < handle.headerCount(); i++) {
      headers.add(new SimpleImmutableEntry<>(handle.headerName(i), handle.headerValue(i)));
    }
    return headers;
  }

  /** The body to send, empty for none; the copy is the caller's to wipe. */
  public byte[] body() {
    byte[] body = handle.body();
    return body == null ? new byte[0] : body;
  }

  /** How long the answer is still awaited. */
  public Duration timeout() {
    return Duration.ofMillis(handle.timeoutMs());
  }

  /** The most bytes of body to read. */
  public long maxBody() {
    return handle.maxBody();
  }

  /** Whether sending it twice would do harm: use a new connection and switch every retry off. */
  public boolean isOneShot() {
    return handle.oneShot() != 0;
  }

  /** Runs this, once, when the answer is no longer wanted; at once if that is so already. */
  public void onCancel(Runnable action) {
    whenCancelled(action);
  }

  /**
   * Adds a header of the answer, in the order received.
   *
   * @throws ProviderUnavailableException above the limit; it can be left to fail the call
   */
  public void addHeader(String name, String value) {
    handle.addHeader(name, value);
  }

  /**
   * Adds bytes of the answer's body.
   *
   * @throws ProviderUnavailableException above {@link #maxBody}; it can be left to fail the call
   */
  public void appendBody(byte[] data, int offset, int length) {
    byte[] part = Arrays.copyOfRange(data, offset, offset + length);
    try {
      handle.appendBody(part);
    } finally {
      Text.wipe(part);
    }
  }

  /** Ends the call with the answer. False when it was answered before or is no longer wanted. */
  public boolean complete(int httpStatus) {
    return end(() -> handle.complete(httpStatus));
  }

  /**
   * Ends the call without an answer.
   *
   * @param status DNS, CONNECT, TLS, PROXY (nothing was sent), NETWORK, TIMEOUT, TOO_LARGE (it may
   *     have been sent) or CALLBACK (the transport's own code failed)
   * @param cause becomes the cause of the caller's exception; may be null
   */
  public boolean fail(Status status, Throwable cause) {
    return fail(status, cause == null ? null : cause.getClass().getSimpleName(), cause);
  }

  /**
   * As {@link #fail(Status, Throwable)}.
   *
   * @param word said in the message if it is a plain word, such as a class's name; may be null
   */
  public boolean fail(Status status, String word, Throwable cause) {
    return endWith(cause, id -> handle.fail(status.number(), word, id));
  }

  /** Ends the call with what the transport's own code threw, for the caller to see unchanged. */
  @Override
  public boolean fail(Throwable thrown) {
    return fail(Status.CALLBACK, thrown);
  }

  /**
   * As {@link #fail(Status, Throwable)}, but the cause only names the class of what was thrown:
   * what HTTP libraries throw may quote the request or the answer.
   */
  public boolean failUnquoted(Status status, Throwable thrown) {
    IOException told = new IOException(thrown.getClass().getName());
    told.setStackTrace(thrown.getStackTrace());
    return fail(status, thrown.getClass().getSimpleName(), told);
  }

  /** Ends the call with what an HTTP library threw, saying what that means. */
  public boolean failNetwork(IOException thrown) {
    return fail(meaning(thrown), thrown);
  }

  /** What an exception of an HTTP library means. */
  public static Status meaning(IOException thrown) {
    if (thrown instanceof UnknownHostException) {
      return Status.DNS;
    }
    if (thrown instanceof ConnectException || thrown instanceof NoRouteToHostException) {
      return Status.CONNECT;
    }
    if (thrown instanceof SSLHandshakeException || thrown instanceof SSLPeerUnverifiedException) {
      return Status.TLS;
    }
    // Of socket timeouts, and of OkHttp's timeout of a whole call.
    return thrown instanceof InterruptedIOException ? Status.TIMEOUT : Status.NETWORK;
  }

  @Override
  public String toString() {
    return "HttpCall[" + method() + "]";
  }
}
