"""What `make demo` shows, and checks against the emulator's own log: fails when something is not as it says.

demo.py BUILD_FOLDER
"""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

import fleetauth
import requests

FLEETUP = {"FLEETUP_API_KEY": "demo-api-key", "FLEETUP_ACCT_ID": "12345", "FLEETUP_SECRET": "your-app-secret"}
MY_CONNECTED_FLEET = {"MY_CONNECTED_FLEET_CLIENT_ID": "demo-client", "MY_CONNECTED_FLEET_CLIENT_SECRET": "demo-secret"}
CORE = "/connect-webservices/services/public/v1/customer/1001"
CALLERS = 10_000
AUTHORISING = {"account-token", "authorization", "token", "x-api-key", "x-connect-token"}

# What the emulator knows for each provider.
CREDENTIALS = {
    **FLEETUP,
    **MY_CONNECTED_FLEET,
    "FLEET_ORCHESTRATOR_PASSWORD": "demo-password",
    "TRIMBLE_MAPS_API_KEY": "demo-partner-key",
    "SAMSARA_CLIENT_ID": "demo-client",
    "SAMSARA_CLIENT_SECRET": "demo-secret",
    "SAMSARA_REFRESH_TOKEN": "demo-refresh-token",
    "OAUTH2_CLIENT_ID": "demo-client",
    "OAUTH2_CLIENT_SECRET": "demo-secret",
    "VERIZON_REVEAL_USERNAME": "demo-user",
    "VERIZON_REVEAL_PASSWORD": "demo-password",
    "VERIZON_REVEAL_APP_ID": "fleetmatics-p-us-demo",
    "FLEETIO_API_KEY": "demo-fleetio-key",
    "FLEETIO_ACCOUNT_TOKEN": "demo-account",
    "MOTIVE_API_KEY": "demo-motive-key",
    "TN360_API_KEY": "demo-tn360-key",
    "FLEET_ENGINE_DEVICE_AUTHORIZATION": "Bearer demo-backend-key",
}


class Emulator:
    """The emulator as `fleetauth emulate` starts it; ends with this program."""

    def __init__(self, command: Path, folder: str) -> None:
        self.process = subprocess.Popen(
            [command, "emulate", "--json", "--with-parent", "--dir", folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self.process.stdout is not None
        started = json.loads(self.process.stdout.readline())
        self.url, self.ca_file, self.token = started["url"], started["ca_file"], started["admin_token"]
        self.bases: dict[str, dict[str, str]] = started["providers"]
        self.opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=self.ca_file))
        )

    def admin(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        with self.opener.open(urllib.request.Request(f"{self.url}/_emulator{path}", data, headers, method=method)) as answer:
            return json.loads(answer.read() or b"null")

    def take_log(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self.admin("GET", "/log")["entries"]
        self.admin("DELETE", "/log")
        return entries

    def stop(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def title(text: str) -> None:
    print(f"\n{text}\n")


def table(rows: list[list[str]]) -> None:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def promise(kept: bool, what: str) -> None:
    if not kept:
        sys.exit(f"demo: not as promised: {what}")


def what_was_sent(login: dict[str, Any] | None) -> str:
    if login is None:
        return "nothing"
    fields = login.get("body") or login.get("query")
    if not fields:
        return f"{login['method']} {', '.join(name for name in login['headers'] if name.lower() in AUTHORISING)}: ***"
    shown = ", ".join(f"{name}={value}" for name, value in fields.items()) if isinstance(fields, dict) else str(fields)
    return f"{login['method']} {shown.replace('<redacted string>', '***').replace('<redacted>', '***')}"


def lifetime(login: dict[str, Any] | None) -> str:
    if login is None:
        return "-"
    minutes = round((login["token_expires_s"] - login["time_ms"] / 1000) / 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{round(minutes / 60)} h" if minutes < 48 * 60 else f"{round(minutes / 60 / 24)} d"


def calls(emulator: Emulator) -> list[tuple[str, str, int, set[str], str, list[str]]]:
    """Provider, flow, how many requests log in, the headers that authorise, the URL, and what else the command is told."""
    usual = {"authorization"}
    bases = emulator.bases
    location = ["--scheme", "legacy", "--data", '{"acctId": 12345}']
    orchestrator = ["--email", "admin@fleet.example"]
    with_code = ["--email", "otp@fleet.example", "--otp-from", "echo 123456"]
    core = bases["my_connected_fleet"]["api"] + CORE
    jobs = bases["my_connected_fleet"]["api"] + "/job-management/v1/customer/1001/jobs"
    engine = bases["fleet_engine"]["api"] + "/v1/providers/demo-project"
    driver = ["--claim-set", "driver", "--claim", "vehicleid=v1"]
    reservations = bases["fleet_orchestrator"]["api"] + "/reservations?limit=10&page=1"
    return [
        ("fleet_orchestrator", "password", 1, usual, reservations, orchestrator),
        ("fleet_orchestrator", "password and one-time code", 2, usual, reservations, with_code),
        ("fleetup", "secret for a JWT", 1, {"authorization", "x-api-key"}, bases["fleetup"]["api"] + "/devices", []),
        ("fleetup", "legacy token", 1, {"token", "x-api-key"}, bases["fleetup"]["api"] + "/gpsdata/device-last-location", location),
        ("trimble_maps", "an account of a reseller", 1, usual, bases["trimble_maps"]["api"] + "/vehicles", ["--account", "FLTACC2"]),
        ("my_connected_fleet", "Basic", 0, usual, f"{core}/tracking/live", []),
        ("my_connected_fleet", "OAuth2, bearer", 1, usual, f"{core}/tire/events", []),
        ("my_connected_fleet", "OAuth2, jobs", 1, {"x-connect-token"}, jobs, []),
        ("oauth2", "client credentials", 1, usual, bases["oauth2"]["api"] + "/resource", []),
        ("samsara", "refresh token, rotated", 1, usual, bases["samsara"]["api"] + "/fleet/vehicles", []),
        ("verizon_reveal", "Basic for a text token", 1, usual, bases["verizon_reveal"]["api"] + "/cmd/v1/vehicles", []),
        ("fleet_engine", "JWT made here: a server", 0, usual, f"{engine}/trips/t1", ["--claim-set", "server"]),
        ("fleet_engine", "JWT made here: a driver", 0, usual, f"{engine}/vehicles/v1", driver),
        ("fleet_engine_device", "JWT of the fleet's backend", 1, usual, f"{engine}/vehicles/v1", driver),
        ("fleetio", "static key", 0, {"authorization", "account-token"}, bases["fleetio"]["api"] + "/api/v1/users/me", []),
        ("motive", "static key", 0, {"x-api-key"}, bases["motive"]["api"] + "/v1/companies", []),
        ("tn360", "static key", 0, usual, bases["tn360"]["api"] + "/v1/vehicles", []),
    ]


def places(emulator: Emulator, provider: str) -> list[str]:
    """The options that lead a client to the emulator."""
    engine = emulator.bases["fleet_engine"]
    special = {"fleet_engine": {"api": engine["api"]}, "fleet_engine_device": engine}
    bases = special.get(provider) or emulator.bases[provider]
    return [word for name, base in bases.items() for word in ("--base-url" if len(bases) == 1 else f"--{name}-base-url", base)]


def flows(command: Path, emulator: Emulator) -> None:
    emulator.admin("POST", "/config", {"fleet_engine": {"backend_key": "demo-backend-key"}})
    key = json.dumps(emulator.admin("GET", "/fleet_engine/service_account"))
    credentials = os.environ | CREDENTIALS | {"FLEET_ENGINE_SERVICE_ACCOUNT": key}
    title("1. Every way to authorise a request, as the emulated providers logged it; they keep no secret, hence the ***.")
    rows = [["PROVIDER", "FLOW", "SENT TO LOG IN", "TOKEN", "LIFETIME", "HEADERS USED"]]
    for provider, flow, expected, headers, url, more in calls(emulator):
        run = [command, "request", "--json", "--provider", provider, "--ca-file", emulator.ca_file, *places(emulator, provider), *more, url]
        done = subprocess.run(run, stdout=subprocess.PIPE, env=credentials)
        promise(done.returncode == 0, f"{provider}, {flow}: exit status {done.returncode}")
        *logins, call = emulator.take_log()
        promise(len(logins) == expected, f"{provider}, {flow}: {len(logins)} requests to log in")
        login = logins[-1] if logins else None
        promise(login is None or login["token"] == call["credential"], f"{provider}, {flow}: the token handed out is the one used")
        used = [name for name in call["headers"] if name.lower() in AUTHORISING]
        promise({name.lower() for name in used} == headers, f"{provider}, {flow}: the headers {used}")
        rows.append([provider, flow, what_was_sent(login), login["token"] if login else "-", lifetime(login), ", ".join(used)])
    table(rows)


def client_options(emulator: Emulator) -> dict[str, Any]:
    return {
        "api_key": FLEETUP["FLEETUP_API_KEY"],
        "acct_id": int(FLEETUP["FLEETUP_ACCT_ID"]),
        "secret": FLEETUP["FLEETUP_SECRET"],
        "base_url": emulator.bases["fleetup"]["api"],
        "ca_file": emulator.ca_file,
    }


def herd(emulator: Emulator) -> None:
    title(f"2. {CALLERS:,} callers want a token at the same moment: the first asks the provider, all others share its answer.")

    async def all_at_once() -> list[fleetauth.Token]:
        async with fleetauth.aio.FleetUp(**client_options(emulator)) as client:
            return list(await asyncio.gather(*(client.token() for _ in range(CALLERS))))

    tokens = asyncio.run(all_at_once())
    logins = emulator.take_log()
    promise(len(logins) == 1, f"{len(logins)} login requests")
    print(f"  {len(tokens):,} callers served, {len(logins)} request at the provider")


def healing(emulator: Emulator) -> None:
    title("3. The provider revokes a token in the middle of its life: it is renewed once and the request repeated.")
    url = f"{emulator.bases['fleetup']['api']}/devices"
    with fleetauth.FleetUp(**client_options(emulator)) as client, requests.Session() as session:
        session.verify, session.trust_env = emulator.ca_file, False
        first = session.get(url, auth=client, timeout=10).status_code
        emulator.admin("POST", "/revoke", {"provider": "fleetup"})
        emulator.take_log()
        second = session.get(url, auth=client, timeout=10).status_code
    steps = [f"{entry['method']} {entry['path'].removeprefix('/fleetup')} {entry['status']}" for entry in emulator.take_log()]
    promise((first, second) == (200, 200), f"the caller saw {first} and {second}")
    promise(steps == ["GET /devices 401", "POST /token 200", "GET /devices 200"], f"the provider saw {steps}")
    print(f"  the caller saw 200 both times; the provider saw {', '.join(steps)}")


def languages(build: Path, emulator: Emulator) -> None:
    title("4. The same call in four languages, each an example of a dozen lines; tok: is a fingerprint, tokens are never shown.")
    base, root = emulator.bases["fleetup"]["api"], build.parent.parent
    environment = os.environ | FLEETUP | {"FLEETUP_BASE_URL": base, "FLEETUP_CA_FILE": emulator.ca_file}
    c_options = ["api_key=@FLEETUP_API_KEY", "acct_id=12345", "secret=@FLEETUP_SECRET", f"base_url={base}", f"ca_file={emulator.ca_file}"]
    jar = min((root / "java/target").glob("fleetauth-*.jar"), key=lambda path: len(path.name))
    programs: dict[str, list[str | Path]] = {
        "C": [build / "tests/capi/example_token", "fleetup", f"{base}/devices", *c_options],
        "Python": [sys.executable, root / "python/examples/fleetup_token.py"],
        "Node": ["node", root / "node/examples/token.mjs"],
        "Java": ["java", "-cp", jar, root / "java/examples/Token.java"],
    }
    rows = [["LANGUAGE", "WHAT IT PRINTS"]]
    for language, program in programs.items():
        output = subprocess.run(program, check=True, text=True, stdout=subprocess.PIPE, env=environment).stdout.splitlines()
        logins = len(emulator.take_log())
        promise(logins == 1, f"{language}: {logins} requests")
        rows.append([language, output[0]])
    table(rows)


def main() -> None:
    build = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        command = build / "tools/fleetauth/fleetauth"
        emulator = Emulator(command, folder)
        try:
            flows(command, emulator)
            herd(emulator)
            healing(emulator)
            languages(build, emulator)
        finally:
            emulator.stop()
    print("\nAll as promised. The same for your provider: fleetauth --help, README.md")


if __name__ == "__main__":
    main()
