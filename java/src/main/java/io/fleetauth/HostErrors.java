package io.fleetauth;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What transports and signers threw, by the numbers under which the library knows it. An entry
 * stays until the library says that no error refers to it any more.
 */
final class HostErrors {
  private static final Map<Long, Throwable> THROWN = new ConcurrentHashMap<>();
  private static final AtomicLong LAST_ID = new AtomicLong();

  private HostErrors() {}

  static long add(Throwable thrown) {
    long id = LAST_ID.incrementAndGet();
    THROWN.put(id, thrown);
    return id;
  }

  static void release(long id) {
    THROWN.remove(id);
  }

  static int count() {
    return THROWN.size();
  }

  /**
   * The exception of a failed call; takes the error. What a host threw comes out itself, or as the
   * cause where it is checked or a transport said what it means.
   */
  static RuntimeException exception(int status, NativeError error) {
    if (error == null) {
      return Status.of(status).exception(ErrorDetails.of(status, null));
    }
    try {
      Throwable thrown = THROWN.get(error.userError());
      if (status == Status.CALLBACK.number() && thrown instanceof Error) {
        throw (Error) thrown;
      }
      if (status == Status.CALLBACK.number() && thrown instanceof RuntimeException) {
        return (RuntimeException) thrown;
      }
      ErrorDetails details = ErrorDetails.of(status, error);
      FleetAuthException exception = details.status.exception(details);
      if (thrown != null) {
        exception.initCause(thrown);
      }
      return exception;
    } finally {
      error.dispose();
    }
  }

  /** For a future, which can carry any exception: what a host threw comes out itself. */
  static Throwable unwrapped(Throwable failure) {
    boolean callback =
        failure instanceof FleetAuthException
            && ((FleetAuthException) failure).status() == Status.CALLBACK;
    return callback && failure.getCause() != null ? failure.getCause() : failure;
  }
}
