package io.fleetauth;

import java.util.HashSet;
import java.util.Set;

/**
 * Named options that are given to the library as they are set. Names, types and ranges are checked
 * when the thing is built, with the name in the message. For one thing and one thread.
 *
 * @param <B> the builder that the setters return
 */
public abstract class OptionBag<B extends OptionBag<B>> {
  private final NativeOptions options = NativeOptions.create();
  private final Set<String> names = new HashSet<>();

  OptionBag() {}

  @SuppressWarnings("unchecked")
  final B self() {
    return (B) this;
  }

  /** Sets an option by its name; null leaves it as it is. Numbers and booleans may be text. */
  public final B set(String name, String value) {
    if (value != null) {
      options.setText(name, value);
      names.add(name);
    }
    return self();
  }

  /** Sets a secret option; null leaves it as it is. The array can be wiped afterwards. */
  public final B set(String name, byte[] value) {
    if (value != null) {
      options.setBytes(name, value);
      names.add(name);
    }
    return self();
  }

  /** Sets a secret option; null leaves it as it is. The array can be wiped afterwards. */
  public final B set(String name, char[] value) {
    byte[] encoded = Text.utf8(value);
    try {
      return set(name, encoded);
    } finally {
      Text.wipe(encoded);
    }
  }

  /** Sets a numeric option. */
  public final B set(String name, long value) {
    options.setI64(name, value);
    names.add(name);
    return self();
  }

  /** Sets a boolean option. */
  public final B set(String name, boolean value) {
    return set(name, value ? 1 : 0);
  }

  final boolean isSet(String name) {
    return names.contains(name);
  }

  final NativeOptions options() {
    return options;
  }

  /** After the thing was built: the secrets are wiped now. Setting more is refused. */
  final void used() {
    options.dispose();
  }
}
