package io.fleetauth;

/** One call of the library: keeps the handles it uses alive, holds what it writes. */
final class Call implements AutoCloseable {
  final long[] handle = new long[1];
  final int[] number = new int[1];
  final long[] error = new long[1];

  private final NativeHandle[] used = new NativeHandle[4];
  private int uses;

  Call() {
    NativeLoader.require();
  }

  /** The pointer of a handle, valid until this call is closed; 0 for null. */
  long use(NativeHandle handle) {
    if (handle == null) {
      return 0;
    }
    long pointer = handle.enter();
    used[uses++] = handle;
    return pointer;
  }

  /** Throws the error of a failed call. */
  void check(int status) {
    if (status != 0) {
      throw HostErrors.exception(status, takeError());
    }
  }

  /** As {@link #check}, but one status is an answer, not a failure: true if it was that. */
  boolean checkUnless(int status, Status expected) {
    if (status == expected.number()) {
      NativeError unwanted = takeError();
      if (unwanted != null) {
        unwanted.dispose();
      }
      return true;
    }
    check(status);
    return false;
  }

  private NativeError takeError() {
    return error[0] == 0 ? null : new NativeError(error[0]);
  }

  @Override
  public void close() {
    while (uses > 0) {
      used[--uses].leave();
    }
  }
}
