package io.fleetauth;

import java.io.Serializable;

/** What an error of the library says, copied out of it. */
final class ErrorDetails implements Serializable {
  private static final long serialVersionUID = 1;

  final Status status;
  final int number;
  final String message;
  final String provider;
  final String account;
  final String providerCode;
  final int httpStatus;
  final boolean retryable;
  final long retryAfterMs;
  final boolean inDoubt;

  /** Belongs to this process; an error that was serialized has none. */
  final transient Challenge challenge;

  private ErrorDetails(int number, String message, NativeError error) {
    this.status = Status.of(number);
    this.number = number;
    this.message = message;
    this.provider = error == null ? "" : error.provider();
    this.account = error == null ? "" : error.account();
    this.providerCode = error == null ? "" : error.providerCode();
    this.httpStatus = error == null ? 0 : error.httpStatus();
    this.retryable = error != null && error.retryable() != 0;
    this.retryAfterMs = error == null ? -1 : error.retryAfterMs();
    this.inDoubt = error != null && error.inDoubt() != 0;
    this.challenge =
        error == null || status != Status.OTP_REQUIRED ? null : new Challenge(error.challenge());
  }

  /** Of a failure that the binding itself found. */
  static ErrorDetails of(Status status, String message) {
    return new ErrorDetails(status.number(), message, null);
  }

  /** Of a failed call; the error is null when there was no memory for one. */
  static ErrorDetails of(int number, NativeError error) {
    String message =
        error == null
            ? "The call failed with " + NativeLibrary.statusName(number) + "."
            : error.message();
    return new ErrorDetails(number, message, error);
  }
}
