package io.fleetauth;

import java.lang.ref.PhantomReference;
import java.lang.ref.ReferenceQueue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Gives back what unreachable objects held. java.lang.ref.Cleaner would do it, but Java 8 and older
 * Android have none. The thread waits in the reference queue and costs nothing while nothing dies.
 */
final class Reclaimer {
  private static final ReferenceQueue<Object> DEAD = new ReferenceQueue<>();
  private static final Set<Watch> WATCHED = ConcurrentHashMap.newKeySet();

  static {
    Workers.daemon("fleetauth-reclaimer", Reclaimer::run).start();
  }

  private Reclaimer() {}

  /** What to do when an object is unreachable. It must not refer to the object. */
  abstract static class Watch extends PhantomReference<Object> {
    Watch(Object owner) {
      super(owner, DEAD);
      WATCHED.add(this);
    }

    /** Called by the reclaimer's thread, or by whoever gives the thing back earlier. */
    abstract void reclaim();

    /** Ends the watch; to be called when the thing was given back. */
    final void unwatch() {
      WATCHED.remove(this);
      clear();
    }
  }

  private static void run() {
    while (true) {
      try {
        ((Watch) DEAD.remove()).reclaim();
      } catch (InterruptedException ignored) {
        // Nobody has a reason to interrupt this thread; it goes on for the life of the process.
      } catch (RuntimeException | Error failure) {
        Workers.report(failure);
      }
    }
  }
}
