package io.fleetauth;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.nimbusds.jwt.SignedJWT;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** How claims are given. */
@ExtendWith(LiveHandles.class)
class ClaimsTest {
  private static final String CANARY = "id-canary";

  private static FleetEngine.Builder builder() {
    return FleetEngine.builder().clientEmail("fleet@example.com").signer(data -> new byte[256]);
  }

  private static Map<String, Object> authorization(Token token) throws Exception {
    return SignedJWT.parse(token.reveal()).getJWTClaimsSet().getJSONObjectClaim("authorization");
  }

  @Test
  void claims_are_written_as_JSON_that_means_the_same() throws Exception {
    Map<String, Object> claims = new LinkedHashMap<>();
    claims.put("plain", "vehicle-1");
    claims.put("quo\"ted", "a \"b\" \\ c");
    claims.put("controls", "\0\b\f\n\r\t\u001f\u007f");
    claims.put("beyond", "é ü 東京 \uD83D\uDE9A \u2028");
    claims.put("list", List.of("a", "b\"", "ç"));
    claims.put("one", Set.of("a"));
    claims.put("none", List.of());
    Map<String, Object> expected = new LinkedHashMap<>(claims);
    expected.put("one", List.of("a"));
    String json = ClaimsJson.of(claims);
    assertEquals(expected, new ObjectMapper().readValue(json, LinkedHashMap.class));
    assertEquals("{}", ClaimsJson.of(Map.of()));
    assertEquals("{\"a\":\"b\"}", ClaimsJson.of(Map.of("a", "b")));
    assertEquals("{\"a\":[\"b\",\"c\"]}", ClaimsJson.of(Map.of("a", List.of("b", "c"))));
  }

  @Test
  void ids_arrive_as_they_were_given() throws Exception {
    for (String id : List.of("a \"b\" \\ c", "é ü 東京 \uD83D\uDE9A", "a.b-c_d@e")) {
      try (FleetEngine client = builder().build();
          Token token = client.mint(FleetEngine.ClaimSet.DRIVER, Map.of("vehicleid", id))) {
        assertEquals(Map.of("vehicleid", id), authorization(token));
      }
    }
    try (FleetEngine client = builder().build();
        Token token = client.mint(null, Map.of("taskids", List.of("t-1", "t-2")))) {
      assertEquals(Map.of("taskids", List.of("t-1", "t-2")), authorization(token));
    }
  }

  @Test
  void half_of_a_character_is_refused_and_not_replaced() {
    try (FleetEngine client = builder().build()) {
      ConfigurationException failure =
          assertThrows(
              ConfigurationException.class,
              () -> client.mint("driver", Map.of("vehicleid", CANARY + "\uD83D")));
      assertFalse(failure.getMessage().contains(CANARY), failure.getMessage());
    }
  }

  /** A claim set, claims, and a word that the refusal must have. */
  private static void refused(String word, String claimSet, Map<String, ?> claims) {
    try (FleetEngine client = builder().build()) {
      ConfigurationException failure =
          assertThrows(ConfigurationException.class, () -> client.mint(claimSet, claims));
      assertEquals(Status.CONFIG, failure.status());
      assertTrue(failure.getMessage().contains(word), failure.getMessage());
      assertFalse(failure.getMessage().contains(CANARY), failure.getMessage());
      assertFalse(failure.toString().contains(CANARY), failure.toString());
      CompletableFuture<Token> later = client.mintAsync(claimSet, claims);
      Throwable cause = assertThrows(ExecutionException.class, later::get).getCause();
      assertEquals(failure.getMessage(), cause.getMessage());
    }
  }

  @Test
  void wrong_claims_are_named_and_their_ids_are_not() {
    refused("vehicleid", "driver", Map.of("vehicleid", CANARY + "/"));
    refused("vehicleid", "driver", Map.of("vehicleid", CANARY.repeat(9)));
    refused("vehicleid", "driver", Map.of("vehicleid", ""));
    refused("vehicleid", "driver", Map.of("vehicleid", CANARY + "\n"));
    refused("vehicleid", "driver", Map.of("vehicleid", List.of(CANARY)));
    refused("vehicleid", "driver", Map.of("tripid", CANARY));
    refused("vehicleid", "driver", null);
    refused("driver", "driver", Map.of("vehicleid", "*"));
    refused("taskids", null, Map.of("taskids", CANARY));
    refused("taskids", null, Map.of("taskids", List.of(CANARY, CANARY)));
    refused("trackingid", null, Map.of("trackingid", CANARY, "taskid", CANARY));
    refused("server", "server", Map.of("tripid", CANARY));
    refused("vehicleid", "driver", Map.of("vehicle_id", CANARY));
    refused("driver", "drivers", Map.of("vehicleid", CANARY));
    refused("claims", null, Map.of());
  }

  @Test
  void what_is_no_id_is_named_by_its_claim() {
    refused("vehicleid", "driver", Map.of("vehicleid", 17));
    refused("vehicleid", "driver", Collections.singletonMap("vehicleid", null));
    refused("taskids", null, Map.of("taskids", Arrays.asList(CANARY, null)));
    refused("taskids", null, Map.of("taskids", new String[] {CANARY}));
    refused("vehicleid", "driver", Map.of("vehicleid", new StringBuilder(CANARY)));
  }

  @Test
  void a_client_can_have_claims_for_requests_that_name_none() throws Exception {
    try (FleetEngine client = builder().claimSet(FleetEngine.ClaimSet.DELIVERY_SERVER).build();
        Token token = client.token();
        Token same = client.mint(FleetEngine.ClaimSet.DELIVERY_SERVER)) {
      assertEquals(
          Map.of("taskid", "*", "trackingid", "*", "deliveryvehicleid", "*"), authorization(token));
      assertEquals(token.fingerprint(), same.fingerprint());
    }
    try (FleetEngine client = builder().build()) {
      assertThrows(ConfigurationException.class, client::token);
    }
  }

  @Test
  void a_provider_without_claims_takes_none() {
    try (FleetUp client = FleetUp.builder().apiKey("k").acctId(1).secret("s").build()) {
      assertThrows(
          ConfigurationException.class, () -> client.mint("driver", Map.of("vehicleid", "v-1")));
    }
  }

  @Test
  void null_leaves_claims_as_they_are() throws Exception {
    try (FleetEngine client = builder().build();
        PreparedRequest request =
            client
                .request()
                .claimSet("driver")
                .claims(Map.of("vehicleid", "v-1"))
                .claims(null)
                .build();
        Token token = client.token(request)) {
      assertEquals(Map.of("vehicleid", "v-1"), authorization(token));
    }
  }
}
