package io.fleetauth;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * A snapshot of a token. It stays what it was when the token is renewed. Immutable, any thread; not
 * shown when printed. Closing it, or letting go of it, wipes the library's copy when nothing else
 * uses it.
 */
public final class Token implements AutoCloseable {
  private final NativeToken handle;

  Token(NativeToken handle) {
    this.handle = handle;
  }

  /**
   * The token itself; the copy is the caller's to wipe. Prefer the headers, which say how it is
   * sent.
   */
  public byte[] revealBytes() {
    return handle.secret();
  }

  /** The token itself, as a text that cannot be wiped. */
  public String reveal() {
    byte[] secret = handle.secret();
    try {
      return Text.string(secret);
    } finally {
      Text.wipe(secret);
    }
  }

  /** What it is. */
  public TokenKind kind() {
    return TokenKind.of(handle.kind());
  }

  /** The provider's authorisation scheme that it was got for, such as {@code jwt}. */
  public String scheme() {
    return handle.scheme();
  }

  /** When it expires by this machine's clock; empty if never. */
  public Optional<Instant> expiresAt() {
    long at = handle.expiresAtMs();
    return at < 0 ? Optional.empty() : Optional.of(Instant.ofEpochMilli(at));
  }

  /** How long it still lives at this moment; zero when it has expired, empty if it never does. */
  public Optional<Duration> expiresIn() {
    long in = handle.expiresInMs();
    return in < 0 ? Optional.empty() : Optional.of(Duration.ofMillis(in));
  }

  /** {@code tok:1a2b3c4d}: names the token in logs without revealing it, within this process. */
  public String fingerprint() {
    return handle.fingerprint();
  }

  /** Whether it was in memory; false if this caller waited for it. */
  public boolean isFromCache() {
    return handle.fromCache() != 0;
  }

  /** The headers that authorise the request it was got for; none when it was got for no URL. */
  public AuthHeaders headers() {
    return HotPath.headers(handle);
  }

  long slot() {
    return handle.slot();
  }

  /** Which token of its place this is; grows with every renewal. */
  public long generation() {
    return handle.generation();
  }

  /** Releases it. */
  @Override
  public void close() {
    handle.dispose();
  }

  @Override
  public String toString() {
    try {
      return "Token[" + fingerprint() + ", scheme=" + scheme() + ", expires=" + expiry() + "]";
    } catch (ClosedException closed) {
      return "Token[closed]";
    }
  }

  private String expiry() {
    return expiresAt().map(Instant::toString).orElse("never");
  }
}
