"""The synchronous client over a scripted transport and a manual clock."""

import copy
import pickle
import threading
import traceback
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import START
from support import CREDENTIALS, URL, Script, answer, assert_no_canary

import fleetauth
import fleetauth.aiohttp
import fleetauth.requests
from fleetauth import FleetUp, HttpRequest, HttpResponse, MyConnectedFleet, Runtime, TransportError, aio
from fleetauth.testing import ManualClock


def test_a_token_is_fetched_once_and_then_served_from_memory(client: FleetUp, script: Script) -> None:
    first = client.token()
    assert first.reveal() == "token-canary-1"
    assert not first.from_cache
    assert first.expires_at == START + timedelta(hours=1)
    assert first.expires_in == timedelta(hours=1)
    assert (first.kind, first.scheme, first.headers) == ("bearer", "jwt", None)
    again = client.token()
    assert again.from_cache
    assert again.fingerprint == first.fingerprint
    assert len(script.requests) == 1


def test_the_request_is_the_provider_s(client: FleetUp, script: Script) -> None:
    client.token()
    request = script.requests[0]
    assert (request.method, request.url) == ("POST", "https://api.fleetup.net/token")
    assert request.body == b'{"acctId":12345,"secret":"secret-canary"}'
    assert ("x-api-key", "key-canary") in request.headers
    assert 0 < request.timeout <= 30
    assert request.max_body > 0


def test_headers_for_a_repeated_url_are_one_object_while_they_are_good(client: FleetUp, clock: ManualClock, script: Script) -> None:
    headers = client.headers(URL)
    assert dict(headers) == {"Authorization": "Bearer token-canary-1", "x-api-key": "key-canary"}
    assert client.headers(URL) is headers
    assert client.headers(URL, "POST") is not headers
    clock.advance(timedelta(hours=2))
    assert client.headers(URL) is not headers
    assert client.headers(URL)["authorization"] == "Bearer token-canary-2"
    assert len(script.requests) == 2


def test_headers_are_immutable_and_compared_without_case(client: FleetUp) -> None:
    headers = client.headers(URL)
    assert headers["X-API-KEY"] == headers["x-api-key"]
    assert "AUTHORIZATION" in headers
    assert "Accept" not in headers
    with pytest.raises(TypeError):
        headers["Accept"] = "x"  # type: ignore[index]
    assert {**headers, "Accept": "x"}["Accept"] == "x"


def test_the_cache_of_headers_is_bounded(client: FleetUp) -> None:
    for number in range(3000):
        client.headers(f"{URL}?page={number}")
    assert len(client._ready) <= 1024
    newest = client.headers(f"{URL}?page=2999")
    assert client.headers(f"{URL}?page=2999") is newest


def test_a_url_of_another_host_gets_no_headers(client: FleetUp, script: Script) -> None:
    with pytest.raises(fleetauth.ConfigurationError) as caught:
        client.headers("https://api.fleetup.net.example.com/devices")
    assert caught.value.status_name == "E_FOREIGN_ORIGIN"
    assert script.requests == []


def test_peek_never_waits(client: FleetUp, script: Script) -> None:
    assert client.peek() is None
    assert client.peek(URL) is None
    assert script.requests == []
    client.token()
    token = client.peek(URL)
    assert token is not None
    assert token.headers == client.headers(URL)


def test_a_refused_token_is_replaced_once(client: FleetUp, script: Script) -> None:
    headers = client.headers(URL)
    assert client.report_rejected(headers)
    assert client.report_rejected(headers)  # the second thread that was refused: the same renewal
    renewed = client.headers(URL)
    assert renewed["Authorization"] == "Bearer token-canary-2"
    assert len(script.requests) == 2
    assert not client.report_rejected(renewed)
    assert not client.report_rejected(client.token(), 403)


def test_all_threads_share_one_fetch(client: FleetUp, script: Script) -> None:
    everybody = threading.Barrier(16)
    answers: list[str] = []

    def ask() -> None:
        everybody.wait()
        answers.append(client.token().reveal())

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(answers) == {"token-canary-1"}
    assert len(answers) == 16
    assert len(script.requests) == 1


def test_basic_credentials_need_no_request(runtime: Runtime, script: Script) -> None:
    client = MyConnectedFleet(client_id="user", client_secret=b"secret-canary", transport=script, runtime=runtime)
    base = "https://api.masternautconnect.com"
    core = client.token(f"{base}/connect-webservices/services/public/v1/customer/1/tracking/live")
    assert (core.kind, core.expires_at, core.expires_in, core.slot) == ("basic", None, None, -1)
    assert core.headers is not None
    assert core.headers["Authorization"] == "Basic dXNlcjpzZWNyZXQtY2FuYXJ5"
    assert not client.report_rejected(core)
    assert script.requests == []
    script.then_answer(answer({"success": True, "accessToken": "token-canary", "token_type": "bearer", "expires_in": 2591999}))
    jobs = client.headers(f"{base}/job-management/v1/customer/1/jobs", "POST")
    assert dict(jobs) == {"x-connect-token": "TOKEN token-canary"}
    assert script.requests[0].body == b"grant_type=client_credentials"


def test_the_scheme_and_the_api_group_can_be_chosen(runtime: Runtime, script: Script) -> None:
    client = FleetUp(**CREDENTIALS, scheme="legacy", transport=script, runtime=runtime)
    assert client.headers(URL)["token"] == "token-canary-1"
    assert client.token(api="api").scheme == "legacy"
    with pytest.raises(fleetauth.ConfigurationError, match="nonsense"):
        client.token(api="nonsense")


def test_durations_are_seconds_or_timedeltas(runtime: Runtime, script: Script, clock: ManualClock) -> None:
    for margin in (600, 600.0, timedelta(minutes=10)):
        client = FleetUp(**CREDENTIALS, refresh_margin=margin, transport=script, runtime=runtime)
        client.close()
    with pytest.raises(fleetauth.ConfigurationError, match="connect_timeout_ms"):
        FleetUp(**CREDENTIALS, connect_timeout=-1, runtime=runtime)


def test_min_remaining_asks_for_a_fresher_token(client: FleetUp, clock: ManualClock, script: Script) -> None:
    client.token()
    clock.advance(600)
    assert client.token(min_remaining=timedelta(minutes=30)).from_cache
    assert client.token(min_remaining=timedelta(minutes=55)).reveal() == "token-canary-2"


def test_an_unknown_option_is_named(runtime: Runtime) -> None:
    with pytest.raises(fleetauth.ConfigurationError, match="secrte") as caught:
        fleetauth.Client("fleetup", api_key="key-canary", acct_id=1, secrte="secret-canary", runtime=runtime)
    assert caught.value.status_name == "E_CONFIG"
    assert_no_canary(caught.value)
    with pytest.raises(fleetauth.ConfigurationError, match="api_key"):
        fleetauth.Client("fleetup", acct_id=1, secret="secret-canary", runtime=runtime)
    with pytest.raises(fleetauth.ConfigurationError, match="my_connected_fleet"):
        fleetauth.Client("nobody", runtime=runtime)


@pytest.mark.parametrize("value", [object(), 1.5, ["x"], {"a": 1}])
def test_an_option_of_an_impossible_type_is_named(runtime: Runtime, value: object) -> None:
    with pytest.raises(TypeError, match="option secret must not be"):
        fleetauth.Client("fleetup", api_key="k", acct_id=1, secret=value, runtime=runtime)


def test_a_number_that_is_too_large_is_refused(runtime: Runtime) -> None:
    with pytest.raises(ValueError, match="must be from"):
        FleetUp(api_key="k", acct_id=2**70, secret="s", runtime=runtime)


def test_T23_the_host_s_own_exception_comes_out_unchanged(client: FleetUp, script: Script) -> None:
    class Mine(Exception):
        pass

    mine = Mine("key-canary")
    script.then_raise(mine)
    with pytest.raises(Mine) as caught:
        client.token()
    assert caught.value is mine


def test_a_transport_error_becomes_ours_with_its_cause(client: FleetUp, script: Script) -> None:
    cause = OSError("no route")

    def fail(_: object) -> HttpResponse:
        raise TransportError("tls") from cause

    script.next += [fail] * 5
    with pytest.raises(fleetauth.NetworkError) as caught:
        client.token()
    assert caught.value.status_name == "E_TLS"
    assert caught.value.__cause__ is cause
    assert caught.value.provider == "fleetup"
    assert not caught.value.in_doubt


def test_refused_credentials_are_told_with_everything_known(client: FleetUp, script: Script) -> None:
    script.then_answer(answer({"message": "Incorrect secret"}, status=401))
    with pytest.raises(fleetauth.InvalidCredentials) as caught:
        client.token()
    error = caught.value
    assert (error.http_status, error.provider, error.retryable) == (401, "fleetup", False)
    assert_no_canary(error, *error.args, "".join(traceback.format_exception(error)))


def test_the_time_to_wait_is_a_timedelta(client: FleetUp, script: Script) -> None:
    script.then_answer(HttpResponse(429, [("Content-Type", "application/json"), ("Retry-After", "120")], b"{}"))
    with pytest.raises(fleetauth.RateLimited) as caught:
        client.token()
    assert caught.value.retry_after == timedelta(seconds=120)
    assert caught.value.retryable
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is fleetauth.RateLimited
    assert again.retry_after == timedelta(seconds=120)


def test_a_body_above_the_limit_is_refused(client: FleetUp, script: Script) -> None:
    script.next.append(lambda request: HttpResponse(200, [("Content-Type", "application/json")], b" " * (request.max_body + 1)))
    with pytest.raises(fleetauth.ProviderUnavailable) as caught:
        client.token()
    assert caught.value.status_name == "E_TOO_LARGE"


def test_P10_waiting_for_oneself_is_an_error_and_not_a_deadlock(client: FleetUp, script: Script) -> None:
    script.next.append(lambda _: HttpResponse(200, [], client.token().reveal().encode()))
    with pytest.raises(fleetauth.FleetAuthError) as caught:
        client.token()
    assert caught.value.status_name == "E_REENTRANT"


def test_P11_a_transport_may_close_what_called_it(client: FleetUp, runtime: Runtime, script: Script) -> None:
    def close_all(_: HttpRequest) -> HttpResponse:
        client.close()
        runtime.close()
        return answer({"token": "too late"})

    script.next.append(close_all)
    with pytest.raises(fleetauth.Closed):
        client.token()


def test_a_transport_may_use_another_client(runtime: Runtime, script: Script) -> None:
    inner = FleetUp(**CREDENTIALS, transport=script, runtime=runtime)
    with FleetUp(
        api_key="other", acct_id=2, secret="other", runtime=runtime, transport=lambda _: answer({"token": inner.token().reveal()})
    ) as outer:
        assert outer.token().reveal() == "token-canary-1"


def test_interrupting_a_wait_ends_it_and_leaves_the_client_usable(client: FleetUp, script: Script) -> None:
    script.then_raise(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        client.token()
    assert client.token().reveal() == "token-canary-2"


def test_after_close_everything_raises_closed(client: FleetUp) -> None:
    client.headers(URL)
    client.close()
    client.close()
    for call in (client.token, client.peek, lambda: client.headers(URL)):
        with pytest.raises(fleetauth.Closed):
            call()
    assert "closed" in repr(client)


def test_after_the_runtime_is_closed_everything_raises_closed(clock: ManualClock, script: Script) -> None:
    runtime = Runtime(clock=clock)
    client = FleetUp(**CREDENTIALS, transport=script, runtime=runtime)
    runtime.close()
    runtime.close()
    with pytest.raises(fleetauth.Closed):
        client.token()


def test_with_closes(runtime: Runtime, script: Script) -> None:
    with FleetUp(**CREDENTIALS, transport=script, runtime=runtime) as client:
        client.token()
    with pytest.raises(fleetauth.Closed):
        client.token()


def test_L03_no_secret_is_shown(client: FleetUp, script: Script) -> None:
    token, headers = client.token(URL), client.headers(URL)
    assert_no_canary(client, token, headers, script.requests[0], client.provider, client.__dict__)
    assert token.fingerprint in repr(token)
    for secretive in (client, token, headers):
        with pytest.raises(TypeError):
            pickle.dumps(secretive)
        with pytest.raises(TypeError):
            copy.deepcopy(secretive)


@pytest.mark.parametrize("package", [fleetauth, fleetauth.aio])
def test_every_built_in_provider_has_its_class(package: Any) -> None:
    made = {kind for kind in vars(package._providers).values() if isinstance(kind, type) and issubclass(kind, package.Client)}
    classes = made - {package.Client}
    assert len(classes) == len(fleetauth.Provider.builtins())
    assert all(getattr(package, kind.__name__) is kind and kind.__name__ in package.__all__ for kind in classes)


def test_a_descriptor_of_one_s_own(runtime: Runtime, script: Script, tmp_path: Path) -> None:
    builtins = fleetauth.Provider.builtins()
    assert {"fleetup", "my_connected_fleet", "trimble_maps"} <= set(builtins)
    assert sorted(builtins) == list(builtins)
    file = tmp_path / "mine.json"
    file.write_text(fleetauth.Provider("fleetup").description.replace('"fleetup"', '"mine"'))
    provider = fleetauth.Provider.from_file(file)
    assert repr(provider) == "<Provider mine>"
    client = fleetauth.Client(provider, **CREDENTIALS, transport=script, runtime=runtime)
    assert client.token().reveal() == "token-canary-1"
    file.write_text("{")
    with pytest.raises(fleetauth.ConfigurationError, match=r"mine\.json:1"):
        fleetauth.Provider.from_file(file)


def test_a_descriptor_can_be_patched_with_a_dict(runtime: Runtime, script: Script) -> None:
    patch = {"steps": {"token": {"path": "/v2/token"}}}
    client = FleetUp(**CREDENTIALS, descriptor_patch=patch, transport=script, runtime=runtime)
    client.token()
    assert script.requests[0].url == "https://api.fleetup.net/v2/token"


def test_closing_races_with_everything_else(runtime: Runtime) -> None:
    """Ten clients are closed while four threads use them: each call answers or raises Closed."""
    answered: list[str] = []
    unexpected: list[BaseException] = []

    def use(client: FleetUp, started: threading.Barrier) -> None:
        started.wait()
        try:
            for number in range(1000):
                headers = client.headers(f"{URL}?{number % 7}")
                answered.append(headers["x-api-key"])
                if number % 50 == 0:
                    client.report_rejected(headers)
        except fleetauth.Closed:
            pass
        except BaseException as raised:
            unexpected.append(raised)

    for number in range(10):
        started = threading.Barrier(5)
        client = FleetUp(**{**CREDENTIALS, "acct_id": number}, transport=Script(), runtime=runtime)
        threads = [threading.Thread(target=use, args=(client, started)) for _ in range(4)]
        for thread in threads:
            thread.start()
        started.wait()
        while not answered and not unexpected:
            pass
        client.close()
        for thread in threads:
            thread.join()
        with pytest.raises(fleetauth.Closed):
            client.headers(URL)
        answered.clear()
    assert unexpected == []


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda runtime: FleetUp(**CREDENTIALS, runtime=runtime, transport="x"), "transport must be callable"),
        (lambda runtime: FleetUp(**CREDENTIALS, runtime="x"), "runtime must be a fleetauth.Runtime"),
        (lambda runtime: Runtime(clock=3), "clock must be a fleetauth.ManualClock"),
        (lambda runtime: FleetUp(**CREDENTIALS, runtime=runtime, connect_timeout="5"), "option connect_timeout must be seconds"),
        (lambda runtime: FleetUp(**CREDENTIALS, runtime=runtime, connect_timeout=float("inf")), "option connect_timeout must be a finite"),
        (lambda runtime: FleetUp(**(CREDENTIALS | {"acct_id": 2**70}), runtime=runtime), "option acct_id must be from"),
        (lambda runtime: FleetUp(**CREDENTIALS, runtime=runtime).report_rejected({}), "the Token or the Headers"),
        (lambda runtime: FleetUp(**CREDENTIALS, runtime=runtime).headers(None), "url must be a str"),
        (lambda runtime: fleetauth.requests.Auth(aio.FleetUp(**CREDENTIALS, runtime=runtime)), "not one of fleetauth.aio"),
        (lambda runtime: fleetauth.aiohttp.middleware(FleetUp(**CREDENTIALS, runtime=runtime)), "a client of fleetauth.aio"),
    ],
)
def test_what_is_of_the_wrong_kind_is_named(runtime: Runtime, make: Callable[[Runtime], object], said: str) -> None:
    with pytest.raises((TypeError, ValueError), match=said):
        make(runtime)


def test_methods_that_are_none_are_refused(client: FleetUp) -> None:
    with pytest.raises(fleetauth.ConfigurationError, match="method"):
        client.headers(URL, "G T\r\nX: y")
