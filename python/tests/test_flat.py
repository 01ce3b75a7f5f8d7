"""The generated layer: what it refuses, and that handles may go in any order."""

import itertools
import subprocess
import sys
from collections.abc import Callable

import pytest

import fleetauth
from fleetauth import _native


def test_a_wrong_type_is_named_and_no_argument_is_shown() -> None:
    options = _native.Options()
    with pytest.raises(TypeError, match="name must be str, not int") as caught:
        options.set_text(1, "secret-canary")  # type: ignore[arg-type]
    assert "canary" not in str(caught.value)
    with pytest.raises(TypeError, match="value must be str, not bytes"):
        options.set_text("secret", b"secret-canary")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="value must be bytes, not str"):
        options.set_bytes("secret", "secret-canary")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="value must be int, not str"):
        options.set_i64("acct_id", "1")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="value must be text that can be encoded as UTF-8") as unencodable:
        options.set_text("secret", "secret-canary\ud800")
    assert "canary" not in repr(unencodable.value)


@pytest.mark.parametrize(
    "call",
    [
        lambda options: options.set_text("secret", "secret-canary", "another"),
        lambda options: options.set_text("secret", valeu="secret-canary"),
        lambda options: _native.Options.set_text("secret-canary", "secret", "x"),
        lambda options: _native.Options.set_bytes(None, "secret", b"secret-canary"),
        lambda options: _native.Options("secret-canary"),
        lambda options: _native.Runtime("secret-canary", None),
        lambda options: _native.Client(options, options, secret="secret-canary"),
        lambda options: _native.Provider.from_json("secret-canary"),
        lambda options: _native.Client.answer(options, options, b"secret-canary", options, 1),
        lambda options: _native.Client.seal_challenge(options, options, key=b"secret-canary"),
    ],
)
def test_L03_arguments_that_do_not_fit_are_not_shown(call: Callable[[_native.Options], object]) -> None:
    with pytest.raises(TypeError, match=r"^\w+\(\) does not take \(.*\b(str|bytes)\b.*\)$") as caught:
        call(_native.Options())
    assert "canary" not in str(caught.value)


def test_P12_handles_of_another_type_are_refused() -> None:
    options, clock = _native.Options(), _native.Clock(0)
    with pytest.raises(TypeError, match="Clock, NoneType"):
        _native.Runtime(clock, None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"advance\(\) does not take \(fleetauth._native.Options, int\)"):
        _native.Clock.advance(options, 1)  # type: ignore[arg-type]
    with pytest.raises(fleetauth.FleetAuthError, match="must not be NULL"):
        _native.Options.__new__(_native.Options).set_i64("n", 1)
    options.set_text("still", "usable")


def test_bytes_are_anything_with_the_buffer_protocol() -> None:
    options = _native.Options()
    for value in (b"x", bytearray(b"x"), memoryview(b"x")):
        options.set_bytes("secret", value)


def test_the_library_tells_about_itself() -> None:
    assert fleetauth.__version__ == fleetauth.version()
    assert _native.status_name(38) == "E_RATE_LIMITED"
    assert _native.status_name(9999) == "E_UNKNOWN"
    assert fleetauth.has_feature("transport.host") == 1
    assert {"curl", "openssl", "simdjson"} <= {line.split()[0].lower() for line in fleetauth.dependencies().splitlines()}
    assert _native.Provider.builtin_name(99) is None
    assert _native.Token.slot_words(1 << 40) is None


def test_every_status_has_its_class() -> None:
    for number, (name, kind) in fleetauth.errors.STATUSES.items():
        assert _native.status_name(number) == name
        assert issubclass(kind, fleetauth.FleetAuthError)
        assert getattr(_native, name) == number


@pytest.mark.parametrize("order", list(itertools.permutations(range(5))))
def test_handles_may_be_released_in_any_order(order: tuple[int, ...]) -> None:
    runtime = _native.Runtime(None, _native.Clock(0))
    bag = _native.Options()
    for name, value in (("client_id", "a"), ("client_secret", "b")):
        bag.set_text(name, value)
    client = _native.Client(runtime, _native.Provider.builtin("my_connected_fleet"), bag)
    queue = _native.Queue(runtime, _native.QUEUE_LOOP)
    token = client.peek(None, None, None)
    handles: list[object] = [runtime, client, queue, token, bag]
    del runtime, client, queue, token, bag
    for index in order:
        handles[index] = None


def test_importing_the_package_imports_no_other() -> None:
    script = (
        "import sys; before = set(sys.modules); import fleetauth; new = {m.split('.')[0] for m in set(sys.modules) - before};"
        "print(*sorted(new & {'asyncio', 'requests', 'httpx', 'aiohttp', 'urllib3', 'pytest', 'json', 'typing'}))"
    )
    # -I and no site: .pth files of the environment import what they like.
    path = [entry for entry in sys.path if entry]
    result = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:] = {path!r}; {script}"], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == ""
