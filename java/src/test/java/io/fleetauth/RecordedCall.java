package io.fleetauth;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.AbstractMap.SimpleImmutableEntry;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** A call of the shared table, and what a transport answers it with. */
final class RecordedCall extends HttpCall {
  private final JsonNode given;
  private final ObjectNode answer = JsonNodeFactory.instance.objectNode();
  private final ByteArrayOutputStream body = new ByteArrayOutputStream();

  /** In the form in which the server of the table takes it. */
  final CompletableFuture<ObjectNode> outcome = new CompletableFuture<>();

  RecordedCall(JsonNode given) {
    super(null, null, null);
    this.given = given;
    answer.putArray("headers");
  }

  @Override
  public String method() {
    return given.get("method").textValue();
  }

  @Override
  public String url() {
    return given.get("url").textValue();
  }

  @Override
  public List<Map.Entry<String, String>> headers() {
    List<Map.Entry<String, String>> headers = new ArrayList<>();
    given
        .get("headers")
        .forEach(
            pair ->
                headers.add(
                    new SimpleImmutableEntry<>(pair.get(0).textValue(), pair.get(1).textValue())));
    return headers;
  }

  @Override
  public byte[] body() {
    try {
      return given.get("body").binaryValue();
    } catch (IOException notBase64) {
      throw new AssertionError(notBase64);
    }
  }

  @Override
  public Duration timeout() {
    return Duration.ofMillis(given.get("timeout_ms").longValue());
  }

  @Override
  public long maxBody() {
    return given.get("max_body").longValue();
  }

  @Override
  public boolean isOneShot() {
    return given.get("one_shot").booleanValue();
  }

  @Override
  public void addHeader(String name, String value) {
    answer.withArray("/headers").addArray().add(name).add(value);
  }

  @Override
  public void appendBody(byte[] data, int offset, int length) {
    if (body.size() + length > maxBody()) {
      throw Status.TOO_LARGE.exception(ErrorDetails.of(Status.TOO_LARGE, "above maxBody"));
    }
    body.write(data, offset, length);
  }

  @Override
  public boolean complete(int httpStatus) {
    return outcome.complete(answer.put("status", httpStatus).put("body", body.toByteArray()));
  }

  @Override
  public boolean fail(Status status, String word, Throwable cause) {
    String failure = status.name().toLowerCase(Locale.ROOT);
    return outcome.complete(answer.put("failure", failure).put("cause", String.valueOf(cause)));
  }
}
