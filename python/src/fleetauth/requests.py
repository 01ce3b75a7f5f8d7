"""fleetauth for requests: `auth=client` or `auth=Auth(client)`, and a transport that sends token requests with it."""

from __future__ import annotations

import ssl
from urllib.parse import urljoin

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.exceptions import NewConnectionError
from urllib3.util.retry import Retry

from ._adapter import Deadline, causes, is_name_failure, read_body
from ._client import Client
from .errors import ConfigurationError
from .transport import HttpRequest, HttpResponse, TransportError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from typing_extensions import Self

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


class Transport:
    """Sends token requests with requests. Any thread; each thread's connections are its own."""

    def __init__(self, *, verify: str | None = None, cert: str | tuple[str, str] | None = None, proxies: dict[str, str] | None = None):
        """`verify` is a file of the certificate authorities to trust, `cert` a client certificate; both as requests takes them."""
        if not (verify is None or isinstance(verify, str)):
            raise ConfigurationError("verify must be the path of a CA file: TLS is always verified")
        self._verify, self._cert, self._proxies = verify, cert, proxies or {}
        self._session = self._new_session()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.one_shot:
            return self._send(self._session, request)
        with self._new_session() as session:  # a connection of its own
            return self._send(session, request)

    def close(self) -> None:
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _new_session(self) -> requests.Session:
        session = requests.Session()
        session.mount("https://", HTTPAdapter(max_retries=Retry(0, read=False)))
        session.mount("http://", HTTPAdapter(max_retries=Retry(0, read=False)))
        return session

    def _send(self, session: requests.Session, request: HttpRequest) -> HttpResponse:
        deadline = Deadline(request)
        # Prepared apart from the session: its cookies and .netrc are not for token requests.
        prepared = requests.Request(request.method, request.url, headers=dict(request.headers), data=request.body or None).prepare()
        try:
            settings = session.merge_environment_settings(prepared.url, self._proxies, True, self._verify, self._cert)
            timeout = (deadline.left(), deadline.left())
            with session.send(prepared, allow_redirects=False, timeout=timeout, **settings) as response:
                body = read_body(_raw_chunks(response), request, deadline)
                return HttpResponse(response.status_code, response.raw.headers.items(), body)
        except (requests.RequestException, OSError) as raised:
            raise TransportError(_failure_of(raised)) from raised


def _raw_chunks(response: requests.Response) -> Iterator[bytes]:
    """The body as it comes, not decoded; what arrives is handed on at once, so that a slow answer can be given up."""
    while chunk := response.raw.read1(65536, decode_content=False):
        yield chunk


def _failure_of(raised: Exception) -> Any:
    if isinstance(raised, requests.exceptions.ProxyError):
        return "proxy"
    if isinstance(raised, requests.exceptions.SSLError) or any(isinstance(one, ssl.SSLCertVerificationError) for one in causes(raised)):
        return "tls"
    if is_name_failure(raised):
        return "dns"
    if isinstance(raised, requests.exceptions.ConnectTimeout) or any(isinstance(one, NewConnectionError) for one in causes(raised)):
        return "connect"
    if isinstance(raised, (requests.exceptions.Timeout, TimeoutError)):
        return "timeout"
    return "network"
