package io.fleetauth;

import java.util.Collection;
import java.util.Map;

/** Writes claims as the JSON that the library takes. */
final class ClaimsJson {
  private ClaimsJson() {}

  static String of(Map<String, ?> claims) {
    StringBuilder json = new StringBuilder("{");
    for (Map.Entry<String, ?> claim : claims.entrySet()) {
      if (json.length() > 1) {
        json.append(',');
      }
      text(json, claim.getKey());
      json.append(':');
      if (claim.getValue() instanceof Collection) {
        ids(json, (Collection<?>) claim.getValue());
      } else {
        id(json, claim.getValue());
      }
    }
    return json.append('}').toString();
  }

  private static void ids(StringBuilder json, Collection<?> ids) {
    char before = '[';
    for (Object id : ids) {
      json.append(before);
      id(json, id);
      before = ',';
    }
    json.append(ids.isEmpty() ? "[]" : "]");
  }

  /** What is no text is no id: the library says so. */
  private static void id(StringBuilder json, Object id) {
    if (id instanceof String) {
      text(json, (String) id);
    } else {
      json.append("null");
    }
  }

  private static void text(StringBuilder json, String text) {
    json.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        json.append('\\').append(c);
      } else if (c < ' ' || Character.isSurrogate(c)) {
        // UTF-8 would write half of a pair as a question mark, and so another id.
        json.append(String.format("\\u%04x", (int) c));
      } else {
        json.append(c);
      }
    }
    json.append('"');
  }
}
