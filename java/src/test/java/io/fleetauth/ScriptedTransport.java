package io.fleetauth;

import java.nio.charset.StandardCharsets;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A transport whose requests a test takes and answers. */
final class ScriptedTransport implements HttpTransport {
  private final BlockingQueue<HttpCall> calls = new LinkedBlockingQueue<>();

  @Override
  public void send(HttpCall call) {
    calls.add(call);
  }

  /** The next request; null when none comes. */
  HttpCall next() {
    try {
      return calls.poll(5, TimeUnit.SECONDS);
    } catch (InterruptedException interrupted) {
      throw new AssertionError(interrupted);
    }
  }

  boolean isIdle() {
    return calls.isEmpty();
  }

  static void answer(HttpCall call, int status, String json) {
    call.addHeader("Content-Type", "application/json");
    byte[] body = json.getBytes(StandardCharsets.UTF_8);
    call.appendBody(body, 0, body.length);
    call.complete(status);
  }

  void answerToken(String token) {
    answer(next(), 200, "{\"token\":\"" + token + "\"}");
  }

  /** A FleetUp client that this transport serves. */
  static FleetUp.Builder fleetUp(FleetAuthRuntime runtime, HttpTransport transport) {
    return FleetUp.builder()
        .apiKey("key-canary-1")
        .acctId(12345)
        .secret("secret-canary-1")
        .runtime(runtime)
        .transport(transport);
  }
}
