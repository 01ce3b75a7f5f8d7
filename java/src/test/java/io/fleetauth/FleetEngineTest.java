package io.fleetauth;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.common.collect.ImmutableMap;
import com.google.fleetengine.auth.AuthTokenMinter;
import com.google.fleetengine.auth.token.DeliveryVehicleClaims;
import com.google.fleetengine.auth.token.FleetEngineToken;
import com.google.fleetengine.auth.token.FleetEngineTokenClaims;
import com.google.fleetengine.auth.token.FleetEngineTokenType;
import com.google.fleetengine.auth.token.TaskClaims;
import com.google.fleetengine.auth.token.TrackingClaims;
import com.google.fleetengine.auth.token.TripClaims;
import com.google.fleetengine.auth.token.VehicleClaims;
import com.google.fleetengine.auth.token.factory.signer.LocalSigner;
import com.nimbusds.jose.crypto.RSASSAVerifier;
import com.nimbusds.jwt.SignedJWT;
import io.fleetauth.http.AuthorizedHttpClient;
import io.fleetauth.okhttp.FleetAuthInterceptor;
import io.fleetauth.testing.EmulatorExtension;
import io.fleetauth.testing.EmulatorProcess;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.Signature;
import java.security.interfaces.RSAPrivateCrtKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.RSAPublicKeySpec;
import java.time.Duration;
import java.util.Base64;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Fleet Engine's tokens: as Google's own library makes them, and as the emulator takes them. */
@ExtendWith({EmulatorExtension.class, LiveHandles.class})
class FleetEngineTest {
  private final EmulatorProcess emulator;
  private final String keyFile;
  private final RSAPrivateCrtKey key;
  private FleetAuthRuntime runtime;

  FleetEngineTest(EmulatorProcess emulator) throws Exception {
    this.emulator = emulator;
    keyFile = emulator.admin("GET", "/fleet_engine/service_account", null);
    String pem = member("private_key").replaceAll("-----[A-Z ]+-----|\\s", "");
    PKCS8EncodedKeySpec spec = new PKCS8EncodedKeySpec(Base64.getDecoder().decode(pem));
    key = (RSAPrivateCrtKey) KeyFactory.getInstance("RSA").generatePrivate(spec);
  }

  @BeforeEach
  void makeRuntime() {
    runtime = FleetAuthRuntime.builder().build();
  }

  @AfterEach
  void closeRuntime() {
    runtime.close(Duration.ofSeconds(5));
  }

  private String member(String name) throws IOException {
    return new ObjectMapper().readTree(keyFile).get(name).textValue();
  }

  private FleetEngine fleetEngine() throws IOException {
    return emulator.fleetEngine().runtime(runtime).build();
  }

  private SignedJWT verified(String token) throws Exception {
    RSAPublicKeySpec spec = new RSAPublicKeySpec(key.getModulus(), key.getPublicExponent());
    SignedJWT jwt = SignedJWT.parse(token);
    RSAPublicKey publicKey = (RSAPublicKey) KeyFactory.getInstance("RSA").generatePublic(spec);
    assertTrue(jwt.verify(new RSASSAVerifier(publicKey)), "the signature");
    return jwt;
  }

  private String resource(String path) {
    return emulator.url() + "/fleet-engine/v1/providers/demo-project/" + path;
  }

  // What Google's own library makes

  /** Makes a token with Google's library. */
  private interface Theirs {
    FleetEngineToken mint(AuthTokenMinter minter) throws Exception;
  }

  /** One kind of token, the way it is asked for here and there. */
  private record Kind(
      FleetEngineTokenType type, String claimSet, Map<String, String> ids, Theirs theirs) {
    @Override
    public String toString() {
      return type + " " + ids;
    }
  }

  private static Kind kind(
      FleetEngineTokenType type, String claimSet, Map<String, String> ids, Theirs theirs) {
    return new Kind(type, claimSet, ids, theirs);
  }

  private static final FleetEngineTokenClaims CUSTOM =
      new FleetEngineTokenClaims() {
        @Override
        public ImmutableMap<String, String> toMap() {
          return ImmutableMap.of("vehicleid", "v-1", "tripid", "t-1");
        }

        @Override
        public boolean isWildcard() {
          return false;
        }
      };

  private static List<Kind> kinds() {
    DeliveryVehicleClaims van = DeliveryVehicleClaims.create("dv-1");
    TaskClaims task = TaskClaims.create("task-1");
    TrackingClaims tracking = TrackingClaims.create("track-1");
    return List.of(
        kind(FleetEngineTokenType.SERVER, "server", null, AuthTokenMinter::getServerToken),
        kind(
            FleetEngineTokenType.DRIVER,
            "driver",
            Map.of("vehicleid", "v-1"),
            minter -> minter.getDriverToken(VehicleClaims.create("v-1"))),
        kind(
            FleetEngineTokenType.CONSUMER,
            "consumer",
            Map.of("tripid", "t-1"),
            minter -> minter.getConsumerToken(TripClaims.create("t-1"))),
        kind(
            FleetEngineTokenType.DELIVERY_SERVER,
            "delivery_server",
            null,
            AuthTokenMinter::getDeliveryServerToken),
        kind(
            FleetEngineTokenType.DELIVERY_CONSUMER,
            "delivery_consumer",
            Map.of("taskid", "task-1"),
            minter -> minter.getDeliveryConsumerToken(task)),
        kind(
            FleetEngineTokenType.DELIVERY_CONSUMER,
            "delivery_consumer",
            Map.of("trackingid", "track-1"),
            minter -> minter.getDeliveryConsumerToken(tracking)),
        kind(
            FleetEngineTokenType.UNTRUSTED_DELIVERY_DRIVER,
            "untrusted_delivery_driver",
            Map.of("deliveryvehicleid", "dv-1"),
            minter -> minter.getUntrustedDeliveryVehicleToken(van)),
        kind(
            FleetEngineTokenType.TRUSTED_DELIVERY_DRIVER,
            "trusted_delivery_driver",
            Map.of("deliveryvehicleid", "dv-1"),
            minter -> minter.getTrustedDeliveryVehicleToken(van)),
        kind(
            FleetEngineTokenType.TRUSTED_DELIVERY_DRIVER,
            "trusted_delivery_driver",
            Map.of("deliveryvehicleid", "dv-1", "taskid", "task-1"),
            minter -> minter.getTrustedDeliveryVehicleToken(van, task)),
        kind(
            FleetEngineTokenType.DELIVERY_FLEET_READER,
            "delivery_fleet_reader",
            null,
            AuthTokenMinter::getDeliveryFleetReaderToken),
        kind(
            FleetEngineTokenType.FLEET_READER,
            "fleet_reader",
            null,
            AuthTokenMinter::getFleetReaderToken),
        kind(
            FleetEngineTokenType.CUSTOM,
            null,
            Map.of("vehicleid", "v-1", "tripid", "t-1"),
            minter -> minter.getCustomToken(CUSTOM)));
  }

  static Stream<Kind> everyKind() {
    return kinds().stream();
  }

  private AuthTokenMinter minter() {
    LocalSigner signer =
        LocalSigner.create(new ByteArrayInputStream(keyFile.getBytes(StandardCharsets.UTF_8)));
    return AuthTokenMinter.builder()
        .setServerSigner(signer)
        .setDriverSigner(signer)
        .setConsumerSigner(signer)
        .setDeliveryServerSigner(signer)
        .setDeliveryConsumerSigner(signer)
        .setUntrustedDeliveryDriverSigner(signer)
        .setTrustedDeliveryDriverSigner(signer)
        .setDeliveryFleetReaderSigner(signer)
        .setFleetReaderSigner(signer)
        .setCustomSigner(signer)
        .build();
  }

  @ParameterizedTest
  @MethodSource("everyKind")
  void a_token_is_the_one_that_googles_library_makes(Kind kind) throws Exception {
    FleetEngineToken made = kind.theirs().mint(minter());
    assertEquals(kind.type(), made.tokenType());
    SignedJWT theirs = verified(made.jwt());
    try (FleetEngine client = fleetEngine();
        Token token = client.mint(kind.claimSet(), kind.ids())) {
      SignedJWT ours = verified(token.reveal());
      assertEquals(theirs.getHeader().toJSONObject(), ours.getHeader().toJSONObject());
      assertEquals(member("private_key_id"), ours.getHeader().getKeyID());
      assertEquals(3600, lifetime(theirs));
      assertEquals(3600, lifetime(ours));
      assertEquals(timeless(theirs), timeless(ours));
      assertEquals(Set.of("iss", "sub", "aud", "authorization"), timeless(ours).keySet());
    }
  }

  @Test
  void every_kind_of_token_was_compared() {
    Set<FleetEngineTokenType> types = EnumSet.allOf(FleetEngineTokenType.class);
    kinds().forEach(kind -> types.remove(kind.type()));
    assertEquals(Set.of(), types);

    Set<String> sets = new HashSet<>();
    try (Provider provider = Provider.builtin("fleet_engine")) {
      JsonNode description = new ObjectMapper().readTree(provider.description());
      description.at("/claims/sets").fieldNames().forEachRemaining(sets::add);
    } catch (IOException impossible) {
      throw new AssertionError(impossible);
    }
    Set<String> compared = new HashSet<>();
    kinds().forEach(kind -> compared.add(kind.claimSet()));
    compared.remove(null);
    assertEquals(sets, compared);
  }

  private static long lifetime(SignedJWT jwt) {
    Map<String, Object> claims = jwt.getPayload().toJSONObject();
    return (Long) claims.get("exp") - (Long) claims.get("iat");
  }

  private static Map<String, Object> timeless(SignedJWT jwt) {
    Map<String, Object> claims = new HashMap<>(jwt.getPayload().toJSONObject());
    claims.keySet().removeAll(Set.of("iat", "exp"));
    return claims;
  }

  // What Fleet Engine takes

  private OkHttpClient.Builder okHttp() {
    return new OkHttpClient.Builder()
        .sslSocketFactory(emulator.sslContext().getSocketFactory(), emulator.trustManager());
  }

  private static int status(OkHttpClient http, String url, PreparedRequest prepared)
      throws IOException {
    Request.Builder request = new Request.Builder().url(url).tag(PreparedRequest.class, prepared);
    try (Response response = http.newCall(request.build()).execute()) {
      return response.code();
    }
  }

  private int status(FleetAuthClient client, PreparedRequest prepared, String path)
      throws IOException {
    OkHttpClient http = FleetAuthInterceptor.install(okHttp(), client, prepared).build();
    return status(http, resource(path), null);
  }

  @ParameterizedTest
  @MethodSource("everyKind")
  void a_token_is_good_for_its_ids_alone(Kind kind) throws Exception {
    Map<String, String> paths =
        Map.of(
            "vehicleid",
            "vehicles/",
            "tripid",
            "trips/",
            "deliveryvehicleid",
            "deliveryVehicles/",
            "taskid",
            "tasks/",
            "trackingid",
            "taskTrackingInfo/");
    try (FleetEngine client = fleetEngine();
        PreparedRequest request =
            client.request().claimSet(kind.claimSet()).claims(kind.ids()).build();
        Token token = client.token(request)) {
      Map<?, ?> allowed = (Map<?, ?>) timeless(verified(token.reveal())).get("authorization");
      OkHttpClient http = FleetAuthInterceptor.install(okHttp(), client, request).build();
      for (Map.Entry<String, String> path : paths.entrySet()) {
        Object id = allowed.get(path.getKey());
        String mine = resource(path.getValue() + ("*".equals(id) || id == null ? "any" : id));
        String others = resource(path.getValue() + "other");
        assertEquals(id == null ? 403 : 200, status(http, mine, null), mine);
        assertEquals("*".equals(id) ? 200 : 403, status(http, others, null), others);
      }
    }
  }

  @Test
  void tasks_are_created_with_a_token_for_them() throws Exception {
    HttpClient http = HttpClient.newBuilder().sslContext(emulator.sslContext()).build();
    HttpRequest.Builder create =
        HttpRequest.newBuilder(URI.create(resource("tasks:batchCreate")))
            .header("Content-Type", "application/json");
    try (FleetEngine client = fleetEngine();
        PreparedRequest request =
            client.request().claims(Map.of("taskids", List.of("t-1", "t-2"))).build()) {
      AuthorizedHttpClient authorized = new AuthorizedHttpClient(http, client, request);
      for (Map.Entry<String, Integer> task : Map.of("t-1", 200, "t-3", 403).entrySet()) {
        String body = "{\"requests\":[{\"taskId\":\"" + task.getKey() + "\"}]}";
        HttpRequest post = create.POST(HttpRequest.BodyPublishers.ofString(body)).build();
        HttpResponse<String> response = authorized.send(post, HttpResponse.BodyHandlers.ofString());
        assertEquals(task.getValue(), response.statusCode(), response.body());
        response = authorized.sendAsync(post, HttpResponse.BodyHandlers.ofString()).get();
        assertEquals(task.getValue(), response.statusCode(), response.body());
      }
    }
  }

  @Test
  void a_request_can_carry_its_own_claims() throws Exception {
    String vehicle = resource("vehicles/v-1");
    String trip = resource("trips/t-1");
    try (FleetEngine client = fleetEngine();
        PreparedRequest driver =
            client.request().claimSet("driver").claims(Map.of("vehicleid", "v-1")).build();
        PreparedRequest consumer =
            client.request().claimSet("consumer").claims(Map.of("tripid", "t-1")).build()) {
      OkHttpClient http = FleetAuthInterceptor.install(okHttp(), client, driver).build();
      assertEquals(200, status(http, vehicle, null));
      assertEquals(403, status(http, trip, null));
      assertEquals(200, status(http, trip, consumer));
      assertEquals(403, status(http, vehicle, consumer));
      assertEquals(200, status(http, vehicle, null));
      emulator.fault(
          "{\"match\":{\"path\":\"/fleet-engine/v1/providers/demo-project/trips/t-1\"},\"times\":1,"
              + "\"do\":{\"status\":401}}");
      assertEquals(200, status(http, trip, consumer), "repeated, for the same claims");
    }
  }

  // The emulator refuses a token for its exp, which is too far ahead or over.
  @ParameterizedTest
  @ValueSource(longs = {-600, 4200})
  void T_5_adapters_heal_a_wrong_clock(long ahead) throws Exception {
    HttpClient http = HttpClient.newBuilder().sslContext(emulator.sslContext()).build();
    HttpResponse.BodyHandler<Void> nothing = HttpResponse.BodyHandlers.discarding();
    emulator.advance(Duration.ofSeconds(ahead));
    try {
      for (String adapter : List.of("okhttp", "send", "sendAsync")) {
        long refusedBefore = refusals();
        try (FleetEngine client = fleetEngine()) {
          for (String vehicle : List.of("v-1", "v-2")) { // the offset is remembered
            String path = "vehicles/" + vehicle;
            HttpRequest get = HttpRequest.newBuilder(URI.create(resource(path))).build();
            try (PreparedRequest request =
                client.request().claims(Map.of("vehicleid", vehicle)).build()) {
              AuthorizedHttpClient authorized = new AuthorizedHttpClient(http, client, request);
              int status =
                  switch (adapter) {
                    case "okhttp" -> status(client, request, path);
                    case "send" -> authorized.send(get, nothing).statusCode();
                    default -> authorized.sendAsync(get, nothing).get().statusCode();
                  };
              assertEquals(200, status, adapter);
            }
          }
        }
        assertEquals(1, refusals() - refusedBefore, adapter);
      }
    } finally {
      emulator.advance(Duration.ofSeconds(-ahead));
    }
  }

  private long refusals() throws Exception {
    JsonNode entries = new ObjectMapper().readTree(emulator.log()).get("entries");
    return entries.findValues("status").stream().filter(status -> status.asInt() == 401).count();
  }

  // Keys

  @Test
  void a_key_can_be_a_file_a_text_or_a_signer(@TempDir Path folder) throws Exception {
    Path file = Files.writeString(folder.resolve("key.json"), keyFile);
    Signer signer =
        data -> {
          Signature signature = Signature.getInstance("SHA256withRSA");
          signature.initSign(key);
          signature.update(data);
          return signature.sign();
        };
    String base = emulator.url() + "/fleet-engine";
    for (FleetEngine.Builder builder :
        List.of(
            FleetEngine.builder().serviceAccountFile(file.toString()),
            FleetEngine.builder().serviceAccount(keyFile),
            FleetEngine.builder().serviceAccount(keyFile.toCharArray()),
            FleetEngine.builder().serviceAccount(keyFile.getBytes(StandardCharsets.UTF_8)),
            FleetEngine.builder()
                .clientEmail(member("client_email"))
                .keyId(member("private_key_id"))
                .signer(signer),
            FleetEngine.builder().clientEmail(member("client_email")).signer(signer))) {
      try (FleetEngine client = builder.baseUrl(base).runtime(runtime).build();
          PreparedRequest server = client.request().claimSet("server").build()) {
        assertEquals(200, status(client, server, "vehicles/v-1"));
      }
    }
  }

  @Test
  void the_same_claims_get_the_same_token_without_signing() throws Exception {
    Map<String, String> ids = Map.of("deliveryvehicleid", "dv-1", "taskid", "t-1");
    try (FleetEngine client = fleetEngine();
        Token first = client.mint("trusted_delivery_driver", ids);
        Token again = client.mint("trusted_delivery_driver", new HashMap<>(ids));
        Token alone = client.mint(null, ids)) {
      assertFalse(first.isFromCache());
      assertTrue(again.isFromCache());
      assertEquals(first.reveal(), again.reveal());
      assertEquals(first.reveal(), alone.reveal());
    }
  }

  @Test
  void a_bad_key_is_refused_when_the_client_is_made(@TempDir Path folder) throws Exception {
    String key = member("private_key");
    List<String> texts =
        List.of(
            "",
            "key-canary",
            "[]",
            "{\"type\":\"authorized_user\",\"refresh_token\":\"key-canary\"}",
            keyFile.replace("BEGIN PRIVATE KEY", "BEGIN PUBLIC KEY"),
            keyFile.substring(0, keyFile.length() / 2));
    for (String text : texts) {
      Path file = Files.writeString(folder.resolve("key.json"), text);
      FleetEngine.Builder builder = FleetEngine.builder().serviceAccountFile(file.toString());
      ConfigurationException failure =
          assertThrows(ConfigurationException.class, builder::build, text);
      assertEquals(Status.KEY, failure.status());
      String said = failure.toString();
      assertTrue(said.contains(file.toString()), said);
      assertFalse(said.contains("key-canary") || said.contains(key.substring(40, 60)), said);
    }
    FleetEngine.Builder missing =
        FleetEngine.builder().serviceAccountFile(folder.resolve("none.json").toString());
    ConfigurationException failure = assertThrows(ConfigurationException.class, missing::build);
    assertTrue(failure.getMessage().contains("none.json"), failure.getMessage());
    FleetEngine.Builder both =
        FleetEngine.builder().serviceAccountFile("key.json").serviceAccount(keyFile);
    assertThrows(ConfigurationException.class, both::build);
  }

  @Test
  void T13_no_secret_is_printed() throws Exception {
    FleetEngine.Builder builder = emulator.fleetEngine().runtime(runtime);
    try (FleetEngine client = builder.build();
        PreparedRequest request =
            client.request().claimSet("driver").claims(Map.of("vehicleid", "id-canary")).build();
        Token token = client.token(request)) {
      AuthHeaders headers = client.headers(resource("vehicles/id-canary"), "GET", request);
      String printed = builder + " " + client + " " + request + " " + token + " " + headers;
      assertFalse(printed.contains("id-canary"), printed);
      assertFalse(printed.contains(token.reveal()), printed);
      assertFalse(printed.contains(token.reveal().split("\\.")[2]), printed);
      assertFalse(printed.contains(member("private_key").substring(40, 60)), printed);
    }
  }

  // Devices

  private int countOf(String path) throws IOException {
    return emulator.log().split("\"path\":\"" + path + "\"", -1).length - 1;
  }

  @Test
  void a_device_gets_its_token_from_the_backend() throws Exception {
    Map<String, String> driver = Map.of(FleetEngineDevice.Claim.VEHICLEID, "v-1");
    Map<String, String> consumer = Map.of(FleetEngineDevice.Claim.TRIPID, "t-1");
    Map<String, String> van = Map.of(FleetEngineDevice.Claim.DELIVERYVEHICLEID, "dv-1");
    Map<String, String> shipment = Map.of(FleetEngineDevice.Claim.TRACKINGID, "track-1");
    try (FleetEngineDevice device = emulator.fleetEngineDevice().runtime(runtime).build()) {
      String backend = "/fleet-engine-backend/token/";
      assertGoodFor(device, FleetEngineDevice.ClaimSet.DRIVER, driver, "vehicles/v-1");
      assertGoodFor(device, FleetEngineDevice.ClaimSet.CONSUMER, consumer, "trips/t-1");
      assertGoodFor(
          device, FleetEngineDevice.ClaimSet.DELIVERY_DRIVER, van, "deliveryVehicles/dv-1");
      assertGoodFor(
          device,
          FleetEngineDevice.ClaimSet.DELIVERY_CONSUMER,
          shipment,
          "taskTrackingInfo/track-1");
      device.mint(FleetEngineDevice.ClaimSet.DRIVER, driver).close();
      assertEquals(1, countOf(backend + "driver/v-1"), emulator.log());
      assertEquals(1, countOf(backend + "consumer/t-1"), emulator.log());
      assertEquals(1, countOf(backend + "delivery_driver/dv-1"), emulator.log());
      assertEquals(1, countOf(backend + "delivery_consumer/track-1"), emulator.log());
    }
  }

  private void assertGoodFor(
      FleetEngineDevice device, String claimSet, Map<String, String> ids, String path)
      throws Exception {
    try (PreparedRequest request = device.request().claimSet(claimSet).claims(ids).build();
        Token token = device.mintAsync(claimSet, ids).get()) {
      assertEquals(ids, timeless(verified(token.reveal())).get("authorization"));
      assertEquals(200, status(device, request, path));
      assertEquals(403, status(device, request, path + "-other"));
    }
  }

  @Test
  void a_device_asks_for_no_more_than_one_id() {
    try (FleetEngineDevice device = emulator.fleetEngineDevice().runtime(runtime).build()) {
      for (String claimSet : List.of("server", "fleet_reader", "driver")) {
        assertThrows(
            ConfigurationException.class, () -> device.mint(claimSet, Map.of("vehicleid", "*")));
      }
    }
  }

  @Test
  void a_device_tells_the_backend_who_it_is() throws Exception {
    emulator.admin("POST", "/config", "{\"fleet_engine\":{\"backend_key\":\"key-canary\"}}");
    try (FleetEngineDevice known =
            emulator
                .fleetEngineDevice()
                .authorization("Bearer key-canary")
                .runtime(runtime)
                .build();
        FleetEngineDevice unknown = emulator.fleetEngineDevice().runtime(runtime).build()) {
      known.mint("driver", Map.of("vehicleid", "v-1")).close();
      FleetAuthException failure =
          assertThrows(
              FleetAuthException.class, () -> unknown.mint("driver", Map.of("vehicleid", "v-1")));
      assertEquals(401, failure.httpStatus());
      assertFalse(failure.toString().contains("key-canary"), failure.toString());
    } finally {
      emulator.admin("POST", "/config", "{\"fleet_engine\":{\"backend_key\":\"\"}}");
    }
  }
}
