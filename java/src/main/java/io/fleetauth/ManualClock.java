package io.fleetauth;

import java.time.Duration;
import java.time.Instant;

/** A clock that stands still until it is moved, for tests. Any thread; for any runtimes. */
public final class ManualClock implements AutoCloseable {
  private final NativeClock handle;

  /** A clock that shows this time. */
  public ManualClock(Instant now) {
    handle = NativeClock.manualNew(now.toEpochMilli());
  }

  /** Lets time pass: tokens are older when this returns, and timers that are due are run. */
  public void advance(Duration time) {
    handle.advance(time.toMillis());
  }

  /** Corrects the wall clock, forward or back; no time passes. */
  public void stepWall(Duration step) {
    handle.stepWall(step.toMillis());
  }

  /** Releases it; runtimes made with it go on. */
  @Override
  public void close() {
    handle.dispose();
  }

  NativeClock handle() {
    return handle;
  }
}
