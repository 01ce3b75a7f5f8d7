package io.fleetauth;

import java.util.function.LongConsumer;

/** Something that the program does for the library and answers exactly once, from any thread. */
abstract class HostCall {
  private final NativeHandle handle;
  private final Runnable answered;
  private final LongConsumer keepsThrown;
  private Runnable onCancel;
  private boolean isCancelled;

  /**
   * @param answered runs when the call is over
   * @param keepsThrown takes the numbers of exceptions that the library refers to
   */
  HostCall(NativeHandle handle, Runnable answered, LongConsumer keepsThrown) {
    this.handle = handle;
    this.answered = answered;
    this.keepsThrown = keepsThrown;
  }

  /** Has the program do it. Throws nothing: what the program throws fails the call. */
  abstract void answer(Hosts hosts);

  /** Ends the call with what the program's own code threw, for the caller to see unchanged. */
  abstract boolean fail(Throwable thrown);

  /** What a client has of the program's. Null for what the library does itself. */
  static final class Hosts {
    final HttpTransport transport;
    final AsyncSigner signer;

    Hosts(HttpTransport transport, AsyncSigner signer) {
      this.transport = transport;
      this.signer = signer;
    }

    /** Whether it is the library that does everything. */
    boolean areNone() {
      return transport == null && signer == null;
    }

    /** Whether there is somebody for calls of this kind. */
    boolean answer(EventKind kind) {
      return kind == EventKind.HTTP_CALL && transport != null
          || kind == EventKind.SIGN_CALL && signer != null;
    }
  }

  /** Runs this, once, when the answer is no longer wanted; at once if that is so already. */
  final void whenCancelled(Runnable action) {
    synchronized (this) {
      if (!isCancelled) {
        onCancel = action;
        return;
      }
    }
    action.run();
  }

  /** The library no longer wants the answer. */
  final void cancelled() {
    Runnable action;
    synchronized (this) {
      isCancelled = true;
      action = onCancel;
    }
    if (action != null) {
      action.run();
    }
  }

  /** False when it was answered before or is no longer wanted. */
  final boolean end(Runnable ending) {
    boolean ended = true;
    try {
      ending.run(); // whatever else it throws, the call can still be ended
    } catch (ClosedException answeredOrUnwanted) {
      ended = false;
    }
    answered.run();
    handle.dispose();
    return ended;
  }

  /**
   * As {@link #end}, with a failure.
   *
   * @param ending takes the number of the cause, 0 for none
   */
  final boolean endWith(Throwable cause, LongConsumer ending) {
    long id = cause == null ? 0 : HostErrors.add(cause);
    boolean ended = false;
    try {
      ended = end(() -> ending.accept(id));
      return ended;
    } finally {
      if (ended) {
        keepsThrown.accept(id);
      } else {
        HostErrors.release(id);
      }
    }
  }
}
