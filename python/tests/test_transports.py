"""Every transport of ours against a server that misbehaves below HTTP: one test, all adapters."""

import asyncio
import gzip
import inspect
import json
import socket
import ssl
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from support import CREDENTIALS

import fleetauth
import fleetauth.httpx
import fleetauth.requests
from fleetauth import FleetUp, HttpRequest, HttpResponse, Runtime, TransportError, aio

Behave = Callable[[socket.socket, bytes], None]
Through = Callable[[str], Callable[[HttpRequest], Any]]


class Server:
    """TCP on loopback, with TLS if asked for: reads a request, then does what it was told."""

    def __init__(self, behave: Behave, tls: ssl.SSLContext | None = None) -> None:
        self.connections = 0
        self._tls = tls
        self.requests: list[bytes] = []
        self._behave = behave
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{self._socket.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._listen, daemon=True)]
        self._threads[0].start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with self._tls.wrap_socket(connection, server_side=True) if self._tls else connection as stream:
                while request := self._read(stream):
                    self.requests.append(request)
                    self._behave(stream, request)
        except OSError:
            pass

    @staticmethod
    def _read(connection: socket.socket) -> bytes:
        data = b""
        while b"\r\n\r\n" not in data:
            part = connection.recv(65536)
            if not part:
                return b""
            data += part
        head, _, body = data.partition(b"\r\n\r\n")
        length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
        while len(body) < length:
            body += connection.recv(65536)
        return head + b"\r\n\r\n" + body

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def reply(connection: socket.socket, status: str, headers: str, body: bytes) -> None:
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    connection.sendall(head.encode() + body)


def token(connection: socket.socket, request: bytes) -> None:
    reply(connection, "200 OK", "", b'{"token": "token-canary"}')


def drop(connection: socket.socket, request: bytes) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise ConnectionResetError


def redirect(connection: socket.socket, request: bytes) -> None:
    reply(connection, "302 Found", "Location: /elsewhere\r\n", b"")


def compressed(connection: socket.socket, request: bytes) -> None:
    reply(connection, "200 OK", "Content-Encoding: gzip\r\n", gzip.compress(b'{"token": "token-canary"}'))


def endless(connection: socket.socket, request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"10000\r\n" + b" " * 0x10000 + b"\r\n")


def silent(connection: socket.socket, request: bytes) -> None:
    connection.recv(1)


def dripping(connection: socket.socket, request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n")
    drip(connection)


def dripping_headers(connection: socket.socket, request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow:")
    drip(connection)


def drip(connection: socket.socket) -> None:
    connection.settimeout(0.02)
    while True:
        connection.sendall(b" ")
        try:
            connection.recv(1)
            return
        except TimeoutError:
            pass


@pytest.fixture
def serve() -> Iterator[Callable[[Behave], Server]]:
    servers: list[Server] = []

    def start(behave: Behave) -> Server:
        servers.append(Server(behave))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


ADAPTERS = [fleetauth.requests.Transport, fleetauth.httpx.Transport, fleetauth.httpx.AsyncTransport, None]


@pytest.fixture(params=ADAPTERS, ids=lambda adapter: "curl" if adapter is None else f"{adapter.__module__}.{adapter.__name__}")
def ask(request: pytest.FixtureRequest) -> Callable[..., str]:
    """Asks once for a token through the adapter (or the library's own transport, for comparison)."""

    def once(server: Server, **options: object) -> str:
        settings = {**CREDENTIALS, "base_url": server.url, "allow_loopback_http": True, **options}
        with Runtime() as runtime:
            if request.param is fleetauth.httpx.AsyncTransport:
                return asyncio.run(_ask_async(runtime, settings))
            transport = request.param() if request.param is not None else None
            with FleetUp(**settings, transport=transport, runtime=runtime) as client:  # type: ignore[arg-type]
                return client.token().reveal()

    return once


THROUGH_PROXY: dict[str, Through] = {
    "requests": lambda proxy: fleetauth.requests.Transport(proxies={"https": proxy}),
    "httpx": lambda proxy: fleetauth.httpx.Transport(proxy=proxy),
    "httpx on a loop": lambda proxy: fleetauth.httpx.AsyncTransport(proxy=proxy),
}


def send(transport: Callable[[HttpRequest], Any], request: HttpRequest) -> HttpResponse:
    answer = transport(request)
    return asyncio.run(answer) if inspect.iscoroutine(answer) else answer


async def _ask_async(runtime: Runtime, settings: dict[str, object]) -> str:
    async with aio.FleetUp(**settings, transport=fleetauth.httpx.AsyncTransport(), runtime=runtime) as client:  # type: ignore[arg-type]
        return (await client.token()).reveal()


def test_the_request_arrives_as_it_was_given(ask: Callable[..., str], serve: Callable[[Behave], Server]) -> None:
    server = serve(token)
    assert ask(server) == "token-canary"
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = {line.split(":")[0].lower(): line.split(": ", 1)[1] for line in lines[1:]}
    assert lines[0] == "POST /token HTTP/1.1"
    assert body == b'{"acctId":12345,"secret":"secret-canary"}'
    assert headers["x-api-key"] == "key-canary"
    assert headers.get("accept-encoding", "identity") == "identity"


def test_a_dropped_request_is_not_sent_again_by_the_adapter(ask: Callable[..., str], serve: Callable[[Behave], Server]) -> None:
    server = serve(drop)
    patch = {"steps": {"token": {"class": "one_shot"}}}  # so that the library does not repeat it either
    with pytest.raises(fleetauth.FleetAuthError):
        ask(server, descriptor_patch=patch)
    assert len(server.requests) == 1


def test_a_redirect_is_not_followed(ask: Callable[..., str], serve: Callable[[Behave], Server]) -> None:
    server = serve(redirect)
    with pytest.raises(fleetauth.ProviderUnavailable) as caught:
        ask(server)
    assert caught.value.status_name == "E_PROTOCOL"
    assert all(request.startswith(b"POST /token ") for request in server.requests)


def test_a_body_is_not_decoded(ask: Callable[..., str], serve: Callable[[Behave], Server]) -> None:
    with pytest.raises(fleetauth.ProviderUnavailable) as caught:
        ask(serve(compressed))
    assert caught.value.status_name == "E_PROTOCOL"


def test_an_endless_body_is_given_up(ask: Callable[..., str], serve: Callable[[Behave], Server]) -> None:
    with pytest.raises(fleetauth.ProviderUnavailable) as caught:
        ask(serve(endless))
    assert caught.value.status_name == "E_TOO_LARGE"


def test_N20_headers_of_70_KiB_are_refused(ask: Callable[..., str], serve: Callable[[Behave], Server]) -> None:
    def flood(connection: socket.socket, request: bytes) -> None:
        reply(connection, "200 OK", f"X-Flood: {'0' * 1013}\r\n" * 70, b'{"token": "token-canary"}')

    with pytest.raises(fleetauth.ProviderUnavailable) as caught:
        ask(serve(flood))
    assert caught.value.status_name == "E_TOO_LARGE"


@pytest.mark.parametrize("behave", [silent, dripping, dripping_headers])
def test_N12_a_slow_answer_is_given_up(ask: Callable[..., str], serve: Callable[[Behave], Server], behave: Behave) -> None:
    with pytest.raises(fleetauth.TimeoutError):
        ask(serve(behave), attempt_timeout=0.2, total_timeout=0.3)


def test_a_large_body_is_put_together(ask: Callable[..., str], serve: Callable[[Behave], Server]) -> None:
    token = "t" * 6000

    def in_parts(connection: socket.socket, request: bytes) -> None:
        body = json.dumps({"token": token}).encode()
        chunks = (body[i : i + 100] for i in range(0, len(body), 100))
        framed = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        connection.sendall(framed + b"0\r\n\r\n")

    assert ask(serve(in_parts)) == token


@pytest.mark.parametrize("adapter", [fleetauth.requests.Transport, fleetauth.httpx.Transport])
def test_nothing_is_begun_without_the_thread_that_ends_it(
    adapter: type, serve: Callable[[Behave], Server], live: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(token)

    def refuse(_: object) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    with FleetUp(**CREDENTIALS, base_url=server.url, allow_loopback_http=True, transport=adapter(), runtime=live) as client:
        monkeypatch.setattr(threading.Timer, "start", refuse)
        with pytest.raises(RuntimeError, match="can't create new thread at interpreter shutdown"):
            client.token()
        monkeypatch.undo()
        assert server.connections == 0
        assert client.token().reveal() == "token-canary"


async def test_on_a_loop_no_thread_is_needed(serve: Callable[[Behave], Server], monkeypatch: pytest.MonkeyPatch) -> None:
    request = HttpRequest(method="GET", url=serve(dripping).url + "/token", timeout=0.2, max_body=100)
    monkeypatch.delattr(threading, "Timer")
    with pytest.raises(TransportError) as caught:
        await fleetauth.httpx.AsyncTransport()(request)
    assert caught.value.failure == "timeout"


def test_nobody_listens(ask: Callable[..., str], serve: Callable[[Behave], Server]) -> None:
    server = serve(token)
    server.close()
    server.close = lambda: None  # type: ignore[method-assign]
    with pytest.raises(fleetauth.NetworkError) as caught:
        ask(server)
    assert caught.value.status_name == "E_CONNECT"
    assert not caught.value.in_doubt
    assert "refused" in str(caught.value).lower()  # libcurl's words, or the name of what was raised


def refuse_tunnel(status: str) -> Behave:
    return lambda connection, request: reply(connection, status, "", b"")


def tunnel_without_tls(connection: socket.socket, request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
    connection.recv(1)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


@pytest.mark.parametrize(
    ("behave", "failures"),
    [
        (refuse_tunnel("407 Proxy Authentication Required"), {"proxy"}),
        (refuse_tunnel("403 Forbidden"), {"proxy"}),
        (tunnel_without_tls, {"tls"}),
        (drop, {"proxy", "connect"}),
    ],
    ids=["407", "403", "no TLS", "dropped"],
)
@pytest.mark.parametrize("through", THROUGH_PROXY.values(), ids=THROUGH_PROXY)
def test_N23_what_fails_before_the_tunnel_stands_was_not_sent(
    through: Through, serve: Callable[[Behave], Server], behave: Behave, failures: set[str]
) -> None:
    proxy = serve(behave)
    request = HttpRequest(method="POST", url="https://provider.example/token", body=b"secret-canary", timeout=30, max_body=1000)
    with pytest.raises(TransportError) as caught:
        send(through(proxy.url), request)
    assert caught.value.failure in failures
    assert proxy.requests[0].startswith(b"CONNECT provider.example:443 HTTP/1.")
    assert not any(b"canary" in seen for seen in proxy.requests)


@pytest.mark.parametrize("through", THROUGH_PROXY.values(), ids=THROUGH_PROXY)
def test_a_proxy_that_needs_what_is_not_installed_is_refused_at_once(through: Through, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "socksio", None)
    with pytest.raises((ImportError, requests.exceptions.InvalidSchema), match="SOCKS"):
        through("socks5://127.0.0.1:1080")


@pytest.mark.parametrize("through", THROUGH_PROXY.values(), ids=THROUGH_PROXY)
def test_a_mistake_is_not_the_networks(through: Through) -> None:
    request = HttpRequest(method=5, url="https://provider.example/canary", timeout=30, max_body=1000)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match=r"could not send the request \(AttributeError\)") as caught:
        send(through("http://127.0.0.1:1"), request)
    assert caught.value.__cause__ is caught.value.__context__ is None


def test_a_client_certificate_is_not_offered_to_the_proxy(tmp_path: Path) -> None:
    own = tmp_path / "own.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "1"]
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", own]
    made = subprocess.run(["openssl", "req", "-x509", *new_key, *subject], check=True, capture_output=True)
    own.write_bytes(own.read_bytes() + made.stdout)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=own)
    tls.load_cert_chain(own)
    tls.verify_mode = ssl.CERT_OPTIONAL
    offered = []

    def look(connection: socket.socket, request: bytes) -> None:
        assert isinstance(connection, ssl.SSLSocket)
        offered.append((request.split()[0], connection.getpeercert() is not None))
        reply(connection, "403 Forbidden", "", b"")

    server = Server(look, tls)
    request = HttpRequest(method="POST", url=server.url, timeout=30, max_body=1000)
    assert fleetauth.requests.Transport(verify=str(own), cert=str(own))(request).status == 403
    with pytest.raises(TransportError):
        fleetauth.requests.Transport(verify=str(own), cert=str(own), proxies={"https": server.url})(request)
    server.close()
    assert offered == [(b"POST", True), (b"CONNECT", False)]


def test_of_the_proxies_of_the_environment_those_of_other_schemes_are_ignored() -> None:
    fleetauth.requests.Transport(proxies={"no": "localhost,*.example", "ftp": "ftp://proxy", "https": "http://proxy:1"})


def test_the_adapters_refuse_to_trust_everybody() -> None:
    with pytest.raises(fleetauth.ConfigurationError):
        fleetauth.requests.Transport(verify=False)  # type: ignore[arg-type]
    assert "verify" not in inspect.signature(fleetauth.httpx.Transport).parameters
