package io.fleetauth;

import java.util.AbstractMap;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * Who the provider takes the client for: fields by the names that its descriptor gives them, such
 * as {@code id}, {@code email}, {@code role}, in order. Immutable. No secret is in it; the names
 * alone are shown when it is printed, because the values are about people.
 */
public final class Identity extends AbstractMap<String, String> {
  private final Map<String, String> fields;

  private Identity(Map<String, String> fields) {
    this.fields = Collections.unmodifiableMap(fields);
  }

  /** Takes the handle. */
  static Identity of(NativeIdentity handle) {
    try {
      Map<String, String> fields = new LinkedHashMap<>();
      for (int i = 0; i < handle.count(); i++) {
        fields.put(handle.name(i), handle.value(i));
      }
      return new Identity(fields);
    } finally {
      handle.dispose();
    }
  }

  @Override
  public String get(Object name) {
    return fields.get(name);
  }

  @Override
  public boolean containsKey(Object name) {
    return fields.containsKey(name);
  }

  @Override
  public Set<Map.Entry<String, String>> entrySet() {
    return fields.entrySet();
  }

  @Override
  public String toString() {
    return "Identity" + fields.keySet();
  }
}
