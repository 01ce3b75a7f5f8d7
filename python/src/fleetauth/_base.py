"""What synchronous and asynchronous clients share: everything that does not wait."""

from __future__ import annotations

import threading

from . import _native
from ._provider import Provider
from ._runtime import Runtime
from ._secret import native_options
from ._token import Headers, Token

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._secret import Duration

_READY_AT_MOST = 1024
_REQUESTS_AT_MOST = 64


class BaseClient:
    """A provider with credentials. Any thread."""

    def __init__(self, provider: Provider | str, /, *, transport: object = None, runtime: Runtime | None = None, **options: Any) -> None:
        """Makes a client; nothing is sent yet.

        Args:
            provider: A built-in provider's name, or a Provider.
            transport: Sends the token requests instead of the library; see fleetauth.transport.
            runtime: The process's shared one unless given.
            **options: The provider's parameters and the options of ClientOptions.
        """
        if transport is not None and not callable(transport):
            raise TypeError(
                "transport must be callable; fleetauth.transport says with what, fleetauth.httpx and fleetauth.requests have some"
            )
        if runtime is not None and not isinstance(runtime, Runtime):
            raise TypeError(f"runtime must be a fleetauth.Runtime, not {type(runtime).__name__}")
        self._ready: dict[str | tuple[str, str, str | None], Headers] = {}
        self._requests: dict[tuple[str | None, Duration | None, Duration | None], _native.Request] = {}
        self._closed = False
        self._own_queues = threading.local()  # of the threads that wait, for a client with a transport
        self._transport = transport
        self._runtime = runtime if runtime is not None else Runtime.shared()
        self._provider = provider if isinstance(provider, Provider) else Provider(provider)
        options["transport"] = "host" if transport is not None else None
        self._native = _native.Client(self._runtime._native, self._provider._native, native_options(options))

    @property
    def provider(self) -> Provider:
        """The descriptor it was made from."""
        return self._provider

    def peek(
        self, url: str | None = None, method: str = "GET", *, api: str | None = None, min_remaining: Duration | None = None
    ) -> Token | None:
        """What memory has, at once: a token (with the headers for `url`, if given), or None when one must be obtained."""
        answer = self._native.peek(self._request(api, None, min_remaining), method, url)
        return Token(answer, url is not None) if answer is not None else None

    def report_rejected(self, refused: Token | Headers, http_status: int = 401) -> bool:
        """Says that the provider refused a request which carried this. True: get headers again and repeat the request, once."""
        if not isinstance(refused, (Token, Headers)):
            raise TypeError("report_rejected takes the Token or the Headers that were refused")
        return self._native.report_rejected(refused.slot, refused.generation, http_status) == _native.ADVICE_RETRY

    def close(self) -> None:
        """Fails what is in flight with Closed and forgets the credentials. Never blocks; may be called again."""
        self._closed = True
        self._native.close()
        self._ready.clear()

    def _request(self, api: str | None, timeout: Duration | None, min_remaining: Duration | None) -> _native.Request | None:
        if api is None and timeout is None and min_remaining is None:
            return None
        key = (api, timeout, min_remaining)
        request = self._requests.get(key)
        if request is None:
            options = native_options({"api": api, "timeout": timeout, "min_remaining": min_remaining})
            request = _native.Request(self._native, options)
            if len(self._requests) >= _REQUESTS_AT_MOST:
                self._requests.clear()
            self._requests[key] = request
        return request

    def _remember(self, key: str | tuple[str, str, str | None], headers: Headers) -> Headers:
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
