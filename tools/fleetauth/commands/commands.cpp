#include "tools/fleetauth/commands/commands.h"

#include <array>

namespace fleetauth::command {

namespace {

constexpr std::array kCommands = {
    Command{"login", "", "logs in now and tells what came of it: a check of credentials",
            "Nothing is kept: the token lives in this process and ends with it. A refresh token that the provider replaces at each use is\n"
            "spent by the check, and what replaced it is lost. Nothing secret is printed.\n"
            "--json: provider, parameters, scheme, asked_provider, code_asked, expires_at, expires_in_s, renewal, identity.",
            kLogin, run_login},
    Command{"token", "", "prints a token (--info: its life instead of itself)",
            "The token, and nothing else, goes to standard output.\n"
            "--json: provider, scheme, fingerprint, expires_at, expires_in_s and, without --info, token.",
            kToken, run_token},
    Command{
        "mint", "", "makes a token for claims: a claim set, its ids, or both",
        "--claim-set names the set (fleetauth providers show NAME lists them), --claim an id: --claim-set driver --claim vehicleid=v1.\n"
        "token, headers and request take the same two. Output and --json are those of fleetauth token.",
        kMint, run_mint},
    Command{"headers", "URL", "prints the headers that authorise a request to URL",
            "One `Name: value` a line, as `curl -H @-` takes them. --json: an object of names and values.", kHeaders, run_headers},
    Command{"request", "URL", "sends a request with these headers and prints the answer",
            "The body goes to standard output, the status to standard error. After a 401 the token is renewed and the request\n"
            "repeated once. TLS is verified, no redirect is followed, at most 16 MiB are read within a minute.\n"
            "--json: status, repeated, body.",
            kRequest, run_request},
    Command{"whoami", "", "who the provider takes the credentials for", "One `name  value` a line. --json: an object.", kWhoami,
            run_whoami},
    Command{"accounts", "", "the accounts that the credentials open",
            "Name one of them with --account in the other commands. --json: an array of id and name.", kAccounts, run_accounts},
    Command{"status", "", "the profiles of the configuration file, and what each lacks",
            "Nothing is sent, nobody is asked, and no program of a profile is run: a value that one prints is taken to be there.\n"
            "Whether the provider accepts the credentials is for fleetauth login to tell.\n"
            "--json: an array of profile, provider, state (complete, unreadable, unusable), problems, not_run, schemes, origins.",
            kStatus, run_status},
    Command{"doctor", "", "looks for what keeps a provider or profile from working, and says what to do",
            "Library, configuration, clock, proxy, CA certificates, then for each origin name lookup, connection, TLS and an answer (to\n"
            "HEAD, without credentials), and at last a login. Each line is one finding: ok, warning, problem with the next step, or\n"
            "skipped. A refresh token is not spent, and a one-time code only if --otp-from or a TOTP secret gives one.\n"
            "Exit status: that of the first problem.\n"
            "--json: provider, profile, ok, exit_status, findings (check, origin, state, seen, next, class, status, data).",
            kDoctor, run_doctor},
    Command{"logout", "", "has the provider revoke the refresh token that is configured",
            "Tokens are not kept between commands, so there is nothing else to end. Without a refresh token, or where the provider has\n"
            "no way to revoke, it says so. A refresh token that cannot be revoked is a failure.\n"
            "--json: provider, revoked (names of options), reason when nothing was.",
            kLogout, run_logout},
    Command{"providers", "[list | show NAME|FILE | lint FILE]", "the built-in providers; what one needs; checks a descriptor",
            "show tells parameters, environment variables, claims, schemes and API groups. lint names what is wrong, with lines.",
            kProviders, run_providers},
    Command{"emulate", "", "all providers on loopback, with faults on demand", "", 0, nullptr},
    Command{"version", "", "the version (--deps: also of the linked libraries)", "", kVersion, run_version},
};

}  // namespace

std::span<const Command> commands() { return kCommands; }

}  // namespace fleetauth::command
