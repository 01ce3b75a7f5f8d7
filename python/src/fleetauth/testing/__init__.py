"""For tests of programs that use the library: a clock to move, and the providers' emulator as a process.

The pytest plugin `fleetauth.testing.plugin`, active when the package is installed, has the fixture `fleetauth_emulator`.
"""

from .._clock import ManualClock
from .._native import live_handles
from ._emulator import Emulator

__all__ = ["Emulator", "ManualClock", "live_handles"]
