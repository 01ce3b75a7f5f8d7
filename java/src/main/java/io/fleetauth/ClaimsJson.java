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
        ids(json, claim.getKey(), (Collection<?>) claim.getValue());
      } else {
        id(json, claim.getKey(), claim.getValue());
      }
    }
    return json.append('}').toString();
  }

  private static void ids(StringBuilder json, String claim, Collection<?> ids) {
    char before = '[';
    for (Object id : ids) {
      json.append(before);
      id(json, claim, id);
      before = ',';
    }
    json.append(ids.isEmpty() ? "[]" : "]");
  }

  private static void id(StringBuilder json, String claim, Object id) {
    if (!(id instanceof String)) {
      String what = id == null ? "null" : "a " + id.getClass().getName();
      String message =
          "The claim \"" + claim + "\" is " + what + "; give a String or a Collection of Strings.";
      throw Status.CONFIG.exception(ErrorDetails.of(Status.CONFIG, message));
    }
    text(json, (String) id);
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
