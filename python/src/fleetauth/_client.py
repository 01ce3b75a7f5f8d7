"""The synchronous client."""

from __future__ import annotations

from . import _native
from ._base import BaseClient
from ._identity import Account, Identity, accounts_of
from ._token import Headers, Token
from ._wait import Waiter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, TypeVar

    from typing_extensions import Self

    from ._login import Challenge
    from ._provider import Provider
    from ._runtime import Runtime
    from ._secret import Duration, Secret
    from .transport import Transport

    Request = TypeVar("Request")


class Client(BaseClient):
    """A provider with credentials, for code that may wait. Any thread; all threads share tokens and their renewals.

    Usable as `auth=` of requests, which also repeats a request once whose token was refused.
    """

    if TYPE_CHECKING:

        def __init__(
            self, provider: Provider | str, /, *, transport: Transport | None = None, runtime: Runtime | None = None, **options: Any
        ) -> None: ...

    def token(
        self,
        url: str | None = None,
        method: str = "GET",
        *,
        api: str | None = None,
        account: str | None = None,
        timeout: Duration | None = None,
        min_remaining: Duration | None = None,
    ) -> Token:
        """A token, from memory if it has one.

        Args:
            url: Also make the headers for this URL. It decides which of the provider's schemes is used.
            method: The method of the request to authorise.
            api: The provider's API group, when no URL tells which it is.
            account: The account the token is for, where the provider gives one per account.
            timeout: How long to wait; the client's total_timeout unless given. The fetch itself goes on for the others.
            min_remaining: A token that lives shorter counts as expired.
        """
        request = self._request(api, account, timeout, min_remaining)
        answer = self._native.peek(request, method, url)
        if answer is None:
            answer = self._waiter().run(lambda queue, tag: self._native.start(request, method, url, queue, tag)).token()
        return Token(answer, url is not None)

    def headers(
        self, url: str, method: str = "GET", *, api: str | None = None, account: str | None = None, timeout: Duration | None = None
    ) -> Headers:
        """The headers that authorise a request to `url`. Ask again for each request: it is a look-up for as long as they are good."""
        key = url if method == "GET" and api is None and account is None else (url, method, api, account)
        ready = self._ready.get(key)
        if ready is not None and ready._words[ready._index] == ready._word:  # type: ignore[index]
            return ready
        if not isinstance(url, str):
            raise TypeError(f"url must be a str, not {type(url).__name__}")
        headers = self.token(url, method, api=api, account=account, timeout=timeout).headers
        assert headers is not None
        return self._remember(key, headers)

    def whoami(self, *, account: str | None = None, timeout: Duration | None = None) -> Identity:
        """Asks the provider who it takes this client for. ConfigurationError where it does not tell."""
        return Identity(self._waiter().run(self._inquire(_native.INQUIRY_IDENTITY, account, timeout)).identity())

    def accounts(self, *, timeout: Duration | None = None) -> list[Account]:
        """Asks the provider for the accounts this client may act for. ConfigurationError where it lists none."""
        return accounts_of(self._waiter().run(self._inquire(_native.INQUIRY_ACCOUNTS, None, timeout)).accounts())

    def answer(self, challenge: Challenge, code: Secret) -> Token:
        """Logs in by answering the challenge of an OtpRequired with the one-time code, which is sent once whatever happens.

        OtpRequired again says that the code was refused: answer the same challenge with another. LoginRequired says that the
        challenge is over: ask for a token again.
        """
        return Token(self._waiter().run(self._answer(challenge, code)).token(), False)

    def logout(self) -> None:
        """Forgets tokens, logins and challenges, then has the provider revoke what it can; the next token is a new login.

        Raises the first error of a revocation; the tokens are forgotten all the same.
        """
        self._waiter().run(self._log_out).result()

    def __call__(self, request: Request) -> Request:
        """Authorises a request of requests (`auth=client`), or of any library whose requests have method, url and headers."""
        if hasattr(request, "register_hook"):
            from .requests import authorise

            return authorise(self, request)  # type: ignore[return-value,arg-type]
        request.headers.update(self.headers(str(request.url), request.method))  # type: ignore[attr-defined]
        return request

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, raised: BaseException | None, where: TracebackType | None) -> None:
        self.close()

    def _waiter(self) -> Waiter:
        # Who answers the calls of a queue must know whose they are: a client with a transport has queues of its own.
        place = self._own_queues if self._transport is not None else self._runtime._queues
        waiter = getattr(place, "waiter", None)
        if waiter is None:
            waiter = place.waiter = Waiter(self._runtime, self._transport)
        assert isinstance(waiter, Waiter)
        return waiter
