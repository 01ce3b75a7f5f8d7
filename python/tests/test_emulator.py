"""Against the emulator, over the library's own network: clients, and what adapters add to the HTTP libraries."""

import asyncio
import io
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest
import requests

import fleetauth
import fleetauth.aiohttp
import fleetauth.httpx
import fleetauth.requests
from fleetauth import FleetUp, MyConnectedFleet, Runtime, aio
from fleetauth.testing import Emulator

CLAIM_SETS = {"fleet_engine": "server"}  # where tokens are for claims


@pytest.fixture
def fleetup(fleetauth_emulator: Emulator, live: Runtime) -> Iterator[FleetUp]:
    with FleetUp(**fleetauth_emulator.options("fleetup"), runtime=live) as client:
        yield client


@pytest.fixture
def devices(fleetauth_emulator: Emulator) -> str:
    return fleetauth_emulator.base_url("fleetup") + "/devices"


def test_a_token_of_the_provider(fleetup: FleetUp) -> None:
    token = fleetup.token()
    assert token.reveal().count(".") == 2
    assert token.expires_at is not None
    assert timedelta(minutes=59) < token.expires_at - datetime.now(timezone.utc) <= timedelta(hours=1, seconds=2)


@pytest.mark.parametrize("provider", fleetauth.Provider.builtins())
def test_the_emulator_knows_the_credentials_it_gives(fleetauth_emulator: Emulator, live: Runtime, provider: str) -> None:
    if provider not in fleetauth_emulator.admin("GET", "/state")["providers"]:
        pytest.skip("the emulator does not speak it, or under another name")
    with fleetauth.Client(provider, **fleetauth_emulator.options(provider), runtime=live) as client:
        assert client.token(claim_set=CLAIM_SETS.get(provider)).reveal()


def test_many_threads_cause_one_login(fleetup: FleetUp, devices: str, fleetauth_emulator: Emulator) -> None:
    together = threading.Barrier(24)

    def ask() -> None:
        together.wait()
        fleetup.headers(devices)

    threads = [threading.Thread(target=ask) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert fleetauth_emulator.token_requests("fleetup") == 1


@pytest.mark.parametrize("mode", ["threaded", "manual"])
def test_both_modes_of_the_runtime(fleetauth_emulator: Emulator, devices: str, mode: str) -> None:
    with Runtime(mode=mode) as runtime, FleetUp(**fleetauth_emulator.options("fleetup"), runtime=runtime) as client:  # type: ignore[arg-type]
        headers = client.headers(devices)
        assert (client.headers(devices) is headers) == (mode == "threaded")
        assert fleetauth_emulator.token_requests("fleetup") == 1


async def test_a_manual_runtime_is_driven_by_the_loop(fleetauth_emulator: Emulator) -> None:
    with Runtime(mode="manual") as runtime:
        async with aio.FleetUp(**fleetauth_emulator.options("fleetup"), runtime=runtime) as client:
            assert (await client.token()).reveal()


def test_refused_credentials(fleetauth_emulator: Emulator, live: Runtime) -> None:
    options = {**fleetauth_emulator.options("fleetup"), "secret": "wrong-canary"}
    with FleetUp(**options, runtime=live) as client, pytest.raises(fleetauth.InvalidCredentials) as caught:
        client.token()
    assert caught.value.http_status == 401
    assert "canary" not in str(caught.value)


def test_an_unknown_certificate_authority_is_refused(fleetauth_emulator: Emulator, live: Runtime) -> None:
    options = fleetauth_emulator.options("fleetup")
    del options["ca_file"]
    with FleetUp(**options, runtime=live) as client, pytest.raises(fleetauth.NetworkError) as caught:
        client.token()
    assert caught.value.status_name == "E_TLS"


def test_requests_repeats_a_refused_request_once(trusting: Emulator, fleetup: FleetUp, devices: str) -> None:
    with requests.Session() as session:
        assert session.get(devices, auth=fleetup).status_code == 200
        trusting.revoke("fleetup")
        response = session.get(devices, auth=fleetup)
        assert response.status_code == 200
        assert [earlier.status_code for earlier in response.history] == [401]
        assert trusting.token_requests("fleetup") == 2


def test_requests_gives_up_after_the_second_refusal(trusting: Emulator, fleetup: FleetUp, devices: str) -> None:
    trusting.fault({"status": 401, "body": {"message": "no"}}, times="always", provider="fleetup", path="/fleetup/devices")
    with requests.Session() as session:
        assert session.get(devices, auth=fleetup).status_code == 401
        assert session.get(devices, auth=fleetup).status_code == 401
    assert trusting.token_requests("fleetup") == 2
    assert sum(entry["flow"] == "resource" for entry in trusting.requests("fleetup")) == 3


@pytest.mark.parametrize("kind", ["bytes", "file", "generator"])
def test_requests_repeats_only_bodies_that_can_be_sent_again(trusting: Emulator, live: Runtime, kind: str) -> None:
    content = b'{"acctId": 4711}'
    body = {"bytes": content, "file": io.BytesIO(content), "generator": (part for part in [content])}[kind]
    url = trusting.base_url("fleetup") + "/gpsdata/device-last-location"
    with FleetUp(**trusting.options("fleetup"), scheme="legacy", runtime=live) as client, requests.Session() as session:
        client.headers(url, "POST")
        trusting.revoke("fleetup")
        response = session.post(url, data=body, auth=client, headers={"Content-Type": "application/json"})  # type: ignore[arg-type]
    assert response.status_code == (401 if kind == "generator" else 200)


def test_requests_keeps_credentials_from_where_a_redirect_leads(trusting: Emulator, fleetup: FleetUp, devices: str) -> None:
    elsewhere = devices.replace("127.0.0.1", "localhost")
    trusting.fault({"status": 302, "headers": {"Location": elsewhere}}, path="/fleetup/devices")
    with requests.Session() as session:
        assert session.get(devices, auth=fleetup).status_code == 401  # the emulator, under a name that is not the provider's
    followed = trusting.requests("fleetup")[-1]
    assert not {"authorization", "x-api-key"} & set(followed["headers"])


def test_requests_keeps_credentials_also_when_the_repeated_request_is_redirected(
    trusting: Emulator, fleetup: FleetUp, devices: str
) -> None:
    elsewhere = devices.replace("127.0.0.1", "localhost")
    trusting.fault({"status": 401}, path="/fleetup/devices")
    trusting.fault({"status": 302, "headers": {"Location": elsewhere}}, path="/fleetup/devices")
    with requests.Session() as session:
        assert session.get(devices, auth=fleetup).status_code == 401
    first, repeated, followed = trusting.requests("fleetup")[-3:]
    assert "x-api-key" in first["headers"] and "x-api-key" in repeated["headers"]
    assert not {"authorization", "x-api-key"} & set(followed["headers"])


def test_requests_repeats_a_request_that_a_redirect_took_the_body_from(
    trusting: Emulator, fleetup: FleetUp, devices: str, tmp_path: Path
) -> None:
    trusting.fault({"status": 303, "headers": {"Location": devices}}, path="/fleetup/devices")
    trusting.fault({"status": 401}, path="/fleetup/devices")
    (tmp_path / "body").write_bytes(b"{}")
    with requests.Session() as session, (tmp_path / "body").open("rb") as body:
        assert session.post(devices, data=body, auth=fleetup).status_code == 200


def test_httpx_does_not_repeat_what_was_redirected(trusting: Emulator, fleetup: FleetUp, devices: str) -> None:
    trusting.fault({"status": 303, "headers": {"Location": devices}}, path="/fleetup/devices")
    trusting.fault({"status": 401}, path="/fleetup/devices")
    with httpx.Client(verify=httpx.create_ssl_context(), auth=fleetauth.httpx.Auth(fleetup), follow_redirects=True) as http:
        assert http.post(devices, json={}).status_code == 401
    assert [request["method"] for request in trusting.requests("fleetup") if request["path"].endswith("/devices")] == ["POST", "GET"]


async def test_aiohttp_leaves_redirects_that_lead_nowhere_alone(trusting: Emulator, live: Runtime, devices: str) -> None:
    async with aio.FleetUp(**trusting.options("fleetup"), runtime=live) as client:
        connector = aiohttp.TCPConnector(ssl=httpx.create_ssl_context())
        async with aiohttp.ClientSession(middlewares=[fleetauth.aiohttp.middleware(client)], connector=connector) as session:
            for location in ("urn:foo", "http://[::1", "https://h:99999/"):
                trusting.fault({"status": 302, "headers": {"Location": location}}, path="/fleetup/devices")
                async with session.get(devices, allow_redirects=False) as response:
                    assert response.status == 302


def test_requests_refuses_a_url_of_another_host(fleetup: FleetUp) -> None:
    with pytest.raises(fleetauth.ConfigurationError):
        requests.get("https://127.0.0.1:1/other", auth=fleetup, timeout=1)


def test_httpx_repeats_a_refused_request_once(trusting: Emulator, fleetup: FleetUp, devices: str) -> None:
    with httpx.Client(auth=fleetauth.httpx.Auth(fleetup)) as http:
        assert http.get(devices).status_code == 200
        trusting.revoke("fleetup")
        assert http.get(devices).status_code == 200
        assert trusting.token_requests("fleetup") == 2
    assert httpx.get(devices, auth=fleetup).status_code == 200  # type: ignore[arg-type]


async def test_httpx_asynchronous(trusting: Emulator, live: Runtime, devices: str) -> None:
    async with aio.FleetUp(**trusting.options("fleetup"), runtime=live) as client:
        async with httpx.AsyncClient(auth=fleetauth.httpx.Auth(client)) as http:
            assert (await http.get(devices)).status_code == 200
            trusting.revoke("fleetup")
            assert (await http.get(devices)).status_code == 200
        with httpx.Client(auth=fleetauth.httpx.Auth(client)) as http, pytest.raises(fleetauth.ConfigurationError):
            http.get(devices)
    assert trusting.token_requests("fleetup") == 2


async def test_aiohttp_repeats_a_refused_request_once(trusting: Emulator, live: Runtime, devices: str) -> None:
    async with aio.FleetUp(**trusting.options("fleetup"), runtime=live) as client:
        connector = aiohttp.TCPConnector(ssl=httpx.create_ssl_context())
        async with aiohttp.ClientSession(middlewares=[fleetauth.aiohttp.middleware(client)], connector=connector) as session:
            for _ in range(2):
                async with session.get(devices) as response:
                    assert response.status == 200
                trusting.revoke("fleetup")
    assert trusting.token_requests("fleetup") == 2


async def test_aiohttp_keeps_credentials_from_where_a_redirect_leads(trusting: Emulator, live: Runtime, devices: str) -> None:
    elsewhere = devices.replace("127.0.0.1", "localhost")
    trusting.fault({"status": 302, "headers": {"Location": elsewhere}}, path="/fleetup/devices")
    async with aio.FleetUp(**trusting.options("fleetup"), runtime=live) as client:
        connector = aiohttp.TCPConnector(ssl=httpx.create_ssl_context())
        async with aiohttp.ClientSession(middlewares=[fleetauth.aiohttp.middleware(client)], connector=connector) as session:
            async with session.get(devices) as response:
                assert response.status == 401  # the emulator, under a name that is not the provider's
            with pytest.raises(fleetauth.ConfigurationError):
                await session.get(elsewhere)
    followed = trusting.requests("fleetup")[-1]
    assert not {"authorization", "x-api-key"} & set(followed["headers"])


def test_my_connected_fleet_has_a_scheme_for_each_api(trusting: Emulator, live: Runtime) -> None:
    base = trusting.base_url("my_connected_fleet")
    core = f"{base}/connect-webservices/services/public/v1/customer/1"
    with MyConnectedFleet(**trusting.options("my_connected_fleet"), runtime=live) as client, requests.Session() as session:
        session.auth = client
        for url in (f"{core}/tracking/live", f"{core}/tire/events", f"{base}/job-management/v1/customer/1/jobs"):
            assert session.get(url).status_code == 200, url
    assert sum("accessToken" in entry["path"] for entry in trusting.requests("my_connected_fleet")) == 1


TRANSPORTS = {
    "requests": lambda ca_file: fleetauth.requests.Transport(verify=ca_file),
    "httpx": lambda ca_file: fleetauth.httpx.Transport(ca_file=ca_file),
    "httpx on a loop": lambda ca_file: fleetauth.httpx.AsyncTransport(ca_file=ca_file),
}


@pytest.mark.parametrize("make", TRANSPORTS.values(), ids=TRANSPORTS)
async def test_L06_T14_our_transports_obey_nothing_of_the_environment(
    fleetauth_emulator: Emulator, live: Runtime, make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = tmp_path / "keys"
    monkeypatch.setenv("SSLKEYLOGFILE", str(keys))
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, fleetauth_emulator.ca_file)
    for ca_file in (None, fleetauth_emulator.ca_file):
        transport = make(ca_file)
        send = transport if isinstance(transport, fleetauth.httpx.AsyncTransport) else partial(asyncio.to_thread, transport)
        async with aio.FleetUp(**fleetauth_emulator.options("fleetup"), transport=send, runtime=live) as client:
            if ca_file is not None:
                assert await client.token()
                continue
            with pytest.raises(fleetauth.NetworkError) as caught:
                await client.token()
            assert caught.value.status_name == "E_TLS"
            assert "unable to get local issuer certificate" in str(caught.value.__cause__)
    assert not keys.exists()


def test_a_user_s_own_transport_against_the_emulator(trusting: Emulator, live: Runtime, devices: str) -> None:
    transport = fleetauth.requests.Transport(verify=trusting.ca_file)
    with FleetUp(**trusting.options("fleetup"), transport=transport, runtime=live) as client:
        assert requests.get(devices, auth=client, timeout=5).status_code == 200


def test_the_example_runs(trusting: Emulator) -> None:
    options = trusting.options("fleetup")
    environment = {f"FLEETUP_{name.upper()}": str(value) for name, value in options.items()}
    example = Path(__file__).parents[1] / "examples" / "devices.py"
    result = subprocess.run([sys.executable, example], env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    assert result.stdout.split() == ["213GL2016004165", "213GL2016004166"], result.stderr
    assert result.stderr.startswith("authorised by <Token tok:")
