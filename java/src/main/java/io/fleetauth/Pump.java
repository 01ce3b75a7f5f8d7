package io.fleetauth;

import java.lang.ref.WeakReference;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A queue of the library and the daemon thread that takes its events. The thread refers to the
 * {@link Loop} only, so that an unreachable pump is reclaimed and its thread ends; an operation in
 * flight keeps its pump and its client reachable.
 */
final class Pump {
  private static final AtomicInteger NUMBER = new AtomicInteger();

  /** The events that operations complete with. */
  private static final Set<EventKind> COMPLETIONS =
      EnumSet.of(EventKind.TOKEN, EventKind.IDENTITY, EventKind.ACCOUNTS, EventKind.LOGGED_OUT);

  /** The events that take a call back. */
  private static final Set<EventKind> CANCELLATIONS =
      EnumSet.of(EventKind.HTTP_CANCEL, EventKind.SIGN_CANCEL);

  private final Loop loop;

  /**
   * @param hosts answer the calls that the library hands over
   * @param executor where they are called
   */
  Pump(NativeRuntime runtime, QueueKind kind, HostCall.Hosts hosts, Executor executor) {
    loop = new Loop(NativeQueue.create(runtime, kind.number()), hosts, executor);
    new Stop(this, loop);
    Workers.daemon("fleetauth-pump-" + NUMBER.incrementAndGet(), loop).start();
  }

  /** What is done for a pump that nobody can reach. */
  private static final class Stop extends Reclaimer.Watch {
    private final Loop loop;

    Stop(Pump pump, Loop loop) {
      super(pump);
      this.loop = loop;
    }

    @Override
    void reclaim() {
      unwatch();
      loop.stop();
    }
  }

  /** Waits for one event, which it then owns; null when the queue died. On the pump's thread. */
  interface Waiter {
    void deliver(NativeEvent event);
  }

  /** An operation in flight: keeps reachable what it needs until it completes. */
  private static final class Flight {
    final Waiter waiter;
    final Pump pump;
    final NativeClient client;

    Flight(Waiter waiter, Pump pump, NativeClient client) {
      this.waiter = waiter;
      this.pump = pump;
      this.client = client;
    }
  }

  /** One kind of operation: starts it so that its event comes from this queue with this tag. */
  interface Starter {
    NativeOp start(NativeQueue queue, long tag);
  }

  /** Starts an operation of the client; its event goes to the waiter. */
  NativeOp start(NativeClient client, Starter starter, Waiter waiter) {
    long tag = loop.lastTag.incrementAndGet();
    loop.flights.put(tag, new Flight(waiter, this, client));
    try {
      return starter.start(loop.queue, tag);
    } catch (RuntimeException | Error failure) {
      loop.flights.remove(tag);
      throw failure;
    }
  }

  /** Has the hosts serve this client also while nobody waits. */
  void serve(NativeClient client) {
    loop.queue.serve(client);
  }

  /** Cancels what would complete here and lets the thread end. Never waits. */
  void stop() {
    loop.stop();
  }

  private static final class Loop implements Runnable {
    final NativeQueue queue;
    final AtomicLong lastTag = new AtomicLong();
    final Map<Long, Flight> flights = new ConcurrentHashMap<>();
    private final HostCall.Hosts hosts;
    private final Executor executor;

    /** Weak, so that a call which its host forgot is reclaimed and thereby fails. */
    private final Map<Long, WeakReference<HostCall>> calls = new ConcurrentHashMap<>();

    private final Set<Long> thrown = ConcurrentHashMap.newKeySet();

    Loop(NativeQueue queue, HostCall.Hosts hosts, Executor executor) {
      this.queue = queue;
      this.hosts = hosts;
      this.executor = executor;
    }

    void stop() {
      try {
        queue.close();
      } catch (ClosedException stoppedBefore) {
        // The thread has left already.
      }
    }

    @Override
    public void run() {
      try {
        while (dispatch(queue.next(-1))) {}
      } catch (RuntimeException | Error failure) {
        Workers.report(failure);
      } finally {
        queue.close();
        queue.dispose();
        flights.values().forEach(flight -> flight.waiter.deliver(null));
        flights.clear();
        thrown.forEach(HostErrors::release);
      }
    }

    /** False after the last event. */
    private boolean dispatch(NativeEvent event) {
      boolean passedOn = false;
      try {
        EventKind kind = EventKind.of(event.kind());
        if (COMPLETIONS.contains(kind)) {
          Flight flight = flights.remove(event.tag());
          passedOn = flight != null;
          if (passedOn) {
            flight.waiter.deliver(event);
          }
        } else if (hosts.answer(kind)) {
          passedOn = true;
          passOn(event);
        } else if (CANCELLATIONS.contains(kind)) {
          cancel(event.tag());
        } else if (kind == EventKind.RELEASE) {
          thrown.remove(event.tag());
          HostErrors.release(event.tag());
        }
        return kind != EventKind.CLOSED;
      } finally {
        if (!passedOn) {
          event.dispose();
        }
      }
    }

    private void cancel(long id) {
      WeakReference<HostCall> known = calls.remove(id);
      HostCall call = known == null ? null : known.get();
      if (call != null) {
        Workers.runOn(executor, call::cancelled);
      }
    }

    private void passOn(NativeEvent event) {
      try {
        executor.execute(() -> answer(event));
      } catch (RuntimeException | Error refused) {
        HostCall call = take(event);
        if (call != null) {
          call.fail(refused);
        }
      }
    }

    private void answer(NativeEvent event) {
      HostCall call = take(event);
      if (call != null) {
        call.answer(hosts);
      }
    }

    /** The call of an event, claimed; null when somebody else has it or nobody wants it now. */
    private HostCall take(NativeEvent event) {
      try {
        long id = event.tag();
        Runnable answered = () -> calls.remove(id);
        HostCall call =
            event.kind() == EventKind.SIGN_CALL.number()
                ? new SignCall(event.signCall(), answered, thrown::add)
                : new HttpCall(event.httpCall(), answered, thrown::add);
        calls.values().removeIf(known -> known.get() == null);
        calls.put(id, new WeakReference<>(call));
        return call;
      } catch (ClosedException takenOrUnwanted) {
        return null;
      } finally {
        event.dispose();
      }
    }
  }
}
