"""fleetauth for aiohttp (3.12 or newer): `aiohttp.ClientSession(middlewares=[middleware(client)])`."""

from __future__ import annotations

from contextvars import ContextVar

from .aio._client import Client
from .errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from aiohttp import ClientHandlerType, ClientMiddlewareType, ClientRequest, ClientResponse

    from ._secret import Claims
    from ._token import Headers

__all__ = ["middleware"]

# The origin that the last answer in this context redirects to: aiohttp calls the middleware again for it and says nothing of that.
_leads_to: ContextVar[Any] = ContextVar("fleetauth_leads_to", default=None)


def middleware(
    client: Client, *, api: str | None = None, claim_set: str | None = None, claims: Claims | None = None
) -> ClientMiddlewareType:
    """Authorises requests; repeats one once, with a new token, when the provider refused the old one and the body can be sent again.

    A redirect away from the provider is followed without its headers.

    `api` is the provider's API group, when the URL does not tell which it is; `claim_set` and `claims` are as in Client.token.
    """

    if not isinstance(client, Client):
        raise TypeError("aiohttp needs a client of fleetauth.aio: one that may wait would stop the loop")

    async def headers(request: ClientRequest) -> Headers:
        return await client.headers(str(request.url), request.method, api=api, claim_set=claim_set, claims=claims)

    async def authorise(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        try:
            sent = await headers(request)
        except ConfigurationError:
            if _leads_to.get() != request.url.origin():
                raise
            return _note_redirect(request, await handler(request))
        request.headers.update(sent)
        response = await handler(request)
        date = response.headers.get("Date")
        if response.status >= 400 and _is_replayable(request) and client.report_rejected(sent, response.status, date):
            response.release()
            request.headers.update(await headers(request))
            response = await handler(request)
        return _note_redirect(request, response)

    return authorise


def _note_redirect(request: ClientRequest, response: ClientResponse) -> ClientResponse:
    location = response.headers.get("Location") if 300 <= response.status < 400 else None
    try:
        _leads_to.set(None if location is None else request.url.join(type(request.url)(location)).origin())
    except ValueError:  # aiohttp says so if it follows it
        _leads_to.set(None)
    return response


def _is_replayable(request: ClientRequest) -> bool:
    from aiohttp.payload import BytesPayload

    return not request.body or isinstance(request.body, (bytes, BytesPayload))
