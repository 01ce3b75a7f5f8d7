package io.fleetauth;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fleetauth.testing.EmulatorExtension;
import io.fleetauth.testing.EmulatorProcess;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is left in a JVM of secrets that were given to the library as arrays, and wiped. */
@ExtendWith(EmulatorExtension.class)
class ResidueTest {
  private static final Pattern READABLE =
      Pattern.compile("([0-9a-f]+)-([0-9a-f]+) r(?!.*\\[v\\w+]$).*");
  private static final int STEP = 1 << 22;

  /** How often the text stands in the memory of a process, in Latin or in 16 bits a character. */
  private static int copies(long process, String text) throws IOException {
    int found = 0;
    try (RandomAccessFile memory = new RandomAccessFile("/proc/" + process + "/mem", "r")) {
      for (String line : Files.readAllLines(Path.of("/proc/" + process + "/maps"))) {
        Matcher mapping = READABLE.matcher(line);
        if (mapping.matches()) {
          long begin = Long.parseUnsignedLong(mapping.group(1), 16);
          long end = Long.parseUnsignedLong(mapping.group(2), 16);
          found += copies(memory, begin, end, text);
        }
      }
    }
    return found;
  }

  private static int copies(RandomAccessFile file, long begin, long end, String text)
      throws IOException {
    int found = 0;
    byte[] chunk = new byte[STEP + 2 * text.length()];
    for (long at = begin; at < end; at += STEP) {
      file.seek(at);
      int got;
      try {
        got = file.read(chunk, 0, (int) Math.min(chunk.length, end - at));
      } catch (IOException shorterThanItsMapping) {
        return found;
      }
      String read = new String(chunk, 0, Math.max(got, 0), StandardCharsets.ISO_8859_1);
      for (String form : List.of(text, String.join("\0", text.split("")))) {
        for (int place = -1; (place = read.indexOf(form, place + 1)) >= 0; ) {
          found++;
        }
      }
    }
    return found;
  }

  /** The secret that the program told. */
  private static String unmasked(String line) {
    StringBuilder secret = new StringBuilder();
    line.chars().forEach(c -> secret.append((char) (c - 32 + 'A')));
    return secret.toString();
  }

  // A collector that never collects nor moves leaves every copy where it is.
  @CsvSource({"bytes,UseEpsilonGC", "characters,UseEpsilonGC", "bytes,UseSerialGC"})
  @ParameterizedTest
  void L04_nothing_is_left_of_arrays_that_were_wiped(
      String kind, String collector, EmulatorProcess emulator, @TempDir Path folder)
      throws Exception {
    String token = UUID.randomUUID().toString();
    String answer = "{\"status\":200,\"body\":{\"token\":\"" + token + "\"}}";
    emulator.fault("{\"match\":{\"path\":\"/fleetup/token\"},\"times\":1,\"do\":" + answer + "}");
    Path dump = folder.resolve("heap.hprof");
    Process process =
        new ProcessBuilder(
                Paths.get(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-Xlog:disable",
                "-XX:+UnlockExperimentalVMOptions",
                "-XX:+" + collector,
                "-cp",
                System.getProperty("java.class.path"),
                ProcessMain.class.getName(),
                "lend",
                emulator.url(),
                emulator.caFile().toString(),
                kind,
                dump.toString())
            .redirectError(Redirect.INHERIT)
            .start();
    try (BufferedReader lines = process.inputReader()) {
      String secret = unmasked(lines.readLine());
      goOn(process);
      assertEquals("held", lines.readLine());
      assertTrue(copies(process.pid(), secret) >= 2, "the array and the client's own");
      goOn(process);
      assertEquals("released", lines.readLine());
      if (collector.equals("UseEpsilonGC")) {
        assertEquals(0, copies(process.pid(), secret), "copies of the secret");
        assertEquals(0, copies(process.pid(), token), "copies of the token");
      }
      try (RandomAccessFile heap = new RandomAccessFile(dump.toFile(), "r")) {
        assertNotEquals(0, copies(heap, 0, heap.length(), "demo-api-key"), "the heap was written");
        assertEquals(0, copies(heap, 0, heap.length(), secret), "copies of the secret in the heap");
        assertEquals(0, copies(heap, 0, heap.length(), token), "copies of the token in the heap");
      }
      goOn(process);
      assertTrue(process.waitFor(20, TimeUnit.SECONDS));
      assertEquals(0, process.exitValue());
    } finally {
      process.destroyForcibly();
    }
  }

  private static void goOn(Process process) throws IOException {
    process.getOutputStream().write('.');
    process.getOutputStream().flush();
  }
}
