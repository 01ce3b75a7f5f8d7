package io.fleetauth;

import java.time.Instant;

/**
 * A provider's question for a one-time code, see {@link FleetAuthException#challenge}. {@link
 * FleetAuthClient#answer} answers it; sealed by {@link FleetAuthClient#sealChallenge} it can be
 * answered by another process. Immutable, any thread; its secrets are not shown when printed.
 * Closing it, or letting go of it, releases it.
 */
public final class Challenge implements AutoCloseable {
  private final NativeChallenge handle;

  Challenge(NativeChallenge handle) {
    this.handle = handle;
  }

  /** The account that logs in; empty where there is only one. */
  public String account() {
    return handle.account();
  }

  /** Until when it can be answered, by this machine's clock. */
  public Instant expiresAt() {
    return Instant.ofEpochMilli(handle.expiresAtMs());
  }

  /** Releases it. */
  @Override
  public void close() {
    handle.dispose();
  }

  @Override
  public String toString() {
    try {
      return "Challenge[account=" + account() + ", expires=" + expiresAt() + "]";
    } catch (ClosedException closed) {
      return "Challenge[closed]";
    }
  }

  NativeChallenge handle() {
    return handle;
  }
}
