#!/usr/bin/env python3
"""Makes canaries.json: secrets that must be shown nowhere, in every form, and what clients do with them.

canaries.py           writes the file
canaries.py --check   fails if the file is another, or if a secret parameter of a provider is in no client

The tests of every language read it: each client, with the host as its transport, goes through each scenario, and no text that comes of it
may hold a form. A canary begins and ends with the same letters and digits, so that a part of it is found too and no quoting hides it.
"""

import hashlib
import json
import sys
from base64 import b32encode, b64encode, urlsafe_b64encode
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FILE = Path(__file__).with_suffix(".json")
KEY_FILE = ROOT / "tests/conformance/test_key.pem"
JSON_TYPE = ["Content-Type", "application/json"]
NAMES = ["api_key", "api_token", "authorization", "client_secret", "password", "secret", "totp_secret"]  # of parameters
NAMES += ["token", "refresh_token", "challenge", "code"]


def mark(name: str) -> str:
    """Base32, because one of them has to be."""
    return "CANARY" + b32encode(hashlib.sha256(name.encode()).digest()).decode()[:10]


def value(name: str) -> str:
    """What can stand in a header and has to be quoted everywhere else."""
    return mark(name) if name == "totp_secret" else f'{mark(name)}"\\/+<>&=%{mark(name)}'


def forms(text: str) -> list[str]:
    """A text as it is and as it may have been encoded or printed."""
    plain = text.encode()
    found = [text, text.lower(), plain.hex(), plain.hex().upper(), plain.hex(" ")]
    found += [", ".join(map(str, plain)), ",".join(map(str, plain))]
    found += ["".join(f"%{byte:02x}" for byte in plain), "".join(f"%{byte:02X}" for byte in plain)]
    found += ["".join(f"\\u{byte:04x}" for byte in plain), "".join(f"\\x{byte:02x}" for byte in plain)]
    found += [zero.join(text) for zero in ("\0", "\\x00", "\\u0000")]  # UTF-16, of either order, and printed
    for before in range(3):  # base64, as a part of something longer
        for encode in (b64encode, urlsafe_b64encode):
            whole = encode(bytes(before) + plain).decode().rstrip("=")
            found.append(whole[-(-before * 8 // 6) : len(whole) - 1])
    return list(dict.fromkeys(found))


def client(provider: str, url: str, good: dict | None = None, **options: object) -> dict:
    """The canary of each secret is its parameter's name."""
    options = {name: CANARIES[name]["value"] if given is ... else given for name, given in options.items()}
    secrets = [name for name in options if name in CANARIES]
    request = {"claim_set": "driver", "claims": {"vehicleid": "v1"}} if provider == "fleet_engine_device" else {}
    spec = {"provider": provider, "url": url, "options": options, "request": request, "secrets": secrets}
    return spec | {"mistakes": mistakes(options, secrets), "good": good or answer(200, GOOD)}


def mistakes(options: dict, secrets: list[str]) -> list[dict]:
    """Options that are added to the right ones and refused: secrets in the wrong place, or not as they should be."""
    secret = options[secrets[0]]
    found: list[dict] = [{name: secret} for name in ("nonsense", "total_timeout_ms", "proxy", "ca_pem", "pinned_public_key")]
    found += [{"descriptor_patch": text} for text in (f"{secret}", json.dumps({"steps": secret}))]
    found += [{"proxy": f"http://user:{mark('password')}@127.0.0.1:99999"}, {"proxy": f"ftp://user:{mark('password')}@127.0.0.1"}]
    found += [{name: f"https://user:{mark('password')}@host.example/"} for name in ("base_url", "api_base_url")]
    found += [{name: options[name] + wrong} for name in secrets for wrong in ("\n", "\0", "\u20ac") if name != "service_account"]
    found += [{name: secret} for name, given in options.items() if isinstance(given, int)]
    return found


def answer(status: int, body: object, *headers: list[str]) -> dict:
    return {"status": status, "headers": [JSON_TYPE, *headers], "body": json.dumps(body)}


def other(status: int, body: str, *headers: list[str]) -> dict:
    return {"status": status, "headers": list(headers), "body": body}


key_line = KEY_FILE.read_text().splitlines()[8]
CANARIES = {name: {"value": value(name), "forms": forms(mark(name))} for name in NAMES}
CANARIES["service_account"] = {
    "value": json.dumps(
        {
            "type": "service_account",
            "project_id": "vectors",
            "private_key_id": "key-1",
            "private_key": KEY_FILE.read_text(),
            "client_email": "test@vectors.iam.gserviceaccount.example",
        }
    ),
    "forms": forms(key_line),
}
TOKEN, REFRESH_TOKEN, CHALLENGE, CODE = (value(name) for name in ("token", "refresh_token", "challenge", "code"))
GOOD = dict.fromkeys(("token", "accessToken", "access_token", "jwt"), TOKEN)
GOOD |= dict.fromkeys(("refreshToken", "refresh_token"), REFRESH_TOKEN)
GOOD |= {"token_type": "bearer", "expiresIn": 3600, "expires_in": 3600, "expiresInSeconds": 3600, "expires": "2026-01-01T01:00:00.000Z"}
GOOD |= {"success": True, "_id": "user-1", "email": "user@fleet.example", "data": []}

CLIENTS = [
    client(
        "fleet_engine",
        "https://fleetengine.googleapis.com/v1/providers/p/vehicles/v",
        service_account=...,
        claim_set="server",
    ),
    client(
        "fleet_engine_device",
        "https://fleetengine.googleapis.com/v1/providers/p/vehicles/v",
        authorization=...,
        backend_base_url="https://backend.example/api",
    ),
    client("fleet_orchestrator", "https://api.moovex.ai/api/v1/vehicles", email="user@fleet.example", password=...),
    client("fleet_orchestrator", "https://api.moovex.ai/api/v1/vehicles", api_key=...),
    client("fleet_orchestrator", "https://api.moovex.ai/api/v1/vehicles", email="user@fleet.example", password=..., totp_secret=...),
    client("fleetio", "https://secure.fleetio.com/api/v1/users/me", api_key=..., account_token="account-1"),
    client("fleetup", "https://api.fleetup.net/devices", api_key=..., acct_id=12345, secret=...),
    client("fleetup", "https://api.fleetup.net/devices", api_key=..., acct_id=12345, secret=..., scheme="legacy"),
    client("motive", "https://api.gomotive.com/v1/vehicles", api_key=...),
    client(
        "my_connected_fleet",
        "https://api.masternautconnect.com/job-management/v1/customer/1001/jobs",
        client_id="client-1",
        client_secret=...,
    ),
    client(
        "my_connected_fleet",
        "https://api.masternautconnect.com/connect-webservices/services/public/v1/customer/1001/tracking/live",
        client_id="client-1",
        client_secret=...,
    ),
    client(
        "oauth2",
        "https://api.example/v1/vehicles",
        client_id="client-1",
        client_secret=...,
        refresh_token=...,
        auth_base_url="https://as.example/oauth2",
        api_base_url="https://api.example/v1",
        revoke_path="revoke",
    ),
    client(
        "oauth2",
        "https://api.example/v1/vehicles",
        client_id="client-1",
        client_secret=...,
        auth_base_url="https://as.example/oauth2",
        api_base_url="https://api.example/v1",
        scheme="client_secret_post",
    ),
    client("samsara", "https://api.samsara.com/fleet/vehicles", api_token=...),
    client("samsara", "https://api.samsara.com/fleet/vehicles", client_id="client-1", client_secret=..., refresh_token=...),
    client("tn360", "https://api-us.telematics.com/v1/vehicles", api_key=...),
    client("trimble_maps", "https://fleets.trimblemaps.com/api/assets/v1/vehicles", api_key=...),
    client(
        "verizon_reveal",
        "https://fim.api.us.fleetmatics.com/rad/v1/vehicles",
        other(200, TOKEN, ["Content-Type", "text/plain"]),
        username="user-1",
        password=...,
        app_id="fleetmatics-p-us-app",
    ),
]

everything = " ".join(CANARIES[name]["value"] for name in NAMES)
sentences = dict.fromkeys(("error", "error_description", "message", "code", "detail", "title"), f"no: {everything}")
ANSWERS = {
    "refused": answer(401, sentences, ["WWW-Authenticate", f'Bearer error="{everything}"'], ["X-Error", everything]),
    "denied": other(403, f"<html>{everything}</html>", ["Content-Type", "text/html"], ["Set-Cookie", everything]),
    "failed": answer(200, {"success": False, **sentences}),
    "moved": other(302, "", ["Location", f"https://{TOKEN}@{mark('token')}/{TOKEN}?{TOKEN}"]),
    "elsewhere": other(307, "", ["Location", f"/{TOKEN}?{everything}"]),
    "odd": other(200, everything, ["Content-Type", f"{mark('token')}/{mark('token')}"], ["Content-Encoding", mark("token")]),
    "cut": other(200, json.dumps(GOOD)[:-9], JSON_TYPE),
    "no token": answer(200, {mark("token"): TOKEN, "token": {TOKEN: TOKEN}, "accessToken": [TOKEN], "access_token": 7, "jwt": None}),
    "bad token": answer(200, dict.fromkeys(("token", "accessToken", "access_token", "jwt"), everything)),
    "broken": answer(503, sentences, ["Retry-After", everything]),
    "too many": answer(429, sentences, ["Retry-After", TOKEN]),
    "challenge": answer(200, {"requires2FA": True, "tempToken": CHALLENGE, "sessionId": CHALLENGE}),
}
# An error's word is repeated in errors: never one that repeats what was sent, nor a part of it.
for name in NAMES:
    for kind, word in (("word", value(name)), ("part", value(name)[: len(mark(name))]), ("more", f"no-{value(name)}")):
        ANSWERS[f"{kind} of {name}"] = answer(400, dict.fromkeys(("error", "code", "error_code"), word))

# What is answered to the first request for a token, to a code, to inquiries, to the renewal and to the logout.
SCENARIOS: list[dict] = [{"first": "good"}]
SCENARIOS += [{"first": one} for one in ("refused", "denied", "failed", "moved", "elsewhere", "odd", "cut", "no token", "bad token")]
SCENARIOS += [{"first": one} for one in ("silence", "broken", "too many")]
SCENARIOS += [{"first": "good", "inquiry": one, "renewal": one, "logout": one} for one in ("refused", "denied", "moved", "cut")]
SCENARIOS += [{"first": "good", "renewal": "silence"}]
SCENARIOS += [{"first": "challenge", "code": one} for one in ("good", "refused")]
for kind in ("word", "part", "more"):
    SCENARIOS += [{"first": f"{kind} of {name}", "sent": name} for name in NAMES[:-4]]
    SCENARIOS += [{"first": "good", "inquiry": f"{kind} of token"}]
    again = f"{kind} of refresh_token"
    SCENARIOS += [{"first": "good", "renewal": again, "logout": again, "sent": "refresh_token"}]
    SCENARIOS += [{"first": "challenge", "code": f"{kind} of {name}", "sent": "password"} for name in ("code", "challenge")]


def uncovered() -> list[str]:
    """Secret parameters that no client has."""
    found = []
    for path in sorted((ROOT / "core/provider").glob("*.json")):
        parameters = json.loads(path.read_text()).get("parameters", {}) if path.name != "descriptor.schema.json" else {}
        used = {name for spec in CLIENTS if spec["provider"] == path.stem for name in spec["secrets"]}
        found += [f"{path.stem}.{name}" for name, spec in parameters.items() if spec.get("secret") and name not in used]
    return found


def main() -> int:
    document = {"note": "Made by canaries.py.", "canaries": CANARIES, "clients": CLIENTS, "answers": ANSWERS, "scenarios": SCENARIOS}
    text = json.dumps(document, indent=1) + "\n"
    if "--check" not in sys.argv[1:]:
        FILE.write_text(text)
        return 0
    problems = [f"no client has {name}" for name in uncovered()]
    if FILE.read_text() != text:
        problems.append(f"{FILE.name} is not what canaries.py makes: run it")
    print(*problems, sep="\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
