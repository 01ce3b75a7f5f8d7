"""One-time codes, identity, accounts and logout: over a scripted transport, and against the emulator."""

import asyncio
import copy
import pickle
import traceback
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import pytest
import requests
from conftest import START
from support import Script, answer, assert_no_canary

import fleetauth
from fleetauth import (
    Account,
    Challenge,
    FleetOrchestrator,
    FleetUp,
    HttpRequest,
    HttpResponse,
    OAuth2,
    OtpRequired,
    Runtime,
    Samsara,
    TrimbleMaps,
    aio,
)
from fleetauth.testing import Emulator, ManualClock

WHO = {"email": "otp@fleet.example", "password": "secret-canary"}
KEY = bytes(range(32))
QUESTION = {"requires2FA": True, "tempToken": "token-canary-temp"}


def granted(number: int) -> HttpResponse:
    return answer({"accessToken": f"token-canary-{number}", "refreshToken": f"token-canary-refresh-{number}", "expiresIn": 3600})


@pytest.fixture
def client(runtime: Runtime, script: Script) -> FleetOrchestrator:
    return FleetOrchestrator(**WHO, transport=script, runtime=runtime)


@pytest.fixture
def question(client: FleetOrchestrator, script: Script) -> Challenge:
    script.then_answer(answer(QUESTION))
    with pytest.raises(OtpRequired) as caught:
        client.token()
    assert caught.value.challenge is not None
    return caught.value.challenge


def paths(script: Script) -> list[str]:
    return [request.url.rpartition("/")[2] for request in script.requests]


# ---- one-time codes


def test_a_code_answers_the_challenge(client: FleetOrchestrator, question: Challenge, script: Script) -> None:
    assert (question.account, question.expires_at) == ("", START + timedelta(seconds=300))
    script.then_answer(answer({"message": "Invalid Credentials"}, status=401))
    with pytest.raises(OtpRequired) as caught:
        client.answer(question, "000000")
    assert (caught.value.status_name, caught.value.challenge) == ("E_OTP_REJECTED", None)
    script.then_answer(granted(1))
    token = client.answer(question, "123456")
    assert (token.reveal(), token.headers, token.from_cache) == ("token-canary-1", None, False)
    assert client.token().reveal() == "token-canary-1"
    assert paths(script) == ["login", "verify-otp", "verify-otp"]
    with pytest.raises(fleetauth.LoginRequired) as over:
        client.answer(question, "123456")
    assert over.value.status_name == "E_OTP_OVER"


@pytest.mark.parametrize("code", ["123456", b"123456", bytearray(b"123456"), memoryview(b"123456")])
def test_a_code_is_text_or_bytes(
    client: FleetOrchestrator, question: Challenge, script: Script, code: str | bytes | bytearray | memoryview
) -> None:
    script.then_answer(granted(1))
    client.answer(question, code)
    assert b'"otp":"123456"' in script.requests[-1].body


def test_who_asks_meanwhile_gets_the_same_question_and_no_other_code_is_sent_out(
    client: FleetOrchestrator, question: Challenge, script: Script
) -> None:
    with pytest.raises(OtpRequired) as caught:
        client.token()
    assert caught.value.challenge is not None
    assert caught.value.challenge.expires_at == question.expires_at
    assert paths(script) == ["login"]


def test_a_sealed_challenge_is_answered_elsewhere(question: Challenge, client: FleetOrchestrator, clock: ManualClock) -> None:
    sealed = client.seal_challenge(question, KEY)
    assert isinstance(sealed, bytes)
    assert b"canary" not in sealed
    elsewhere = Script()
    with Runtime(clock=clock) as other, FleetOrchestrator(**WHO, transport=elsewhere, runtime=other) as opener:
        opened = opener.open_challenge(memoryview(sealed), bytearray(KEY))
        assert (opened.account, opened.expires_at) == (question.account, question.expires_at)
        elsewhere.then_answer(granted(7))
        assert opener.answer(opened, "123456").reveal() == "token-canary-7"
        assert b"token-canary-temp" in elsewhere.requests[0].body


def test_what_does_not_open_a_sealed_challenge(question: Challenge, client: FleetOrchestrator, runtime: Runtime) -> None:
    sealed = client.seal_challenge(question, KEY)
    with pytest.raises(fleetauth.ConfigurationError) as caught:
        client.open_challenge(sealed, bytes(32))
    assert caught.value.status_name == "E_KEY"
    with pytest.raises(fleetauth.ConfigurationError, match="32"):
        client.seal_challenge(question, b"short")
    with pytest.raises(fleetauth.FleetAuthError) as damaged:
        client.open_challenge(sealed[:-1], KEY)
    assert damaged.value.status_name == "E_CRYPTO"
    with (
        FleetOrchestrator(**{**WHO, "email": "other@fleet.example"}, runtime=runtime) as other,
        pytest.raises(fleetauth.FleetAuthError) as foreign,
    ):
        other.open_challenge(sealed, KEY)
    assert foreign.value.status_name == "E_CRYPTO"


def test_a_challenge_shows_no_secret_and_stays_in_its_process(client: FleetOrchestrator, script: Script) -> None:
    script.then_answer(answer(QUESTION))
    with pytest.raises(OtpRequired) as caught:
        client.token()
    error = caught.value
    assert_no_canary(error, error.challenge, "".join(traceback.format_exception(error)))
    for copying in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="seal_challenge"):
            copying(error.challenge)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is OtpRequired
    assert (str(again), again.status_name, again.challenge) == (str(error), "E_OTP_REQUIRED", None)


async def test_a_code_answers_the_challenge_asynchronously(runtime: Runtime, clock: ManualClock) -> None:
    script = Script()
    async with aio.FleetOrchestrator(**WHO, transport=script, runtime=runtime) as client:
        script.then_answer(answer(QUESTION))
        with pytest.raises(OtpRequired) as caught:
            await client.token()
        assert caught.value.challenge is not None
        challenge = client.open_challenge(client.seal_challenge(caught.value.challenge, KEY), KEY)
        script.then_answer(answer({"message": "Invalid Credentials"}, status=401))
        with pytest.raises(OtpRequired):
            await client.answer(challenge, "000000")
        script.then_answer(granted(1))
        assert (await client.answer(challenge, b"123456")).reveal() == "token-canary-1"
        script.then_answer(answer({"_id": "7", "email": "otp@fleet.example"}))
        assert await client.whoami() == {"id": "7", "email": "otp@fleet.example"}
        clock.advance(3600)
        script.then_answer(granted(2))
        assert (await client.token()).reveal() == "token-canary-2"
        await client.logout()
        assert client.peek() is None
    assert paths(script) == ["login", "verify-otp", "verify-otp", "whoami", "refresh-token"]


# ---- identity, accounts, logout


def test_an_identity_is_a_mapping(client: FleetOrchestrator, script: Script) -> None:
    script.then_answer(granted(1))
    script.then_answer(answer({"_id": "7", "email": "a@fleet.example", "role": "admin", "companyRef": "c", "siteRef": "s", "more": 1}))
    identity = client.whoami()
    assert dict(identity) == {"id": "7", "email": "a@fleet.example", "role": "admin", "company": "c", "site": "s"}
    assert (len(identity), identity["id"], "more" in identity, identity.get("more")) == (5, "7", False, None)
    assert repr(identity).startswith("<Identity id='7', email='a@fleet.example', ")
    assert pickle.loads(pickle.dumps(identity)) == identity
    with pytest.raises(TypeError):
        identity["id"] = "8"  # type: ignore[index]


def test_an_account_is_a_tuple_with_names(runtime: Runtime, script: Script) -> None:
    with TrimbleMaps(api_key="key-canary", transport=script, runtime=runtime) as client:
        script.then_answer(answer({"token": "token-canary", "expires": "2026-01-01T01:00:00Z"}))
        script.then_answer(answer({"data": [{"AccountId": "FLTACC1", "AccountName": "One"}, {"AccountId": "FLTACC2"}]}))
        accounts = client.accounts()
    assert accounts == [Account("FLTACC1", "One"), Account("FLTACC2", "")]
    assert [account_id for account_id, _ in accounts] == ["FLTACC1", "FLTACC2"]
    assert (accounts[0].id, accounts[0].name) == ("FLTACC1", "One")
    assert repr(accounts[0]) == "Account(id='FLTACC1', name='One')"


def test_a_provider_that_has_no_answer_is_told(runtime: Runtime, script: Script) -> None:
    with FleetUp(api_key="k", acct_id=1, secret="s", transport=script, runtime=runtime) as client:
        for call in (client.whoami, client.accounts, lambda: client.token(account="x"), lambda: client.peek(account="x")):
            with pytest.raises(fleetauth.ConfigurationError) as caught:
                call()
            assert caught.value.status_name == "E_UNSUPPORTED"
    assert script.requests == []


def test_logout_forgets_the_headers_too(client: FleetOrchestrator, script: Script) -> None:
    script.then_answer(granted(1))
    headers = client.headers("https://api.moovex.ai/api/v1/vehicles")
    assert client.logout() is None  # type: ignore[func-returns-value]
    assert client._ready == {}
    script.then_answer(granted(2))
    assert client.headers("https://api.moovex.ai/api/v1/vehicles") != headers


def test_the_host_s_own_exception_comes_out_of_an_inquiry(client: FleetOrchestrator, script: Script) -> None:
    script.then_answer(granted(1))
    mine = LookupError("mine")
    script.then_raise(mine)
    with pytest.raises(LookupError) as caught:
        client.whoami()
    assert caught.value is mine


def test_interrupting_an_inquiry_ends_it_and_leaves_the_client_usable(client: FleetOrchestrator, script: Script) -> None:
    script.then_answer(granted(1))
    script.then_raise(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        client.whoami()
    script.then_answer(answer({"_id": "7"}))
    assert client.whoami() == {"id": "7"}


def test_after_close_these_raise_closed_too(client: FleetOrchestrator, question: Challenge) -> None:
    sealed = client.seal_challenge(question, KEY)
    client.close()
    for call in (
        client.whoami,
        client.accounts,
        client.logout,
        lambda: client.answer(question, "1"),
        lambda: client.seal_challenge(question, KEY),
        lambda: client.open_challenge(sealed, KEY),
    ):
        with pytest.raises(fleetauth.Closed):
            call()


class Silent:
    """An asynchronous transport that grants logins and leaves everything else unanswered."""

    def __init__(self) -> None:
        self.arrived = asyncio.Event()
        self.withdrawn = asyncio.Event()

    async def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method == "POST":
            return granted(1)
        self.arrived.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.withdrawn.set()
            raise
        raise AssertionError


async def test_cancelling_an_inquiry_ends_it_and_its_request(runtime: Runtime) -> None:
    transport = Silent()
    async with aio.FleetOrchestrator(**WHO, transport=transport, runtime=runtime) as client:
        task = asyncio.create_task(client.whoami())
        await transport.arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(transport.withdrawn.wait(), 5)
        assert (await client.token()).from_cache


async def test_an_inquiry_s_patience_is_its_own(runtime: Runtime, clock: ManualClock) -> None:
    transport = Silent()
    async with aio.FleetOrchestrator(**WHO, transport=transport, runtime=runtime) as client:
        task = asyncio.create_task(client.whoami(timeout=1))
        await transport.arrived.wait()
        clock.advance(2)
        with pytest.raises(fleetauth.TimeoutError):
            await task
        await asyncio.wait_for(transport.withdrawn.wait(), 5)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda client, _: client.answer("x", "1"), "challenge must be a fleetauth.Challenge, not str"),
        (lambda client, _: client.seal_challenge(None, KEY), "challenge must be a fleetauth.Challenge, not NoneType"),
        (lambda client, question: client.answer(question, 123456), "code must be bytes, not int"),
        (lambda client, question: client.seal_challenge(question, "x" * 32), "key must be bytes, not str"),
        (lambda client, _: client.open_challenge("x", KEY), "sealed must be bytes, not str"),
        (lambda client, _: client.open_challenge(b"x", None), "key must be bytes, not NoneType"),
        (lambda client, _: client.token(account=3), "account must be a str, not int"),
        (lambda client, _: client.peek(account=b"x"), "account must be a str, not bytes"),
        (lambda client, _: client.headers("https://api.moovex.ai/api/v1/x", account=3), "account must be a str, not int"),
        (lambda client, _: client.whoami(account=["x"]), "account must be a str, not list"),
        (lambda client, _: client.accounts(timeout="1"), "option timeout must be seconds"),
    ],
)
def test_what_is_of_the_wrong_kind_is_named(
    client: FleetOrchestrator, question: Challenge, call: Callable[[FleetOrchestrator, Challenge], object], said: str
) -> None:
    with pytest.raises(TypeError, match=said):
        call(client, question)


# ---- against the emulator


def test_fleet_orchestrator_from_login_to_logout(fleetauth_emulator: Emulator, live: Runtime) -> None:
    options = {**fleetauth_emulator.options("fleet_orchestrator"), "email": "otp@fleet.example"}
    with FleetOrchestrator(**options, runtime=live) as client:
        with pytest.raises(OtpRequired) as caught:
            client.token()
        challenge = caught.value.challenge
        assert challenge is not None
        assert timedelta(0) < challenge.expires_at - datetime.now(timezone.utc) <= timedelta(seconds=301)
        with pytest.raises(OtpRequired) as refused:
            client.answer(challenge, "000000")
        assert refused.value.status_name == "E_OTP_REJECTED"
        sealed = client.seal_challenge(challenge, KEY)
        with Runtime() as other, FleetOrchestrator(**options, runtime=other) as elsewhere:
            token = elsewhere.answer(elsewhere.open_challenge(sealed, KEY), "123456")
            assert elsewhere.whoami()["email"] == "otp@fleet.example"
            assert elsewhere.report_rejected(token)
            assert elsewhere.token().reveal() != token.reveal()
            elsewhere.logout()
            with pytest.raises(OtpRequired):
                elsewhere.token()
    asked = [entry["path"].rpartition("/")[2] for entry in fleetauth_emulator.requests("fleet_orchestrator")]
    assert asked == ["login", "verify-otp", "verify-otp", "whoami", "refresh-token", "login"]


def test_fleet_orchestrator_makes_codes_of_the_app_s_secret(fleetauth_emulator: Emulator, live: Runtime) -> None:
    options = {**fleetauth_emulator.options("fleet_orchestrator"), "email": "totp@fleet.example"}
    with FleetOrchestrator(**options, totp_secret="GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", runtime=live) as client:
        assert client.whoami()["role"] == "dispatcher"


def test_trimble_maps_has_a_token_for_each_account(trusting: Emulator, live: Runtime) -> None:
    vehicles = trusting.base_url("trimble_maps") + "/vehicles"
    with TrimbleMaps(**trusting.options("trimble_maps"), runtime=live) as client:
        one, two = (account.id for account in client.accounts())
        assert client.peek(account=one) is None
        tokens = {client.token(account=one).fingerprint, client.token(account=two).fingerprint, client.token().fingerprint}
        assert len(tokens) == 3
        headers = client.headers(vehicles, account=one)
        assert client.headers(vehicles, account=one) is headers
        assert client.headers(vehicles, account=two) != headers
        peeked = client.peek(vehicles, account=two)
        assert peeked is not None
        assert peeked.headers == client.headers(vehicles, account=two)
        for account in (one, two):
            assert requests.get(vehicles, headers={**client.headers(vehicles, account=account)}, timeout=5).status_code == 200
            assert trusting.requests("trimble_maps")[-1]["account"] == account
    assert trusting.token_requests("trimble_maps") == 3


async def test_trimble_maps_asynchronously(fleetauth_emulator: Emulator, live: Runtime) -> None:
    vehicles = fleetauth_emulator.base_url("trimble_maps") + "/vehicles"
    async with aio.TrimbleMaps(**fleetauth_emulator.options("trimble_maps"), runtime=live) as client:
        accounts = await client.accounts()
        found = await asyncio.gather(*(client.headers(vehicles, account=account.id) for account in accounts))
        assert [headers is await client.headers(vehicles, account=account.id) for headers, account in zip(found, accounts, strict=True)]
        assert len({headers["Authorization"] for headers in found}) == len(accounts) == 2


def test_an_account_that_is_refused_leaves_the_others_alone(fleetauth_emulator: Emulator, live: Runtime) -> None:
    with TrimbleMaps(**fleetauth_emulator.options("trimble_maps"), runtime=live) as client:
        with pytest.raises(fleetauth.InvalidCredentials):
            client.token(account="nobody")
        assert client.token(account="FLTACC1").reveal()


def test_samsara_revokes_at_logout(trusting: Emulator, live: Runtime) -> None:
    vehicles = trusting.base_url("samsara") + "/fleet/vehicles"
    with Samsara(**trusting.options("samsara"), runtime=live) as client:
        headers = {**client.headers(vehicles)}
        assert requests.get(vehicles, headers=headers, timeout=5).status_code == 200
        client.logout()
        assert requests.get(vehicles, headers=headers, timeout=5).status_code == 401
        with pytest.raises(fleetauth.LoginRequired):  # the refresh token that it began with is used up
            client.token()


async def test_oauth2_revokes_at_logout(fleetauth_emulator: Emulator, live: Runtime) -> None:
    async with aio.OAuth2(**fleetauth_emulator.options("oauth2"), runtime=live) as client:
        first = await client.token()
        await client.logout()
        assert client.peek() is None
        assert [entry["path"] for entry in fleetauth_emulator.requests("oauth2")] == ["/oauth2/token", "/oauth2/revoke"]
        assert (await client.token()).reveal() != first.reveal()


def test_a_logout_tells_of_a_revocation_that_failed_and_forgets_all_the_same(fleetauth_emulator: Emulator, live: Runtime) -> None:
    with OAuth2(**fleetauth_emulator.options("oauth2"), runtime=live) as client:
        client.token()
        fleetauth_emulator.fault({"status": 403}, times="always", path="/oauth2/revoke")
        with pytest.raises(fleetauth.FleetAuthError) as caught:
            client.logout()
        assert caught.value.http_status == 403
        assert client.peek() is None
