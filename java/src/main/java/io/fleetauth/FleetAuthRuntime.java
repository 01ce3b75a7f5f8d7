package io.fleetauth;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * The engine behind clients: an I/O thread, timers, tokens. Clients use the one that the process
 * shares unless they are given another; a test gives them one with a {@link ManualClock}. Any
 * thread.
 */
public final class FleetAuthRuntime implements AutoCloseable {
  private final NativeRuntime handle;
  private final boolean isShared;
  private Pump pump;

  private FleetAuthRuntime(NativeRuntime handle, boolean isShared) {
    this.handle = handle;
    this.isShared = isShared;
  }

  private static final class Shared {
    static final FleetAuthRuntime INSTANCE = new FleetAuthRuntime(NativeRuntime.shared(), true);
  }

  /** The one that the process shares. It is never closed. */
  public static FleetAuthRuntime shared() {
    NativeLoader.require();
    return Shared.INSTANCE;
  }

  /** Starts the options of a runtime of its own. */
  public static Builder builder() {
    return new Builder();
  }

  /** The options of a runtime; for one runtime. */
  public static final class Builder extends RuntimeOptions<Builder> {
    private ManualClock clock;

    private Builder() {}

    /** The clock to live by; the default is the real one. */
    public Builder clock(ManualClock value) {
      clock = value;
      return this;
    }

    /** Makes the runtime. It starts no thread. */
    public FleetAuthRuntime build() {
      NativeClock time = clock == null ? null : clock.handle();
      FleetAuthRuntime runtime = new FleetAuthRuntime(NativeRuntime.create(options(), time), false);
      used();
      return runtime;
    }
  }

  /**
   * Calls the listener for what the runtime does from now on: logins, renewals, requests, failures.
   * It is called on a thread of its own, event by event, and may take its time: events that find no
   * room meanwhile are dropped, and counted. What it throws goes to the handler for uncaught
   * exceptions of that thread, which goes on.
   */
  public Observer observe(Consumer<? super FleetAuthEvent> listener) {
    return new Observer(handle, Objects.requireNonNull(listener, "listener"));
  }

  /**
   * How often each event has happened since the runtime was made, by its name, observed or not. The
   * numbers only grow.
   */
  public Map<String, Long> counters() {
    NativeBlob json = handle.counters();
    try {
      Map<String, Long> counters = new LinkedHashMap<>();
      EventJson.read(Text.string(json.bytes()))
          .forEach((name, count) -> counters.put(name, (Long) count));
      return counters;
    } finally {
      json.dispose();
    }
  }

  /** Fails what is in flight and closes it without waiting. The shared one stays open. */
  @Override
  public void close() {
    if (!isShared) {
      close(Duration.ZERO, false);
    }
  }

  /**
   * As {@link #close()}, and waits for the I/O thread to leave.
   *
   * @throws TimeoutException if it is still leaving
   */
  public void close(Duration timeout) {
    if (isShared) {
      throw new IllegalStateException(
          "The shared runtime serves the whole process and cannot be closed; close your clients.");
    }
    close(timeout, true);
  }

  private void close(Duration timeout, boolean mustEnd) {
    try {
      handle.close(timeout.toMillis());
    } catch (TimeoutException leaving) {
      if (mustEnd) {
        throw leaving;
      }
    } catch (ClosedException closedBefore) {
      return;
    }
    stopPump();
    handle.dispose();
  }

  private synchronized void stopPump() {
    if (pump != null) {
      pump.stop();
    }
  }

  NativeRuntime handle() {
    return handle;
  }

  /** The queue of all clients that have no host of their own. */
  synchronized Pump pump() {
    if (pump == null) {
      pump = new Pump(handle, QueueKind.LOOP, new HostCall.Hosts(null, null), Workers.TRANSPORTS);
    }
    return pump;
  }
}
