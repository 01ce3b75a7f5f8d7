package io.fleetauth;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;

/** A call of the shared table in place of the library's, and what a transport answers it with. */
final class RecordedCall extends NativeHttpCall {
  private static final int MOST_HEADERS = 64 * 1024;

  private final JsonNode given;
  private final ObjectNode answer = JsonNodeFactory.instance.objectNode();
  private final ByteArrayOutputStream body = new ByteArrayOutputStream();
  private int headerBytes;

  /** In the form in which the server of the table takes it. */
  final CompletableFuture<ObjectNode> outcome = new CompletableFuture<>();

  RecordedCall(JsonNode given) {
    super(0);
    this.given = given;
    answer.putArray("headers");
  }

  @Override
  String method() {
    return given.get("method").textValue();
  }

  @Override
  String url() {
    return given.get("url").textValue();
  }

  @Override
  int headerCount() {
    return given.get("headers").size();
  }

  @Override
  String headerName(int index) {
    return given.get("headers").get(index).get(0).textValue();
  }

  @Override
  String headerValue(int index) {
    return given.get("headers").get(index).get(1).textValue();
  }

  @Override
  byte[] body() {
    try {
      return given.get("body").binaryValue();
    } catch (IOException notBase64) {
      throw new AssertionError(notBase64);
    }
  }

  @Override
  long timeoutMs() {
    return given.get("timeout_ms").longValue();
  }

  @Override
  long maxBody() {
    return given.get("max_body").longValue();
  }

  @Override
  int oneShot() {
    return given.get("one_shot").booleanValue() ? 1 : 0;
  }

  @Override
  void addHeader(String name, String value) {
    headerBytes += name.length() + value.length();
    refuseAbove(MOST_HEADERS, headerBytes);
    answer.withArray("/headers").addArray().add(name).add(value);
  }

  @Override
  void appendBody(byte[] data) {
    refuseAbove(maxBody(), body.size() + data.length);
    body.write(data, 0, data.length);
  }

  private static void refuseAbove(long limit, long size) {
    if (size > limit) {
      throw Status.TOO_LARGE.exception(ErrorDetails.of(Status.TOO_LARGE, "above " + limit));
    }
  }

  @Override
  void complete(int httpStatus) {
    end(answer.put("status", httpStatus).put("body", body.toByteArray()));
  }

  @Override
  void fail(int status, String word, long userError) {
    String failure = Status.of(status).name().toLowerCase(Locale.ROOT);
    end(answer.put("failure", failure).put("cause", String.valueOf(word)));
  }

  private void end(ObjectNode ending) {
    if (!outcome.complete(ending)) {
      throw Status.CLOSED.exception(ErrorDetails.of(Status.CLOSED, "answered before"));
    }
  }
}
