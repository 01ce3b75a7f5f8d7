package io.fleetauth;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Locale;

/**
 * Loads the JNI library: from the folder that the property {@code fleetauth.native.dir} names; else
 * by {@link System#loadLibrary} (the library path, an Android package); else out of the jar,
 * through a private folder that is deleted at once.
 *
 * <p>Initialising this class never throws, because a class that failed to initialise reports only
 * {@code NoClassDefFoundError} later. The failure is kept and thrown by {@link #require}.
 */
final class NativeLoader {
  static final String DIRECTORY_PROPERTY = "fleetauth.native.dir";

  private static final String LIBRARY = "fleetauth_jni";
  private static final Throwable FAILURE = attempt();

  private NativeLoader() {}

  /** Throws what made loading fail, with advice. */
  static void require() {
    if (FAILURE != null) {
      String message = "The native library of fleetauth cannot be used: " + FAILURE.getMessage();
      throw (FleetAuthException)
          new FleetAuthException(ErrorDetails.of(Status.UNSUPPORTED, message)).initCause(FAILURE);
    }
  }

  private static Throwable attempt() {
    try {
      load();
      checkInterface(FleetauthJNI.fleetauth_api_checksum(), NativeLibrary.API_CHECKSUM);
      return null;
    } catch (Throwable failure) {
      return failure;
    }
  }

  static void checkInterface(long library, long binding) {
    if (library != binding) {
      throw new UnsatisfiedLinkError(
          String.format(
              "it belongs to another version (interface %x, this jar needs %x). Remove the other"
                  + " lib%s.so from java.library.path, or set -D%s to the folder of the right one.",
              library, binding, LIBRARY, DIRECTORY_PROPERTY));
    }
  }

  private static void load() throws IOException {
    String directory = System.getProperty(DIRECTORY_PROPERTY);
    if (directory != null) {
      System.load(Paths.get(directory, System.mapLibraryName(LIBRARY)).toAbsolutePath().toString());
      return;
    }
    try {
      System.loadLibrary(LIBRARY);
    } catch (UnsatisfiedLinkError notInstalled) {
      loadFromJar(notInstalled);
    }
  }

  private static void loadFromJar(UnsatisfiedLinkError notInstalled) throws IOException {
    String resource = "META-INF/native/" + platform() + "/" + System.mapLibraryName(LIBRARY);
    try (InputStream library = NativeLoader.class.getClassLoader().getResourceAsStream(resource)) {
      if (library == null) {
        throw new UnsatisfiedLinkError(
            "this jar has none for "
                + platform()
                + ". Build lib"
                + LIBRARY
                + " for it and set -D"
                + DIRECTORY_PROPERTY
                + " to its folder. (System.loadLibrary said: "
                + notInstalled.getMessage()
                + ")");
      }
      loadCopy(library);
    }
  }

  private static void loadCopy(InputStream library) throws IOException {
    Path folder = Files.createTempDirectory("fleetauth");
    Path copy = folder.resolve(System.mapLibraryName(LIBRARY));
    try {
      Files.copy(library, copy);
      System.load(copy.toString());
    } catch (UnsatisfiedLinkError refused) {
      throw new UnsatisfiedLinkError(
          refused.getMessage()
              + ". If "
              + folder.getParent()
              + " may not hold programs (noexec), unpack META-INF/native from the jar and set -D"
              + DIRECTORY_PROPERTY
              + ", or choose another -Djava.io.tmpdir.");
    } finally {
      Files.deleteIfExists(copy);
      Files.deleteIfExists(folder);
    }
  }

  /** {@code linux-x86_64}: the folder below META-INF/native. */
  static String platform() {
    String os = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
    String arch = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
    return (os.startsWith("windows") ? "windows" : os.startsWith("mac") ? "macos" : os)
        + "-"
        + (arch.equals("amd64") ? "x86_64" : arch);
  }
}
