package io.fleetauth;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What a provider's descriptor says, checked. Immutable; any thread. */
public final class Provider implements AutoCloseable {
  private final NativeProvider handle;

  private Provider(NativeProvider handle) {
    this.handle = handle;
  }

  /** The built-in provider of that name. */
  public static Provider builtin(String name) {
    return new Provider(NativeProvider.builtin(name));
  }

  /**
   * A provider of one's own, from the text of its descriptor.
   *
   * @param source names the text in messages
   */
  public static Provider fromJson(String json, String source) {
    return new Provider(NativeProvider.fromJson(json, source));
  }

  /** A provider of one's own, from a descriptor's file. */
  public static Provider fromFile(Path file) throws IOException {
    String json = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    return fromJson(json, file.toString());
  }

  /** The names of the built-in providers. */
  public static List<String> builtinNames() {
    List<String> names = new ArrayList<>();
    for (String name; (name = NativeProvider.builtinName(names.size())) != null; ) {
      names.add(name);
    }
    return names;
  }

  /** The provider's name. */
  public String name() {
    return handle.name();
  }

  /** The checked descriptor as JSON, with the documentation of its parameters. No secret in it. */
  public String description() {
    return handle.description();
  }

  /** Releases it; clients made from it go on. */
  @Override
  public void close() {
    handle.dispose();
  }

  @Override
  public String toString() {
    return "Provider[" + name() + "]";
  }

  NativeProvider handle() {
    return handle;
  }
}
