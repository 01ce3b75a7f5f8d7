"""doctor: what is wrong, where, and what to do next."""

import base64
import datetime
import email.utils
import hashlib
import json
import socket
from pathlib import Path
from typing import Any

import pytest
from conftest import API_KEY, CLIENT_SECRET, DAY, SECRET, Command, Emulator, Result, certificate, server
from cryptography import x509
from cryptography.hazmat.primitives import serialization

PASSWORD = {"FLEET_ORCHESTRATOR_PASSWORD": "demo-password"}
TOTP_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
STEPS = ["lookup", "connection", "tls", "reachability"]


@pytest.fixture
def orchestrator(emulator: Emulator) -> list[str]:
    return ["--provider", "fleet_orchestrator", "--base-url", f"{emulator.url}/fo", "--ca-file", emulator.ca_file]


def findings(result: Result) -> list[Any]:
    return list(result.json["findings"])


def of(result: Result, check: str, state: str | None = None) -> Any:
    """The first finding of the check."""
    return next(one for one in findings(result) if one["check"] == check and state in (None, one["state"]))


def problems(result: Result) -> list[tuple[str, str]]:
    return [(one["check"], one["status"]) for one in findings(result) if one["state"] == "problem"]


def at(words: list[str], url: str) -> list[str]:
    """The same with another base URL."""
    place = words.index("--base-url")
    return [*words[: place + 1], url, *words[place + 2 :]]


def test_healthy_provider(command: Command, emulator: Emulator) -> None:
    result = command("doctor", *command.fleetup, "--json")
    assert (result.status, result.err) == (0, ""), result.out
    told = result.json
    assert (told["provider"], told["profile"], told["ok"], told["exit_status"]) == ("fleetup", None, True, 0)
    checks = [one["check"] for one in told["findings"] if one["check"] != "configuration"]
    assert checks == ["library", "clock", "proxy", "ca", *STEPS, "credentials"]
    assert {one["state"] for one in told["findings"]} == {"ok"}
    assert of(result, "library")["data"]["static"] is True
    assert of(result, "tls")["data"]["verify_error"] == 0
    assert "127.0.0.1" in of(result, "tls")["data"]["names"]
    assert of(result, "ca")["data"]["certificates"] == 1
    assert emulator.log() == ["HEAD /fleetup 404", "POST /fleetup/token 200"]


def test_sources_are_told_and_secrets_are_not(command: Command, emulator: Emulator, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(f'[acme]\nprovider = "fleetup"\nbase_url = "{emulator.fleetup}"\nca_file = "{emulator.ca_file}"\n')
    (tmp_path / "secret").write_text(SECRET)
    words = ["--config", "c.toml", "--profile", "acme", "--secret-file", "secret=secret", "--acct-id", "12345"]
    for more in ([], ["--json"]):
        result = command("doctor", *words, *more, HTTPS_PROXY="http://user:canary@127.0.0.1:1", NO_PROXY="127.0.0.1")
        assert result.status == 0, result.out
        for told in (
            "the profile acme of c.toml",
            "acct_id = 12345, from the command line",
            "secret (secret), from the file secret",
            "api_key (secret), from the environment variable FLEETUP_API_KEY",
            "base_url, from the profile",
            "NO_PROXY excepts 127.0.0.1 from http://127.0.0.1:1 of the environment variable HTTPS_PROXY",
        ):
            assert told in result.out
        assert not any(canary in result.out for canary in (API_KEY, SECRET, CLIENT_SECRET, "canary", "eyJ"))


def test_no_login_asks_the_provider_nothing(command: Command, emulator: Emulator) -> None:
    result = command("doctor", *command.fleetup, "--no-login", "--json")
    assert (result.status, of(result, "credentials")["state"]) == (0, "skipped")
    assert emulator.log() == ["HEAD /fleetup 404"]


def test_each_origin_is_looked_at(command: Command) -> None:
    result = command("doctor", *command.mcf, "--json")
    assert result.status == 0, result.out
    assert [one["origin"] for one in findings(result) if one["check"] == "tls"] == ["api", "auth"]


def test_missing_option(command: Command, emulator: Emulator) -> None:
    result = command("doctor", *command.fleetup, "--json", FLEETUP_SECRET=None)
    assert (result.status, problems(result)) == (3, [("configuration", "E_CONFIG")])
    found = of(result, "configuration", "problem")
    assert found["seen"] == "secret is missing"
    assert found["next"] == "set the environment variable FLEETUP_SECRET, or give --secret-file secret=PATH"
    assert of(result, "reachability")["state"] == "ok"
    assert of(result, "credentials")["seen"] == "the configuration is not complete"
    assert emulator.log() == ["HEAD /fleetup 404"]


def test_reference_of_a_profile_that_leads_nowhere(command: Command, emulator: Emulator, tmp_path: Path) -> None:
    text = f'[acme]\nprovider = "fleetup"\nbase_url = "{emulator.fleetup}"\nca_file = "{emulator.ca_file}"\nacct_id = 1\n'
    (tmp_path / "c.toml").write_text(text + 'secret = { env = "NOT_SET" }\n')
    result = command("doctor", "--config", "c.toml", "--profile", "acme", "--json", FLEETUP_SECRET=None)
    assert (result.status, problems(result)) == (3, [("configuration", "E_CONFIG")])
    assert "NOT_SET is not set" in of(result, "configuration", "problem")["seen"]
    assert of(result, "reachability")["state"] == "ok"


def test_no_such_profile_skips_everything_else(command: Command) -> None:
    result = command("doctor", "--profile", "acme", "--json")
    assert (result.status, problems(result)) == (3, [("configuration", "E_CONFIG")])
    assert {one["state"] for one in findings(result) if one["check"] not in ("library", "configuration")} == {"skipped"}


def test_nobody_listens(command: Command, emulator: Emulator) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    result = command("doctor", *at(command.fleetup, f"https://127.0.0.1:{port}"), "--json")
    assert (result.status, problems(result)) == (8, [("connection", "E_CONNECT")])
    found = of(result, "connection")
    assert f"nobody listens at https://127.0.0.1:{port}" in found["seen"]
    assert "base_url" in found["next"]
    for check in ("clock", "tls", "reachability", "credentials"):
        assert of(result, check)["state"] == "skipped"


def test_name_that_does_not_exist(command: Command) -> None:
    result = command("doctor", *at(command.fleetup, "https://nothing.invalid"), "--json")
    assert (result.status, problems(result)) == (8, [("lookup", "E_DNS")])
    assert of(result, "connection")["seen"] == "the name is not known"


def test_name_is_looked_up_within_the_default_patience(command: Command, emulator: Emulator) -> None:
    url = emulator.fleetup.replace("127.0.0.1", "localhost")
    assert of(command("doctor", *at(command.fleetup, url), "--no-login", "--json"), "lookup")["state"] == "ok"


def test_answer_that_does_not_come_in_time(command: Command, emulator: Emulator) -> None:
    emulator.fault("/fleetup", {"hold": "gate"})
    result = command("doctor", *command.fleetup, "--attempt-timeout-ms", "2000", "--json")
    assert (result.status, problems(result)) == (9, [("reachability", "E_TIMEOUT")])
    assert "attempt_timeout_ms" in of(result, "reachability")["next"]


def test_unknown_authority(command: Command, emulator: Emulator) -> None:
    place = command.fleetup.index("--ca-file")
    result = command("doctor", *command.fleetup[:place], "--json")
    assert (result.status, problems(result)) == (8, [("tls", "E_TLS")])
    found = of(result, "tls")
    assert "its authority is not among the" in found["seen"]
    assert "ca_file" in found["next"]
    assert found["data"]["issuer"]
    assert emulator.log() == []


@pytest.mark.parametrize(
    ("begin", "end", "words"), [(-3 * DAY, -DAY, "has expired"), (DAY, 3 * DAY, "is not yet valid")], ids=["expired", "early"]
)
def test_certificate_out_of_its_time(
    command: Command, tmp_path: Path, begin: datetime.timedelta, end: datetime.timedelta, words: str
) -> None:
    context, ca_file = certificate(tmp_path, "127.0.0.1", begin, end)
    with server(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", context) as (port, seen):
        result = command("doctor", *at(command.fleetup, f"https://127.0.0.1:{port}"), "--ca-file", str(ca_file), "--json")
    assert (result.status, problems(result)) == (8, [("tls", "E_TLS")])
    assert words in of(result, "tls")["seen"]
    assert "set the clock" in of(result, "tls")["next"]
    assert b"".join(seen) == b""


def test_certificate_of_another_host(command: Command, tmp_path: Path) -> None:
    context, ca_file = certificate(tmp_path, "other.example", -DAY, 60 * DAY)
    with server(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", context) as (port, seen):
        result = command("doctor", *at(command.fleetup, f"https://127.0.0.1:{port}"), "--ca-file", str(ca_file), "--json")
    assert (result.status, problems(result)) == (8, [("tls", "E_TLS")])
    assert of(result, "tls")["seen"] == "the certificate is not for 127.0.0.1 but for other.example"
    assert "base_url" in of(result, "tls")["next"]
    assert b"".join(seen) == b""


def test_certificate_that_ends_soon(command: Command, tmp_path: Path) -> None:
    context, ca_file = certificate(tmp_path, "127.0.0.1", -DAY, 3 * DAY)
    with server(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", context) as (port, seen):
        words = at(command.fleetup, f"https://127.0.0.1:{port}")
        result = command("doctor", *words, "--ca-file", str(ca_file), "--json", "--no-login")
    assert result.status == 0, result.out
    assert of(result, "tls")["state"] == "warning"
    assert of(result, "clock")["state"] == "skipped"
    assert [data.split(b"\r\n")[0] for data in seen] == [b"HEAD / HTTP/1.1"]
    assert not any(canary.encode() in seen[0] for canary in (API_KEY, SECRET))


def test_server_without_tls(command: Command) -> None:
    with server(b"HTTP/1.1 400 Bad Request\r\n\r\n") as (port, seen):
        result = command("doctor", *at(command.fleetup, f"https://127.0.0.1:{port}"), "--json")
    assert (result.status, problems(result)) == (8, [("tls", "E_TLS")])
    assert b"HEAD" not in seen[0]


def test_key_that_is_not_pinned(command: Command, emulator: Emulator) -> None:
    result = command("doctor", *command.fleetup, "--pinned-public-key", f"sha256//{'A' * 43}=", "--json")
    assert (result.status, problems(result)) == (8, [("tls", "E_TLS")])
    assert "pinned_public_key" in of(result, "tls")["next"]
    assert emulator.log() == []


def test_keys_are_pinned_where_token_requests_go(command: Command, tmp_path: Path) -> None:
    pins = {}
    contexts = {}
    for name in ("api", "auth"):
        folder = tmp_path / name
        folder.mkdir()
        contexts[name], ca_file = certificate(folder, "127.0.0.1", -DAY, 60 * DAY)
        key = x509.load_pem_x509_certificate(ca_file.read_bytes()).public_key()
        info = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        pins[name] = f"sha256//{base64.b64encode(hashlib.sha256(info).digest()).decode()}"
    (tmp_path / "ca.pem").write_bytes(b"".join((tmp_path / name / "ca.pem").read_bytes() for name in pins))
    answer = b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"
    with server(answer, contexts["api"]) as (api, _), server(answer, contexts["auth"]) as (auth, _):
        words = ["--provider", "my_connected_fleet", "--client-id", "client", "--ca-file", str(tmp_path / "ca.pem"), "--no-login", "--json"]
        words += ["--api-base-url", f"https://127.0.0.1:{api}", "--auth-base-url", f"https://127.0.0.1:{auth}"]
        assert problems(command("doctor", *words, "--pinned-public-key", pins["auth"])) == []
        wrong = command("doctor", *words, "--pinned-public-key", pins["api"])
    assert [one["origin"] for one in findings(wrong) if one["state"] == "problem"] == ["auth"]


@pytest.mark.parametrize(
    ("options", "bound"),
    [((5000, 300), "attempt_timeout_ms"), ((300, 5000), "connect_timeout_ms")],
    ids=["attempt", "connection"],
)
def test_option_that_ends_a_handshake_is_named(command: Command, options: tuple[int, int], bound: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        words = at(command.fleetup, f"https://127.0.0.1:{listener.getsockname()[1]}")
        limits = ["--connect-timeout-ms", str(options[0]), "--attempt-timeout-ms", str(options[1])]
        result = command("doctor", *words, *limits, "--no-login", "--json")
    assert (result.status, problems(result)) == (9, [("tls", "E_TIMEOUT")])
    assert "did not end within 300 ms" in of(result, "tls")["seen"]
    assert bound in of(result, "tls")["next"]


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_ca_file_that_is_none(command: Command, emulator: Emulator, tmp_path: Path, content: str | None) -> None:
    if content:
        (tmp_path / "bad.pem").write_text(content)
    result = command("doctor", *command.fleetup, "--ca-file", str(tmp_path / "bad.pem"), "--json")
    assert (result.status, problems(result)) == (3, [("ca", "E_CONFIG")])
    assert of(result, "connection")["state"] == "ok"
    assert of(result, "tls")["state"] == "skipped"
    assert emulator.log() == []


@pytest.mark.parametrize(
    ("skew", "state", "exit_status"),
    [(120, "warning", 0), (3600, "warning", 0), (-3600, "warning", 0), (90000, "problem", 3), (-90000, "problem", 3)],
)
def test_clock_skew(command: Command, emulator: Emulator, skew: int, state: str, exit_status: int) -> None:
    emulator.admin("POST", "/clock", {"advance_s": skew})
    try:
        result = command("doctor", *command.fleetup, "--no-login", "--json")
    finally:
        emulator.admin("POST", "/clock", {"advance_s": -skew})
    found = of(result, "clock")
    assert (result.status, found["state"]) == (exit_status, state)
    assert abs(found["data"]["ahead_s"] + skew) <= 5
    assert ("behind" if skew > 0 else "ahead of") in found["seen"]
    assert "set this machine's clock" in found["next"]


def test_clock_by_an_answer_that_a_cache_kept(command: Command, tmp_path: Path) -> None:
    context, ca_file = certificate(tmp_path, "127.0.0.1", -DAY, 60 * DAY)

    def answer() -> bytes:
        date = email.utils.format_datetime(datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1), usegmt=True)
        return f"HTTP/1.1 404 No\r\nX-Date: never\r\ndate:{date} \r\nAGE:\t3600\r\nContent-Length: 0\r\n\r\n".encode()

    with server(answer, context) as (port, _):
        words = at(command.fleetup, f"https://127.0.0.1:{port}")
        result = command("doctor", *words, "--ca-file", str(ca_file), "--json", "--no-login")
    assert of(result, "clock")["state"] == "ok", result.out


@pytest.mark.parametrize(("skew", "exit_status", "seen"), [(3600, 0, "after one refused request at most"), (90000, 3, "they are refused")])
def test_clock_skew_where_tokens_are_made_here(command: Command, emulator: Emulator, skew: int, exit_status: int, seen: str) -> None:
    words = ["--provider", "fleet_engine", "--base-url", f"{emulator.url}/fleet-engine", "--ca-file", emulator.ca_file]
    key = json.dumps(emulator.admin("GET", "/fleet_engine/service_account"))
    emulator.admin("POST", "/clock", {"advance_s": skew})
    try:
        result = command("doctor", *words, "--claim-set", "server", "--json", FLEET_ENGINE_SERVICE_ACCOUNT=key)
    finally:
        emulator.admin("POST", "/clock", {"advance_s": -skew})
    assert result.status == exit_status, result.out
    assert seen in of(result, "clock")["seen"]


def test_T_5_a_code_of_the_providers_time_is_accepted(command: Command, emulator: Emulator, orchestrator: list[str]) -> None:
    emulator.admin("POST", "/clock", {"advance_s": 360})
    try:
        result = command(
            "doctor", *orchestrator, "--email", "totp@fleet.example", "--json", **PASSWORD, FLEET_ORCHESTRATOR_TOTP_SECRET=TOTP_SECRET
        )
    finally:
        emulator.admin("POST", "/clock", {"advance_s": -360})
    assert (result.status, of(result, "clock")["state"], of(result, "credentials")["state"]) == (0, "warning", "ok"), result.out
    assert "one-time codes made here" in of(result, "clock")["seen"]


@pytest.mark.parametrize(
    ("answer", "words"), [(b"407 Proxy Authentication Required", "user name and password"), (b"403 Forbidden", "it refuses")]
)
def test_proxy_that_refuses(command: Command, answer: bytes, words: str) -> None:
    with server(b"HTTP/1.1 " + answer + b"\r\nContent-Length: 0\r\n\r\n") as (port, seen):
        result = command("doctor", *command.fleetup, "--json", HTTPS_PROXY=f"http://user:canary@127.0.0.1:{port}")
    assert (result.status, problems(result)) == (8, [("connection", "E_PROXY")])
    assert of(result, "proxy")["data"]["source"] == "the environment variable HTTPS_PROXY"
    assert words in of(result, "connection")["seen"]
    assert "canary" not in result.out
    assert seen[0].startswith(b"CONNECT 127.0.0.1:")


def test_proxy_that_is_not_there(command: Command) -> None:
    result = command("doctor", *command.fleetup, "--proxy", "127.0.0.1:1", "--json")
    assert (result.status, problems(result)) == (8, [("connection", "E_PROXY")])
    assert "nobody listens at the proxy http://127.0.0.1:1" in of(result, "connection")["seen"]


def test_proxy_that_is_no_url(command: Command) -> None:
    result = command("doctor", *command.fleetup, "--json", HTTPS_PROXY="ftp://user:canary@proxy")
    assert result.status == 3
    assert of(result, "lookup")["seen"] == "the proxy cannot be used"
    assert "canary" not in result.out


def test_refused_credentials_are_not_to_be_repeated(command: Command, emulator: Emulator) -> None:
    result = command("doctor", *command.fleetup, "--json", FLEETUP_SECRET="wrong")
    assert (result.status, problems(result)) == (4, [("credentials", "E_INVALID_CREDENTIALS")])
    assert "do not repeat" in of(result, "credentials")["next"]
    assert emulator.log() == ["HEAD /fleetup 404", "POST /fleetup/token 401"]


def test_what_may_have_been_carried_out_is_not_to_be_repeated(command: Command, emulator: Emulator, orchestrator: list[str]) -> None:
    emulator.fault("/fo/auth/login", {"drop": "after"})
    result = command("doctor", *orchestrator, "--email", "admin@fleet.example", "--json", **PASSWORD)
    assert (result.status, problems(result)) == (8, [("credentials", "E_NETWORK")])
    assert "it may have been carried out" in of(result, "credentials")["next"]
    assert len(emulator.log()) == 2


def test_code_of_a_wrong_totp_secret(command: Command, orchestrator: list[str]) -> None:
    words = [*orchestrator, "--email", "totp@fleet.example", "--json"]
    result = command("doctor", *words, **PASSWORD, FLEET_ORCHESTRATOR_TOTP_SECRET="A" * 32)
    assert (result.status, problems(result)) == (12, [("credentials", "E_OTP_REJECTED")])
    assert "the code was made from totp_secret" in of(result, "credentials")["next"]


def test_code_of_a_program_that_is_wrong(command: Command, orchestrator: list[str]) -> None:
    words = [*orchestrator, "--email", "otp@fleet.example", "--otp-from", "echo 000000", "--json"]
    result = command("doctor", *words, **PASSWORD)
    assert (result.status, problems(result)) == (12, [("credentials", "E_OTP_REJECTED")])
    assert "take the next one" in of(result, "credentials")["next"]


def test_answer_that_is_too_large_is_somebody_elses(command: Command, tmp_path: Path) -> None:
    context, ca_file = certificate(tmp_path, "127.0.0.1", -DAY, 60 * DAY)
    with server(b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n", context) as (port, _):
        result = command("doctor", *at(command.fleetup, f"https://127.0.0.1:{port}"), "--ca-file", str(ca_file), "--json")
    assert (result.status, problems(result)) == (7, [("credentials", "E_TOO_LARGE")])
    assert "check that the base URL" in of(result, "credentials")["next"]


def test_code_is_asked_for_and_not_spent(command: Command, emulator: Emulator, orchestrator: list[str]) -> None:
    result = command("doctor", *orchestrator, "--email", "otp@fleet.example", "--json", **PASSWORD)
    assert result.status == 0, result.out
    assert (of(result, "credentials")["state"], of(result, "credentials")["data"]["code_asked"]) == ("warning", True)
    assert emulator.log() == ["HEAD /fo 404", "POST /fo/auth/login 200"]
    result = command("doctor", *orchestrator, "--email", "otp@fleet.example", "--otp-from", "echo 123456", "--json", **PASSWORD)
    assert (of(result, "credentials")["state"], of(result, "credentials")["data"]["code_asked"]) == ("ok", True)


def test_refresh_token_is_not_spent(command: Command, emulator: Emulator) -> None:
    words = ["--provider", "samsara", "--client-id", "demo-client", "--base-url", f"{emulator.url}/samsara", "--ca-file", emulator.ca_file]
    secrets = {"SAMSARA_CLIENT_SECRET": "demo-secret", "SAMSARA_REFRESH_TOKEN": "demo-refresh-token"}
    result = command("doctor", *words, "--json", **secrets)
    assert (result.status, of(result, "credentials")["state"]) == (0, "skipped"), result.out
    assert "refresh token" in of(result, "credentials")["seen"]
    assert emulator.log() == ["HEAD /samsara 404"]


def test_scheme_without_a_login(command: Command, emulator: Emulator) -> None:
    words = ["--provider", "tn360", "--base-url", f"{emulator.url}/tn360", "--ca-file", emulator.ca_file]
    result = command("doctor", *words, "--json", TN360_API_KEY="demo-tn360-key")
    assert (result.status, of(result, "credentials")["state"]) == (0, "skipped"), result.out
    assert "fleetauth request URL" in of(result, "credentials")["seen"]


def test_no_redirect_is_followed(command: Command, emulator: Emulator) -> None:
    emulator.fault("/fleetup", {"status": 302, "headers": {"Location": f"{emulator.fleetup}/devices"}})
    assert of(command("doctor", *command.fleetup, "--no-login", "--json"), "reachability")["data"]["http_status"] == 302
    assert emulator.log() == ["HEAD /fleetup 302"]


def test_wrong_command_line(command: Command) -> None:
    for words in (["doctor"], ["doctor", *command.fleetup, "more"], ["doctor", *command.fleetup, "--secret", SECRET]):
        result = command(*words)
        assert (result.status, result.out) == (2, "")
    assert command("login", *command.fleetup, "--no-login").status == 2


def test_text_has_a_line_for_each_finding_and_what_to_do(command: Command) -> None:
    words = ["doctor", *command.fleetup]
    lines = command(*words, FLEETUP_SECRET="wrong").out.splitlines()
    told = json.loads(command(*words, "--json", FLEETUP_SECRET="wrong").out)["findings"]
    assert [line.split()[0] for line in lines if line[:1].strip()][:-1] == [one["state"] for one in told]
    assert sum("-> " in line for line in lines) == sum(one["next"] is not None for one in told)
    assert lines[-1] == "1 problem was found."
