"""Tokens for claims: made from a key or by a signer of one's own, taken from a backend, and accepted by the emulator's Fleet Engine."""

import asyncio
import inspect
import json
import pickle
import threading
import traceback
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import google.auth.jwt
import httpx
import jwt
import pytest
import requests
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

import fleetauth
import fleetauth.aiohttp
import fleetauth.httpx
import fleetauth.requests
from fleetauth import FleetEngine, FleetEngineDevice, Runtime, TransportError, aio
from fleetauth.testing import Emulator, ManualClock

AUDIENCE = "https://fleetengine.googleapis.com/"
URL = "https://fleetengine.googleapis.com/v1/providers/demo-project/vehicles/v1"
ID = "id-canary"
EVERY_DELIVERY = {"taskid": "*", "trackingid": "*", "deliveryvehicleid": "*"}

# The claim set, the ids given, the claims of the token, and what it opens.
MINTED: list[tuple[str | None, dict[str, Any], dict[str, Any], str]] = [
    ("server", {}, {"tripid": "*", "vehicleid": "*"}, "vehicles/v1"),
    ("driver", {"vehicleid": "v1"}, {"vehicleid": "v1"}, "vehicles/v1"),
    ("consumer", {"tripid": "t1"}, {"tripid": "t1"}, "trips/t1"),
    ("delivery_server", {}, EVERY_DELIVERY, "tasks/k1"),
    ("untrusted_delivery_driver", {"deliveryvehicleid": "d1"}, {"deliveryvehicleid": "d1"}, "deliveryVehicles/d1"),
    ("trusted_delivery_driver", {"deliveryvehicleid": "d1"}, {"deliveryvehicleid": "d1"}, "deliveryVehicles/d1"),
    ("trusted_delivery_driver", {"deliveryvehicleid": "d1", "taskid": "k1"}, {"deliveryvehicleid": "d1", "taskid": "k1"}, "tasks/k1"),
    ("delivery_consumer", {"trackingid": "s1"}, {"trackingid": "s1"}, "taskTrackingInfo/s1"),
    ("delivery_consumer", {"taskid": "k1"}, {"taskid": "k1"}, "tasks/k1"),
    ("delivery_fleet_reader", {}, EVERY_DELIVERY, "deliveryVehicles/d1"),
    ("fleet_reader", {}, {"tripid": "*", "vehicleid": "*", **EVERY_DELIVERY}, "trips/t1"),
    (None, {"taskids": ("k1", "k2")}, {"taskids": ["k1", "k2"]}, "tasks:batchCreate"),
    (None, {"vehicleid": "Kraftfahrzeug ü"}, {"vehicleid": "Kraftfahrzeug ü"}, "vehicles/Kraftfahrzeug%20%C3%BC"),
]
minted = pytest.mark.parametrize(("claim_set", "ids", "claims", "opens"), MINTED, ids=lambda value: value if isinstance(value, str) else "")

FETCHED = [
    ("driver", {"vehicleid": "v1"}, "vehicles/v1"),
    ("consumer", {"tripid": "t1"}, "trips/t1"),
    ("delivery_driver", {"deliveryvehicleid": "d1"}, "deliveryVehicles/d1"),
    ("delivery_consumer", {"trackingid": "s1"}, "taskTrackingInfo/s1"),
]


class Key:
    """A service account whose key another program holds."""

    def __init__(self, account: dict[str, str]) -> None:
        key = serialization.load_pem_private_key(account["private_key"].encode(), None)
        assert isinstance(key, rsa.RSAPrivateKey)
        self._key = key
        self.threads: list[int] = []
        self.options = {"client_email": account["client_email"], "key_id": account["private_key_id"]}
        self.public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    def __call__(self, data: bytes) -> bytes:
        self.threads.append(threading.get_ident())
        return self._key.sign(data, padding.PKCS1v15(), hashes.SHA256())

    async def later(self, data: bytes) -> bytes:
        await asyncio.sleep(0)
        return self(data)


@pytest.fixture
def account(fleetauth_emulator: Emulator) -> dict[str, str]:
    read: dict[str, str] = json.loads(fleetauth_emulator.options("fleet_engine")["service_account"])
    return read


@pytest.fixture
def key(account: dict[str, str]) -> Key:
    return Key(account)


@pytest.fixture
def engine(fleetauth_emulator: Emulator, live: Runtime) -> Iterator[FleetEngine]:
    with FleetEngine(**fleetauth_emulator.options("fleet_engine"), runtime=live) as client:
        yield client


@pytest.fixture
def device(fleetauth_emulator: Emulator, live: Runtime) -> Iterator[FleetEngineDevice]:
    with FleetEngineDevice(**fleetauth_emulator.options("fleet_engine_device"), runtime=live) as client:
        yield client


@pytest.fixture
def signing(key: Key, runtime: Runtime) -> Iterator[FleetEngine]:
    with FleetEngine(**key.options, signer=key, runtime=runtime) as client:
        yield client


def resource(emulator: Emulator, path: str) -> str:
    return f"{emulator.base_url('fleet_engine')}/v1/providers/demo-project/{path}"


def call(url: str, token: fleetauth.Token | None = None, auth: Any = None) -> int:
    headers = {"Authorization": f"Bearer {token.reveal()}"} if token is not None else {}
    if url.endswith(":batchCreate"):
        body = {"requests": [{"taskId": "k1"}, {"taskId": "k2"}]}
        return requests.post(url, json=body, headers=headers, auth=auth, timeout=10).status_code
    return requests.get(url, headers=headers, auth=auth, timeout=10).status_code


def payload_of(token: fleetauth.Token) -> dict[str, Any]:
    """Of a token whose time is not this machine's."""
    read: dict[str, Any] = jwt.decode(token.reveal(), options={"verify_signature": False})
    return read


# ---- every claim set


def test_every_claim_set_is_minted_here() -> None:
    sets = json.loads(fleetauth.Provider("fleet_engine").description)["claims"]["sets"]
    assert {claim_set for claim_set, *_ in MINTED} - {None} == set(sets)
    assert {claim_set for claim_set, *_ in FETCHED} == set(
        json.loads(fleetauth.Provider("fleet_engine_device").description)["claims"]["sets"]
    )


@minted
def test_fleet_engine_accepts_the_token(
    trusting: Emulator, engine: FleetEngine, claim_set: Any, ids: dict[str, Any], claims: dict[str, Any], opens: str
) -> None:
    assert call(resource(trusting, opens), engine.mint(claim_set, **ids)) == 200
    assert call(resource(trusting, opens), auth=fleetauth.requests.Auth(engine, claim_set=claim_set, claims=ids or None)) == 200
    if ids and "taskids" not in ids:
        assert call(resource(trusting, opens + "x"), engine.mint(claim_set, **ids)) == 403


@minted
def test_others_verify_the_token(
    engine: FleetEngine, account: dict[str, str], key: Key, claim_set: Any, ids: dict[str, Any], claims: dict[str, Any], opens: str
) -> None:
    token = engine.mint(claim_set, **ids)
    assert jwt.get_unverified_header(token.reveal()) == {"alg": "RS256", "typ": "JWT", "kid": account["private_key_id"]}
    payload = jwt.decode(token.reveal(), key.public, algorithms=["RS256"], audience=AUDIENCE)
    assert payload["exp"] - payload["iat"] == 3600
    assert payload.keys() == {"iss", "sub", "aud", "iat", "exp", "authorization"}
    assert payload["iss"] == payload["sub"] == account["client_email"]
    assert payload["authorization"] == claims
    assert token.expires_at is not None
    assert round(token.expires_at.timestamp()) == payload["exp"]
    assert google.auth.jwt.decode(token.reveal(), {account["private_key_id"]: key.public}, audience=AUDIENCE) == payload
    with pytest.raises(jwt.InvalidAudienceError):
        jwt.decode(token.reveal(), key.public, algorithms=["RS256"], audience="https://example.com/")


@pytest.mark.parametrize(("claim_set", "ids", "opens"), FETCHED)
def test_a_device_s_token_comes_from_the_backend(
    trusting: Emulator, device: FleetEngineDevice, claim_set: Any, ids: dict[str, str], opens: str
) -> None:
    token = device.mint(claim_set, **ids)  # type: ignore[arg-type]
    assert call(resource(trusting, opens), token) == 200
    assert call(resource(trusting, opens + "x"), token) == 403
    assert device.mint(claim_set, **ids).from_cache  # type: ignore[arg-type]
    assert trusting.token_requests("fleet_engine_device") == 1


def test_a_device_may_not_ask_for_all(device: FleetEngineDevice, fleetauth_emulator: Emulator) -> None:
    with pytest.raises(fleetauth.ConfigurationError, match="vehicleid"):
        device.mint("driver", vehicleid="*")
    assert fleetauth_emulator.token_requests("fleet_engine_device") == 0


def test_a_device_s_authorisation_goes_to_the_backend(trusting: Emulator, live: Runtime) -> None:
    trusting.admin("POST", "/config", {"fleet_engine": {"backend_key": "key-canary"}})
    options = trusting.options("fleet_engine_device")
    with FleetEngineDevice(**options, authorization="Bearer key-canary", runtime=live) as client:
        assert call(resource(trusting, "vehicles/v1"), client.mint("driver", vehicleid="v1")) == 200
        assert "canary" not in repr(client)
    with (
        FleetEngineDevice(**options, authorization="Bearer wrong-canary", runtime=live) as client,
        pytest.raises(fleetauth.InvalidCredentials) as caught,
    ):
        client.mint("driver", vehicleid="v1")
    assert "canary" not in "".join(traceback.format_exception(caught.value))


# ---- request options


def test_adapters_ask_for_claims(trusting: Emulator, engine: FleetEngine) -> None:
    url = resource(trusting, "vehicles/v1")
    mine, other = ({"vehicleid": "v1"}, {"vehicleid": "v2"})
    for claims, status in ((mine, 200), (other, 403)):
        with httpx.Client(auth=fleetauth.httpx.Auth(engine, claim_set="driver", claims=claims)) as http:
            assert http.get(url).status_code == status
        with requests.Session() as session:
            session.auth = fleetauth.requests.Auth(engine, claims=claims)
            assert session.get(url, timeout=10).status_code == status
    with requests.Session() as session, pytest.raises(fleetauth.ConfigurationError, match="claims"):
        session.get(url, auth=engine, timeout=10)


async def test_asynchronous_adapters_ask_for_claims(trusting: Emulator, live: Runtime) -> None:
    url = resource(trusting, "vehicles/v1")
    async with aio.FleetEngine(**trusting.options("fleet_engine"), runtime=live) as client:
        for ids, status in (({"vehicleid": "v1"}, 200), ({"vehicleid": "v2"}, 403)):
            async with httpx.AsyncClient(auth=fleetauth.httpx.Auth(client, claim_set="driver", claims=ids)) as http:
                assert (await http.get(url)).status_code == status
            middleware = fleetauth.aiohttp.middleware(client, claim_set="driver", claims=ids)
            connector = aiohttp.TCPConnector(ssl=httpx.create_ssl_context())
            async with aiohttp.ClientSession(middlewares=[middleware], connector=connector) as session, session.get(url) as response:
                assert response.status == status


# The emulator's clock, in seconds from this machine's: there it refuses a token for its exp, which is too far ahead or over.
wrong_clock = pytest.mark.parametrize("ahead", [-600, 4200])
REFUSED_ONCE = [401, 200, 200]


def answers(emulator: Emulator) -> list[int]:
    return [entry["status"] for entry in emulator.requests("fleet_engine")]


@wrong_clock
@pytest.mark.parametrize("adapter", ["requests", "httpx"])
def test_T_5_adapters_heal_a_wrong_clock(trusting: Emulator, engine: FleetEngine, adapter: str, ahead: int) -> None:
    trusting.admin("POST", "/clock", {"advance_s": ahead})
    for vehicle in ("v1", "v2"):  # the offset is remembered
        url, asked = resource(trusting, f"vehicles/{vehicle}"), {"claims": {"vehicleid": vehicle}}
        if adapter == "requests":
            status = call(url, auth=fleetauth.requests.Auth(engine, **asked))
        else:
            status = httpx.get(url, auth=fleetauth.httpx.Auth(engine, **asked)).status_code
        assert status == 200
    assert answers(trusting) == REFUSED_ONCE


@wrong_clock
@pytest.mark.parametrize("adapter", ["aiohttp", "httpx"])
async def test_T_5_asynchronous_adapters_heal_a_wrong_clock(trusting: Emulator, live: Runtime, adapter: str, ahead: int) -> None:
    trusting.admin("POST", "/clock", {"advance_s": ahead})
    async with aio.FleetEngine(**trusting.options("fleet_engine"), runtime=live) as client:
        for vehicle in ("v1", "v2"):
            url, asked = resource(trusting, f"vehicles/{vehicle}"), {"claims": {"vehicleid": vehicle}}
            if adapter == "aiohttp":
                middleware = fleetauth.aiohttp.middleware(client, **asked)
                connector = aiohttp.TCPConnector(ssl=httpx.create_ssl_context())
                async with aiohttp.ClientSession(middlewares=[middleware], connector=connector) as session, session.get(url) as response:
                    assert response.status == 200
            else:
                async with httpx.AsyncClient(auth=fleetauth.httpx.Auth(client, **asked)) as http:
                    assert (await http.get(url)).status_code == 200
    assert answers(trusting) == REFUSED_ONCE


def test_what_is_no_date_is_no_matter(signing: FleetEngine) -> None:
    token = signing.mint("driver", vehicleid="v1")
    assert signing.report_rejected(token, date="D\udce4tum")


def test_headers_are_kept_for_each_set_of_claims(signing: FleetEngine, key: Key, clock: ManualClock) -> None:
    one = signing.headers(URL, claim_set="driver", claims={"vehicleid": "v1"})
    assert signing.headers(URL, claim_set="driver", claims={"vehicleid": "v1"}) is one
    assert signing.headers(URL, claims={"vehicleid": "v1"}) == one
    others = [
        signing.headers(URL, claims={"vehicleid": "v2"}),
        signing.headers(URL, claim_set="server"),
        signing.headers(URL, claims={"taskids": ["v1"]}),
    ]
    assert len({headers["Authorization"] for headers in (one, *others)}) == 4
    assert len(key.threads) == 4
    clock.advance(timedelta(hours=1))
    assert signing.headers(URL, claim_set="driver", claims={"vehicleid": "v1"}) != one


def test_the_same_claims_give_the_same_token(signing: FleetEngine, key: Key) -> None:
    token = signing.mint("driver", vehicleid="v1")
    same = [
        signing.mint("driver", vehicleid="v1"),
        signing.mint(vehicleid="v1"),
        signing.token(claims={"vehicleid": "v1"}),
        signing.token(URL, claim_set="driver", claims={"vehicleid": "v1"}, min_remaining=60),
        signing.peek(claims={"vehicleid": "v1"}),
    ]
    assert {(one.slot, one.generation, one.fingerprint) for one in (token, *filter(None, same))} == {
        (token.slot, token.generation, token.fingerprint)
    }
    assert all(one is not None and one.from_cache for one in same)
    assert len(key.threads) == 1
    assert signing.peek(claims={"vehicleid": "v2"}) is None
    assert signing.mint(trackingid="v1").fingerprint != token.fingerprint
    assert len(key.threads) == 2


def test_the_order_of_claims_does_not_matter(signing: FleetEngine, key: Key) -> None:
    signing.token(claims={"deliveryvehicleid": "d1", "taskid": "k1"})
    assert signing.token(claims={"taskid": "k1", "deliveryvehicleid": "d1"}).from_cache


def test_a_client_may_have_a_claim_set_of_its_own(account: dict[str, str], runtime: Runtime, clock: ManualClock) -> None:
    with FleetEngine(service_account=json.dumps(account), claim_set="server", runtime=runtime) as client:
        assert payload_of(client.token())["authorization"] == {"tripid": "*", "vehicleid": "*"}
        assert client.token().fingerprint == client.mint().fingerprint == client.mint("server").fingerprint
        assert payload_of(client.mint("driver", vehicleid="v1"))["authorization"] == {"vehicleid": "v1"}
        for mint in (client.mint, super(FleetEngine, client).mint):
            with pytest.raises(fleetauth.ConfigurationError, match="the claims are empty"):
                mint(vehicleid=None)  # an id that is missing is not every id
            assert payload_of(mint("driver", vehicleid="v1", tripid=None))["authorization"] == {"vehicleid": "v1"}
        headers = client.headers(URL)
        assert client.headers(URL) is headers  # a look-up, although nothing was ever sent
        clock.advance(timedelta(hours=1))
        assert client.headers(URL) != headers


def test_whoami_takes_all_options(engine: FleetEngine) -> None:
    with pytest.raises(fleetauth.ConfigurationError, match="vehicleid"):
        engine.whoami(claim_set="driver")
    with pytest.raises(fleetauth.ConfigurationError, match="nonsense"):
        engine.whoami(api="nonsense", claims={"vehicleid": "v1"}, min_remaining=60)
    with pytest.raises(fleetauth.ConfigurationError, match="who the caller is"):
        engine.whoami(claims={"vehicleid": "v1"}, timeout=5)
    parameters = [
        set(inspect.signature(method).parameters) for kind in (fleetauth, aio) for method in (kind.Client.token, kind.Client.whoami)
    ]
    assert all(names - {"url", "method"} == parameters[0] - {"url", "method"} for names in parameters)


# ---- what is refused


@pytest.mark.parametrize(
    ("claim_set", "claims", "said"),
    [
        (None, {"vehicleid": ID + "x" * 56}, '"vehicleid" has more than 64'),
        (None, {"vehicleid": ID + "/"}, '"vehicleid" must hold none'),
        (None, {"vehicleid": ""}, '"vehicleid" must not be empty'),
        (None, {"taskids": [ID, "*"]}, r'"taskids" holds \* beside ids'),
        (None, {"taskids": [ID, ID]}, '"taskids" holds an id twice'),
        (None, {"taskids": ID}, '"taskids" must be an array'),
        (None, {"taskids": []}, '"taskids" must hold from 1'),
        (None, {"taskids": [ID], "taskid": ID}, '"taskids" and "taskid" exclude each other|"taskid" and "taskids" exclude each other'),
        (None, {"trackingid": ID, "deliveryvehicleid": ID}, '"trackingid" and "deliveryvehicleid" exclude each other'),
        (None, {"vehicelid": ID}, r'no claim "vehicelid" \(did you mean "vehicleid"\?\)'),
        (None, {"vehicleid": ID.encode()}, '"vehicleid" must be a string'),
        (None, {"vehicleid": 7}, '"vehicleid" must be a string'),
        (None, {}, "the claims are empty"),
        (None, None, "name them"),
        ("drivr", {"vehicleid": ID}, r'no claim set "drivr" \(did you mean "driver"\?\)'),
        ("driver", {"tripid": ID}, 'takes "vehicleid"'),
        ("driver", {"vehicleid": "*"}, "not for *"),
        ("driver", None, 'takes "vehicleid"'),
        ("server", {"vehicleid": ID}, "has its claims already"),
        ("delivery_consumer", {"trackingid": ID, "taskid": ID}, '"trackingid" or "taskid"'),
    ],
)
def test_claims_that_break_the_rules_are_named_and_ids_are_not(
    signing: FleetEngine, claim_set: str | None, claims: dict[str, Any] | None, said: str
) -> None:
    for ask in (
        lambda: signing.token(claim_set=claim_set, claims=claims),
        lambda: signing.headers(URL, claim_set=claim_set, claims=claims),
    ):
        with pytest.raises(fleetauth.ConfigurationError, match=said) as caught:
            ask()
        assert ID not in "".join(traceback.format_exception_only(caught.value))
        assert caught.value.provider == "fleet_engine"


def test_an_id_is_counted_in_characters(signing: FleetEngine) -> None:
    assert payload_of(signing.mint(vehicleid="ü" * 64))["authorization"] == {"vehicleid": "ü" * 64}
    with pytest.raises(fleetauth.ConfigurationError, match="vehicleid"):
        signing.mint(vehicleid="ü" * 65)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"claims": f'{{"vehicleid": "{ID}"}}'}, "claims must map names to ids, not be str"),
        ({"claims": [ID]}, "claims must map names to ids, not be list"),
        ({"claims": {"vehicleid": {ID}}}, "a claim must be a str or a sequence of them, not set"),
        ({"claim_set": 5}, "claim_set must be a str, not int"),
    ],
)
def test_what_is_of_the_wrong_kind_is_named(signing: FleetEngine, asked: dict[str, Any], said: str) -> None:
    for ask in (signing.token, signing.peek, signing.whoami, lambda **options: signing.headers(URL, **options)):
        with pytest.raises(TypeError, match=said) as caught:
            ask(**asked)
        assert ID not in str(caught.value)


def test_a_provider_whose_tokens_are_not_for_claims_says_so(fleetauth_emulator: Emulator, live: Runtime) -> None:
    with fleetauth.FleetUp(**fleetauth_emulator.options("fleetup"), runtime=live) as client:
        for ask in (lambda: client.mint("driver"), lambda: client.mint(vehicleid="v1")):
            with pytest.raises(fleetauth.ConfigurationError, match="not for claims"):
                ask()


# ---- keys


def test_a_key_by_path_by_text_or_by_signer_makes_the_same_tokens(
    account: dict[str, str], key: Key, runtime: Runtime, tmp_path: Path
) -> None:
    text = json.dumps(account)
    file = tmp_path / "key.json"
    file.write_text(text)
    tokens = set()
    for options in (
        {"service_account": text},
        {"service_account": text.encode()},
        {"service_account_file": str(file)},
        {"service_account_file": file},
        {**key.options, "signer": key},
    ):
        with FleetEngine(**options, runtime=runtime) as client:
            tokens.add(client.mint("driver", vehicleid="v1").reveal())
    with fleetauth.Client("fleet_engine", service_account=text, runtime=runtime) as client:
        tokens.add(client.mint("driver", vehicleid="v1").reveal())
    assert len(tokens) == 1


@pytest.mark.parametrize("damage", ["no JSON", "no key", "another kind", "cut off", "a public key", "a folder", "missing"])
def test_a_bad_key_file_is_named_and_not_shown(account: dict[str, str], key: Key, runtime: Runtime, tmp_path: Path, damage: str) -> None:
    file = tmp_path / "the-key.json"
    content = {
        "no JSON": json.dumps(account)[:-1],
        "no key": json.dumps({**account, "private_key": ""}),
        "another kind": json.dumps({**account, "type": "authorized_user"}),
        "cut off": json.dumps({**account, "private_key": account["private_key"][:400]}),
        "a public key": json.dumps({**account, "private_key": key.public.decode()}),
    }
    if damage in content:
        file.write_text(content[damage])
    elif damage == "a folder":
        file.mkdir()
    with pytest.raises(fleetauth.ConfigurationError, match=r"the-key\.json") as caught:
        FleetEngine(service_account_file=file, runtime=runtime)
    assert caught.value.status_name == ("E_KEY" if damage in content else "E_CONFIG")
    assert_not_shown(account, *caught.value.args, *traceback.format_exception(caught.value))


def assert_not_shown(account: dict[str, str], *texts: str) -> None:
    lines = account["private_key"].splitlines()[1:-1]
    assert len(lines) > 10
    assert not any(line in text for line in lines for text in texts)


def test_nothing_shows_a_key_or_a_token(account: dict[str, str], runtime: Runtime) -> None:
    with FleetEngine(service_account=json.dumps(account), runtime=runtime) as client:
        token = client.mint("driver", vehicleid=ID)
        headers = client.headers(URL, claims={"vehicleid": ID})
        shown = [*map(repr, (client, token, headers)), *map(str, (client, token, headers)), f"{token}", repr(vars(client))]
        assert_not_shown(account, *shown)
        assert not any(part in text for part in token.reveal().split(".") for text in shown)
        assert not any(ID in text for text in shown[:-1])
        for secretive in (client, token, headers):
            with pytest.raises(TypeError):
                pickle.dumps(secretive)


def test_the_lifetime_can_be_shorter(account: dict[str, str], runtime: Runtime) -> None:
    with FleetEngine(service_account=json.dumps(account), lifetime_s=600, audience="https://example.com/", runtime=runtime) as client:
        payload = payload_of(client.mint("server"))
    assert payload["exp"] - payload["iat"] == 600
    assert payload["aud"] == "https://example.com/"


# ---- signers


def test_a_signer_is_called_by_the_thread_that_asks(signing: FleetEngine, key: Key, clock: ManualClock) -> None:
    signing.mint("server")
    clock.advance(timedelta(hours=1))
    thread = threading.Thread(target=signing.mint, args=("server",))
    thread.start()
    asking = thread.ident
    thread.join()
    assert key.threads == [threading.get_ident(), asking]


def test_a_signer_gets_header_and_payload(key: Key, runtime: Runtime, fleetauth_emulator: Emulator) -> None:
    seen: list[bytes] = []

    def sign(data: bytes) -> bytearray:
        seen.append(data)
        return bytearray(key(data))

    with FleetEngine(client_email=key.options["client_email"], signer=sign, runtime=runtime) as client:
        token = client.mint("driver", vehicleid="v1")
    assert seen == [token.reveal().rpartition(".")[0].encode()]
    assert jwt.get_unverified_header(token.reveal()) == {"alg": "RS256", "typ": "JWT"}  # no key id was given


def test_fleet_engine_accepts_what_a_signer_signed(trusting: Emulator, key: Key, live: Runtime) -> None:
    options = {"base_url": trusting.base_url("fleet_engine"), "signer": key, "runtime": live}
    for names in (key.options, {"client_email": key.options["client_email"]}):
        with FleetEngine(**names, **options) as client:  # type: ignore[arg-type]
            assert call(resource(trusting, "trips/t1"), client.mint("consumer", tripid="t1")) == 200


def test_many_threads_cause_one_signature(signing: FleetEngine, key: Key) -> None:
    together = threading.Barrier(16)
    tokens = []

    def ask() -> None:
        together.wait()
        tokens.append(signing.mint("driver", vehicleid="v1").fingerprint)

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tokens) == 16
    assert len(set(tokens)) == len(key.threads) == 1


def failing(raised: BaseException) -> Any:
    def sign(data: bytes) -> bytes:
        raise raised

    return sign


def test_what_a_signer_raises_comes_out_unchanged(runtime: Runtime) -> None:
    mine = LookupError("mine")
    with FleetEngine(client_email="a@b", signer=failing(mine), runtime=runtime) as client:
        for _ in range(2):  # and nothing remembers it
            with pytest.raises(LookupError) as caught:
                client.mint("server")
            assert caught.value is mine


def test_a_signer_s_transport_error_becomes_ours(runtime: Runtime) -> None:
    cause = OSError("no route")

    def sign(data: bytes) -> bytes:
        raise TransportError("tls") from cause

    with FleetEngine(client_email="a@b", signer=sign, runtime=runtime) as client, pytest.raises(fleetauth.NetworkError) as caught:
        client.mint("server")
    assert caught.value.status_name == "E_TLS"
    assert caught.value.__cause__ is cause


@pytest.mark.parametrize("answer", [None, "text", 5])
def test_a_signature_must_be_bytes(runtime: Runtime, answer: Any) -> None:
    with (
        FleetEngine(client_email="a@b", signer=lambda _: answer, runtime=runtime) as client,
        pytest.raises(TypeError, match=f"signature must be bytes, not {type(answer).__name__}"),
    ):
        client.mint("server")


def test_an_empty_signature_is_refused(runtime: Runtime) -> None:
    with (
        FleetEngine(client_email="a@b", signer=lambda _: b"", runtime=runtime) as client,
        pytest.raises(fleetauth.FleetAuthError, match="signature") as caught,
    ):
        client.mint("server")
    assert caught.value.status_name == "E_CRYPTO"


def test_interrupting_a_signer_ends_the_wait_and_leaves_the_client_usable(runtime: Runtime, key: Key) -> None:
    raised: list[BaseException] = [KeyboardInterrupt()]

    def sign(data: bytes) -> bytes:
        if raised:
            raise raised.pop()
        return key(data)

    with FleetEngine(**key.options, signer=sign, runtime=runtime) as client:
        with pytest.raises(KeyboardInterrupt):
            client.mint("server")
        assert client.mint("server").reveal()


def test_a_signer_that_waits_for_its_own_client_is_an_error_and_not_a_deadlock(runtime: Runtime) -> None:
    with (
        FleetEngine(client_email="a@b", signer=lambda _: client.mint("server").reveal().encode(), runtime=runtime) as client,
        pytest.raises(fleetauth.FleetAuthError) as caught,
    ):
        client.mint("server")
    assert caught.value.status_name == "E_REENTRANT"


def test_a_signature_that_is_no_longer_wanted_is_dropped(runtime: Runtime, key: Key) -> None:
    def sign(data: bytes) -> bytes:
        client.close()
        return key(data)

    client = FleetEngine(**key.options, signer=sign, runtime=runtime)
    with pytest.raises(fleetauth.Closed):
        client.mint("server")


@pytest.mark.parametrize("kind", [fleetauth.FleetEngine, aio.FleetEngine])
def test_a_signer_goes_with_the_e_mail_alone(kind: Any, runtime: Runtime, account: dict[str, str]) -> None:
    with pytest.raises(TypeError, match="signer must be callable"):
        kind(client_email="a@b", signer="host", runtime=runtime)
    with pytest.raises(fleetauth.ConfigurationError, match="service_account"):
        kind(service_account=json.dumps(account), signer=lambda data: data, runtime=runtime)
    with pytest.raises(fleetauth.ConfigurationError, match="client_email"):
        kind(signer=lambda data: data, runtime=runtime)
    with pytest.raises(fleetauth.ConfigurationError, match="signer"):
        kind(client_email="a@b", runtime=runtime)


# ---- asynchronous


async def test_asynchronous_clients_mint(trusting: Emulator, live: Runtime, key: Key) -> None:
    options = {"base_url": trusting.base_url("fleet_engine"), "runtime": live}
    for how in (
        {"service_account": trusting.options("fleet_engine")["service_account"]},
        {**key.options, "signer": key},
        {**key.options, "signer": key.later},
    ):
        async with aio.FleetEngine(**how, **options) as client:  # type: ignore[arg-type]
            token = await client.mint("driver", vehicleid="v1")
            assert jwt.decode(token.reveal(), key.public, algorithms=["RS256"], audience=AUDIENCE)["authorization"] == {"vehicleid": "v1"}
            assert (await client.mint(vehicleid="v1")).from_cache
            url = resource(trusting, "vehicles/v1")
            headers = await client.headers(url, claim_set="driver", claims={"vehicleid": "v1"})
            assert await client.headers(url, claim_set="driver", claims={"vehicleid": "v1"}) is headers
            assert requests.get(url, headers=headers, timeout=10).status_code == 200
            with pytest.raises(fleetauth.ConfigurationError, match="who the caller is"):
                await client.whoami(claim_set="server")
            with pytest.raises(fleetauth.ConfigurationError, match="vehicleid"):
                await client.mint("driver")


async def test_an_asynchronous_device(trusting: Emulator, live: Runtime) -> None:
    async with aio.FleetEngineDevice(**trusting.options("fleet_engine_device"), runtime=live) as client:
        assert call(resource(trusting, "taskTrackingInfo/s1"), await client.mint("delivery_consumer", trackingid="s1")) == 200


async def test_tasks_share_one_signature_and_it_is_renewed_in_the_background(runtime: Runtime, key: Key, clock: ManualClock) -> None:
    async with aio.FleetEngine(**key.options, signer=key.later, runtime=runtime) as client:
        first = await asyncio.gather(*(client.mint("server") for _ in range(100)))
        assert len({token.fingerprint for token in first}) == len(key.threads) == 1
        clock.advance(timedelta(minutes=52))  # it has less than ten minutes left, and more than five
        assert (await client.mint("server")).fingerprint == first[0].fingerprint
        while (token := client.peek(claim_set="server")) is None or token.fingerprint == first[0].fingerprint:
            await asyncio.sleep(0)
        assert len(key.threads) == 2


async def test_what_an_asynchronous_signer_raises_comes_out_unchanged(runtime: Runtime) -> None:
    mine = LookupError("mine")

    async def later(data: bytes) -> bytes:
        raise mine

    for signer in (later, failing(mine)):
        async with aio.FleetEngine(client_email="a@b", signer=signer, runtime=runtime) as client:
            with pytest.raises(LookupError) as caught:
                await client.mint("server")
            assert caught.value is mine


async def test_closing_cancels_a_signer_that_is_at_work(runtime: Runtime) -> None:
    arrived, cancelled = asyncio.Event(), asyncio.Event()

    async def sign(data: bytes) -> bytes:
        arrived.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return b""

    client = aio.FleetEngine(client_email="a@b", signer=sign, runtime=runtime)
    task = asyncio.create_task(client.mint("server"))
    await arrived.wait()
    await client.aclose()
    with pytest.raises(fleetauth.Closed):
        await task
    await asyncio.wait_for(cancelled.wait(), 5)


async def test_a_signer_that_is_too_late_is_cancelled(runtime: Runtime, key: Key, clock: ManualClock) -> None:
    arrived, cancelled = asyncio.Event(), asyncio.Event()

    async def sign(data: bytes) -> bytes:
        arrived.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return b""

    async with aio.FleetEngine(**key.options, signer=sign, runtime=runtime) as client:
        task = asyncio.create_task(client.mint("server"))
        await arrived.wait()
        clock.advance(600)
        with pytest.raises(fleetauth.FleetAuthError) as caught:
            await task
        assert caught.value.status_name == "E_TIMEOUT"
        await asyncio.wait_for(cancelled.wait(), 5)


# ---- what is generated


@pytest.mark.parametrize("package", [fleetauth, aio])
@pytest.mark.parametrize("name", ["FleetEngine", "FleetEngineDevice"])
def test_mint_is_typed_and_documented_by_the_descriptor(package: Any, name: str) -> None:
    kind = getattr(package, name)
    provider = {"FleetEngine": "fleet_engine", "FleetEngineDevice": "fleet_engine_device"}[name]
    claims = json.loads(fleetauth.Provider(provider).description)["claims"]
    signature = inspect.signature(kind.mint)
    assert list(signature.parameters) == ["self", "claim_set", *claims["names"]]
    assert inspect.iscoroutinefunction(kind.mint) == (package is aio)
    text = " ".join(kind.mint.__doc__.split())
    for claim_set, rule in claims["sets"].items():
        assert f'"{claim_set}"' in signature.parameters["claim_set"].annotation.replace("'", '"')
        assert f"`{claim_set}`" in text
        assert rule["doc"] in text
    for claim, rule in claims["names"].items():
        assert f"{claim}: {rule['doc']}" in text
