"""The same clients for asyncio: fleetauth.aio.FleetUp, fleetauth.aio.MyConnectedFleet, ..., fleetauth.aio.Client; and Events."""

from ._client import Client
from ._observe import Events
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
    "Events",
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
