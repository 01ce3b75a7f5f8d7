"""The same clients for asyncio: fleetauth.aio.FleetUp, fleetauth.aio.MyConnectedFleet, fleetauth.aio.Client."""

from ._client import Client
from ._providers import FleetUp, MyConnectedFleet

__all__ = ["Client", "FleetUp", "MyConnectedFleet"]
