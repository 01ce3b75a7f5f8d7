"""The synchronous client."""

from __future__ import annotations

from . import _native
from ._base import BaseClient, claims_of, key_of
from ._identity import Account, Identity, accounts_of
from ._secret import Hidden
from ._token import Headers, Token
from ._wait import Waiter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Any, TypeVar

    from typing_extensions import Self

    from ._base import Key
    from ._login import Challenge
    from ._provider import Provider
    from ._runtime import Runtime
    from ._secret import Claims, Duration, Secret
    from .signer import Signer
    from .transport import Transport

    Request = TypeVar("Request")


class Client(BaseClient):
    """A provider with credentials, for code that may wait. Any thread; all threads share tokens and their renewals.

    Usable as `auth=` of requests, which also repeats a request once whose token was refused.
    """

    if TYPE_CHECKING:

        def __init__(
            self,
            provider: Provider | str,
            /,
            *,
            transport: Transport | None = None,
            signer: Signer | None = None,
            runtime: Runtime | None = None,
            **options: Any,
        ) -> None: ...

    def token(
        self,
        url: str | None = None,
        method: str = "GET",
        *,
        api: str | None = None,
        account: str | None = None,
        claim_set: str | None = None,
        claims: Claims | None = None,
        timeout: Duration | None = None,
        min_remaining: Duration | None = None,
    ) -> Token:
        """A token, from memory if it has one.

        Args:
            url: Also make the headers for this URL. It decides which of the provider's schemes is used.
            method: The method of the request to authorise.
            api: The provider's API group, when no URL tells which it is.
            account: The account the token is for, where the provider gives one per account.
            claim_set: The name of the claims the token is for, where the provider's tokens are for claims.
            claims: The claims by name with their ids: those that the claim set takes, or any.
            timeout: How long to wait; the client's total_timeout unless given. The fetch itself goes on for the others.
            min_remaining: A token that lives shorter counts as expired.
        """
        request = self._request(api, account, claim_set, claims, timeout, min_remaining)
        answer = self._native.peek(request, method, url)
        if answer is None:
            answer = self._waiter().run(lambda queue, tag: self._native.start(request, method, url, queue, tag)).token()
        return Token(answer, url is not None)

    def mint(self, claim_set: str | None = None, /, **ids: str | Sequence[str] | None) -> Token:
        """A token for claims, from memory if it has one: those of the claim set, with the ids that it takes, or ids alone.

        Without either it is for the client's own claim set, if it has one.
        ConfigurationError where the provider's tokens are not for claims.
        """
        return self.token(claim_set=claim_set, claims=claims_of(ids))

    def headers(
        self,
        url: str,
        method: str = "GET",
        *,
        api: str | None = None,
        account: str | None = None,
        claim_set: str | None = None,
        claims: Claims | None = None,
        timeout: Duration | None = None,
    ) -> Headers:
        """The headers that authorise a request to `url`. Ask again for each request: it is a look-up for as long as they are good."""
        if method == "GET" and claims is None and claim_set is None and account is None and api is None:
            key: Key = url
        else:
            key = key_of(url, method, api, account, claim_set, claims)
        ready = self._ready.get(key)
        if ready is not None and ready._words[ready._index] == ready._word:  # type: ignore[index]
            return ready
        if not isinstance(url, str):
            raise TypeError(f"url must be a str, not {type(url).__name__}")
        headers = self.token(url, method, api=api, account=account, claim_set=claim_set, claims=claims, timeout=timeout).headers
        assert headers is not None
        return self._remember(key, headers)

    def whoami(
        self,
        *,
        api: str | None = None,
        account: str | None = None,
        claim_set: str | None = None,
        claims: Claims | None = None,
        timeout: Duration | None = None,
        min_remaining: Duration | None = None,
    ) -> Identity:
        """Asks the provider who it takes this client for, or the account or claims. ConfigurationError where it does not tell."""
        request = self._request(api, account, claim_set, claims, timeout, min_remaining)
        return Identity(self._waiter().run(self._inquire(_native.INQUIRY_IDENTITY, request)).identity())

    def accounts(self, *, timeout: Duration | None = None) -> list[Account]:
        """Asks the provider for the accounts this client may act for. ConfigurationError where it lists none."""
        request = self._request(None, None, None, None, timeout, None)
        return accounts_of(self._waiter().run(self._inquire(_native.INQUIRY_ACCOUNTS, request)).accounts())

    def answer(self, challenge: Challenge, code: Secret) -> Token:
        """Logs in by answering the challenge of an OtpRequired with the one-time code, which is sent once whatever happens.

        OtpRequired again says that the code was refused: answer the same challenge with another. LoginRequired says that the
        challenge is over: ask for a token again.
        """
        hidden = Hidden(code)
        del code
        return Token(self._waiter().run(self._answer(challenge, hidden)).token(), False)

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
        place = self._own_queues if self._is_host else self._runtime._queues
        waiter = getattr(place, "waiter", None)
        if waiter is None:
            waiter = place.waiter = Waiter(self._runtime, self._transport, self._signer)
        assert isinstance(waiter, Waiter)
        return waiter
