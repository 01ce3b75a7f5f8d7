package io.fleetauth;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fleetauth.testing.EmulatorExtension;
import io.fleetauth.testing.EmulatorProcess;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** JVMs that load, work and leave. */
@ExtendWith(EmulatorExtension.class)
class ProcessTest {
  private static final Path NATIVE =
      Paths.get("target", "classes", "META-INF", "native", NativeLoader.platform());

  /** Less than the 15 s of a request that nobody answers, and plenty on a busy machine. */
  private static final Duration WITHOUT_WAITING = Duration.ofSeconds(10);

  private record Ended(int code, String output, Duration leaving) {}

  private static Ended run(List<String> options, String... arguments) throws Exception {
    return run(Map.of(), options, arguments);
  }

  private static Ended run(
      Map<String, String> environment, List<String> options, String... arguments) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Paths.get(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(options);
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(ProcessMain.class.getName());
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().putAll(environment);
    Process process = builder.start();
    StringBuilder output = new StringBuilder();
    long left = System.nanoTime();
    try (BufferedReader lines = process.inputReader()) {
      for (String line; (line = lines.readLine()) != null; ) {
        output.append(line).append('\n');
        left = line.equals("leaving") ? System.nanoTime() : left;
      }
    }
    assertTrue(process.waitFor(60, TimeUnit.SECONDS), output.toString());
    Duration leaving = Duration.ofNanos(System.nanoTime() - left);
    return new Ended(process.exitValue(), output.toString(), leaving);
  }

  /** How often, of FLEETAUTH_EXITS in all; a JVM takes long to start. */
  private static int exits() {
    String wanted = System.getenv().getOrDefault("FLEETAUTH_EXITS", "6");
    return (Integer.parseInt(wanted) + 2) / 3;
  }

  static Stream<Arguments> waysToLeave() {
    return Stream.of(Arguments.of("return", 0), Arguments.of("exit", 7), Arguments.of("halt", 7));
  }

  @ParameterizedTest
  @MethodSource("waysToLeave")
  @Timeout(value = 10, unit = TimeUnit.MINUTES)
  void P05_P08_a_JVM_leaves_with_calls_in_flight(String how, int code, EmulatorProcess emulator)
      throws Exception {
    String match = "{\"path\":\"/fleetup/token\"}";
    emulator.fault("{\"match\":" + match + ",\"times\":\"always\",\"do\":{\"hold\":\"g\"}}");
    String[] arguments = {"exit", emulator.url(), emulator.caFile().toString(), how};
    for (int round = 0; round < exits(); round++) {
      Ended ended = run(List.of("-Xcheck:jni"), arguments);
      assertEquals(code, ended.code(), ended.output());
      assertEquals("leaving\n", ended.output());
      assertTrue(ended.leaving().compareTo(WITHOUT_WAITING) < 0, "left after " + ended.leaving());
    }
  }

  @Test
  void P08_JNI_is_used_by_its_rules(EmulatorProcess emulator) throws Exception {
    String[] arguments = {"work", emulator.url(), emulator.caFile().toString()};
    Ended ended = run(List.of("-Xcheck:jni", "-Xmx64m"), arguments);
    assertEquals(0, ended.code(), ended.output());
    assertEquals("worked\n", ended.output(), "and no warning");
  }

  @Test
  void L06_the_key_log_stays_empty(EmulatorProcess emulator, @TempDir Path folder)
      throws Exception {
    Path log = folder.resolve("keys");
    String[] arguments = {"work", emulator.url(), emulator.caFile().toString()};
    Ended ended = run(Map.of("SSLKEYLOGFILE", log.toString()), List.of("-Xmx64m"), arguments);
    assertEquals("worked\n", ended.output());
    assertEquals(0, Files.size(log), "libcurl makes the file; nothing is written to it");
  }

  @Test
  void the_library_comes_out_of_the_jar_and_leaves_no_file_behind(@TempDir Path temporary)
      throws Exception {
    Ended ended = run(List.of("-Djava.io.tmpdir=" + temporary), "load");
    assertTrue(ended.output().startsWith("version "), ended.output());
    try (Stream<Path> files = Files.list(temporary)) {
      assertEquals(0, files.filter(file -> !file.toString().contains("hsperf")).count());
    }
  }

  @Test
  void the_library_comes_from_the_folder_that_is_named() throws Exception {
    Ended ended = run(List.of("-Dfleetauth.native.dir=" + NATIVE), "load");
    assertTrue(ended.output().startsWith("version "), ended.output());
  }

  @Test
  void the_library_comes_from_the_library_path() throws Exception {
    String unusable = "-Djava.io.tmpdir=/dev/null";
    Ended ended = run(List.of("-Djava.library.path=" + NATIVE, unusable), "load");
    assertTrue(ended.output().startsWith("version "), ended.output());
  }

  @Test
  void a_library_that_cannot_be_loaded_is_told_at_every_use(@TempDir Path empty) throws Exception {
    Ended ended = run(List.of("-Dfleetauth.native.dir=" + empty), "load");
    String[] lines = ended.output().split("\n");
    assertEquals(2, lines.length, ended.output());
    assertTrue(lines[0].startsWith("UNSUPPORTED The native library"), ended.output());
    assertTrue(lines[0].contains(empty.toString()), ended.output());
    assertEquals(lines[0], lines[1]);
  }

  @Test
  void a_library_of_another_version_is_refused() {
    UnsatisfiedLinkError refused =
        assertThrows(UnsatisfiedLinkError.class, () -> NativeLoader.checkInterface(1, 2));
    assertTrue(refused.getMessage().contains("java.library.path"), refused.getMessage());
    NativeLoader.checkInterface(NativeLibrary.API_CHECKSUM, NativeLibrary.API_CHECKSUM);
  }

  @Test
  void the_library_exports_nothing_but_its_entries() throws IOException, InterruptedException {
    Path library = NATIVE.resolve(System.mapLibraryName("fleetauth_jni"));
    Process nm = new ProcessBuilder("nm", "-D", "--defined-only", library.toString()).start();
    try (BufferedReader lines = nm.inputReader()) {
      List<String> others =
          lines
              .lines()
              .map(line -> line.substring(line.lastIndexOf(' ') + 1))
              .filter(name -> !name.equals("JNI_OnLoad"))
              .filter(name -> !name.startsWith("Java_io_fleetauth_"))
              .toList();
      assertEquals(List.of(), others);
    }
    assertFalse(nm.waitFor() != 0);
  }
}
