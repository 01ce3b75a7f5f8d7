package io.fleetauth;

/** Sends the token requests of a client instead of the library. */
@FunctionalInterface
public interface HttpTransport {
  /**
   * Sends the request once and answers it through the call, now or later and from any thread. The
   * request goes to exactly this URL over verified TLS, without following redirects, without
   * retrying, without decoding the body. What is thrown fails the call and comes out at whoever
   * asked for the token: unchanged, but for a checked exception of a call that waits, which is the
   * cause of a {@link FleetAuthException}.
   *
   * <p>It is called by the client's executor and may block.
   */
  void send(HttpCall call) throws Exception;
}
