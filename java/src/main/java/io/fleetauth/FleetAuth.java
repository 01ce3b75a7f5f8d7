package io.fleetauth;

import java.util.Arrays;
import java.util.List;

/** Facts about the library. */
public final class FleetAuth {
  private FleetAuth() {}

  /** Its version. */
  public static String version() {
    return NativeLibrary.version();
  }

  /** Everything linked into it with its version, {@code name version} each. */
  public static List<String> dependencies() {
    return Arrays.asList(NativeLibrary.dependencies().trim().split("\n"));
  }

  /** Whether this build has a feature, such as {@code transport.curl}. */
  public static boolean hasFeature(String name) {
    return NativeLibrary.hasFeature(name) != 0;
  }

  /** How many objects of the library the process refers to; tests compare it before and after. */
  public static long liveHandles() {
    return NativeLibrary.liveHandles();
  }
}
