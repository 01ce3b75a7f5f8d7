#!/usr/bin/env python3
"""Plays cases.json to a host transport over plain sockets, and judges what came of it. README.md tells how to use it.

One JSON object a line, in answer to each line of standard input; it ends with standard input:

    {"play": NAME, "cannot": [...]}    {"call": {...}}       the first request that the transport is to send
    {"await_cancel": true}             {}                    when the moment has come to cancel the call
    {"outcome": {...}}                 {"call": {...}}       what the transport reported for a call; the next one
                                       {"problems": [...]}   after the last
"""

import base64
import contextlib
import gzip
import json
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TABLE = json.loads((Path(__file__).parent / "cases.json").read_text("utf-8"))
PATIENCE_S = 5.0  # for what a transport has to do by itself, such as hanging up; only a fault takes so long
DRIP_S = 0.02
MOST_TAKEN = 8 << 20  # bytes of an endless answer: what the sockets of both sides hold, and then some
FAILURES = {"not_sent": ("dns", "connect", "tls", "proxy"), "maybe_sent": ("network", "timeout", "too_large")}
# What HTTP itself demands, and what says nothing; the value None stands for any.
MAY_ADD = {
    "accept": "*/*",
    "accept-encoding": "identity",
    "accept-language": "*",
    "connection": None,
    "sec-fetch-mode": "cors",
    "user-agent": None,
}


class ClientLeft(Exception):
    pass


class Connection:
    """The server's side of one connection; everything is literal."""

    def __init__(self, game: "Game", sock: socket.socket, script: list[Any]) -> None:
        self._game, self._sock, self._script, self._pending = game, sock, script, b""
        self.is_idle = False

    def run(self) -> None:
        try:
            if self._game.certificate is not None:
                self._sock = self._game.certificate.wrap_socket(self._sock, server_side=True)
            for step in self._script:
                self._carry_out(step)
        except (ClientLeft, OSError):
            pass
        except Exception as error:  # a script that ends early has not been played
            self._game.problem(f"the script failed: {error!r}")
        finally:
            self._sock.close()

    def abandon(self) -> None:
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)

    def _carry_out(self, step: Any) -> None:
        name, argument = next(iter(step.items())) if isinstance(step, dict) else (step, None)
        text = self._game.fill(argument).encode("latin-1") if isinstance(argument, str) else b""
        if name == "read":
            self._game.requests.append(self._read())
        elif name == "await_bytes":
            self._receive(PATIENCE_S)
        elif name == "send":
            self._sock.sendall(text * step.get("times", 1))
        elif name == "gzip":
            self._sock.sendall(gzip.compress(text * step.get("times", 1), mtime=0))
        elif name == "endless":
            self._send_endlessly(text)
        elif name == "drip":
            self._drip(text)
        elif name == "cancel":
            self._game.cancel.set()
        elif name == "hang_up" and not self._game.may_keep_connecting:
            self._await_hang_up()
        elif name == "hang_up":
            self.is_idle = True
            self._await_hang_up()
        elif name == "idle":
            self._idle()
        elif name == "reset":
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._sock.close()
        else:
            raise ValueError(f"no step is called {name}")

    def _receive(self, patience: float | None) -> bytes:
        self._sock.settimeout(patience)
        if not (data := self._sock.recv(65536)):
            raise ClientLeft
        return data

    def _read(self) -> tuple[bytes, bytes]:
        while b"\r\n\r\n" not in self._pending:
            self._pending += self._receive(PATIENCE_S)
        head, _, rest = self._pending.partition(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        length = next((int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:")), 0)
        while len(rest) < length:
            rest += self._receive(PATIENCE_S)
        self._pending = rest[length:]
        return head, rest[:length]

    def _idle(self) -> None:
        """Stays open until the case is judged, in case anything is sent that must not be."""
        self.is_idle = True
        self._receive(None)
        self._game.problem("sent a request where none was expected: a second time, or over a connection that was used before")

    def _await_hang_up(self) -> None:
        end = time.monotonic() + PATIENCE_S
        with contextlib.suppress(TimeoutError):
            while (left := end - time.monotonic()) > 0:
                self._receive(left)
        self._game.problem("did not hang up")

    def _send_endlessly(self, text: bytes) -> None:
        self._sock.settimeout(PATIENCE_S)
        taken = 0
        end = time.monotonic() + PATIENCE_S
        block = text * max(1, 65536 // len(text))
        try:
            while time.monotonic() < end and taken <= MOST_TAKEN:
                taken += self._sock.send(block)
        except TimeoutError:
            pass
        self._game.problem(f"took {taken} bytes of an endless answer and did not hang up")

    def _drip(self, text: bytes) -> None:
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            for byte in text:
                self._sock.sendall(bytes((byte,)))
                with contextlib.suppress(TimeoutError):
                    self._receive(DRIP_S)
        self._game.problem("did not hang up on an answer that trickles")


class Game:
    """One case, from the moment it is played to its judgement."""

    def __init__(self, case: dict[str, Any], cannot: list[str], certificate: ssl.SSLContext | None) -> None:
        self.case, self.cannot, self.certificate = case, cannot, certificate if case.get("tls") == "self_signed" else None
        self.may_keep_connecting = "tls" in case and "connecting" in cannot
        self.cancel = threading.Event()
        self.requests: list[tuple[bytes, bytes]] = []
        self._problems: list[str] = []
        self._lock = threading.Lock()
        self._connections: list[tuple[Connection, threading.Thread]] = []
        self._fillers: list[socket.socket] = []
        self._scripts = list(case.get("connections", []))
        self._here, self._elsewhere = self._listener(case.get("listener", "open")), self._listener("open")
        self._accept_from(self._here)
        self._accept_from(self._elsewhere)
        self._calls = [self._call(call) for call in case["calls"]]
        self._outcomes: list[dict[str, Any]] = []

    def _listener(self, kind: str) -> socket.socket:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        sock.bind(("127.0.0.1", 0))
        if kind == "open":
            sock.listen(16)
        elif kind == "full":  # the kernel drops further attempts to connect
            sock.listen(0)
            self._fillers = [socket.socket() for _ in range(3)]
            for filler in self._fillers:
                filler.setblocking(False)
                filler.connect_ex(sock.getsockname())
        return sock

    def _accept_from(self, listener: socket.socket) -> None:
        if self.case.get("listener", "open") == "open" or listener is self._elsewhere:
            thread = threading.Thread(target=self._accept, args=(listener,), daemon=True)
            thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            if listener is self._elsewhere:
                self.problem("connected to where it was sent by the answer")
                sock.close()
                continue
            connection = Connection(self, sock, self._scripts.pop(0) if self._scripts else ["idle"])
            thread = threading.Thread(target=connection.run, daemon=True)
            with self._lock:
                self._connections.append((connection, thread))
                thread.start()

    def problem(self, text: str) -> None:
        with self._lock:
            self._problems.append(text)

    def fill(self, text: str) -> str:
        return text.replace("{here}", self._origin(self._here)).replace("{elsewhere}", self._origin(self._elsewhere))

    def _origin(self, listener: socket.socket) -> str:
        return f"{'https' if 'tls' in self.case else 'http'}://127.0.0.1:{listener.getsockname()[1]}"

    def _call(self, given: dict[str, Any]) -> dict[str, Any]:
        call = {**TABLE["call"], **given}
        body = base64.b64encode(call["body"].encode("latin-1")).decode()
        names = ("method", "headers", "timeout_ms", "max_body", "one_shot")
        cancelled = any("cancel" in script for script in self.case.get("connections", []))
        return {**{name: call[name] for name in names}, "url": self._origin(self._here) + call["path"], "body": body, "cancel": cancelled}

    def next_call(self) -> dict[str, Any]:
        return {"call": self._calls[len(self._outcomes)]}

    def take(self, outcome: dict[str, Any]) -> dict[str, Any]:
        self._judge_outcome(self.case["calls"][len(self._outcomes)]["expect"], outcome)
        self._outcomes.append(outcome)
        return self.next_call() if len(self._outcomes) < len(self._calls) else {"problems": self._judge()}

    def _judge(self) -> list[str]:
        for sock in (self._here, self._elsewhere, *self._fillers):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)  # ends accept, which closing does not
            sock.close()
        with self._lock:
            connections = list(self._connections)
        for connection, thread in connections:
            while thread.is_alive():
                if connection.is_idle:
                    connection.abandon()
                thread.join(DRIP_S)
        self._judge_requests()
        return self._problems

    def _judge_outcome(self, expected: Any, outcome: dict[str, Any]) -> None:
        alternatives = expected if isinstance(expected, list) else [expected]
        complaints = [self._complaint(one, outcome) for one in alternatives]
        if all(complaints):
            self.problem("; nor this: ".join(map(str, complaints)))

    def _complaint(self, expected: dict[str, Any], outcome: dict[str, Any]) -> str | None:
        if "failure" in expected:
            allowed = FAILURES.get(expected["failure"], (expected["failure"],))
            if "connecting" in self.cannot and expected["failure"] == "not_sent":
                allowed += FAILURES["maybe_sent"]
            return None if outcome.get("failure") in allowed else f"reported {shown(outcome)}, not one of: {', '.join(allowed)}"
        body = expected.get("body", "").encode("latin-1")
        if "gzip" in expected:
            body = gzip.compress(expected["gzip"].encode() * expected.get("times", 1), mtime=0)
        if "raw" in self.cannot and ("gzip" in expected or expected.get("encoded")):
            body = b""
        if outcome.get("status") != expected["status"]:
            return f"reported {shown(outcome)}, not status {expected['status']}"
        if base64.b64decode(outcome["body"]) != body:
            return f"reported {shown(outcome)}, not the body {body[:80]!r} of {len(body)} bytes"
        wanted, got = (joined(one) for one in (self._filled(expected.get("headers", [])), outcome["headers"]))
        wrong = {name: got.get(name) for name, value in wanted.items() if got.get(name) != value}
        return f"reported the headers {wrong}, not {wanted}" if wrong else None

    def _filled(self, headers: list[list[str]]) -> list[list[str]]:
        return [[name, self.fill(value)] for name, value in headers]

    def _judge_requests(self) -> None:
        count = self.case.get("requests", len(self._calls))
        if len(self.requests) != count:
            self.problem(f"sent {len(self.requests)} requests, not {count}")
        for call, (head, body) in zip(self._calls, self.requests, strict=False):
            for complaint in complaints_about(call, head.decode("latin-1"), body):
                self.problem(complaint)


def complaints_about(call: dict[str, Any], head: str, body: bytes) -> Iterator[str]:
    """What a request has that its call does not, or lacks."""
    first, *lines = head.split("\r\n")
    origin, target = call["url"][: call["url"].index("/", 8)], call["url"][call["url"].index("/", 8) :]
    wanted = base64.b64decode(call["body"])
    if first != f"{call['method']} {target} HTTP/1.1":
        yield f"sent {first!r}"
    if body != wanted:
        yield f"sent the body {body[:80]!r}"
    sent = [(name.lower(), value.strip(" ")) for name, value in (line.split(":", 1) for line in lines)]
    for name, value in call["headers"]:
        if sent.count((name.lower(), value)) != 1:
            yield f"did not send {name}: {value} once"
    given = {name.lower() for name, _ in call["headers"]}
    allowed = {**MAY_ADD, "host": origin.partition("//")[2], "content-length": str(len(wanted))}
    for name, value in sent:
        if (name, value) not in [(n.lower(), v) for n, v in call["headers"]] and (
            name in given or name not in allowed or allowed[name] not in (None, value)
        ):
            yield f"sent {name}: {value}, which nobody asked for"


def joined(headers: list[list[str]]) -> dict[str, str]:
    """Names without case; values of the same name in one list, as HTTP reads them."""
    values: dict[str, list[str]] = {}
    for name, value in headers:
        values.setdefault(name.lower(), []).append(value)
    return {name: ", ".join(parts) for name, parts in values.items()}


def shown(outcome: dict[str, Any]) -> str:
    if "failure" in outcome:
        return f"the failure {outcome['failure']} ({outcome.get('cause', 'no cause')})"
    body = base64.b64decode(outcome["body"])
    return f"status {outcome['status']} with the body {body[:80]!r} of {len(body)} bytes"


def self_signed(folder: str) -> ssl.SSLContext:
    key, certificate = Path(folder, "key.pem"), Path(folder, "certificate.pem")
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "1"]
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key]
    subprocess.run(["openssl", "req", "-x509", *new_key, *subject, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def main() -> None:
    cases = {case["name"]: case for case in TABLE["cases"]}
    game: Game | None = None
    with tempfile.TemporaryDirectory() as folder:
        certificate = self_signed(folder)
    for line in sys.stdin:
        asked = json.loads(line)
        if "play" in asked:
            game = Game(cases[asked["play"]], asked.get("cannot", []), certificate)
            answer = game.next_call()
        elif game is None:
            answer = {"problems": ["nothing is being played"]}
        elif "await_cancel" in asked:
            reached = game.cancel.wait(PATIENCE_S)
            answer = {} if reached else {"problems": ["the moment to cancel did not come"]}
        else:
            answer = game.take(asked["outcome"])
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
