package io.fleetauth;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.locks.LockSupport;

/** What {@link ProcessTest} runs in a JVM of its own. */
final class ProcessMain {
  private ProcessMain() {}

  public static void main(String[] arguments) throws Exception {
    switch (arguments[0]) {
      case "load":
        load();
        break;
      case "exit":
        exitInFlight(arguments);
        break;
      case "work":
        work(arguments);
        break;
      case "lend":
        lend(arguments);
        break;
      default:
        throw new IllegalArgumentException(arguments[0]);
    }
  }

  private static void load() {
    for (int attempt = 0; attempt < 2; attempt++) {
      try {
        System.out.println("version " + FleetAuth.version());
      } catch (FleetAuthException refused) {
        System.out.println(refused.status() + " " + refused.getMessage());
      }
    }
  }

  private static FleetUp client(String[] arguments) {
    return client(arguments, FleetAuthRuntime.shared()).secret("your-app-secret").build();
  }

  /** With all but the secret. */
  private static FleetUp.Builder client(String[] arguments, FleetAuthRuntime runtime) {
    return FleetUp.builder()
        .apiKey("demo-api-key")
        .acctId(12345)
        .baseUrl(arguments[1] + "/fleetup")
        .caFile(arguments[2])
        .runtime(runtime);
  }

  /**
   * Lends the library a secret, which it tells the test masked: as an array of bytes or of
   * characters. Every line that it prints says how far it is; a byte lets it go on.
   */
  private static void lend(String[] arguments) throws Exception {
    byte[] secret = new byte[32];
    SecureRandom random = new SecureRandom();
    StringBuilder masked = new StringBuilder();
    for (int i = 0; i < secret.length; i++) {
      secret[i] = (byte) ('A' + random.nextInt(26));
      masked.append((char) (secret[i] + 32 - 'A')); // another alphabet
    }
    tell(masked.toString());
    FleetAuthRuntime runtime = FleetAuthRuntime.builder().build();
    FleetUp client = lendTo(client(arguments, runtime), secret, arguments[3]);
    try (Token token = client.token()) {
      Arrays.fill(token.revealBytes(), (byte) 0);
    }
    tell("held");
    Arrays.fill(secret, (byte) 0);
    client.close();
    runtime.close(Duration.ofSeconds(5));
    System.gc();
    ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class)
        .dumpHeap(arguments[4], false);
    tell("released");
  }

  private static FleetUp lendTo(FleetUp.Builder builder, byte[] secret, String kind) {
    if (kind.equals("bytes")) {
      return builder.set("secret", secret).build();
    }
    char[] characters = new char[secret.length];
    for (int i = 0; i < secret.length; i++) {
      characters[i] = (char) secret[i];
    }
    FleetUp client = builder.secret(characters).build();
    Arrays.fill(characters, ' ');
    return client;
  }

  private static void tell(String line) throws IOException {
    System.out.println(line);
    System.out.flush();
    System.in.read();
  }

  /**
   * Leaves with calls of every kind in flight and a busy observer; the emulator holds the answer
   * back.
   */
  private static void exitInFlight(String[] arguments) throws Exception {
    FleetAuthRuntime.shared().observe(event -> LockSupport.park());
    FleetUp client = client(arguments);
    for (int i = 0; i < 50; i++) {
      client.tokenAsync().thenApply(Token::reveal);
      Thread waiting = new Thread(client::token);
      waiting.setDaemon(true);
      waiting.start();
    }
    CompletableFuture<Token> hosted = new CompletableFuture<>();
    ScriptedTransport.fleetUp(
            FleetAuthRuntime.shared(),
            call -> {
              hosted.complete(null);
              Thread.sleep(100_000);
            })
        .build()
        .tokenAsync();
    hosted.join();
    System.out.println("leaving");
    System.out.flush();
    if (arguments[3].equals("exit")) {
      new Thread(() -> System.exit(7)).start();
      Thread.sleep(100_000);
    } else if (arguments[3].equals("halt")) {
      Runtime.getRuntime().halt(7);
    }
  }

  /** Calls everything once, with garbage collected in between. */
  private static void work(String[] arguments) throws Exception {
    String url = arguments[1] + "/fleetup/devices";
    List<AutoCloseable> things = new ArrayList<>();
    for (int round = 0; round < 20; round++) {
      FleetUp client = client(arguments);
      things.add(client);
      Token token = client.token();
      token.reveal();
      token.expiresAt();
      things.add(client.request().api("api").build());
      AuthHeaders headers = client.headers(url);
      client.headersAsync(url, "POST").get();
      client.reportRejected(headers, 401);
      client.tokenAsync().get().close();
      things.add(logInAndOut(arguments));
      try {
        client.headers("https://evil.example/");
      } catch (ConfigurationException refused) {
        refused.getMessage();
      }
      FleetUp hosted =
          ScriptedTransport.fleetUp(
                  FleetAuthRuntime.shared(),
                  call -> {
                    call.headers();
                    call.body();
                    throw new IllegalStateException("thrown");
                  })
              .acctId(round)
              .build();
      try {
        hosted.token();
      } catch (IllegalStateException thrown) {
        things.add(hosted);
      }
      System.gc();
      if (round % 3 == 0) {
        for (AutoCloseable thing : things) {
          thing.close();
        }
        things.clear();
      }
    }
    System.out.println("worked");
  }

  private static FleetOrchestrator logInAndOut(String[] arguments) throws Exception {
    byte[] key = new byte[32];
    FleetOrchestrator client =
        FleetOrchestrator.builder()
            .email("otp@fleet.example")
            .password("demo-password")
            .baseUrl(arguments[1] + "/fo")
            .caFile(arguments[2])
            .build();
    try {
      client.token();
    } catch (OtpRequiredException required) {
      Challenge asked = required.challenge().get();
      Challenge opened = client.openChallenge(client.sealChallenge(asked, key), key);
      opened.expiresAt();
      client.answer(opened, "123456");
    }
    client.whoami().get("email");
    try {
      client.accountsAsync().get();
    } catch (ExecutionException unsupported) {
      unsupported.getMessage();
    }
    client.logout();
    return client;
  }
}
