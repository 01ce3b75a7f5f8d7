"""The asynchronous client."""

from __future__ import annotations

import asyncio
import weakref

from .. import _native
from .._base import BaseClient, claims_of, key_of
from .._identity import Account, Identity, accounts_of
from .._secret import Hidden, quiet
from .._token import Headers, Token
from ._pump import Pump

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Any

    from typing_extensions import Self

    from .._base import Key
    from .._login import Challenge
    from .._provider import Provider
    from .._runtime import Runtime
    from .._secret import Claims, Duration, Secret
    from ..signer import AsyncSigner
    from ..transport import AsyncTransport


class Client(BaseClient):
    """A provider with credentials, for asyncio. Usable on any number of loops; all share tokens and their renewals.

    Cancelling a task that waits here ends its wait; the fetch goes on for the others.
    """

    @quiet
    def __init__(
        self,
        provider: Provider | str,
        /,
        *,
        transport: AsyncTransport | None = None,
        signer: AsyncSigner | None = None,
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
        super().__init__(provider, transport=transport, signer=signer, runtime=runtime, **options)
        self._pumps: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Pump] = (
            self._runtime._pumps if not self._is_host else weakref.WeakKeyDictionary()
        )

    async def token(
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
        if answer is None or self._is_host:
            pump = self._pump()  # also there for the renewals in the background
            if answer is None:
                answer = (await pump.run(lambda queue, tag: self._native.start(request, method, url, queue, tag))).token()
        return Token(answer, url is not None)

    async def mint(self, claim_set: str | None = None, /, **ids: str | Sequence[str] | None) -> Token:
        """A token for claims, from memory if it has one: those of the claim set, with the ids that it takes, or ids alone.

        Without either it is for the client's own claim set, if it has one.
        ConfigurationError where the provider's tokens are not for claims.
        """
        return await self.token(claim_set=claim_set, claims=claims_of(ids))

    async def headers(
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
        headers = (await self.token(url, method, api=api, account=account, claim_set=claim_set, claims=claims, timeout=timeout)).headers
        assert headers is not None
        return self._remember(key, headers)

    async def whoami(
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
        return Identity((await self._pump().run(self._inquire(_native.INQUIRY_IDENTITY, request))).identity())

    async def accounts(self, *, timeout: Duration | None = None) -> list[Account]:
        """Asks the provider for the accounts this client may act for. ConfigurationError where it lists none."""
        request = self._request(None, None, None, None, timeout, None)
        return accounts_of((await self._pump().run(self._inquire(_native.INQUIRY_ACCOUNTS, request))).accounts())

    async def answer(self, challenge: Challenge, code: Secret) -> Token:
        """Logs in by answering the challenge of an OtpRequired with the one-time code, which is sent once whatever happens.

        OtpRequired again says that the code was refused: answer the same challenge with another. LoginRequired says that the
        challenge is over: ask for a token again.
        """
        hidden = Hidden(code)
        del code
        return Token((await self._pump().run(self._answer(challenge, hidden))).token(), False)

    async def logout(self) -> None:
        """Forgets tokens, logins and challenges, then has the provider revoke what it can; the next token is a new login.

        Raises the first error of a revocation; the tokens are forgotten all the same.
        """
        (await self._pump().run(self._log_out)).result()

    async def aclose(self) -> None:
        """close(), and lets go of the running loop."""
        self.close()
        pump = self._pumps.get(asyncio.get_running_loop())
        if pump is not None:
            pump.detach(self)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, raised: BaseException | None, where: TracebackType | None) -> None:
        await self.aclose()

    def _pump(self) -> Pump:
        loop = asyncio.get_running_loop()
        pump = self._pumps.get(loop)
        if pump is None or not pump.open:
            pump = self._pumps[loop] = Pump(self._runtime, self._transport, self._signer)
        pump.attach(self)
        return pump
