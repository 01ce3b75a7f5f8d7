package io.fleetauth;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Function;

/**
 * A future for what an operation gets, made from a handle in its event. It completes on the
 * executor, never on the pump's thread, because what depends on it may wait for the pump.
 * Cancelling it cancels the operation.
 */
final class Operation<H extends NativeHandle, T> extends CompletableFuture<T>
    implements Pump.Waiter {
  private final Pump pump;
  private final Executor executor;
  private final Function<NativeEvent, H> outcome;
  private final Function<H, T> result;
  private NativeOp op;

  /**
   * @param outcome takes the handle out of the event, or throws the operation's error; null for an
   *     operation that yields nothing
   * @param result takes the handle
   */
  Operation(Pump pump, Executor executor, Function<NativeEvent, H> outcome, Function<H, T> result) {
    this.pump = pump;
    this.executor = executor;
    this.outcome = outcome;
    this.result = result;
  }

  Operation<H, T> start(NativeClient client, Pump.Starter starter) {
    try {
      NativeOp started = pump.start(client, starter, this);
      synchronized (this) {
        op = started;
      }
      if (isDone()) {
        cancelNative(isCancelled());
      }
    } catch (RuntimeException failure) {
      completeExceptionally(failure);
    }
    return this;
  }

  @Override
  public void deliver(NativeEvent event) {
    Runnable completion = completion(event);
    cancelNative(false);
    Workers.runOn(executor, completion);
  }

  /** How the future is to be completed; takes the event. */
  private Runnable completion(NativeEvent event) {
    try {
      if (event == null) {
        throw Status.CLOSED.exception(ErrorDetails.of(Status.CLOSED, "The client is closed."));
      }
      H handle = outcome.apply(event);
      return () -> succeed(handle);
    } catch (RuntimeException | Error failure) {
      Throwable unwrapped = HostErrors.unwrapped(failure);
      return () -> completeExceptionally(unwrapped);
    } finally {
      if (event != null) {
        event.dispose();
      }
    }
  }

  private void succeed(H handle) {
    try {
      if (!complete(result.apply(handle))) {
        dispose(handle);
      }
    } catch (RuntimeException | Error failure) {
      dispose(handle);
      completeExceptionally(failure);
    }
  }

  private void dispose(H handle) {
    if (handle != null) {
      handle.dispose();
    }
  }

  @Override
  public boolean cancel(boolean mayInterruptIfRunning) {
    boolean cancelled = super.cancel(mayInterruptIfRunning);
    if (cancelled) {
      cancelNative(true);
    }
    return cancelled;
  }

  /** Lets go of the operation, which then goes on or is cancelled. */
  private void cancelNative(boolean cancel) {
    NativeOp ended;
    synchronized (this) {
      ended = op;
      op = null;
    }
    if (ended != null) {
      if (cancel) {
        ended.cancel();
      }
      ended.dispose();
    }
  }
}
