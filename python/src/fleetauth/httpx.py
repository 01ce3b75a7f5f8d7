"""fleetauth for httpx: `auth=Auth(client)`, and transports that send token requests with it."""

from __future__ import annotations

import ssl

import httpx

from ._adapter import Deadline, causes, is_name_failure, read_body
from .aio._client import Client as AsyncClient
from .errors import ConfigurationError
from .transport import HttpRequest, HttpResponse, TransportError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator
    from typing import Any

    from typing_extensions import Self

    from ._client import Client
    from ._secret import Claims
    from ._token import Headers

__all__ = ["AsyncTransport", "Auth", "Transport"]


class Auth(httpx.Auth):
    """Authorises requests; repeats one once, with a new token, when the provider refused the old one and the body can be sent again.

    For httpx.Client it takes a client, for httpx.AsyncClient a client of fleetauth.aio. A client that follows redirects itself takes the
    headers along: leave follow_redirects off, as httpx does.
    """

    def __init__(
        self,
        client: Client | AsyncClient,
        *,
        api: str | None = None,
        claim_set: str | None = None,
        claims: Claims | None = None,
    ) -> None:
        """`api` is the provider's API group, when the URL does not tell which it is; `claim_set` and `claims` are as in Client.token."""
        self._client = client
        self._asked: dict[str, Any] = {"api": api, "claim_set": claim_set, "claims": claims}

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if isinstance(self._client, AsyncClient):
            raise ConfigurationError("httpx.Client needs a client of fleetauth, not one of fleetauth.aio")
        sent = self._client.headers(str(request.url), request.method, **self._asked)
        response = yield _with(request, sent)
        if self._shall_repeat(request, response, sent):
            response.read()
            yield _with(request, self._client.headers(str(request.url), request.method, **self._asked))

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        if not isinstance(self._client, AsyncClient):
            raise ConfigurationError("httpx.AsyncClient needs a client of fleetauth.aio: one that may wait would stop the loop")
        sent = await self._client.headers(str(request.url), request.method, **self._asked)
        response = yield _with(request, sent)
        if self._shall_repeat(request, response, sent):
            await response.aread()
            yield _with(request, await self._client.headers(str(request.url), request.method, **self._asked))

    def _shall_repeat(self, request: httpx.Request, response: httpx.Response, sent: Headers) -> bool:
        if response.history:  # it was redirected: what would be repeated is the first request, which was accepted
            return False
        if response.status_code < 400 or not isinstance(request.stream, httpx.ByteStream):
            return False
        return self._client.report_rejected(sent, response.status_code, response.headers.get("Date"))


def _with(request: httpx.Request, headers: Headers) -> httpx.Request:
    request.headers.update(headers)
    return request


class Transport:
    """Sends token requests with httpx. Any thread."""

    def __init__(self, *, ca_file: str | None = None, proxy: str | None = None) -> None:
        """`ca_file` holds the certificate authorities to trust instead of httpx's; `proxy` is a URL."""
        self._settings = _settings(ca_file, proxy)
        self._client = httpx.Client(**self._settings)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.one_shot:
            return self._send(self._client, request)
        with httpx.Client(**self._settings) as client:  # a connection of its own
            return self._send(client, request)

    def close(self) -> None:
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _send(self, client: httpx.Client, request: HttpRequest) -> HttpResponse:
        deadline = Deadline(request)
        try:
            response = client.send(_native_request(request, deadline), stream=True, follow_redirects=False)
            try:
                return _response(response, read_body(response.iter_raw(), request, deadline))
            finally:
                response.close()
        except httpx.HTTPError as raised:
            raise TransportError(_failure_of(raised)) from raised


class AsyncTransport:
    """Sends token requests with httpx, for clients of fleetauth.aio on one loop."""

    def __init__(self, *, ca_file: str | None = None, proxy: str | None = None) -> None:
        """`ca_file` holds the certificate authorities to trust instead of httpx's; `proxy` is a URL."""
        self._settings = _settings(ca_file, proxy)
        self._client = httpx.AsyncClient(**self._settings)

    async def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.one_shot:
            return await self._send(self._client, request)
        async with httpx.AsyncClient(**self._settings) as client:  # a connection of its own
            return await self._send(client, request)

    async def aclose(self) -> None:
        await self._client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _send(self, client: httpx.AsyncClient, request: HttpRequest) -> HttpResponse:
        deadline = Deadline(request)
        try:
            response = await client.send(_native_request(request, deadline), stream=True, follow_redirects=False)
            try:
                body = bytearray()
                async for chunk in response.aiter_raw():
                    body += read_body((chunk,), request, deadline)
                    if len(body) > request.max_body:
                        raise TransportError("too_large")
                return _response(response, bytes(body))
            finally:
                await response.aclose()
        except httpx.HTTPError as raised:
            raise TransportError(_failure_of(raised)) from raised


def _settings(ca_file: str | None, proxy: str | None) -> dict[str, Any]:
    context = ssl.create_default_context(cafile=ca_file) if ca_file is not None else httpx.create_ssl_context()
    return {"verify": context, "proxy": proxy, "http2": False, "follow_redirects": False}


def _native_request(request: HttpRequest, deadline: Deadline) -> httpx.Request:
    """Made apart from the client, whose headers and cookies are not for token requests."""
    extensions = {"timeout": httpx.Timeout(deadline.left()).as_dict()}
    return httpx.Request(request.method, request.url, headers=list(request.headers), content=request.body or None, extensions=extensions)


def _response(response: httpx.Response, body: bytes) -> HttpResponse:
    return HttpResponse(response.status_code, response.headers.multi_items(), body)


def _failure_of(raised: httpx.HTTPError) -> Any:
    if isinstance(raised, httpx.ProxyError):
        return "proxy"
    if is_name_failure(raised):
        return "dns"
    if isinstance(raised, httpx.ConnectError):
        return "tls" if any(isinstance(one, ssl.SSLError) for one in causes(raised)) else "connect"
    if isinstance(raised, httpx.ConnectTimeout):
        return "connect"
    return "timeout" if isinstance(raised, httpx.TimeoutException) else "network"
