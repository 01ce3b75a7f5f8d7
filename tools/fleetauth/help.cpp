#include "tools/fleetauth/help.h"

#include <algorithm>
#include <cctype>
#include <sstream>

#include "tools/fleetauth/client_options.gen.h"
#include "tools/fleetauth/exit_status.gen.h"

namespace fleetauth::command {

namespace {

constexpr std::size_t kColumn = 30;
constexpr std::size_t kWidth = 110;

/// "  left     right", the right side wrapped at words.
void entry(std::ostream &out, std::string left, std::string_view right) {
  left.insert(0, "  ");
  left.resize(std::max(left.size() + 2, kColumn), ' ');
  std::istringstream words{std::string(right)};
  std::string line = std::move(left);
  for (std::string word; words >> word;) {
    if (line.size() + word.size() > kWidth) {
      out << line.substr(0, line.find_last_not_of(' ') + 1) << '\n';
      line.assign(kColumn, ' ');
    }
    line += word + ' ';
  }
  out << line.substr(0, line.find_last_not_of(' ') + 1) << '\n';
}

std::string first_sentence(std::string_view text) { return std::string(text.substr(0, text.find_first_of(".;"))) + "."; }

std::string capitalised(std::string_view text) {
  std::string sentence(text);
  sentence[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(sentence[0])));
  return sentence + ".";
}

void exit_statuses(std::ostream &out) {
  out << "\nExit status: 0 success, 1 other failures, 2 wrong command line";
  constexpr int kFirst = 3;
  for (int exit = kFirst;; ++exit) {
    std::string_view name;
    for (const ExitRow &row : kExitTable) {
      if (row.exit == exit) name = row.error_class;
    }
    if (name.empty()) break;
    out << ((exit - kFirst) % 5 == 0 ? ",\n" : ", ") << exit << ' ' << name;
  }
  out << ".\n";
}

}  // namespace

std::string help() {
  std::ostringstream out;
  out << "Tokens and headers for fleet telematics providers.\n\nusage: fleetauth COMMAND [options]\n\n";
  for (const Command &command : commands()) {
    entry(out, std::string(command.name) + (command.takes.size() > 3 ? "" : " " + std::string(command.takes)), command.summary);
  }
  out << "\nfleetauth COMMAND --help tells its options. To see it work without any account:\n\n"
         "  fleetauth emulate\n"
         "  FLEETUP_API_KEY=demo-api-key FLEETUP_SECRET=your-app-secret fleetauth token --provider fleetup \\\n"
         "    --acct-id 12345 --base-url https://127.0.0.1:PORT/fleetup --ca-file CA_FILE\n";
  exit_statuses(out);
  return std::move(out).str();
}

std::string help_for(const Command &command) {
  std::ostringstream out;
  out << "usage: fleetauth " << command.name << (command.takes.empty() ? "" : " ") << command.takes << " [options]\n\n"
      << capitalised(command.summary) << '\n'
      << command.details << "\n\n";
  for (const Flag &flag : own_flags()) {
    if ((flag.commands & command.options) == 0 || flag.name == "version") continue;
    entry(out, "--" + std::string(flag.name) + (flag.value.empty() ? "" : " ") + std::string(flag.value), flag.doc);
  }
  if ((command.options & kWithClient) != 0) {
    out << "\nEvery parameter of the provider is an option too (fleetauth providers show NAME), such as --acct-id 12345; and so are\n\n";
    for (const ClientOption &option : kClientOptions) {
      entry(out, as_flag(std::string(option.name)) + (option.boolean ? "" : " VALUE"), first_sentence(option.doc));
    }
    out << "\nA secret is never taken from the command line, which other users can read. It comes from --secret-file, --secret-stdin,\n"
           "the profile, the environment variable that `providers show` names, or a question on the terminal, in this order.\n";
  }
  return std::move(out).str();
}

}  // namespace fleetauth::command
