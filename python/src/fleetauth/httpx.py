"""fleetauth for httpx: `auth=Auth(client)`, and transports that send token requests with it."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, closing
from functools import partial

import httpx

from ._adapter import Errors, Exchange, carry_out, silence, tls_context
from .aio._client import Client as AsyncClient
from .errors import ConfigurationError
from .transport import HttpRequest, HttpResponse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator
    from typing import Any

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


_ERRORS = Errors((httpx.TransportError, OSError), httpx.ProxyError)


class Transport:
    """Sends token requests with httpx, each over a connection of its own. Any thread."""

    def __init__(self, *, ca_file: str | None = None, proxy: str | None = None) -> None:
        """`ca_file` holds the certificate authorities to trust instead of certifi's; `proxy` is a URL; the environment is not used."""
        self._settings = _settings(ca_file, proxy)
        httpx.HTTPTransport(**self._settings).close()  # what is wrong with them is told now, in httpx's own words

    def __call__(self, request: HttpRequest) -> HttpResponse:
        exchange = Exchange(request, _ERRORS)
        return carry_out(exchange, lambda: self._send(request, exchange))

    def _send(self, request: HttpRequest, exchange: Exchange) -> HttpResponse:
        native = _native(request, exchange, partial(_note, exchange))
        with httpx.HTTPTransport(**self._settings) as sender, closing(sender.handle_request(native)) as response:
            for chunk in response.iter_raw():
                exchange.add(chunk)
            return _response(response, exchange)


class AsyncTransport:
    """Sends token requests with httpx, each over a connection of its own, for clients of fleetauth.aio."""

    def __init__(self, *, ca_file: str | None = None, proxy: str | None = None) -> None:
        """`ca_file` holds the certificate authorities to trust instead of certifi's; `proxy` is a URL; the environment is not used."""
        self._settings = _settings(ca_file, proxy)
        httpx.AsyncHTTPTransport(**self._settings)  # what is wrong with them is told now, in httpx's own words

    async def __call__(self, request: HttpRequest) -> HttpResponse:
        with Exchange(request, _ERRORS, _on_the_loop) as exchange:
            try:
                return await self._send(request, exchange)
            except BaseException as raised:
                failed = exchange.error(raised)
        try:
            raise failed  # here it has no context
        finally:
            del failed

    async def _send(self, request: HttpRequest, exchange: Exchange) -> HttpResponse:
        connection: Any = None

        async def note(event: str, info: dict[str, Any]) -> None:
            nonlocal connection
            connection = _note(exchange, event, info) or connection

        native = _native(request, exchange, note)
        try:
            async with (
                httpx.AsyncHTTPTransport(**self._settings) as sender,
                aclosing(await sender.handle_async_request(native)) as response,
            ):
                async for chunk in response.aiter_raw():
                    exchange.add(chunk)
                return _response(response, exchange)
        finally:
            if connection is not None and not exchange.sent:  # httpx leaves one open that is cancelled in its handshake
                await connection.aclose()


# A client of httpx would log the URL; its transports do not.
silence("httpcore.connection", "httpcore.http11", "httpcore.proxy", "httpcore.socks")


def _on_the_loop(delay: float, act: Callable[[], None]) -> Callable[[], object]:
    return asyncio.get_running_loop().call_later(delay, act).cancel


def _settings(ca_file: str | None, proxy: str | None) -> dict[str, Any]:
    context = tls_context(ca_file)
    through = httpx.Proxy(proxy, ssl_context=context if proxy.startswith("https:") else None) if proxy is not None else None
    return {"verify": context, "proxy": through, "trust_env": False}


def _native(request: HttpRequest, exchange: Exchange, note: Any) -> httpx.Request:
    """Made apart from the client, whose headers and cookies are not for token requests."""
    extensions = {"timeout": httpx.Timeout(exchange.left()).as_dict(), "trace": note}
    return httpx.Request(request.method, request.url, headers=list(request.headers), content=request.body or None, extensions=extensions)


def _note(exchange: Exchange, event: str, info: dict[str, Any]) -> Any:
    """Answers a connection that was made."""
    connection = info["return_value"] if event.endswith(".connect_tcp.complete") else None
    if connection is not None:
        exchange.watch(connection.get_extra_info("socket"))
    if event == "http11.send_request_headers.started" and info["request"].method != b"CONNECT":  # which only the proxy sees
        exchange.begin_sending()
    return connection


def _response(response: httpx.Response, exchange: Exchange) -> HttpResponse:
    return HttpResponse(response.status_code, response.headers.multi_items(), exchange.body())
