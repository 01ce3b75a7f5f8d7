package io.fleetauth;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * What {@link FleetAuthRuntime#observe} returns. It lasts until it is closed or its runtime is,
 * whether or not somebody keeps it, and keeps no program alive: what happens just before the end of
 * the JVM may not be told unless the observer is closed first. Any thread.
 *
 * <p>The listener's thread has the context class loader of whoever called {@code observe}. So an
 * observer of the shared runtime that a web application does not close keeps its classes loaded.
 */
public final class Observer implements AutoCloseable {
  private static final AtomicInteger NUMBER = new AtomicInteger();
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final NativeQueue queue;
  private final Thread thread;

  Observer(NativeRuntime runtime, Consumer<? super FleetAuthEvent> listener) {
    queue = NativeQueue.create(runtime, QueueKind.LOOP.number());
    thread = Workers.daemon("fleetauth-observer-" + NUMBER.incrementAndGet(), () -> run(listener));
    thread.setContextClassLoader(Thread.currentThread().getContextClassLoader());
    queue.observe();
    thread.start();
  }

  /**
   * Ends it, and waits until the listener got what has happened before: at most 5 seconds, not when
   * the thread is or gets interrupted, and not at all when the listener calls this.
   */
  @Override
  public void close() {
    end();
    try {
      awaitListener(PATIENCE);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * As {@link #close()}, but waits so long.
   *
   * @throws TimeoutException if the listener is still at it
   * @throws CancelledException if the thread was interrupted while it waited, and stays so
   */
  public void close(Duration timeout) {
    end();
    try {
      if (!awaitListener(timeout)) {
        throw Status.TIMEOUT.exception(
            ErrorDetails.of(
                Status.TIMEOUT, "The observer is closed, but its listener is still busy."));
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw Status.CANCELLED.exception(
          ErrorDetails.of(
              Status.CANCELLED,
              "The observer is closed, but the thread was interrupted while it waited for the"
                  + " listener."));
    }
  }

  private void end() {
    try {
      queue.close();
    } catch (ClosedException endedBefore) {
      // The thread has left already.
    }
  }

  /** False if it is still busy. It does not wait for itself. */
  private boolean awaitListener(Duration timeout) throws InterruptedException {
    if (Thread.currentThread() == thread) {
      return true;
    }
    TimeUnit.MILLISECONDS.timedJoin(thread, timeout.toMillis());
    return !thread.isAlive();
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
