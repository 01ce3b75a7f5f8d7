"""The pytest plugin."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ._emulator import Emulator


@pytest.fixture(scope="session")
def _fleetauth_emulator_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("fleetauth-emulator")) as emulator:
        yield emulator


@pytest.fixture
def fleetauth_emulator(_fleetauth_emulator_process: Emulator) -> Iterator[Emulator]:
    """All providers on loopback. One process for the session, put back in order after each test."""
    yield _fleetauth_emulator_process
    _fleetauth_emulator_process.reset()
