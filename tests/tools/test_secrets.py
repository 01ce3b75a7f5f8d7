"""Where secrets come from, and where they never go."""

import json
import os
import pty
import select
import signal
import subprocess
import termios
import time
from pathlib import Path

import pytest
from conftest import API_KEY, CLIENT_SECRET, COMMAND, SECRET, Command, Emulator, Result

CANARIES = (API_KEY, SECRET, CLIENT_SECRET)
SHARED = json.loads((Path(__file__).parents[1] / "secrets/canaries.json").read_text())
VALUES = {name: canary["value"] for name, canary in SHARED["canaries"].items()}
FORMS = {form: name for name, canary in SHARED["canaries"].items() for form in canary["forms"]}


@pytest.mark.parametrize("words", [["--secret", SECRET], [f"--secret={SECRET}"], ["--set", f"secret={SECRET}"], ["--api-key", API_KEY]])
def test_secret_in_argv_is_refused_and_not_repeated(command: Command, emulator: Emulator, words: list[str]) -> None:
    result = command("token", *command.fleetup, *words)
    assert (result.status, result.out) == (2, "")
    assert "the environment variable FLEETUP_" in result.err
    assert "--secret-file" in result.err
    assert "--secret-stdin" in result.err
    assert not any(canary in result.err for canary in CANARIES)
    assert emulator.log() == []


@pytest.mark.parametrize("words", [["--set", f"secret:{SECRET}"], ["--secret-file", SECRET], ["--secret-file", f"={SECRET}"]])
def test_mistyped_secret_is_not_repeated(command: Command, words: list[str]) -> None:
    result = command("token", *command.fleetup, *words)
    assert result.status == 2
    assert SECRET not in result.err


def test_a_password_of_the_proxy_in_argv_is_refused_and_not_repeated(command: Command, emulator: Emulator) -> None:
    for words in (["--proxy", "http://user:canary@127.0.0.1:1"], ["--set", "proxy=socks5h://user:canary@127.0.0.1:1"]):
        result = command("token", *command.fleetup, *words)
        assert (result.status, result.out) == (2, "")
        assert "HTTPS_PROXY" in result.err
        assert "canary" not in result.err
    assert emulator.log() == []


def test_a_secret_that_a_patch_of_the_descriptor_brings_is_one(command: Command, emulator: Emulator) -> None:
    patch = '{"parameters": {"pin": {"type": "text", "secret": true, "doc": "A number."}}}'
    result = command("token", *command.fleetup, "--set", f"descriptor_patch={patch}", "--set", "pin=canary")
    assert (result.status, result.out) == (2, "")
    assert "--pin is a secret" in result.err
    assert "canary" not in result.err
    for patch, message in (("{", "descriptor_patch is not JSON"), ('{"steps": 7}', "/steps")):
        result = command("token", *command.fleetup, "--set", f"descriptor_patch={patch}", "--set", "pin=canary")
        assert result.status == 3
        assert message in result.err
        assert "canary" not in result.err
    assert emulator.log() == []


def test_secret_from_a_file(command: Command, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    result = command("token", *command.fleetup, "--secret-file", "secret=secret", FLEETUP_SECRET="wrong")
    assert result.status == 0, result.err


def test_secrets_from_standard_input_line_by_line(command: Command) -> None:
    words = ["--secret-stdin", "api-key", "--secret-stdin=secret"]
    result = command("token", *command.fleetup, *words, stdin=f"{API_KEY}\r\n{SECRET}", FLEETUP_SECRET=None, FLEETUP_API_KEY=None)
    assert result.status == 0, result.err


def test_standard_input_that_ends_too_early(command: Command) -> None:
    result = command("token", *command.fleetup, "--secret-stdin", "secret")
    assert (result.status, result.err) == (3, "fleetauth: standard input ended before the value of secret\n")


def test_missing_secret_lists_what_was_tried(command: Command) -> None:
    result = command("token", *command.fleetup, FLEETUP_SECRET=None)
    assert result.status == 3
    assert result.err == (
        "fleetauth: fleetup needs secret. Tried: --secret-file and --secret-stdin (not given), "
        "the environment variable FLEETUP_SECRET (not set), the terminal (there is none)\n"
    )


def test_T13_secrets_appear_only_where_they_are_asked_for(command: Command, emulator: Emulator) -> None:
    """The canaries are the credentials; a token is one too."""
    url = f"{emulator.fleetup}/devices"
    legacy = [*command.fleetup, "--scheme", "legacy"]
    silent = [
        command("token", *command.fleetup, "--info"),
        command("token", *command.fleetup, "--info", "--json"),
        command("request", *command.fleetup, url),
        command("request", *command.mcf, "--json", f"{emulator.mcf['api']}/job-management/v1/customer/1001/jobs"),
        command("providers", "show", "fleetup"),
    ]
    emulator.fault("/fleetup/token", {"status": 401, "body": f'{{"code": "{SECRET}", "message": "{API_KEY}"}}'})
    failing = [command("token", *words, *more) for words in (command.fleetup, legacy) for more in ([], ["--json"])]
    failing.append(command("token", *legacy[:-4], "--base-url", "https://127.0.0.1:1", "--scheme", "legacy"))
    assert [result.status for result in failing] == [4, 4, 4, 4, 8]
    for result in silent + failing:
        for canary in (*CANARIES, "eyJ"):
            assert canary not in result.out
            assert canary not in result.err


def assert_silent(command: Command, *words: str, **environment: str) -> Result:
    result = command(*words, **environment)
    for form, name in FORMS.items():
        assert form not in result.out + result.err, f"{words} shows {name}: {result}"
    return result


@pytest.mark.parametrize("json_output", [[], ["--json"]], ids=["text", "json"])
def test_L03_no_answer_makes_the_command_show_a_secret(command: Command, emulator: Emulator, json_output: list[str]) -> None:
    """The emulator answers for FleetUp what the shared canaries say; `headers` and `token` alone show what they are asked for."""
    environment = {"FLEETUP_API_KEY": VALUES["api_key"], "FLEETUP_SECRET": VALUES["secret"]}
    url = f"{emulator.fleetup}/devices"
    common = [*command.fleetup, "--set", "total_timeout_ms=300", *json_output]
    statuses = set()
    for name, answer in SHARED["answers"].items():
        if " of " in name and not name.endswith((" api_key", " secret")):
            continue  # the word of an error that repeats what was never sent
        headers = dict(answer["headers"])
        kind = {"content_type": headers.pop("Content-Type")} if "Content-Type" in headers else {}
        emulator.reset()
        emulator.fault("/fleetup/token", {"status": answer["status"], "headers": headers, "body": answer["body"], **kind})
        commands = [["login"]] if name != "refused" else [["login"], ["token"], ["headers", url], ["request", url], ["doctor"], ["whoami"]]
        statuses |= {assert_silent(command, *words, *common, **environment).status for words in commands}
    emulator.reset()
    emulator.fault("/fleetup/token", {"hold": "gate"})
    statuses.add(assert_silent(command, "login", *common, **environment).status)
    emulator.admin("POST", "/release", {"gate": "gate"})
    assert {4, 6, 7, 9} <= statuses, statuses
    assert 2 not in statuses


def test_L03_no_wrong_option_makes_the_command_show_a_secret(command: Command, emulator: Emulator) -> None:
    for client in SHARED["clients"]:
        for mistake in client["mistakes"]:
            if any("\0" in str(value) for value in mistake.values()):
                continue  # no program can be given one
            options = {name: str(value) for name, value in (client["options"] | mistake).items()}
            words = [word for name, value in options.items() for word in ("--set", f"{name}={value}")]
            assert assert_silent(command, "token", "--provider", client["provider"], *words).status in (2, 3)
    assert emulator.log() == []


def test_T13_no_secret_is_in_the_process_list(command: Command, emulator: Emulator, tmp_path: Path) -> None:
    """What other users of the machine can read while the command waits for the provider."""
    (tmp_path / "secret").write_text(SECRET)
    emulator.fault("/fleetup/token", {"hold": "gate"}, times=1)
    words = [COMMAND, "token", *command.fleetup, "--secret-file", f"secret={tmp_path / 'secret'}"]
    with subprocess.Popen(words, env=command.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        emulator.admin("GET", "/log?wait_for=1&timeout_ms=20000")
        line = Path(f"/proc/{process.pid}/cmdline").read_bytes()
        emulator.admin("POST", "/release", {"gate": "gate"})
        assert process.wait() == 0
    assert b"--secret-file" in line
    assert not any(canary.encode() in line for canary in CANARIES)


class Terminal:
    """The command on a terminal of its own."""

    def __init__(self, command: Command, *words: str, **environment: str) -> None:
        pid, self.fd = pty.fork()
        if pid == 0:
            os.execve(COMMAND, [str(COMMAND), *words], environment | {"HOME": str(command.home)})
        self.pid = pid
        self.seen = ""

    def read_until(self, text: str) -> None:
        while text not in self.seen:
            ready, _, _ = select.select([self.fd], [], [], 20)
            assert ready, f"{text!r} did not come after {self.seen!r}"
            self.seen += os.read(self.fd, 4096).decode()

    def type(self, text: str) -> None:
        deadline = time.monotonic() + 20
        while termios.tcgetattr(self.fd)[3] & termios.ECHO:  # the question is on the screen just before the echo goes off
            assert time.monotonic() < deadline, f"the echo stayed on after {self.seen!r}"
        os.write(self.fd, text.encode())

    def end(self) -> int:
        try:
            while data := os.read(self.fd, 4096):
                self.seen += data.decode()
        except OSError:
            pass  # how a terminal says that nobody is left
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def test_question_on_the_terminal_shows_nothing_typed(command: Command) -> None:
    terminal = Terminal(command, "token", *command.fleetup, "--info", FLEETUP_API_KEY=API_KEY)
    terminal.read_until("secret (not shown): ")
    terminal.type(f"{SECRET}\n")
    assert terminal.end() == 0, terminal.seen
    assert "expires" in terminal.seen
    assert SECRET not in terminal.seen


def test_ctrl_c_at_the_question_ends_the_command_and_gives_the_echo_back(command: Command, emulator: Emulator) -> None:
    terminal = Terminal(command, "token", *command.fleetup, FLEETUP_API_KEY=API_KEY)
    terminal.read_until("secret (not shown): ")
    terminal.type("half\x03")
    terminal.read_until("\r\n")
    assert termios.tcgetattr(terminal.fd)[3] & termios.ECHO
    assert terminal.end() == -signal.SIGINT
    assert emulator.log() == []


def test_nothing_is_sent_when_a_question_is_left_though_the_signal_is_ignored(command: Command, emulator: Emulator) -> None:
    """As under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        terminal = Terminal(command, "token", *command.fleetup, FLEETUP_API_KEY=API_KEY)
    finally:
        signal.signal(signal.SIGHUP, before)
    terminal.read_until("secret (not shown): ")
    terminal.type("")
    os.kill(terminal.pid, signal.SIGHUP)
    assert terminal.end() == 3
    assert "nothing was typed for secret" in terminal.seen
    assert emulator.log() == []


@pytest.mark.parametrize("ending", ["\x03", "\x04", "\x1a"])  # Ctrl-C, Ctrl-D, Ctrl-Z, which cannot stop it without a shell
def test_leaving_the_question_for_a_code_sends_none(command: Command, emulator: Emulator, ending: str) -> None:
    words = ["--provider", "fleet_orchestrator", "--base-url", f"{emulator.url}/fo", "--ca-file", emulator.ca_file]
    terminal = Terminal(command, "token", *words, "--email", "otp@fleet.example", FLEET_ORCHESTRATOR_PASSWORD="demo-password")
    terminal.read_until("one-time code (not shown): ")
    terminal.type(ending)
    assert terminal.end() == (-signal.SIGINT if ending == "\x03" else 3)
    assert emulator.log() == ["POST /fo/auth/login 200"]


def test_a_code_that_was_mistyped_is_asked_for_again(command: Command, emulator: Emulator) -> None:
    words = ["--provider", "fleet_orchestrator", "--base-url", f"{emulator.url}/fo", "--ca-file", emulator.ca_file]
    terminal = Terminal(command, "token", *words, "--info", "--email", "otp@fleet.example", FLEET_ORCHESTRATOR_PASSWORD="demo-password")
    terminal.read_until("one-time code (not shown): ")
    terminal.type("999999\n")
    terminal.read_until("refused")
    terminal.seen = terminal.seen.split("refused", 1)[1]
    terminal.read_until("one-time code (not shown): ")
    terminal.type("123456\n")
    assert terminal.end() == 0
    assert "123456" not in terminal.seen


def test_ctrl_c_ends_the_wait(command: Command, emulator: Emulator) -> None:
    emulator.fault("/fleetup/token", {"hold": "gate"}, times=1)
    process = subprocess.Popen(
        [COMMAND, "token", *command.fleetup], env=command.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    emulator.admin("GET", "/log?wait_for=1&timeout_ms=20000")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    emulator.admin("POST", "/release", {"gate": "gate"})
    assert (process.returncode, out, err) == (-signal.SIGINT, b"", b"")


def test_T14_environment_neither_taps_nor_redirects(command: Command, emulator: Emulator, tmp_path: Path) -> None:
    """What other programs obey: key logs, .netrc, other certificates, OpenSSL's configuration, and a proxy unless it is wanted."""
    (tmp_path / ".netrc").write_text("default login netrc password netrc\n")
    (tmp_path / "openssl.cnf").write_text("openssl_conf = here\n[here]\nproviders = nothing-there\n")
    hostile = {
        "SSLKEYLOGFILE": str(tmp_path / "keys"),
        "CURL_CA_BUNDLE": "/nothing",
        "SSL_CERT_FILE": emulator.ca_file,
        "OPENSSL_CONF": str(tmp_path / "openssl.cnf"),
        "HTTPS_PROXY": "http://127.0.0.1:1",
    }
    url = f"{emulator.fleetup}/devices"
    assert command("request", *command.fleetup, "--proxy", "none", url, **hostile).status == 0
    assert not (tmp_path / "keys").exists() or (tmp_path / "keys").read_bytes() == b""
    assert command("request", *command.fleetup, url, **hostile).status == 8
    at = command.mcf.index("--ca-file")
    without_ca = [*command.mcf[:at], *command.mcf[at + 2 :], "--proxy", "none"]
    core = f"{emulator.mcf['api']}/connect-webservices/services/public/v1/customer/1001/tracking/live"
    assert command("request", *without_ca, core, **hostile).status == 8
    assert emulator.log() == ["POST /fleetup/token 200", "GET /fleetup/devices 200"]
