"""What only whole processes show: exit in flight, fork, Ctrl-C."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

import fleetauth
from fleetauth.testing import Emulator

# A process that exits while requests are in flight must be gone within this.
EXIT_SECONDS = 10.0  # less than the 15 s of a request that nobody answers, and plenty on a busy machine

HEAD = """
import asyncio, json, multiprocessing, os, signal, sys, threading, time
import fleetauth
from fleetauth import aio
options = json.loads(sys.argv[1])
def client(**more): return fleetauth.FleetUp(**{**options, **more})
def told(what): print(what, flush=True)
"""


def start(emulator: Emulator, script: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", HEAD + script, json.dumps(emulator.options("fleetup"))]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run(emulator: Emulator, script: str) -> str:
    with start(emulator, script) as process:
        output, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, ""), errors
    return output


@pytest.mark.parametrize(
    "script",
    [
        "threading.Thread(target=client().token, daemon=True).start(); told('started')",
        "c = client(); [threading.Thread(target=c.token, daemon=True).start() for _ in range(8)]; told('started')",
        """
async def main():
    task = asyncio.create_task(aio.FleetUp(**options).token())
    await asyncio.sleep(0)
    told('started')
    await asyncio.to_thread(sys.stdin.read)
asyncio.run(main())
""",
        "threading.Thread(target=client(transport=lambda r: time.sleep(60)).token, daemon=True).start(); told('started')",
        "r = fleetauth.Runtime(mode='manual'); threading.Thread(target=client(runtime=r).token, daemon=True).start(); told('started')",
    ],
    ids=["one thread", "many threads", "asyncio", "own transport", "manual mode"],
)
def test_P05_P06_a_process_may_exit_with_requests_in_flight(fleetauth_emulator: Emulator, script: str) -> None:
    fleetauth_emulator.fault({"hold": "gate"}, times="always", provider="fleetup")
    with start(fleetauth_emulator, script + "\nif 'main' not in globals(): sys.stdin.read()\n") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        if "transport" not in script:
            assert fleetauth_emulator.requests("fleetup", wait_for=1)
        began = time.monotonic()
        _, errors = process.communicate(timeout=30)  # the end of its input lets the main thread run to its end
        assert time.monotonic() - began < EXIT_SECONDS
        assert (process.returncode, errors) == (0, "")


FORKED = """
with client() as c:
    url = options['base_url'] + '/devices'
    mine = c.headers(url)
    child = os.fork()
    if child == 0:
        try:
            assert dict(c.headers(url)) == dict(mine)      # the parent's token goes on
            assert c.report_rejected(c.headers(url))
            assert dict(c.headers(url)) != dict(mine)      # a new one, by the child's own means
            os._exit(0)
        except BaseException:
            import traceback; traceback.print_exc()
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert c.headers(url) is mine
    assert c.report_rejected(mine)
    c.token()
"""


def test_P01_a_forked_child_goes_on_and_so_does_its_parent(fleetauth_emulator: Emulator) -> None:
    run(fleetauth_emulator, FORKED)
    assert fleetauth_emulator.token_requests("fleetup") == 3


def test_P02_a_fork_while_a_fetch_is_in_flight(fleetauth_emulator: Emulator) -> None:
    fleetauth_emulator.fault({"hold": "gate"}, provider="fleetup")
    script = """
c = client()
got = []
thread = threading.Thread(target=lambda: got.append(c.token().reveal()))
thread.start()
told('started')
input()
child = os.fork()
if child == 0:
    try:
        token = c.token().reveal()   # in its own way: the parent's request is held
        told('child has a token')
        os._exit(0)
    except BaseException:
        import traceback; traceback.print_exc()
        os._exit(1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
told('waited')
thread.join()
assert got
"""
    with start(fleetauth_emulator, script) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        assert fleetauth_emulator.requests("fleetup", wait_for=1)
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "child has a token\n"
        assert process.stdout.readline() == "waited\n"
        fleetauth_emulator.release("gate")
        assert process.wait(timeout=20) == 0


def test_P01_multiprocessing_with_fork(fleetauth_emulator: Emulator) -> None:
    script = """
c = client()
first = c.token().fingerprint
def work(number):
    return c.token().fingerprint == first
if __name__ == '__main__':
    with multiprocessing.get_context('fork').Pool(4) as pool:
        assert pool.map(work, range(16)) == [True] * 16
"""
    run(fleetauth_emulator, script)
    assert fleetauth_emulator.token_requests("fleetup") == 1


APPLICATION = """
import json, os
import fleetauth
client = fleetauth.FleetUp(**json.loads(os.environ['OPTIONS']))
if os.environ['WARM']:
    client.token()
def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [f'{os.getpid()} {client.token().fingerprint}'.encode()]
"""


def get(address: "tuple[str, int]") -> socket.socket:
    connection = socket.create_connection(address, timeout=30)
    connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
    return connection


def answer_of(connection: socket.socket) -> "tuple[str, str]":
    with connection, connection.makefile("rb") as answer:
        worker, token = answer.read().decode().split("\r\n\r\n")[1].split()
    return worker, token


@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
def test_P01_gunicorn_with_preload(fleetauth_emulator: Emulator, tmp_path: Path, warm: bool) -> None:
    """The application is loaded before the workers are forked."""
    workers = 3
    (tmp_path / "app.py").write_text(APPLICATION)
    if not warm:
        fleetauth_emulator.fault({"hold": "gate"}, times=workers, provider="fleetup")
    environment = os.environ | {"OPTIONS": json.dumps(fleetauth_emulator.options("fleetup")), "WARM": "yes" if warm else ""}
    with socket.create_server(("127.0.0.1", 0)) as listener, (tmp_path / "log").open("w+") as log:
        address = listener.getsockname()
        command = [
            sys.executable,
            "-m",
            "gunicorn",
            "--preload",
            f"--workers={workers}",
            f"--bind=fd://{listener.fileno()}",
            "app:application",
        ]
        server = subprocess.Popen(command, cwd=tmp_path, env=environment, pass_fds=[listener.fileno()], stderr=log)
        listener.close()
        try:
            first = [get(address) for _ in range(workers)]
            if not warm:
                assert fleetauth_emulator.requests("fleetup", wait_for=workers)
                fleetauth_emulator.release("gate")
            answers = [answer_of(connection) for connection in first]
            answers += [answer_of(get(address)) for _ in range(5 * workers)]
        finally:
            server.terminate()
            status = server.wait(timeout=30)
        log.seek(0)
        said = log.read()
    assert status == 0, said
    assert "Traceback" not in said
    assert not re.search(r"\[(ERROR|CRITICAL)\]", said), said
    tokens_of = {worker: {token for other, token in answers if other == worker} for worker, _ in answers}
    assert all(len(tokens) == 1 for tokens in tokens_of.values()), "a worker fetches once and keeps its token"
    assert len(tokens_of) == workers or warm
    assert fleetauth_emulator.token_requests("fleetup") == (1 if warm else workers)


def exits() -> int:
    """How often a process ends with requests in flight; FLEETAUTH_EXITS asks for more."""
    return int(os.environ.get("FLEETAUTH_EXITS", "10"))


def test_P05_P06_again_and_again_with_requests_in_flight(fleetauth_emulator: Emulator) -> None:
    fleetauth_emulator.fault({"hold": "gate"}, times="always", provider="fleetup")
    script = "[threading.Thread(target=client().token, daemon=True).start() for _ in range(3)]; told('started'); sys.stdin.read()"
    for ended in range(exits()):
        with start(fleetauth_emulator, script) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "started\n"
            assert fleetauth_emulator.requests("fleetup", wait_for=ended + 1)
            began = time.monotonic()
            _, errors = process.communicate(timeout=30)
            assert time.monotonic() - began < EXIT_SECONDS
            assert (process.returncode, errors) == (0, "")


BOTH = """
import ctypes
from fleetauth.testing import live_handles

class Library:
    def __init__(self, path):
        self.native = ctypes.CDLL(path, mode=os.RTLD_NOW | os.RTLD_GLOBAL)
    def make(self, function, *arguments):
        out = ctypes.c_void_p()
        status = getattr(self.native, 'fleetauth_' + function)(*arguments, ctypes.byref(out), None)
        assert status == 0, (function, status)
        return out
    def client(self):
        bag = self.make('options_new')
        for name, value in options.items():
            words = [text.encode() for text in (name, str(value))]
            sized = [part for word in words for part in (word, ctypes.c_size_t(len(word)))]
            assert self.native.fleetauth_options_set_text(bag, *sized, None) == 0, name
        provider = self.make('provider_builtin', b'fleetup', ctypes.c_size_t(7))
        return self.make('client_new', self.make('runtime_shared'), provider, bag)
    def token(self, client):
        token = self.make('client_token', client, None, None, ctypes.c_size_t(0), None, ctypes.c_size_t(0))
        self.native.fleetauth_token_secret.restype = ctypes.c_void_p
        size = ctypes.c_size_t()
        return ctypes.string_at(self.native.fleetauth_token_secret(token, ctypes.byref(size)), size.value)

library = Library(sys.argv[2])
before = live_handles()
theirs = library.client()
first = library.token(theirs)
assert live_handles() == before, 'what one copy counts is its own'
with client() as c:
    assert c.token().reveal().encode() != first, 'each has its own token'
    library.native.fleetauth_client_close(theirs)
    assert c.report_rejected(c.token())
    c.token()
told('both work')
"""


def shared_library() -> str:
    found = sorted(Path(__file__).parents[2].glob("build/*/capi/libfleetauth.so"), key=lambda path: path.stat().st_mtime)
    if not found:
        pytest.skip("no libfleetauth.so has been built: cmake --build --preset dev --target fleetauth")
    return str(found[-1])


@pytest.mark.parametrize("first", ["module", "library"])
def test_P16_the_module_and_the_shared_library_in_one_process(fleetauth_emulator: Emulator, first: str) -> None:
    """As where an embedding program, or another module, is linked to the library of the system."""
    library = shared_library()
    preload = f"import ctypes, os\nctypes.CDLL({library!r}, mode=os.RTLD_NOW | os.RTLD_GLOBAL)\n" if first == "library" else ""
    command = [sys.executable, "-c", preload + HEAD + BOTH, json.dumps(fleetauth_emulator.options("fleetup")), library]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "both work\n", "")
    assert fleetauth_emulator.token_requests("fleetup") == 3


def test_L06_the_key_log_stays_empty(fleetauth_emulator: Emulator, tmp_path: Path) -> None:
    log = tmp_path / "keys"
    command = [sys.executable, "-c", HEAD + "client().token(); told('done')", json.dumps(fleetauth_emulator.options("fleetup"))]
    environment = os.environ | {"SSLKEYLOGFILE": str(log)}
    assert subprocess.run(command, env=environment, capture_output=True, check=True, timeout=60).stdout == b"done\n"
    assert fleetauth_emulator.token_requests("fleetup") == 1
    assert log.read_bytes() == b"", "libcurl makes the file; nothing is written to it"


def test_a_loop_of_its_own_after_a_fork(fleetauth_emulator: Emulator) -> None:
    script = """
c = aio.FleetUp(**options)
async def ask(**more): return (await c.token(**more)).fingerprint
first = asyncio.run(ask())
child = os.fork()
if child == 0:
    try:
        assert asyncio.run(ask()) == first
        assert c.report_rejected(asyncio.run(c.token()))
        assert asyncio.run(ask()) != first
        os._exit(0)
    except BaseException:
        import traceback; traceback.print_exc()
        os._exit(1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert asyncio.run(ask()) == first
"""
    run(fleetauth_emulator, script)


def test_ctrl_c_ends_a_wait(fleetauth_emulator: Emulator) -> None:
    fleetauth_emulator.fault({"hold": "gate"}, times="always", provider="fleetup")
    script = """
try:
    told('started')
    client().token()
except KeyboardInterrupt:
    told('interrupted')
"""
    with start(fleetauth_emulator, script) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        assert fleetauth_emulator.requests("fleetup", wait_for=1)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "interrupted\n"
        assert process.wait(timeout=20) == 0
        assert time.monotonic() - began < EXIT_SECONDS


def test_the_module_is_the_one_under_test() -> None:
    output = subprocess.run(
        [sys.executable, "-c", "import fleetauth; print(fleetauth.__file__)"], capture_output=True, text=True, check=True
    )
    assert output.stdout.strip() == fleetauth.__file__
