package io.fleetauth;

import java.time.Duration;
import java.util.Optional;

/**
 * Why a call failed. The subclass says what to do; this class itself is thrown for misuse of the
 * library and for its own faults. Messages never hold a secret.
 */
public class FleetAuthException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final ErrorDetails details;

  FleetAuthException(ErrorDetails details) {
    super(details.message);
    this.details = details;
  }

  /** The status; {@link Status#UNKNOWN} for one that is newer than this class. */
  public Status status() {
    return details.status;
  }

  /** The number of the status, also when it is unknown. */
  public int statusNumber() {
    return details.number;
  }

  /** The provider's name, or empty. */
  public String provider() {
    return details.provider;
  }

  /** The account the call was made for, or empty. */
  public String account() {
    return details.account;
  }

  /** The provider's own word for the error, such as {@code invalid_client}, or empty. */
  public String providerCode() {
    return details.providerCode;
  }

  /** The HTTP status of the provider's answer, or 0 when there was none. */
  public int httpStatus() {
    return details.httpStatus;
  }

  /** Whether the same call may succeed later without any change. */
  public boolean isRetryable() {
    return details.retryable;
  }

  /** How long to wait before trying again, when that is known. */
  public Optional<Duration> retryAfter() {
    return details.retryAfterMs < 0
        ? Optional.empty()
        : Optional.of(Duration.ofMillis(details.retryAfterMs));
  }

  /** Whether the request may have reached the provider although its answer was lost. */
  public boolean isInDoubt() {
    return details.inDoubt;
  }

  /**
   * What to answer with a one-time code: there for {@link Status#OTP_REQUIRED} alone, and always
   * the same object. An exception that was serialized has none; seal the challenge instead.
   */
  public Optional<Challenge> challenge() {
    return Optional.ofNullable(details.challenge);
  }
}
