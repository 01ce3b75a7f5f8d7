"""What synchronous and asynchronous clients share: everything that does not wait."""

from __future__ import annotations

import threading
from contextlib import suppress

from . import _native
from ._login import Challenge
from ._provider import Provider
from ._runtime import runtime_or_shared
from ._secret import Hidden, claims_text, native_options, quiet
from ._token import Headers, Token

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from ._runtime import Runtime
    from ._secret import Bytes, Claims, Duration

    Start = Callable[[_native.Queue, int], _native.Op]
    Key = str | tuple[str | None, ...]

_READY_AT_MOST = 1024
_REQUESTS_AT_MOST = 1024
NOT_GIVEN: Any = ...

# The events that complete an operation.
COMPLETIONS = frozenset((_native.EVENT_TOKEN, _native.EVENT_IDENTITY, _native.EVENT_ACCOUNTS, _native.EVENT_LOGGED_OUT))


class BaseClient:
    """A provider with credentials. Any thread."""

    @quiet
    def __init__(
        self,
        provider: Provider | str,
        /,
        *,
        transport: object = None,
        signer: object = None,
        runtime: Runtime | None = None,
        **options: Any,
    ) -> None:
        """Makes a client; nothing is sent yet.

        Args:
            provider: A built-in provider's name, or a Provider.
            transport: Sends the token requests instead of the library; see fleetauth.transport.
            signer: Signs the tokens that are made here, with a key that the library does not see; see fleetauth.signer.
            runtime: The process's shared one unless given.
            **options: The provider's parameters and the options of ClientOptions.
        """
        if transport is not None and not callable(transport):
            raise TypeError(
                "transport must be callable; fleetauth.transport says with what, fleetauth.httpx and fleetauth.requests have some"
            )
        if signer is not None and not callable(signer):
            raise TypeError("signer must be callable; fleetauth.signer says with what")
        self._ready: dict[Key, Headers] = {}
        self._requests: dict[tuple[str | Duration | None, ...], _native.Request] = {}
        self._closed = False
        self._own_queues = threading.local()  # of the threads that wait, for a client that is its own host
        self._transport = transport
        self._signer = signer
        # Who answers the calls of a queue must know whose they are: a client with a transport or a signer has queues of its own.
        self._is_host = transport is not None or signer is not None
        self._runtime = runtime_or_shared(runtime)
        self._provider = provider if isinstance(provider, Provider) else Provider(provider)
        options["transport"] = "host" if transport is not None else None
        options["signer"] = "host" if signer is not None else None
        self._native = _native.Client(self._runtime._native, self._provider._native, native_options(options))

    @property
    def provider(self) -> Provider:
        """The descriptor it was made from."""
        return self._provider

    def peek(
        self,
        url: str | None = None,
        method: str = "GET",
        *,
        api: str | None = None,
        account: str | None = None,
        claim_set: str | None = None,
        claims: Claims | None = None,
        min_remaining: Duration | None = None,
    ) -> Token | None:
        """What memory has, at once: a token (with the headers for `url`, if given), or None when one must be obtained."""
        request = self._request(api, account, claim_set, claims, None, min_remaining)
        answer = self._native.peek(request, method, url)
        return Token(answer, url is not None) if answer is not None else None

    def report_rejected(self, refused: Token | Headers, http_status: int = 401, date: str | None = None) -> bool:
        """Says that the provider refused a request which carried this. True: get headers again and repeat the request, once.

        `date` is the refusal's Date header: where this machine's clock is wrong, the provider's time is learned from it.
        """
        if not isinstance(refused, (Token, Headers)):
            raise TypeError("report_rejected takes the Token or the Headers that were refused")
        if date is not None and not date.isascii():  # no date, and perhaps nothing that could be passed on
            date = None
        return self._native.report_rejected(refused.slot, refused.generation, http_status, date) == _native.ADVICE_RETRY

    @quiet
    def seal_challenge(self, challenge: Challenge, key: Bytes) -> bytes:
        """The challenge as bytes to keep or to hand to another process, encrypted under a key of 32 bytes (AES-256-GCM).

        open_challenge of a client of the same provider with the same parameters, secrets aside, makes a challenge of them again.
        """
        return self._native.seal_challenge(_native_challenge(challenge), key).bytes

    @quiet
    def open_challenge(self, sealed: Bytes, key: Bytes) -> Challenge:
        """What seal_challenge made bytes of."""
        return Challenge(self._native.open_challenge(sealed, key))

    def close(self) -> None:
        """Fails what is in flight with Closed and forgets the credentials. Never blocks; may be called again."""
        self._closed = True
        self._native.close()
        self._ready.clear()

    def _request(
        self,
        api: str | None,
        account: str | None,
        claim_set: str | None,
        claims: Claims | None,
        timeout: Duration | None,
        min_remaining: Duration | None,
    ) -> _native.Request | None:
        if api is None and account is None and claim_set is None and claims is None and timeout is None and min_remaining is None:
            return None
        for name, value in (("account", account), ("claim_set", claim_set)):
            if value is not None and not isinstance(value, str):
                raise TypeError(f"{name} must be a str, not {type(value).__name__}")
        text = claims_text(claims) if claims is not None else None
        key = (api, account, claim_set, text, timeout, min_remaining)
        request = self._requests.get(key)
        if request is None:
            options = {"api": api, "account": account, "claim_set": claim_set, "claims": text}
            request = _native.Request(self._native, native_options({**options, "timeout": timeout, "min_remaining": min_remaining}))
            if len(self._requests) >= _REQUESTS_AT_MOST:
                self._requests.clear()
            self._requests[key] = request
        return request

    def _inquire(self, what: int, request: _native.Request | None) -> Start:
        return lambda queue, tag: self._native.inquire(request, what, queue, tag)

    def _answer(self, challenge: Challenge, code: Hidden) -> Start:
        question = _native_challenge(challenge)
        return lambda queue, tag: self._native.answer(question, _encoded(code), queue, tag)

    def _log_out(self, queue: _native.Queue, tag: int) -> _native.Op:
        operation = self._native.logout(queue, tag)
        self._ready.clear()
        return operation

    def _remember(self, key: Key, headers: Headers) -> Headers:
        """Keeps headers whose word can be watched, for the calls to come."""
        if headers._words is not None:
            ready = self._ready
            while len(ready) >= _READY_AT_MOST:
                try:
                    del ready[next(iter(ready))]
                except (KeyError, RuntimeError, StopIteration):  # another thread was here
                    continue
            ready[key] = headers
            if self._closed:
                ready.clear()
        return headers

    def __repr__(self) -> str:
        return f"<{type(self).__qualname__} {self._provider.name}{' closed' if self._closed else ''}>"

    def __reduce__(self) -> str:
        raise TypeError("a client holds secrets and cannot be pickled: make one in the other process")


def key_of(
    url: str, method: str, api: str | None, account: str | None, claim_set: str | None, claims: Claims | None
) -> tuple[str | None, ...]:
    """Under what headers are kept that are not the usual ones of their URL."""
    return url, method, api, account, claim_set, claims_text(claims) if claims is not None else None


def claims_of(ids: dict[str, str | Sequence[str] | None]) -> Claims | None:
    """The claims among keywords.

    Where the only ids are None they are claims without one, which is refused: a call that names no claims may get a token for everything.
    """
    given = {name: one for name, one in ids.items() if one is not NOT_GIVEN}
    return {name: one for name, one in given.items() if one is not None} if given else None


@quiet
def _encoded(code: Hidden) -> Bytes:
    with suppress(UnicodeEncodeError):  # which has the code in it
        return code.value.encode() if isinstance(code.value, str) else code.value
    raise ValueError("code must be text that can be encoded as UTF-8")


def _native_challenge(challenge: Challenge) -> _native.Challenge:
    if not isinstance(challenge, Challenge):
        raise TypeError(f"challenge must be a fleetauth.Challenge, not {type(challenge).__name__}")
    return challenge._native
