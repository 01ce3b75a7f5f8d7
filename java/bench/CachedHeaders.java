import io.fleetauth.FleetUp;
import io.fleetauth.HttpCall;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** Headers from memory beside a ConcurrentHashMap. Prints lines for scripts/bench.sh. */
final class CachedHeaders {
  private static final int ROUNDS = 15;
  // So many because the JVM compiles beside them, and late on a busy machine.
  private static final int WARM_UP_ROUNDS = 50;
  private static final int URLS = 1000;
  private static final int PASSES = 200;
  private static final String ORIGIN = "https://api.fleetup.net";
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

  /** What one writes without a library: the headers of each URL, and until when they are good. */
  private static final class PlainCache {
    private final long goodUntil = System.nanoTime() + TimeUnit.HOURS.toNanos(1);
    private final Map<String, Map<String, String>> byUrl = new ConcurrentHashMap<>();

    PlainCache(String[] urls) {
      for (String url : urls) {
        byUrl.put(
            url,
            Map.of("Authorization", "Bearer " + "t".repeat(900), "x-api-key", "bench-api-key"));
      }
    }

    Map<String, String> headers(String url) {
      return System.nanoTime() - goodUntil < 0 ? byUrl.get(url) : null;
    }
  }

  public static void main(String[] arguments) {
    try (FleetUp client =
        FleetUp.builder()
            .apiKey("bench-api-key")
            .acctId(12345)
            .secret("bench-secret")
            .transport(CachedHeaders::answer)
            .build()) {
      String[] urls = new String[URLS];
      Arrays.fill(urls, ORIGIN + "/devices");
      compare("Java: headers, one URL / ConcurrentHashMap", client, urls);
      Arrays.setAll(urls, i -> ORIGIN + "/devices/" + i);
      compare("Java: headers, 1,000 URLs / ConcurrentHashMap", client, urls);
    }
  }

  private static void answer(HttpCall call) {
    byte[] body = ("{\"token\":\"" + "t".repeat(900) + "\"}").getBytes(StandardCharsets.UTF_8);
    call.addHeader("Content-Type", "application/json");
    call.appendBody(body, 0, body.length);
    call.complete(200);
  }

  private static void compare(String figure, FleetUp client, String[] urls) {
    Function<String, ?> cached = client::headers;
    Function<String, ?> plain = new PlainCache(urls)::headers;
    for (int warm = 0; warm < WARM_UP_ROUNDS; warm++) {
      cost(cached, urls);
      cost(plain, urls);
    }
    double[] ours = new double[ROUNDS];
    double[] reference = new double[ROUNDS];
    double[] ratios = new double[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
      if (round % 2 == 0) {
        ours[round] = cost(cached, urls);
      }
      reference[round] = cost(plain, urls);
      if (round % 2 == 1) {
        ours[round] = cost(cached, urls);
      }
      ratios[round] = ours[round] / reference[round];
    }
    System.out.printf(
        Locale.ROOT,
        "%s\t-\t%.0f ns\t%.0f ns\t%.2f x\t%.2f..%.2f%n",
        figure,
        quantile(ours, 0.5),
        quantile(reference, 0.5),
        quantile(ratios, 0.5),
        quantile(ratios, 0.25),
        quantile(ratios, 0.75));
  }

  /** Nanoseconds of CPU time a call. */
  private static double cost(Function<String, ?> headers, String[] urls) {
    int found = 0;
    long begin = THREADS.getCurrentThreadCpuTime();
    for (int pass = 0; pass < PASSES; pass++) {
      found += pass(headers, urls);
    }
    long end = THREADS.getCurrentThreadCpuTime();
    int calls = PASSES * urls.length;
    if (found != calls) {
      throw new IllegalStateException("headers were missing");
    }
    return (double) (end - begin) / calls;
  }

  /** A method of its own, called often enough to be compiled as a whole. */
  private static int pass(Function<String, ?> headers, String[] urls) {
    int found = 0;
    for (String url : urls) {
      found += headers.apply(url) == null ? 0 : 1;
    }
    return found;
  }

  private static double quantile(double[] values, double share) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[(int) Math.round(share * (sorted.length - 1))];
  }
}
