package io.fleetauth.testing;

import io.fleetauth.FleetEngine;
import io.fleetauth.FleetEngineDevice;
import io.fleetauth.FleetOrchestrator;
import io.fleetauth.FleetUp;
import io.fleetauth.Fleetio;
import io.fleetauth.Motive;
import io.fleetauth.MyConnectedFleet;
import io.fleetauth.OAuth2;
import io.fleetauth.Samsara;
import io.fleetauth.TN360;
import io.fleetauth.TrimbleMaps;
import io.fleetauth.VerizonReveal;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;

/**
 * The provider emulator as a process of a test: all providers on loopback, over TLS, with faults on
 * demand. It ends with {@link #close} and with the test's own process.
 *
 * <p>Its program is the one that the environment variable FLEETAUTH_EMULATOR names, else that of
 * the build tree named by the property {@code fleetauth.build}, else {@code fleetauth-emulator} on
 * the PATH.
 */
public final class EmulatorProcess implements AutoCloseable {
  private final Process process;
  private final String url;
  private final Path caFile;
  private final String adminToken;
  private final X509TrustManager trustManager;
  private final SSLContext sslContext;

  private EmulatorProcess(Process process, String ready) throws IOException {
    this.process = process;
    url = member(ready, "url");
    caFile = Paths.get(member(ready, "ca_file"));
    adminToken = member(ready, "admin_token");
    try {
      trustManager = trustManager(caFile);
      sslContext = SSLContext.getInstance("TLS");
      sslContext.init(null, new X509TrustManager[] {trustManager}, null);
    } catch (GeneralSecurityException failure) {
      throw new IOException("The emulator's test CA cannot be used.", failure);
    }
  }

  /** Starts one on a free port and waits until it is ready. */
  public static EmulatorProcess start() throws IOException {
    String program = program();
    ProcessBuilder command = new ProcessBuilder(program, "--port", "0", "--json", "--with-parent");
    command.redirectError(ProcessBuilder.Redirect.INHERIT);
    Process process;
    try {
      process = command.start();
    } catch (IOException failure) {
      throw new IOException(
          "Cannot start the emulator "
              + program
              + ". Build it (cmake --build --preset dev --target fleetauth-emulator) and name it"
              + " with the environment variable FLEETAUTH_EMULATOR.",
          failure);
    }
    BufferedReader output =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    String ready = output.readLine();
    if (ready == null) {
      throw new IOException("The emulator " + program + " ended before it was ready.");
    }
    return new EmulatorProcess(process, ready);
  }

  private static String program() {
    String named = System.getenv("FLEETAUTH_EMULATOR");
    if (named != null) {
      return named;
    }
    String build = System.getProperty("fleetauth.build");
    if (build != null) {
      Path built = Paths.get(build, "tools", "emulator", "fleetauth-emulator");
      if (Files.isExecutable(built)) {
        return built.toString();
      }
    }
    return "fleetauth-emulator";
  }

  /** {@code https://127.0.0.1:PORT}. */
  public String url() {
    return url;
  }

  /** The test CA, for the option {@code ca_file}. */
  public Path caFile() {
    return caFile;
  }

  /** For an HTTP client of the test: trusts the test CA alone. */
  public SSLContext sslContext() {
    return sslContext;
  }

  /** What {@link #sslContext} trusts, for HTTP clients that want it by itself. */
  public X509TrustManager trustManager() {
    return trustManager;
  }

  /** A client of the emulated Fleet Engine, with the key of its demonstration service account. */
  public FleetEngine.Builder fleetEngine() throws IOException {
    return FleetEngine.builder()
        .serviceAccount(admin("GET", "/fleet_engine/service_account", null))
        .baseUrl(url + "/fleet-engine");
  }

  /** A client of the emulated Fleet Engine that gets its tokens from the emulated backend. */
  public FleetEngineDevice.Builder fleetEngineDevice() {
    return FleetEngineDevice.builder()
        .apiBaseUrl(url + "/fleet-engine")
        .backendBaseUrl(url + "/fleet-engine-backend")
        .caFile(caFile.toString());
  }

  /**
   * A client of the emulated Fleet Orchestrator, with its demonstration administrator. {@code
   * otp@fleet.example} is asked for the one-time code {@code 123456}.
   */
  public FleetOrchestrator.Builder fleetOrchestrator() {
    return FleetOrchestrator.builder()
        .email("admin@fleet.example")
        .password("demo-password")
        .baseUrl(url + "/fo")
        .caFile(caFile.toString());
  }

  /** A client of the emulated Fleetio, with its demonstration account. */
  public Fleetio.Builder fleetio() {
    return Fleetio.builder()
        .apiKey("demo-fleetio-key")
        .accountToken("demo-account")
        .baseUrl(url + "/fleetio")
        .caFile(caFile.toString());
  }

  /** A client of the emulated FleetUp, with its demonstration account. */
  public FleetUp.Builder fleetUp() {
    return FleetUp.builder()
        .apiKey("demo-api-key")
        .acctId(12345)
        .secret("your-app-secret")
        .baseUrl(url + "/fleetup")
        .caFile(caFile.toString());
  }

  /** A client of the emulated Motive, with its demonstration account. */
  public Motive.Builder motive() {
    return Motive.builder()
        .apiKey("demo-motive-key")
        .baseUrl(url + "/motive")
        .caFile(caFile.toString());
  }

  /** A client of the emulated myConnectedFleet, with its demonstration account. */
  public MyConnectedFleet.Builder myConnectedFleet() {
    return MyConnectedFleet.builder()
        .clientId("demo-client")
        .clientSecret("demo-secret")
        .apiBaseUrl(url + "/mcf-api")
        .authBaseUrl(url + "/mcf-auth")
        .caFile(caFile.toString());
  }

  /** A client of the emulated OAuth 2.0 server, which acts for itself and can revoke. */
  public OAuth2.Builder oauth2() {
    return OAuth2.builder()
        .clientId("demo-client")
        .clientSecret("demo-secret")
        .revokePath("revoke")
        .authBaseUrl(url + "/oauth2")
        .apiBaseUrl(url + "/oauth2-api")
        .caFile(caFile.toString());
  }

  /** A client of the emulated Samsara, with its demonstration app and refresh token. */
  public Samsara.Builder samsara() {
    return Samsara.builder()
        .clientId("demo-client")
        .clientSecret("demo-secret")
        .refreshToken("demo-refresh-token")
        .baseUrl(url + "/samsara")
        .caFile(caFile.toString());
  }

  /** A client of the emulated TN360, with its demonstration account. */
  public TN360.Builder tn360() {
    return TN360
        .builder()
        .apiKey("demo-tn360-key")
        .baseUrl(url + "/tn360")
        .caFile(caFile.toString());
  }

  /** A client of the emulated Trimble Maps: a reseller with the accounts FLTACC1 and FLTACC2. */
  public TrimbleMaps.Builder trimbleMaps() {
    return TrimbleMaps.builder()
        .apiKey("demo-partner-key")
        .baseUrl(url + "/trimble")
        .caFile(caFile.toString());
  }

  /** A client of the emulated Verizon Connect Reveal, with its demonstration account. */
  public VerizonReveal.Builder verizonReveal() {
    return VerizonReveal.builder()
        .username("demo-user")
        .password("demo-password")
        .appId("fleetmatics-p-us-demo")
        .baseUrl(url + "/reveal")
        .caFile(caFile.toString());
  }

  /** Lets time pass for the emulator: its tokens expire. */
  public void advance(Duration time) throws IOException {
    admin("POST", "/clock", "{\"advance_s\":" + time.toMillis() / 1000.0 + "}");
  }

  /** Makes a provider refuse all tokens it gave out. */
  public void revoke(String provider) throws IOException {
    admin("POST", "/revoke", "{\"provider\":\"" + provider + "\"}");
  }

  /** Scripts a fault, or an array of them, as JSON. */
  public void fault(String json) throws IOException {
    admin("POST", "/faults", json);
  }

  /** The requests it got, as JSON; secrets are left out. */
  public String log() throws IOException {
    return admin("GET", "/log", null);
  }

  /** Forgets faults and log. */
  public void reset() throws IOException {
    admin("DELETE", "/faults", null);
    admin("DELETE", "/log", null);
  }

  /** Calls the admin API; answers its JSON. */
  public String admin(String method, String path, String json) throws IOException {
    HttpURLConnection connection =
        (HttpURLConnection) new URL(url + "/_emulator" + path).openConnection();
    if (connection instanceof HttpsURLConnection) {
      ((HttpsURLConnection) connection).setSSLSocketFactory(sslContext.getSocketFactory());
    }
    connection.setRequestMethod(method);
    connection.setRequestProperty("Authorization", "Bearer " + adminToken);
    if (json != null) {
      connection.setRequestProperty("Content-Type", "application/json");
      connection.setDoOutput(true);
      try (OutputStream body = connection.getOutputStream()) {
        body.write(json.getBytes(StandardCharsets.UTF_8));
      }
    }
    boolean refused = connection.getResponseCode() >= 400;
    String answer = read(refused ? connection.getErrorStream() : connection.getInputStream());
    if (refused) {
      throw new IOException("The emulator refused " + method + " " + path + ": " + answer);
    }
    return answer;
  }

  /** Ends it. */
  @Override
  public void close() throws IOException {
    process.getOutputStream().close();
    try {
      if (!process.waitFor(5, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException interrupted) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }

  private static String member(String json, String name) throws IOException {
    Matcher matcher = Pattern.compile("\"" + name + "\":\"([^\"]*)\"").matcher(json);
    String value = null;
    while (matcher.find()) {
      value = matcher.group(1);
    }
    if (value == null) {
      throw new IOException("The emulator did not say its " + name + ", but: " + json);
    }
    return value;
  }

  private static String read(InputStream stream) throws IOException {
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    byte[] buffer = new byte[4096];
    try (InputStream input = stream) {
      for (int count; (count = input.read(buffer)) > 0; ) {
        text.write(buffer, 0, count);
      }
    }
    return text.toString("UTF-8");
  }

  private static X509TrustManager trustManager(Path caFile)
      throws IOException, GeneralSecurityException {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    try (InputStream pem = Files.newInputStream(caFile)) {
      store.setCertificateEntry(
          "ca", CertificateFactory.getInstance("X.509").generateCertificate(pem));
    }
    TrustManagerFactory factory =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init(store);
    return (X509TrustManager) factory.getTrustManagers()[0];
  }
}
