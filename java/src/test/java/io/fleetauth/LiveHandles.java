package io.fleetauth;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Fails a test that leaves objects of the library behind, reachable or never reclaimed. */
public final class LiveHandles implements BeforeAllCallback, BeforeEachCallback, AfterEachCallback {
  private long before;

  @Override
  public void beforeAll(ExtensionContext context) {
    // The shared runtime and its queue stay for the life of the process.
    FleetAuthRuntime.shared().pump();
  }

  @Override
  public void beforeEach(ExtensionContext context) {
    await(() -> true);
    before = FleetAuth.liveHandles();
  }

  @Override
  public void afterEach(ExtensionContext context) {
    await(() -> FleetAuth.liveHandles() <= before && HostErrors.count() == 0);
    assertEquals(before, FleetAuth.liveHandles(), "handles left behind");
    assertEquals(0, HostErrors.count(), "exceptions of transports left behind");
  }

  /** Waits for something other threads do, among them the garbage collector. */
  static boolean await(BooleanSupplier condition) {
    long end = System.nanoTime() + Duration.ofSeconds(5).toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > end) {
        return false;
      }
      System.gc();
      Thread.onSpinWait();
    }
    return true;
  }
}
