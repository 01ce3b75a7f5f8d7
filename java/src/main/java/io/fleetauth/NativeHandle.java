package io.fleetauth;

import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import java.util.function.LongConsumer;

/**
 * A reference to an object of the library. It counts the calls that are using it, so that closing
 * it on one thread never frees what another is using: the last of them does. A handle whose Java
 * object became unreachable is released by the {@link Reclaimer}.
 */
abstract class NativeHandle {
  private final Lease lease;

  NativeHandle(long pointer, LongConsumer unref, String name) {
    lease = new Lease(this, pointer, unref, name);
  }

  /** The pointer, which stays valid until {@link #leave}. */
  final long enter() {
    return lease.enter();
  }

  final void leave() {
    lease.leave();
  }

  /** Gives the reference back, now or when the last call that uses it returns. Never waits. */
  final void dispose() {
    lease.reclaim();
  }

  private static final class Lease extends Reclaimer.Watch {
    private static final AtomicIntegerFieldUpdater<Lease> STATE =
        AtomicIntegerFieldUpdater.newUpdater(Lease.class, "state");
    private static final int DISPOSED = 1;
    private static final int ONE_USE = 2;

    private final long pointer;
    private final LongConsumer unref;
    private final String name;

    /** Twice the number of uses, plus {@link #DISPOSED}. */
    private volatile int state;

    Lease(NativeHandle owner, long pointer, LongConsumer unref, String name) {
      super(owner);
      this.pointer = pointer;
      this.unref = unref;
      this.name = name;
    }

    long enter() {
      while (true) {
        int seen = state;
        if ((seen & DISPOSED) != 0) {
          throw Status.CLOSED.exception(
              ErrorDetails.of(Status.CLOSED, "This " + name + " is closed."));
        }
        if (STATE.compareAndSet(this, seen, seen + ONE_USE)) {
          return pointer;
        }
      }
    }

    void leave() {
      if (STATE.addAndGet(this, -ONE_USE) == DISPOSED) {
        free();
      }
    }

    /** Closing and reclaiming meet here; whoever sets the bit first is the one. */
    @Override
    void reclaim() {
      while (true) {
        int seen = state;
        if ((seen & DISPOSED) != 0) {
          return;
        }
        if (STATE.compareAndSet(this, seen, seen | DISPOSED)) {
          if (seen == 0) {
            free();
          }
          return;
        }
      }
    }

    private void free() {
      unwatch();
      unref.accept(pointer);
    }
  }
}
