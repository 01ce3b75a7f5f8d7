"""The side of a fleet's backend that hands Fleet Engine tokens to devices: a WSGI app to mount beside its own pages.

    from token_server import TokenServer

    client = fleetauth.FleetEngine(service_account_file="/run/secrets/fleet-engine.json")
    application = TokenServer(client, authorise=is_on_duty)  # yours: is_on_duty(environ, "driver", "vehicle-1") -> bool

    GET /token/driver/<vehicle>   /token/consumer/<trip>   /token/delivery_driver/<vehicle>   /token/delivery_consumer/<tracking id>

It runs on any number of threads, which share the tokens: one for each id, made again when it is about to expire. To try it on the
emulator: python token_server.py [PORT]
"""

from __future__ import annotations

import base64
import contextlib
import json
import sys
import tempfile
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import fleetauth

Environ = dict[str, Any]
Authorise = Callable[[Environ, str, str], bool]

# What the path names -> the claim set, the claim that the id is for, and the answer's members for token, creation and expiry.
LAST_MILE = ("token", "creation_timestamp_ms", "expiration_timestamp_ms")
ON_DEMAND = ("jwt", "creationTimestamp", "expirationTimestamp")
KINDS = {
    "driver": ("driver", "vehicleid", ON_DEMAND),
    "consumer": ("consumer", "tripid", ON_DEMAND),
    "delivery_driver": ("untrusted_delivery_driver", "deliveryvehicleid", LAST_MILE),
    "delivery_consumer": ("delivery_consumer", "trackingid", LAST_MILE),
}


def nobody(environ: Environ, kind: str, id: str) -> bool:
    """Whether who sends this request may have a token for the id. Supply your own: this one lets nobody."""
    return False


class TokenServer:
    """The app. It never hands out a token for every id, and none for which `authorise` did not return True."""

    def __init__(self, client: fleetauth.FleetEngine, authorise: Authorise = nobody) -> None:
        self._client = client
        self._authorise = authorise

    def __call__(self, environ: Environ, start_response: Callable[..., object]) -> Iterable[bytes]:
        status, answer = self._answer(environ)
        body = json.dumps(answer).encode()
        headers = [("Content-Type", "application/json"), ("Cache-Control", "no-store"), ("Content-Length", str(len(body)))]
        start_response(f"{status} {status.phrase}", headers)
        return [body]

    def _answer(self, environ: Environ) -> tuple[HTTPStatus, dict[str, object]]:
        try:
            path = environ.get("PATH_INFO", "").encode("latin-1").decode()  # WSGI shows the bytes of UTF-8 as characters
        except UnicodeError:
            return refuse(HTTPStatus.BAD_REQUEST, "the path is not UTF-8")
        _, folder, kind, id = (*path.split("/", 3), "", "", "", "")[:4]
        if environ["REQUEST_METHOD"] != "GET" or folder != "token" or kind not in KINDS:
            return refuse(HTTPStatus.NOT_FOUND, f"there are GET {', '.join(f'/token/{kind}/<id>' for kind in KINDS)}")
        claim_set, claim, members = KINDS[kind]
        if id in ("", "*"):
            return refuse(HTTPStatus.BAD_REQUEST, f"{claim} must be one id")
        if self._authorise(environ, kind, id) is not True:  # the coroutine of an async function is no yes
            return refuse(HTTPStatus.FORBIDDEN, "not allowed")
        try:
            token = self._client.token(claim_set=claim_set, claims={claim: id}).reveal()
        except fleetauth.ConfigurationError as error:  # the id breaks the rules; the message says which, and not the id
            return refuse(HTTPStatus.BAD_REQUEST, str(error))
        # Anything else that is raised is for the server, which answers 500.
        issued, expires = times_of(token)
        return HTTPStatus.OK, dict(zip(members, (token, issued * 1000, expires * 1000), strict=True))


def refuse(status: HTTPStatus, why: str) -> tuple[HTTPStatus, dict[str, object]]:
    return status, {"error": why}


def times_of(token: str) -> tuple[int, int]:
    """When a JWT was issued and when it expires, in Unix seconds."""
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims["iat"], claims["exp"]


def main(port: int) -> None:
    """Serves the emulator's Fleet Engine to whoever says `Bearer demo`."""
    from fleetauth.testing import Emulator

    def knows_the_word(environ: Environ, kind: str, id: str) -> bool:
        return bool(environ.get("HTTP_AUTHORIZATION") == "Bearer demo")

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_: object) -> None:
            """The ids in paths are nobody's business."""

    with (
        tempfile.TemporaryDirectory() as folder,
        Emulator(folder) as emulator,
        fleetauth.FleetEngine(**emulator.options("fleet_engine")) as client,
        make_server("127.0.0.1", port, TokenServer(client, knows_the_word), handler_class=Quiet) as server,
    ):
        vehicle = f"{emulator.base_url('fleet_engine')}/v1/providers/demo-project/vehicles/vehicle-1"
        print(f"tokens: curl -H 'Authorization: Bearer demo' http://127.0.0.1:{server.server_port}/token/driver/vehicle-1")
        print(f"Fleet Engine: curl --cacert {emulator.ca_file} -H 'Authorization: Bearer <jwt>' {vehicle}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 8080)
