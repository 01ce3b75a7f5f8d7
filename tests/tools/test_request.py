"""request: what is sent, what is healed, what it exits with."""

import json
import ssl
from pathlib import Path

import pytest
from conftest import DAY, Command, Emulator, certificate, server


def test_answer_goes_out_and_status_aside(command: Command, emulator: Emulator) -> None:
    result = command("request", *command.fleetup, f"{emulator.fleetup}/devices")
    assert result.status == 0
    assert json.loads(result.out)["data"][0]["acctId"] == "12345"
    assert result.err == "fleetauth: HTTP 200\n"


def test_json_of_an_answer(command: Command, emulator: Emulator) -> None:
    answer = command("request", *command.fleetup, "--json", f"{emulator.fleetup}/devices").json
    assert set(answer) == {"status", "repeated", "body"}
    assert (answer["status"], answer["repeated"]) == (200, False)
    assert "data" in json.loads(answer["body"])


def test_refused_token_is_renewed_once_and_the_request_repeated(command: Command, emulator: Emulator) -> None:
    emulator.fault("/fleetup/devices", {"status": 401}, times=1)
    result = command("request", *command.fleetup, f"{emulator.fleetup}/devices")
    assert result.status == 0
    assert result.err == "fleetauth: HTTP 200, after the token was renewed\n"
    assert emulator.log() == [
        "POST /fleetup/token 200",
        "GET /fleetup/devices 401",
        "POST /fleetup/token 200",
        "GET /fleetup/devices 200",
    ]


def test_token_that_stays_refused_is_no_loop(command: Command, emulator: Emulator) -> None:
    emulator.fault("/fleetup/devices", {"status": 401})
    result = command("request", *command.fleetup, "--json", f"{emulator.fleetup}/devices")
    assert result.status == 5
    assert (result.json["status"], result.json["repeated"]) == (401, True)
    assert emulator.log().count("GET /fleetup/devices 401") == 2


@pytest.mark.parametrize("given", ["text", "file"])
def test_data_is_posted_as_json(command: Command, emulator: Emulator, tmp_path: Path, given: str) -> None:
    body = '{"acctId": 12345}'
    (tmp_path / "body.json").write_text(body)
    url = f"{emulator.fleetup}/gpsdata/device-last-location"
    result = command("request", *command.fleetup, "--scheme", "legacy", "--data", body if given == "text" else "@body.json", url)
    assert result.status == 0, result.err
    assert emulator.log() == ["GET /fleetup/token 200", "POST /fleetup/gpsdata/device-last-location 200"]


def test_method_is_sent(command: Command, emulator: Emulator) -> None:
    emulator.fault("/fleetup/devices", {"status": 200, "body": "{}"})
    assert command("request", *command.fleetup, "--method", "PUT", f"{emulator.fleetup}/devices").status == 0
    assert emulator.log()[-1] == "PUT /fleetup/devices 200"


def test_no_redirect_is_followed(command: Command, emulator: Emulator) -> None:
    emulator.fault("/fleetup/devices", {"status": 302, "headers": {"Location": f"{emulator.fleetup}/gpsdata"}})
    result = command("request", *command.fleetup, "--json", f"{emulator.fleetup}/devices")
    assert result.json["status"] == 302
    assert emulator.log() == ["POST /fleetup/token 200", "GET /fleetup/devices 302"]


@pytest.mark.parametrize(("answered", "exit_status"), [(400, 1), (403, 5), (404, 1), (429, 6), (500, 7), (503, 7)])
def test_failed_answer_is_in_the_exit_status(command: Command, emulator: Emulator, answered: int, exit_status: int) -> None:
    emulator.fault("/fleetup/devices", {"status": answered, "body": "no"})
    result = command("request", *command.fleetup, f"{emulator.fleetup}/devices")
    assert (result.status, result.out) == (exit_status, "no")
    assert result.err == f"fleetauth: HTTP {answered}\n"


def test_connection_that_breaks_is_a_network_error(command: Command, emulator: Emulator) -> None:
    emulator.fault("/fleetup/devices", {"drop": "before"})
    result = command("request", *command.fleetup, "--json", f"{emulator.fleetup}/devices")
    assert (result.status, result.out, result.error["class"]) == (8, "", "NetworkError")


def test_body_that_is_no_text_is_printed_as_it_is(command: Command, emulator: Emulator) -> None:
    emulator.fault("/fleetup/devices", {"garbage": "body"})
    result = command("request", *command.fleetup, "--json", f"{emulator.fleetup}/devices")
    assert result.status == 0, result.err
    assert result.json["body"]


def test_certificate_is_verified(command: Command, emulator: Emulator) -> None:
    """Basic needs no token request: it is the command's own request that refuses the unknown CA."""
    at = command.mcf.index("--ca-file")
    without_ca = command.mcf[:at] + command.mcf[at + 2 :]
    url = f"{emulator.mcf['api']}/connect-webservices/services/public/v1/customer/1001/tracking/live"
    assert command("request", *command.mcf, url).status == 0
    result = command("request", *without_ca, "--json", url)
    assert (result.status, result.error["status"]) == (8, "E_TLS")
    assert len(emulator.log()) == 1


def test_proxy_of_the_option_has_no_exceptions(command: Command, emulator: Emulator) -> None:
    """As for the client: NO_PROXY belongs to the proxy of the environment."""
    url = f"{emulator.mcf['api']}/connect-webservices/services/public/v1/customer/1001/tracking/live"
    assert command("request", *command.mcf, url, HTTPS_PROXY="http://127.0.0.1:1", NO_PROXY="127.0.0.1").status == 0
    assert command("request", *command.mcf, "--proxy", "http://127.0.0.1:1", url, NO_PROXY="127.0.0.1").status == 8
    assert len(emulator.log()) == 1


def test_cipher_without_authenticated_encryption_is_refused(command: Command, tmp_path: Path) -> None:
    context, ca_file = certificate(tmp_path, "127.0.0.1", -DAY, DAY)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-AES128-SHA")
    with server(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", context) as (port, seen):
        url = f"https://127.0.0.1:{port}"
        words = ["--provider", "tn360", "--base-url", url, "--ca-file", str(ca_file), "--json"]
        result = command("request", *words, f"{url}/devices", TN360_API_KEY="canary")
    assert (result.status, result.error["status"]) == (8, "E_TLS")
    assert b"".join(seen) == b""
