"""fleetauth for aiohttp (3.12 or newer): `aiohttp.ClientSession(middlewares=[middleware(client)])`."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from aiohttp import ClientHandlerType, ClientMiddlewareType, ClientRequest, ClientResponse

    from .aio._client import Client

__all__ = ["middleware"]


def middleware(client: Client, *, api: str | None = None) -> ClientMiddlewareType:
    """Authorises requests; repeats one once, with a new token, when the provider refused the old one and the body can be sent again.

    `api` is the provider's API group, when the URL does not tell which it is.
    """

    async def authorise(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        sent = await client.headers(str(request.url), request.method, api=api)
        request.headers.update(sent)
        response = await handler(request)
        if response.status != 401 or not _is_replayable(request) or not client.report_rejected(sent):
            return response
        response.release()
        request.headers.update(await client.headers(str(request.url), request.method, api=api))
        return await handler(request)

    return authorise


def _is_replayable(request: ClientRequest) -> bool:
    from aiohttp.payload import BytesPayload

    return not request.body or isinstance(request.body, (bytes, BytesPayload))
