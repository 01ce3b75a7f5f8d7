"""Fixtures of all tests: runtimes on a manual clock and on the real one, trust in the emulator, and no handle left behind."""

import gc
import signal
from collections.abc import Generator, Iterator
from datetime import datetime, timezone

import pytest
from support import CREDENTIALS, Script

import fleetauth
from fleetauth.testing import Emulator, ManualClock, live_handles

# A shell that starts the tests in the background has them ignore Ctrl-C, and what they start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

START = datetime(2026, 1, 1, tzinfo=timezone.utc)


_failed = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    item.stash[_failed] = item.stash.get(_failed, False) or report.failed
    return report


@pytest.fixture(autouse=True)
def no_handle_is_left(request: pytest.FixtureRequest) -> Iterator[None]:
    gc.collect()
    before = live_handles()
    yield
    request.node.funcargs.clear()  # pytest keeps what the other fixtures made
    gc.collect()
    if not request.node.stash[_failed]:  # a failure's traceback keeps them too
        assert live_handles() <= before


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def runtime(clock: ManualClock) -> Iterator[fleetauth.Runtime]:
    with fleetauth.Runtime(clock=clock) as runtime:
        yield runtime


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def client(runtime: fleetauth.Runtime, script: Script) -> fleetauth.FleetUp:
    return fleetauth.FleetUp(**CREDENTIALS, transport=script, runtime=runtime)


@pytest.fixture
def live() -> Iterator[fleetauth.Runtime]:
    with fleetauth.Runtime() as runtime:
        yield runtime


@pytest.fixture
def trusting(fleetauth_emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """Makes the HTTP libraries trust the emulator."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", fleetauth_emulator.ca_file)
    monkeypatch.setenv("SSL_CERT_FILE", fleetauth_emulator.ca_file)
    return fleetauth_emulator
