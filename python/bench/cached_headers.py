"""Headers from memory beside a lock and a dictionary in pure Python. Prints lines for scripts/bench.sh."""

import json
import statistics
import threading
import time
from collections.abc import Callable

from fleetauth import FleetUp, HttpRequest, HttpResponse

ROUNDS = 15
CALLS = 20_000
ORIGIN = "https://api.fleetup.net"
CREDENTIALS = {"api_key": "bench-api-key", "acct_id": 12345, "secret": "bench-secret"}


class PlainCache:
    """What one writes without a library: the headers of each URL with the instant until which they are good."""

    def __init__(self, urls: list[str]) -> None:
        self._lock = threading.Lock()
        self._good_until = time.monotonic() + 3600
        self._by_url = {url: {"Authorization": "Bearer " + "t" * 900, "x-api-key": "bench-api-key"} for url in urls}

    def headers(self, url: str) -> dict[str, str]:
        with self._lock:
            if time.monotonic() >= self._good_until:
                raise TimeoutError
            return self._by_url[url]


def answer(_: HttpRequest) -> HttpResponse:
    return HttpResponse(200, [("Content-Type", "application/json")], json.dumps({"token": "t" * 900}).encode())


def cost(get: Callable[[str], object], urls: list[str]) -> float:
    """Nanoseconds of CPU time a call."""
    calls = [urls[i % len(urls)] for i in range(CALLS)]
    begin = time.thread_time_ns()
    for url in calls:
        get(url)
    return (time.thread_time_ns() - begin) / CALLS


def compare(figure: str, client: FleetUp, urls: list[str]) -> None:
    plain = PlainCache(urls)
    cost(client.headers, urls)  # fills the cache
    ours, reference = [], []
    for number in range(ROUNDS):
        if number % 2 == 0:
            ours.append(cost(client.headers, urls))
        reference.append(cost(plain.headers, urls))
        if number % 2 == 1:
            ours.append(cost(client.headers, urls))
    ratios = sorted(a / b for a, b in zip(ours, reference, strict=True))
    quartiles = statistics.quantiles(ratios, n=4)
    medians = f"{statistics.median(ours):.0f} ns\t{statistics.median(reference):.0f} ns"
    print(f"{figure}\t-\t{medians}\t{quartiles[1]:.2f} x\t{quartiles[0]:.2f}..{quartiles[2]:.2f}", flush=True)


with FleetUp(**CREDENTIALS, transport=answer) as bench_client:
    compare("Python: headers, one URL / lock and dict", bench_client, [ORIGIN + "/devices"])
    compare("Python: headers, 1,000 URLs / lock and dict", bench_client, [f"{ORIGIN}/devices/{i}" for i in range(1000)])
