"""Fixtures of all tests: a runtime on a manual clock, and no handle left behind."""

import gc
from collections.abc import Iterator
from datetime import datetime, timezone

import pytest

import fleetauth
from fleetauth.testing import ManualClock, live_handles

START = datetime(2026, 1, 1, tzinfo=timezone.utc)


@pytest.fixture(autouse=True)
def no_handle_is_left() -> Iterator[None]:
    gc.collect()
    before = live_handles()
    yield
    gc.collect()
    assert live_handles() == before


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def runtime(clock: ManualClock) -> Iterator[fleetauth.Runtime]:
    with fleetauth.Runtime(clock=clock) as runtime:
        yield runtime
