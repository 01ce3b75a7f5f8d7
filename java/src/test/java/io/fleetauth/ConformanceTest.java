package io.fleetauth;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.extension.ExtendWith;

/** The vectors of tests/conformance, through this binding's own transport and the manual clock. */
@ExtendWith(LiveHandles.class)
class ConformanceTest {
  private static final Path VECTORS = Paths.get("..", "tests", "conformance");

  @TestFactory
  Stream<DynamicTest> vectors() throws IOException {
    List<Path> files = files();
    assertFalse(files.isEmpty(), "no vectors in " + VECTORS.toAbsolutePath());
    return files.stream()
        .map(file -> DynamicTest.dynamicTest(file.toString(), () -> VectorPlayer.play(read(file))));
  }

  /** Runs vectors with one expectation of them changed: they must fail. */
  @TestFactory
  Stream<DynamicTest> a_vector_with_one_expectation_altered_fails() throws IOException {
    List<JsonNode> mutants = new ArrayList<>();
    for (String name :
        List.of(
            "fleetup/refused_in_mid_life",
            "fleet_orchestrator/whoami_asks_for_otp",
            "trimble_maps/accounts",
            "fleet_engine/signer_takes_too_long")) {
      mutants.addAll(Mutants.of(read(VECTORS.resolve(name + ".json"))));
    }
    assertTrue(mutants.size() > 40, "only " + mutants.size() + " mutants");
    return mutants.stream()
        .map(
            mutant ->
                DynamicTest.dynamicTest(
                    "mutant " + mutants.indexOf(mutant),
                    () -> assertEquals(AssertionError.class, outcome(mutant), mutant.toString())));
  }

  private static Class<?> outcome(JsonNode vector) throws Exception {
    try {
      VectorPlayer.play(vector);
      return null;
    } catch (AssertionError mismatch) {
      return AssertionError.class;
    }
  }

  private static List<Path> files() throws IOException {
    try (Stream<Path> tree = Files.walk(VECTORS, 2)) {
      return tree.filter(file -> file.toString().endsWith(".json"))
          .filter(file -> file.getNameCount() > VECTORS.getNameCount() + 1)
          .sorted()
          .collect(Collectors.toList());
    }
  }

  private static JsonNode read(Path file) throws IOException {
    return new ObjectMapper().readTree(file.toFile());
  }
}
