#include "tools/fleetauth/finding.h"

#include <algorithm>
#include <array>

#include "tools/fleetauth/console.h"
#include "tools/fleetauth/failure.h"

namespace fleetauth::command {

namespace {

const char *name_of(State state) {
  static constexpr std::array kNames = {"ok", "warning", "problem", "skipped"};
  return kNames[static_cast<std::size_t>(state)];
}

bool is_problem(const Finding &finding) { return finding.state == State::Problem; }

std::string summary(const Findings &findings) {
  const auto problems = std::count_if(findings.begin(), findings.end(), is_problem);
  if (problems == 0) return "No problem was found.";
  return problems == 1 ? "1 problem was found." : std::to_string(problems) + " problems were found; begin with the first.";
}

}  // namespace

int exit_status_of(const Findings &findings) {
  const auto first = std::find_if(findings.begin(), findings.end(), is_problem);
  return first == findings.end() ? 0 : exit_status_of(first->status);
}

void tell(const Findings &findings) {
  std::vector<std::vector<std::string>> table;
  for (const Finding &finding : findings) {
    table.push_back({name_of(finding.state), (finding.origin.empty() ? "" : finding.origin + " ") + finding.check, finding.seen});
    if (!finding.next.empty()) table.push_back({"", "", "-> " + finding.next});
  }
  print_table(table);
  print_line("\n" + summary(findings));
}

nlohmann::ordered_json as_json(const Findings &findings) {
  using nlohmann::ordered_json;
  ordered_json all = ordered_json::array();
  for (const Finding &finding : findings) {
    ordered_json one = {{"check", finding.check},
                        {"origin", finding.origin.empty() ? ordered_json() : ordered_json(finding.origin)},
                        {"state", name_of(finding.state)},
                        {"seen", finding.seen},
                        {"next", finding.next.empty() ? ordered_json() : ordered_json(finding.next)}};
    if (is_problem(finding)) {
      one["class"] = class_of(finding.status);
      one["status"] = fleetauth_status_name(finding.status, nullptr);
    }
    one["data"] = finding.data;
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace fleetauth::command
