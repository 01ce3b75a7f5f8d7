"""Help, and what is said to people who mistype."""

import pytest
from conftest import Command

COMMANDS = ["login", "token", "mint", "headers", "request", "status", "logout", "providers", "version"]


def test_help_lists_commands_and_exit_statuses(command: Command) -> None:
    shown = command("--help")
    assert shown.status == 0
    for word in (*COMMANDS, "emulate", "3 ConfigurationError", "9 TimeoutError"):
        assert word in shown.out
    assert command("-h").out == command("help").out == shown.out
    assert max(map(len, shown.out.splitlines())) <= 120


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command(command: Command, name: str) -> None:
    shown = command(name, "--help")
    assert shown.status == 0
    assert shown.out.startswith(f"usage: fleetauth {name}")
    assert "--json" in shown.out
    assert ("--ca-file" in shown.out) == (name in ("login", "token", "mint", "headers", "request", "logout"))
    assert ("--data TEXT" in shown.out) == (name == "request")
    assert ("--otp-from" in shown.out) == (name in ("login", "token", "mint", "headers", "request"))
    assert ("--config" in shown.out) == (name not in ("providers", "version"))
    assert command("help", name).out == shown.out


def test_help_of_the_emulator_is_its_own(command: Command) -> None:
    shown = command("emulate", "--help")
    assert shown.status == 0
    assert "--with-parent" in shown.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "name a command; fleetauth --help lists them"),
        (["tokn"], "there is no command 'tokn'; did you mean 'token'?"),
        (["frobnicate"], "there is no command 'frobnicate'; see fleetauth --help"),
        (["--jsn", "token"], "name a command before --jsn; did you mean --json?"),
        (["token"], "name a provider with --provider"),
        (["token", "--provder", "fleetup"], "did you mean --provider?"),
        (["token", "--provider"], "--provider needs a value"),
        (["token", "--provider", "fleetup", "--acct-it", "1"], "fleetup has no option --acct-it; did you mean --acct-id?"),
        (["token", "--provider", "fleetup", "--inf"], "--inf needs a value"),
        (["token", "--provider", "fleetup", "--set", "acct_id"], "--set takes NAME=VALUE"),
        (["token", "--provider", "fleetup", "-p"], "there is no option -p"),
        (["token", "--info=yes"], "--info takes no value"),
        (["token", "--data", "{}"], "fleetauth token has no option --data"),
        (["token", "https://api.fleetup.net/"], "fleetauth headers URL"),
        (["headers", "--provider", "fleetup"], "use: fleetauth headers URL"),
        (["request", "a", "b"], "use: fleetauth request URL"),
        (["logn"], "there is no command 'logn'; did you mean 'login'?"),
        (["login", "acme"], "login takes no argument; name a profile with --profile"),
        (["login", "--info"], "fleetauth login has no option --info"),
        (["logout", "acme"], "logout takes no argument; name a profile with --profile"),
        (["logout"], "name a provider with --provider"),
        (["logout", "--otp-from", "x"], "fleetauth logout has no option --otp-from"),
        (["status", "acme"], "status takes no argument"),
        (["status", "--profile", "acme"], "fleetauth status has no option --profile"),
        (["status", "--acct-id", "1"], "fleetauth status has no option --acct-id"),
        (["version", "now"], "use: fleetauth version"),
        (["version", "--dep"], "--dep needs a value"),
        (["version", "--dep=1"], "fleetauth version has no option --dep; did you mean --deps?"),
        (["providers", "delete"], "use: fleetauth providers"),
        (["--json", "emulate"], "fleetauth emulate --help"),
    ],
)
def test_wrong_command_lines(command: Command, words: list[str], message: str) -> None:
    result = command(*words)
    assert (result.status, result.out) == (2, "")
    assert message in result.err


def test_wrong_type_names_option_and_type(command: Command) -> None:
    result = command("token", *command.fleetup, "--acct-id", "twelve")
    assert result.status == 3
    assert 'option "acct_id" must be a whole number' in result.err


def test_switches_and_words_after_two_dashes(command: Command) -> None:
    assert command("token", *command.fleetup, "--allow-loopback-http", "--info").status == 0
    assert command("token", *command.fleetup, "--allow-loopback-http=false", "--info").status == 0
    assert command("headers", *command.fleetup, "--", "--nothing").status == 3
