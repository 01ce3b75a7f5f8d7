"""What every test of the command needs: the emulator that the command itself starts, and a way to run the command.

FLEETAUTH_COMMAND names the binary; without it the dev preset's is taken.
"""

import datetime
import ipaddress
import json
import os
import signal
import socket
import ssl
import subprocess
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)

# A shell that starts the tests in the background has them ignore Ctrl-C, and what they start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

COMMAND = Path(os.environ.get("FLEETAUTH_COMMAND", Path(__file__).parents[2] / "build/dev/tools/fleetauth/fleetauth")).absolute()
API_KEY = "canary-api-key-4f81"
SECRET = "canary-secret-9c27"
CLIENT_SECRET = "canary-client-secret-77ab"
CONFIGURATION = {
    "fleetup": {"accounts": [{"acctId": 12345, "secret": SECRET, "api_key": API_KEY}]},
    "my_connected_fleet": {"clients": [{"client_id": "client", "client_secret": CLIENT_SECRET, "customers": ["1001"]}]},
}
CREDENTIALS = {"FLEETUP_API_KEY": API_KEY, "FLEETUP_SECRET": SECRET, "MY_CONNECTED_FLEET_CLIENT_SECRET": CLIENT_SECRET}


class Emulator:
    def __init__(self, folder: Path) -> None:
        words = [COMMAND, "emulate", "--json", "--with-parent", "--dir", folder]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        started = json.loads(self.process.stdout.readline())
        self.url, self.ca_file, self.admin_token = started["url"], started["ca_file"], started["admin_token"]
        self.fleetup = started["providers"]["fleetup"]["api"]
        self.mcf = started["providers"]["my_connected_fleet"]
        self.opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=self.ca_file))
        )
        self.admin("POST", "/config", CONFIGURATION)

    def admin(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.admin_token}"}
        with self.opener.open(urllib.request.Request(f"{self.url}/_emulator{path}", data, headers, method=method)) as answer:
            return json.loads(answer.read() or b"null")

    def fault(self, path: str, do: dict[str, Any], times: int | str = "always") -> None:
        self.admin("POST", "/faults", {"match": {"path": path}, "times": times, "do": do})

    def log(self) -> list[str]:
        """The requests since the test began, as "METHOD /path status"."""
        return [f"{entry['method']} {entry['path']} {entry['status']}" for entry in self.admin("GET", "/log")["entries"]]

    def reset(self) -> None:
        self.admin("DELETE", "/faults")
        self.admin("DELETE", "/log")

    def stop(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


@pytest.fixture(scope="session")
def running_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    emulator = Emulator(tmp_path_factory.mktemp("emulator"))
    yield emulator
    emulator.stop()


@pytest.fixture
def emulator(running_emulator: Emulator) -> Emulator:
    running_emulator.reset()
    return running_emulator


@dataclass
class Result:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> Any:
        return json.loads(self.err)["error"]


class Command:
    """The command with nothing of this machine's environment or configuration."""

    def __init__(self, home: Path, emulator: Emulator) -> None:
        self.home = home
        self.environment = {"HOME": str(home), "PATH": os.environ["PATH"], **CREDENTIALS}
        self.fleetup = ["--provider", "fleetup", "--acct-id", "12345", "--base-url", emulator.fleetup, "--ca-file", emulator.ca_file]
        self.mcf = ["--provider", "my_connected_fleet", "--client-id", "client", "--ca-file", emulator.ca_file]
        self.mcf += ["--api-base-url", emulator.mcf["api"], "--auth-base-url", emulator.mcf["auth"]]

    def __call__(self, *words: str, stdin: str = "", **environment: str | None) -> Result:
        """`NAME=None` leaves a variable out."""
        chosen = {name: value for name, value in {**self.environment, **environment}.items() if value is not None}
        done = subprocess.run([COMMAND, *words], input=stdin, env=chosen, cwd=self.home, capture_output=True, text=True, timeout=30)
        return Result(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def command(tmp_path: Path, emulator: Emulator) -> Command:
    return Command(tmp_path, emulator)


@contextmanager
def server(answer: bytes | Callable[[], bytes], context: ssl.SSLContext | None = None) -> Iterator[tuple[int, list[bytes]]]:
    """A server on loopback: its port, and what it was sent on each connection. `answer` may be made when it is asked for."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        seen: list[bytes] = []

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    try:
                        connection.settimeout(30)
                        stream = context.wrap_socket(connection, server_side=True) if context else connection
                        seen.append(stream.recv(65536))
                        stream.sendall(answer if isinstance(answer, bytes) else answer())
                        stream.close()
                    except OSError:
                        seen.append(b"")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1], seen
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def certificate(folder: Path, host: str, begin: datetime.timedelta, end: datetime.timedelta) -> tuple[ssl.SSLContext, Path]:
    """A server's own certificate, which its file lets one trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.datetime.now(datetime.UTC)
    alternative = x509.IPAddress(ipaddress.ip_address(host)) if host[0].isdigit() else x509.DNSName(host)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now + begin, now + end)
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    (folder / "server.pem").write_bytes(
        pem + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (folder / "ca.pem").write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context, folder / "ca.pem"
