package io.fleetauth;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Function;

/**
 * A future for what an operation gets. It completes on the executor, never on the pump's thread,
 * because what depends on it may wait for the pump. Cancelling it cancels the operation.
 */
final class Operation<T> extends CompletableFuture<T> implements Pump.Waiter {
  private final Pump pump;
  private final Executor executor;
  private final Function<NativeToken, T> result;
  private NativeOp op;

  Operation(Pump pump, Executor executor, Function<NativeToken, T> result) {
    this.pump = pump;
    this.executor = executor;
    this.result = result;
  }

  Operation<T> start(NativeClient client, NativeRequest request, String method, String url) {
    try {
      NativeOp started = pump.start(client, request, method, url, this);
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
    Runnable completion = outcome(event);
    cancelNative(false);
    Workers.runOn(executor, completion);
  }

  /** How the future is to be completed; takes the event. */
  private Runnable outcome(NativeEvent event) {
    try {
      if (event == null) {
        throw Status.CLOSED.exception(ErrorDetails.of(Status.CLOSED, "The client is closed."));
      }
      NativeToken token = event.token();
      return () -> succeed(token);
    } catch (RuntimeException | Error failure) {
      Throwable unwrapped = HostErrors.unwrapped(failure);
      return () -> completeExceptionally(unwrapped);
    } finally {
      if (event != null) {
        event.dispose();
      }
    }
  }

  private void succeed(NativeToken token) {
    try {
      if (!complete(result.apply(token))) {
        token.dispose();
      }
    } catch (RuntimeException | Error failure) {
      token.dispose();
      completeExceptionally(failure);
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
