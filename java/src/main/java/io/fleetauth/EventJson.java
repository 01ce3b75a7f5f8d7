package io.fleetauth;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Reads what the library writes of events and counters: an object of texts, whole numbers and
 * booleans, without white space.
 */
final class EventJson {
  private final String json;
  private int at;

  private EventJson(String json) {
    this.json = json;
  }

  static Map<String, Object> read(String json) {
    return new EventJson(json).object();
  }

  private Map<String, Object> object() {
    Map<String, Object> members = new LinkedHashMap<>();
    while (json.charAt(at++) != '}') { // before each member a brace or a comma
      String name = text();
      at++; // the colon
      members.put(name, value());
    }
    return members;
  }

  private Object value() {
    switch (json.charAt(at)) {
      case '"':
        return text();
      case 't':
        at += "true".length();
        return true;
      case 'f':
        at += "false".length();
        return false;
      default:
        return number();
    }
  }

  private Long number() {
    int start = at;
    while (json.charAt(at) == '-' || Character.isDigit(json.charAt(at))) {
      at++;
    }
    return Long.valueOf(json.substring(start, at));
  }

  private String text() {
    StringBuilder text = new StringBuilder();
    at++; // the quote
    for (char c = json.charAt(at++); c != '"'; c = json.charAt(at++)) {
      text.append(c == '\\' ? escaped(json.charAt(at++)) : c);
    }
    return text.toString();
  }

  private char escaped(char c) {
    switch (c) {
      case 'b':
        return '\b';
      case 'f':
        return '\f';
      case 'n':
        return '\n';
      case 'r':
        return '\r';
      case 't':
        return '\t';
      case 'u':
        at += 4;
        return (char) Integer.parseInt(json.substring(at - 4, at), 16);
      default:
        return c;
    }
  }
}
