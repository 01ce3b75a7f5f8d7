package io.fleetauth;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A signer whose signatures a test gives. */
final class ScriptedSigner implements AsyncSigner {
  private final BlockingQueue<Wanted> calls = new LinkedBlockingQueue<>();

  /** Bytes to sign, and what becomes of them. */
  static final class Wanted {
    final byte[] data;
    final CompletableFuture<byte[]> signature = new CompletableFuture<>();

    Wanted(byte[] data) {
      this.data = data;
    }
  }

  @Override
  public CompletableFuture<byte[]> sign(byte[] data) {
    Wanted wanted = new Wanted(data);
    calls.add(wanted);
    return wanted.signature;
  }

  /** The next to sign; null when none comes. */
  Wanted next() {
    try {
      return calls.poll(5, TimeUnit.SECONDS);
    } catch (InterruptedException interrupted) {
      throw new AssertionError(interrupted);
    }
  }

  boolean isIdle() {
    return calls.isEmpty();
  }
}
