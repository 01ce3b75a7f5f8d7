package io.fleetauth;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Copies of a vector, each with one expectation altered. */
final class Mutants {
  private static final Set<String> EXPECTATIONS =
      Set.of(
          "expect_request",
          "expect_sign",
          "token",
          "headers",
          "identity",
          "accounts",
          "error",
          "advice");

  private Mutants() {}

  static List<JsonNode> of(JsonNode vector) {
    List<JsonNode> mutants = new ArrayList<>();
    for (int step = 0; step < vector.get("steps").size(); step++) {
      for (String name : EXPECTATIONS) {
        JsonNode expectation = vector.get("steps").get(step).get(name);
        int leaves = expectation == null ? 0 : leaves(expectation);
        for (int leaf = 0; leaf < leaves; leaf++) {
          JsonNode copy = vector.deepCopy();
          ObjectNode owner = (ObjectNode) copy.get("steps").get(step);
          new Change(leaf).in(owner, name);
          mutants.add(copy);
        }
      }
    }
    return mutants;
  }

  private static int leaves(JsonNode node) {
    if (!node.isObject()) {
      return 1;
    }
    int count = 0;
    for (JsonNode child : node) {
      count += leaves(child);
    }
    return count;
  }

  /** Alters the leaf of that number. */
  private static final class Change {
    private int leavesBefore;

    Change(int leavesBefore) {
      this.leavesBefore = leavesBefore;
    }

    void in(ObjectNode owner, String name) {
      JsonNode node = owner.get(name);
      if (node.isObject()) {
        List<String> names = new ArrayList<>();
        node.fieldNames().forEachRemaining(names::add);
        names.forEach(child -> in((ObjectNode) node, child));
      } else if (leavesBefore-- == 0) {
        alter(owner, name, node);
      }
    }

    private static void alter(ObjectNode owner, String name, JsonNode node) {
      if (node.isBoolean()) {
        owner.put(name, !node.booleanValue());
      } else if (node.isNumber()) {
        owner.put(name, node.longValue() + 1);
      } else if (name.equals("advice")) {
        owner.put(name, node.textValue().equals("retry") ? "stop" : "retry");
      } else {
        owner.put(name, node.asText() + "x");
      }
    }
  }
}
