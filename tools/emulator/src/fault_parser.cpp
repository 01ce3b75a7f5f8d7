#include <algorithm>

#include "fault.h"
#include "json_members.h"

namespace fleetauth::emulator {
namespace {

constexpr std::int64_t max_delay_ms = 600'000;
constexpr std::int64_t max_count = 1'000'000'000;
constexpr std::int64_t max_truncate = 1'000'000;

bool is_header_name(const std::string &name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

bool is_header_value(const std::string &value) {
  return std::all_of(value.begin(), value.end(), [](char c) { return c == '\t' || (c >= ' ' && c != 0x7f); });
}

// These belong to the framing of the message, which is sound unless "truncate" or "drop" breaks it.
bool frames_message(const std::string &name) {
  return equal_ignoring_case(name, "Content-Length") || equal_ignoring_case(name, "Transfer-Encoding") ||
         equal_ignoring_case(name, "Connection") || equal_ignoring_case(name, "Content-Type");
}

std::vector<Header> parse_headers(const json &source, const Members &members) {
  if (!source.is_object()) members.fail("headers", "an object of names and strings (or arrays of strings)");
  std::vector<Header> headers;
  for (const auto &[name, value] : source.items()) {
    if (!is_header_name(name) || frames_message(name)) {
      members.fail("headers",
                   "without malformed names, Content-Length, Transfer-Encoding and Connection; "
                   "use \"content_type\" for the type, \"truncate\" or \"drop\" to break the framing");
    }
    for (const json &one : value.is_array() ? value : json::array({value})) {
      if (!one.is_string() || !is_header_value(one.get<std::string>())) {
        members.fail("headers", "an object whose values are strings without control characters");
      }
      headers.emplace_back(name, one.get<std::string>());
    }
  }
  return headers;
}

FaultAction::Drop parse_drop(Members &members) {
  const auto word = members.one_of("drop", {"before", "after"});
  if (!word) return FaultAction::Drop::no;
  return *word == "before" ? FaultAction::Drop::before : FaultAction::Drop::after;
}

FaultAction::Garbage parse_garbage(Members &members) {
  const auto word = members.one_of("garbage", {"body", "status_line"});
  if (!word) return FaultAction::Garbage::no;
  return *word == "body" ? FaultAction::Garbage::body : FaultAction::Garbage::status_line;
}

FaultAction parse_action(const json &source, const std::string &where) {
  Members members(source, where);
  FaultAction action;
  if (const auto status = members.integer("status", 200, 599)) action.status = static_cast<int>(*status);
  if (const json *body = members.value("body")) action.body = body->is_string() ? body->get<std::string>() : body->dump();
  action.html = members.boolean("html").value_or(false);
  action.garbage = parse_garbage(members);
  if (const json *headers = members.value("headers")) action.headers = parse_headers(*headers, members);
  action.content_type = members.text("content_type");
  if (action.content_type && !is_header_value(*action.content_type)) {
    members.fail("content_type", "a string without control characters");
  }
  if (const json *set = members.value("set")) {
    if (!set->is_object()) members.fail("set", "an object of members for the answer");
    action.set = *set;
  }
  action.remove = members.texts("remove").value_or(std::vector<std::string>{});
  action.wrong_type = members.boolean("wrong_type").value_or(false);
  if (const auto size = members.integer("truncate", 0, max_truncate)) action.truncate = static_cast<std::size_t>(*size);
  action.hold = members.text("hold").value_or("");
  action.delay = std::chrono::milliseconds(members.integer("delay_ms", 0, max_delay_ms).value_or(0));
  action.drop = parse_drop(members);
  action.reset = members.boolean("reset").value_or(false);
  action.act = members.boolean("act").value_or(false);
  members.finish();

  if (action.reset && action.drop == FaultAction::Drop::no) members.fail("reset", "used together with \"drop\"");
  if (action.drop != FaultAction::Drop::no && action.replaces_answer()) {
    members.fail("drop", "used without \"status\", \"body\", \"html\" and \"garbage\": no answer is sent");
  }
  if (action.html && action.garbage == FaultAction::Garbage::body) members.fail("html", "used without \"garbage\"");
  return action;
}

Fault parse_fault(const json &source, const std::string &where) {
  Members members(source, where);
  Fault fault;
  fault.source = source;
  if (const json *match = members.value("match")) {
    Members matched(*match, where + ".match");
    fault.provider = matched.text("provider").value_or("");
    fault.path = matched.text("path").value_or("");
    fault.method = matched.text("method").value_or("");
    matched.finish();
  }
  fault.skip = static_cast<std::uint64_t>(members.integer("skip", 0, max_count).value_or(0));
  const json *times = members.value("times");
  if (times == nullptr || *times != "always") {
    fault.times = 1;
    if (times != nullptr && times->is_string()) members.fail("times", "a number from 1, or \"always\"");
    if (const auto count = members.integer("times", 1, max_count)) fault.times = static_cast<std::uint64_t>(*count);
  }
  const json *action = members.value("do");
  if (action == nullptr) members.fail("do", "an object which says what happens, such as {\"status\": 503}");
  fault.action = parse_action(*action, where + ".do");
  members.finish();
  return fault;
}

}  // namespace

std::vector<Fault> parse_faults(const json &source) {
  const json list = source.is_array() ? source : json::array({source});
  std::vector<Fault> faults;
  for (std::size_t i = 0; i < list.size(); ++i) {
    faults.push_back(parse_fault(list[i], "faults[" + std::to_string(i) + "]"));
  }
  return faults;
}

}  // namespace fleetauth::emulator
