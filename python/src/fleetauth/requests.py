"""fleetauth for requests: `auth=client` or `auth=Auth(client)`, and a transport that sends token requests with it."""

from __future__ import annotations

from contextlib import closing
from functools import cache
from urllib.parse import urljoin

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.connection import HTTPConnection
from urllib3.exceptions import HTTPError
from urllib3.util.retry import Retry

from ._adapter import Errors, Exchange, carry_out, current, silence, tls_context
from ._client import Client
from .errors import ConfigurationError
from .transport import HttpRequest, HttpResponse, TransportError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Iterator
    from typing import Any

    from urllib3 import PoolManager

    from ._secret import Claims
    from ._token import Headers

__all__ = ["Auth", "Transport"]


class Auth(AuthBase):
    """Authorises requests; repeats one once, with a new token, when the provider refused the old one and the body can be sent again."""

    def __init__(self, client: Client, *, api: str | None = None, claim_set: str | None = None, claims: Claims | None = None) -> None:
        """`api` is the provider's API group, when the URL does not tell which it is; `claim_set` and `claims` are as in Client.token."""
        if not isinstance(client, Client):
            raise TypeError("requests needs a client of fleetauth, not one of fleetauth.aio")
        self._client = client
        self._asked = {"api": api, "claim_set": claim_set, "claims": claims}

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return authorise(self._client, request, **self._asked)


def authorise(client: Client, request: requests.PreparedRequest, **asked: Any) -> requests.PreparedRequest:
    """Adds the headers, asked for with these options, and the hook that looks at the answer."""
    sent: Headers | None = _add_headers(client, request, asked)
    body: Any = request.body
    start = body.tell() if hasattr(body, "tell") and hasattr(body, "seek") else None
    replayable = body is None or isinstance(body, (str, bytes)) or start is not None

    def look_at(response: requests.Response, **options: Any) -> requests.Response:
        nonlocal sent
        if sent is None:
            return response
        answer = response
        date = response.headers.get("Date")
        if response.status_code >= 400 and replayable and client.report_rejected(sent, response.status_code, date):
            answer = _repeat(client, response, asked, start, options)
        if answer.is_redirect:
            sent = _follow(client, answer, response.request, sent, asked)
        return answer

    request.register_hook("response", look_at)  # type: ignore[no-untyped-call]
    return request


def _add_headers(client: Client, request: requests.PreparedRequest, asked: dict[str, Any]) -> Headers:
    headers = client.headers(request.url or "", request.method or "GET", **asked)
    request.headers.update(headers)
    return headers


def _repeat(
    client: Client, response: requests.Response, asked: dict[str, Any], start: int | None, options: dict[str, Any]
) -> requests.Response:
    """Sends the refused request again over the same connection pool."""
    response.content  # noqa: B018  read, so that the connection can be used again
    response.close()
    again = response.request.copy()
    if start is not None and again.body is not None:  # a redirect may have dropped it
        again.body.seek(start)  # type: ignore[union-attr]
    _add_headers(client, again, asked)
    repeated: requests.Response = response.connection.send(again, **options)
    repeated.history.append(response)
    repeated.request = again
    return repeated


def _follow(
    client: Client, response: requests.Response, first: requests.PreparedRequest, sent: Headers, asked: dict[str, Any]
) -> Headers | None:
    """requests follows a redirect with all headers of the first request but Authorization: ours go along only to the provider's own URLs.

    None: the redirect leads elsewhere.
    """
    for name in sent:
        first.headers.pop(name, None)
    target = urljoin(response.url, response.headers["location"])
    try:
        headers = client.headers(target, first.method or "GET", **asked)
    except ConfigurationError:
        return None
    first.headers.update(headers)
    return headers


# requests' own errors are all OSErrors, also those of a URL or a proxy that it cannot use.
_ERRORS = Errors((requests.ConnectionError, requests.Timeout, HTTPError), requests.exceptions.ProxyError)


class Transport:
    """Sends token requests with requests, each over a connection of its own. Any thread."""

    def __init__(self, *, verify: str | None = None, cert: str | tuple[str, str] | None = None, proxies: dict[str, str] | None = None):
        """`verify` is a file of the certificate authorities to trust instead of certifi's, `cert` a client certificate, `proxies` the
        proxies by scheme; all as requests takes them. Nothing of the environment is used; pass `urllib.request.getproxies()` to use its
        proxies, and `os.environ["REQUESTS_CA_BUNDLE"]` to use its authorities.
        """
        if not (verify is None or isinstance(verify, str)):
            raise ConfigurationError("verify must be the path of a CA file: TLS is always verified")
        self._context, self._proxy_context, self._proxies = tls_context(verify), tls_context(verify), proxies or {}
        if cert is not None:  # for the provider alone
            self._context.load_cert_chain(*([cert] if isinstance(cert, str) else cert))
        with closing(self._adapter()) as adapter:  # what is wrong with a proxy is told now, in the library's own words
            for scheme, proxy in self._proxies.items():
                if proxy and scheme.partition(":")[0] in ("https", "http", "all"):  # getproxies() has others
                    adapter.proxy_manager_for(proxy if "://" in proxy else f"http://{proxy}")

    def __call__(self, request: HttpRequest) -> HttpResponse:
        exchange = Exchange(request, _ERRORS)
        return carry_out(exchange, lambda: self._send(request, exchange))

    def _adapter(self) -> _Adapter:
        return _Adapter(self._context, self._proxy_context)

    def _send(self, request: HttpRequest, exchange: Exchange) -> HttpResponse:
        # Without a session there are no redirects, cookies and passwords from .netrc.
        prepared = requests.Request(request.method, request.url, headers=dict(request.headers), data=request.body or None).prepare()
        options: Any = {"stream": True, "timeout": exchange.left(), "proxies": self._proxies}
        with closing(self._adapter()) as adapter, adapter.send(prepared, **options) as response:
            if response.status_code < 200:  # http.client skips 100 only; the answer would follow
                raise TransportError("network")
            headers = [(name, value.strip()) for name, value in response.raw.headers.items()]
            for chunk in _raw_chunks(response):
                exchange.add(chunk)
            return HttpResponse(response.status_code, headers, exchange.body())


silence("urllib3.connection", "urllib3.connectionpool", "urllib3.poolmanager", "urllib3.response", "urllib3.util.retry")


class _Watched(HTTPConnection):
    """Tells the exchange when it connects, and when a request can be sent."""

    debuglevel = 0  # http.client prints requests where a program sets it for all connections

    def _new_conn(self) -> socket.socket:
        connection = super()._new_conn()
        _exchange().watch(connection)
        return connection

    def connect(self) -> None:
        super().connect()
        _exchange().begin_sending()


def _exchange() -> Exchange:
    exchange = current.get()
    assert exchange is not None
    return exchange


class _Adapter(HTTPAdapter):
    def __init__(self, context: ssl.SSLContext, proxy_context: ssl.SSLContext) -> None:
        self._context, self._proxy_context = context, proxy_context
        super().__init__(max_retries=Retry(0, read=False))

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **options)
        _watch_connections(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        if not proxy.lower().startswith("socks"):
            options["proxy_ssl_context"] = self._proxy_context
        manager = super().proxy_manager_for(proxy, ssl_context=self._context, **options)
        _watch_connections(manager)
        return manager

    def cert_verify(self, *_: object) -> None:
        """The context knows whom to trust; requests would add authorities of its own."""


def _watch_connections(manager: PoolManager) -> None:
    pools = manager.pool_classes_by_scheme
    manager.pool_classes_by_scheme = {scheme: _watched(pool) for scheme, pool in pools.items()}


@cache
def _watched(pool: Any) -> Any:
    connection = type(pool.ConnectionCls.__name__, (_Watched, pool.ConnectionCls), {})
    return type(pool.__name__, (pool,), {"ConnectionCls": connection})


def _raw_chunks(response: requests.Response) -> Iterator[bytes]:
    """The body as it comes, not decoded; what arrives is handed on at once, so that a slow answer can be given up."""
    while chunk := response.raw.read1(65536, decode_content=False):
        yield chunk
