"""The same clients for asyncio: fleetauth.aio.FleetUp, fleetauth.aio.MyConnectedFleet, ..., fleetauth.aio.Client."""

from ._client import Client
from ._providers import (
    TN360,
    FleetEngine,
    FleetEngineDevice,
    Fleetio,
    FleetOrchestrator,
    FleetUp,
    Motive,
    MyConnectedFleet,
    OAuth2,
    Samsara,
    TrimbleMaps,
    VerizonReveal,
)

__all__ = [
    "TN360",
    "Client",
    "FleetEngine",
    "FleetEngineDevice",
    "FleetOrchestrator",
    "FleetUp",
    "Fleetio",
    "Motive",
    "MyConnectedFleet",
    "OAuth2",
    "Samsara",
    "TrimbleMaps",
    "VerizonReveal",
]
