package io.fleetauth;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * What {@link FleetAuthRuntime#observe} returns. It lasts until it is closed or its runtime is,
 * whether or not somebody keeps it, and keeps no program alive. Any thread.
 */
public final class Observer implements AutoCloseable {
  private static final AtomicInteger NUMBER = new AtomicInteger();

  private final NativeQueue queue;
  private final Thread thread;

  Observer(NativeRuntime runtime, Consumer<? super FleetAuthEvent> listener) {
    queue = NativeQueue.create(runtime, QueueKind.LOOP.number());
    thread = Workers.daemon("fleetauth-observer-" + NUMBER.incrementAndGet(), () -> run(listener));
    queue.observe();
    thread.start();
  }

  /** Ends it. The listener still gets what has happened before; this does not wait for that. */
  @Override
  public void close() {
    try {
      queue.close();
    } catch (ClosedException endedBefore) {
      // The thread has left already.
    }
  }

  /**
   * As {@link #close()}, and waits until the listener got everything. Not for the listener itself.
   *
   * @throws TimeoutException if it is still at it
   */
  public void close(Duration timeout) {
    close();
    try {
      TimeUnit.MILLISECONDS.timedJoin(thread, timeout.toMillis());
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
    if (thread.isAlive()) {
      throw Status.TIMEOUT.exception(
          ErrorDetails.of(
              Status.TIMEOUT, "The observer is closed, but its listener is still busy."));
    }
  }

  private void run(Consumer<? super FleetAuthEvent> listener) {
    try {
      while (dispatch(queue.next(-1), listener)) {}
    } finally {
      queue.dispose();
    }
  }

  /** False after the last event. */
  private static boolean dispatch(NativeEvent event, Consumer<? super FleetAuthEvent> listener) {
    try {
      if (event.kind() == EventKind.NOTICE.number()) {
        tell(event.notice(), listener);
      }
      return event.kind() != EventKind.CLOSED.number();
    } finally {
      event.dispose();
    }
  }

  private static void tell(String notice, Consumer<? super FleetAuthEvent> listener) {
    try {
      listener.accept(FleetAuthEvent.of(notice));
    } catch (RuntimeException | Error failure) {
      Workers.report(failure);
    }
  }
}
