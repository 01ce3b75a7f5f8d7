"""The root of the errors, and how the native layer makes one."""

from __future__ import annotations

from datetime import timedelta

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import _native
    from ._login import Challenge


class FleetAuthError(Exception):
    """Root of everything the library raises; raised itself only for misuse of the library and for its own faults.

    The message says what failed and what to do, and never holds a secret.
    """

    status: int
    """The number of the failure; see docs/errors.md."""
    status_name: str
    """The failure's name, such as E_RATE_LIMITED."""
    provider: str
    """The provider's name, or empty."""
    account: str
    """The account the call was made for, or empty."""
    provider_code: str
    """The provider's own error word (invalid_client), or empty."""
    http_status: int | None
    """The HTTP status of the provider's answer; None when there was none."""
    retryable: bool
    """The same call may succeed later without any change."""
    retry_after: timedelta | None
    """How long to wait before trying again; None when unknown."""
    in_doubt: bool
    """The request may have reached the provider and its answer was lost."""
    challenge: Challenge | None
    """What an OtpRequired asks for: `Client.answer` takes it, with the code. None when the provider refused a code (the challenge is
    then still the one that was answered), for other errors, and in a copy from another process.
    """

    def __init__(self, message: str, *, status: int = 0) -> None:
        super().__init__(message)
        from .errors import STATUSES

        self.status = status
        self.status_name = STATUSES[status][0] if status in STATUSES else "E_UNKNOWN"
        self.provider = self.account = self.provider_code = ""
        self.http_status = self.retry_after = None
        self.retryable = self.in_doubt = False
        self.challenge = None

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), self.args, {**self.__dict__, "challenge": None}


def from_native(status: int, error: _native.Error | None) -> BaseException:
    """The exception for a failed call: a host's own exception as it is when its code failed, else one of ours, caused by it."""
    from . import _host
    from .errors import STATUSES

    name, kind = STATUSES.get(status, ("E_UNKNOWN", FleetAuthError))
    cause = _host.find(error.user_error) if error is not None else None
    if cause is not None and name == "E_CALLBACK":
        return cause
    raised = kind(error.message if error is not None else f"{name}: no memory was left to say more", status=status)
    raised.__cause__ = cause
    if error is not None:
        raised.provider, raised.account, raised.provider_code = error.provider, error.account, error.provider_code
        raised.http_status = error.http_status or None
        raised.retryable, raised.in_doubt = bool(error.retryable), bool(error.in_doubt)
        if error.retry_after_ms >= 0:
            raised.retry_after = timedelta(milliseconds=error.retry_after_ms)
        if name == "E_OTP_REQUIRED":
            from ._login import Challenge

            raised.challenge = Challenge(error.challenge())
    return raised
