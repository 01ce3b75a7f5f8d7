"""The headers that authorise a request to a fleet telematics provider.

    import fleetauth, requests

    with fleetauth.FleetUp(api_key=..., acct_id=12345, secret=...) as client:
        requests.get("https://api.fleetup.net/devices", auth=client)

Clients get tokens when they are needed, share them between all threads, renew them in the background and repeat a request whose
token was refused. fleetauth.aio has the same clients for asyncio.
"""

from ._base import BaseClient
from ._client import Client
from ._clock import ManualClock
from ._identity import Account, Identity
from ._login import Challenge
from ._native import dependencies, has_feature, version
from ._observe import Observer, counters, log_events, observe
from ._provider import Provider
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
from ._runtime import Runtime
from ._token import Headers, Token
from .errors import (
    AccessDenied,
    Cancelled,
    Closed,
    ConfigurationError,
    FleetAuthError,
    InvalidCredentials,
    LoginRequired,
    NetworkError,
    OtpRequired,
    ProviderUnavailable,
    RateLimited,
    TimeoutError,
)
from .transport import HttpRequest, HttpResponse, TransportError

__version__ = version()

__all__ = [
    "TN360",
    "AccessDenied",
    "Account",
    "BaseClient",
    "Cancelled",
    "Challenge",
    "Client",
    "Closed",
    "ConfigurationError",
    "Counters",
    "Event",
    "FleetAuthError",
    "FleetEngine",
    "FleetEngineDevice",
    "FleetOrchestrator",
    "FleetUp",
    "Fleetio",
    "Headers",
    "HttpRequest",
    "HttpResponse",
    "Identity",
    "InvalidCredentials",
    "LoginRequired",
    "ManualClock",
    "Motive",
    "MyConnectedFleet",
    "NetworkError",
    "OAuth2",
    "Observer",
    "OtpRequired",
    "Provider",
    "ProviderUnavailable",
    "RateLimited",
    "Runtime",
    "Samsara",
    "TimeoutError",
    "Token",
    "TransportError",
    "TrimbleMaps",
    "VerizonReveal",
    "__version__",
    "aio",
    "counters",
    "dependencies",
    "has_feature",
    "log_events",
    "observe",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import aio
    from .events import Counters, Event


def __getattr__(name: str) -> object:
    """fleetauth.aio, fleetauth.testing and the adapters are imported when they are used: they need asyncio or other libraries.

    So are the types of events, which need typing.
    """
    if name in ("aio", "aiohttp", "events", "httpx", "requests", "testing"):
        import importlib

        return importlib.import_module(f"{__name__}.{name}")
    if name in ("Counters", "Event"):
        from . import events

        return getattr(events, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
