package io.fleetauth;

import static org.junit.jupiter.api.Assertions.assertFalse;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectOutputStream;
import java.io.PrintWriter;
import java.io.Serializable;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What tests/secrets/canaries.py made: secrets in every form, clients of every provider, and what
 * happens to them.
 */
final class Canaries {
  static final JsonNode SHARED = read();

  private Canaries() {}

  private static JsonNode read() {
    try {
      return new ObjectMapper().readTree(Path.of("..", "tests/secrets/canaries.json").toFile());
    } catch (IOException missing) {
      throw new UncheckedIOException(missing);
    }
  }

  static String value(String name) {
    return SHARED.at("/canaries/" + name + "/value").textValue();
  }

  /** All that a program would print, log, keep or send of a thing. */
  private static List<String> shown(Object thing) {
    List<String> texts = new ArrayList<>(List.of(String.valueOf(thing), List.of(thing).toString()));
    if (thing instanceof Throwable failure) {
      StringWriter trace = new StringWriter();
      failure.printStackTrace(new PrintWriter(trace, true));
      texts.add(trace + failure.getMessage() + failure.getLocalizedMessage());
    }
    if (thing instanceof Serializable) {
      texts.add(serialized(thing));
    }
    return texts;
  }

  private static String serialized(Object thing) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      out.writeObject(thing);
    } catch (IOException refused) {
      return refused.toString();
    }
    return bytes.toString(StandardCharsets.ISO_8859_1);
  }

  static void assertSilent(Object thing, String what) {
    for (String text : shown(thing)) {
      for (JsonNode canary : SHARED.get("canaries")) {
        for (JsonNode form : canary.get("forms")) {
          assertFalse(text.contains(form.textValue()), () -> what + " shows " + form + ": " + text);
        }
      }
    }
  }
}
