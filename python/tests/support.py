"""A FleetUp that answers from memory."""

import json
import threading
from collections.abc import Callable

from fleetauth import HttpRequest, HttpResponse

URL = "https://api.fleetup.net/devices"
CREDENTIALS = {"api_key": "key-canary", "acct_id": 12345, "secret": "secret-canary"}
CANARIES = ("key-canary", "secret-canary", "token-canary")


class Script:
    """A transport whose n-th answer holds token-canary-n, unless it was told otherwise."""

    def __init__(self) -> None:
        self.requests: list[HttpRequest] = []
        self.next: list[Callable[[HttpRequest], HttpResponse]] = []
        self._lock = threading.Lock()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with self._lock:
            self.requests.append(request)
            behave = self.next.pop(0) if self.next else None
        return behave(request) if behave is not None else answer({"token": f"token-canary-{len(self.requests)}"})

    def then_raise(self, raised: BaseException) -> None:
        def behave(request: HttpRequest) -> HttpResponse:
            raise raised

        self.next.append(behave)

    def then_answer(self, response: HttpResponse) -> None:
        self.next.append(lambda _: response)


def answer(body: object, status: int = 200) -> HttpResponse:
    return HttpResponse(status, [("Content-Type", "application/json")], json.dumps(body).encode())


def assert_no_canary(*shown: object) -> None:
    for thing in shown:
        for text in (repr(thing), str(thing), f"{thing}"):
            for canary in CANARIES:
                assert canary not in text
