"""The providers' emulator as a child process."""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Any

    from typing_extensions import Self

_CREDENTIALS: dict[str, dict[str, Any]] = {
    "fleet_orchestrator": {"email": "admin@fleet.example", "password": "demo-password"},
    "fleetio": {"api_key": "demo-fleetio-key", "account_token": "demo-account"},
    "fleetup": {"api_key": "test-api-key", "acct_id": 4711, "secret": "test-account-secret"},
    "motive": {"api_key": "demo-motive-key"},
    "my_connected_fleet": {"client_id": "test-client", "client_secret": "test-client-secret"},
    "oauth2": {"client_id": "demo-client", "client_secret": "demo-secret", "revoke_path": "revoke"},
    "samsara": {"client_id": "demo-client", "client_secret": "demo-secret", "refresh_token": "demo-refresh-token"},
    "tn360": {"api_key": "demo-tn360-key"},
    "trimble_maps": {"api_key": "demo-partner-key"},
    "verizon_reveal": {"username": "demo-user", "password": "demo-password", "app_id": "fleetmatics-p-us-demo"},
}
_CONFIGURATION: dict[str, dict[str, Any]] = {
    "fleet_engine": {"backend_key": "", "service_accounts": []},
    "fleetup": {"accounts": [{"acctId": 4711, "secret": "test-account-secret", "api_key": "test-api-key"}]},
    "my_connected_fleet": {"clients": [{"client_id": "test-client", "client_secret": "test-client-secret", "customers": ["1"]}]},
    "oauth2": {"first_refresh_tokens": ["demo-refresh-token"]},
    "samsara": {"first_refresh_tokens": ["demo-refresh-token"]},
}
# Providers that the emulator speaks under the name of another.
_SPOKEN_AS = {"fleet_engine_device": "fleet_engine"}
# What the emulator tells of credentials is not what it takes.
_NOT_TOLD = frozenset(
    (
        "accounts",
        "api_key_users",
        "api_keys",
        "api_tokens",
        "backend_key",
        "clients",
        "first_refresh_tokens",
        "keys",
        "service_accounts",
        "users",
    )
)
_TOKEN_FLOWS = frozenset(
    (
        "authenticate",
        "auto-login",
        "backend token",
        "client credentials",
        "legacy token",
        "login",
        "one-time password",
        "refresh",
        "token",
    )
)


class Emulator:
    """All providers on one loopback port, with TLS by a test CA, and faults on demand. Ends with this process at the latest.

    The binary is the one FLEETAUTH_EMULATOR names, or one on PATH, or one in a build folder around the working directory.
    """

    def __init__(self, directory: str | os.PathLike[str], *, binary: str | os.PathLike[str] | None = None) -> None:
        """Starts it; `directory` is for its certificates."""
        command = [os.fspath(binary or find_emulator()), "--json", "--with-parent", "--dir", os.fspath(directory)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            self._connect()
        except BaseException:
            self.close()
            raise

    def _connect(self) -> None:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the emulator did not start: it ended with status {self._process.wait()}")
        started = json.loads(line)
        self.url: str = started["url"]
        self.ca_file: str = started["ca_file"]
        self._admin_token: str = started["admin_token"]
        self._base_urls: dict[str, dict[str, str]] = started["providers"]
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=self.ca_file))
        )
        self.admin("POST", "/config", _CONFIGURATION)
        self._settings = {
            name: {key: value for key, value in provider["settings"].items() if key not in _NOT_TOLD} | _CONFIGURATION.get(name, {})
            for name, provider in self.admin("GET", "/state")["providers"].items()
        }

    def options(self, provider: str) -> dict[str, Any]:
        """What a client of the provider needs: credentials which the emulator knows, its URL and its CA."""
        urls = self._base_urls[_spoken(provider)]
        credentials = _CREDENTIALS.get(provider, {})
        if provider == "fleet_engine":  # its backend is for devices; its key is made anew at each start
            urls = {"api": urls["api"]}
            credentials = {"service_account": json.dumps(self.admin("GET", "/fleet_engine/service_account"))}
        bases = {"base_url": next(iter(urls.values()))} if len(urls) == 1 else {f"{name}_base_url": url for name, url in urls.items()}
        return {**credentials, **bases, "ca_file": self.ca_file}

    def base_url(self, provider: str, origin: str = "api") -> str:
        return self._base_urls[_spoken(provider)][origin]

    def admin(self, method: str, path: str, body: object = None) -> Any:
        """A call of the admin API (tools/emulator/README.md), such as admin("POST", "/revoke", {"provider": "fleetup"})."""
        request = urllib.request.Request(  # noqa: S310
            f"{self.url}/_emulator{path}",
            method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Authorization": f"Bearer {self._admin_token}", "Content-Type": "application/json"},
        )
        try:
            with self._opener.open(request, timeout=70) as response:
                return json.load(response)
        except urllib.error.HTTPError as refused:
            raise ValueError(f"{method} {path}: {refused.read().decode(errors='replace')}") from None

    def fault(self, do: dict[str, Any], *, times: int | str = 1, skip: int = 0, **match: str) -> None:
        """The next requests that match (provider, path, method) are answered so: fault({"status": 503}, provider="fleetup")."""
        if "provider" in match:
            match["provider"] = _spoken(match["provider"])
        self.admin("POST", "/faults", [{"match": match, "do": do, "times": times, "skip": skip}])

    def release(self, gate: str) -> None:
        """Lets go what a fault with {"hold": gate} holds."""
        self.admin("POST", "/release", {"gate": gate})

    def requests(self, provider: str = "", *, wait_for: int = 0) -> Sequence[dict[str, Any]]:
        """The log of the requests since the last reset, oldest first; waits until there are `wait_for`."""
        entries: list[dict[str, Any]] = self.admin("GET", f"/log?provider={_spoken(provider)}&wait_for={wait_for}")["entries"]
        return entries

    def token_requests(self, provider: str) -> int:
        """How often a token was asked for since the last reset."""
        return sum(entry["flow"] in _TOKEN_FLOWS for entry in self.requests(provider))

    def revoke(self, provider: str) -> None:
        """All tokens given out so far are refused from now on."""
        self.admin("POST", "/revoke", {"provider": _spoken(provider)})

    def reset(self) -> None:
        """Takes back faults, settings and the move of the clock, makes used refresh tokens good again, and empties the log."""
        self.admin("DELETE", "/faults")
        self.admin("POST", "/config", {"clock": {"manual": False, "set_s": time.time()}, **self._settings})
        self.admin("DELETE", "/log")

    def close(self) -> None:
        """Ends it."""
        process = self._process
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, raised: BaseException | None, where: TracebackType | None) -> None:
        self.close()


def _spoken(provider: str) -> str:
    return _SPOKEN_AS.get(provider, provider)


def find_emulator() -> Path:
    named = os.environ.get("FLEETAUTH_EMULATOR")
    if named:
        return Path(named)
    on_path = shutil.which("fleetauth-emulator")
    if on_path is not None:
        return Path(on_path)
    for folder in (Path.cwd(), *Path.cwd().parents):
        built = [
            file for depth in ("*", "*/*", "*/*/*") for file in (folder / "build").glob(f"{depth}/fleetauth-emulator") if file.is_file()
        ]
        if built:
            return max(built, key=lambda file: file.stat().st_mtime)
    raise FileNotFoundError("no fleetauth-emulator: build the project, or name the binary in the environment variable FLEETAUTH_EMULATOR")
