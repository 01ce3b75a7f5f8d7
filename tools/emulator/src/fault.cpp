#include "fault.h"

#include "crypto.h"

namespace fleetauth::emulator {
namespace {

constexpr std::size_t garbage_size = 64;

bool path_fits(const std::string &pattern, const std::string &path) {
  if (pattern.empty()) return true;
  if (pattern.ends_with('*')) return path.starts_with(std::string_view(pattern).substr(0, pattern.size() - 1));
  return pattern == path;
}

bool fits(const Fault &fault, const std::string &provider, const std::string &path, const std::string &method) {
  return (fault.provider.empty() || fault.provider == provider) && path_fits(fault.path, path) &&
         (fault.method.empty() || fault.method == method);
}

// What a captive portal or a broken gateway shows instead of the API.
Response html_page() {
  return {200, {}, "text/html; charset=utf-8", "<!doctype html><title>Welcome</title><p>Please accept our terms.", {}};
}

Response replacement(const FaultAction &action) {
  Response response;
  if (action.html) response = html_page();
  if (action.garbage == FaultAction::Garbage::body) {
    response = {200, {}, "application/json", random_bytes(garbage_size), {}};
  }
  if (action.status) response.status = *action.status;
  if (action.body) {
    response.body = *action.body;
    response.content_type = "application/json";
  }
  return response;
}

void change_members(const FaultAction &action, Response &response) {
  if (action.set.empty() && action.remove.empty() && !action.wrong_type) return;
  json body = json::parse(response.body, nullptr, /*allow_exceptions=*/false);
  if (!body.is_object()) return;  // an error text has no members to change
  if (action.wrong_type) {
    for (auto &[name, member] : body.items()) {
      if (member.is_string()) {
        member = 42;
      } else if (member.is_number()) {
        member = json::array();
      }
    }
  }
  body.update(action.set);
  for (const std::string &name : action.remove) body.erase(name);
  response.body = body.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

void apply_fault(const FaultAction &action, Response &response) {
  if (action.replaces_answer()) response = replacement(action);
  change_members(action, response);
  if (action.content_type) response.content_type = *action.content_type;
  // First every old value goes, then all new ones come: a header may be given twice.
  for (const auto &[name, value] : action.headers) response.remove_header(name);
  for (const Header &header : action.headers) response.headers.push_back(header);
  response.delivery.truncate_body = action.truncate;
  if (action.garbage == FaultAction::Garbage::status_line) response.delivery.raw = random_bytes(garbage_size) + "\r\n\r\n";
  response.delivery.drop = action.drop != FaultAction::Drop::no;
  response.delivery.reset = action.reset;
}

std::vector<std::uint64_t> FaultList::add(std::vector<Fault> faults) {
  const std::lock_guard lock(mutex_);
  std::vector<std::uint64_t> ids;
  for (Fault &fault : faults) {
    fault.id = next_id_++;
    ids.push_back(fault.id);
    faults_.push_back(std::move(fault));
  }
  return ids;
}

std::optional<Fault> FaultList::take(const std::string &provider, const std::string &path, const std::string &method) {
  const std::lock_guard lock(mutex_);
  for (auto fault = faults_.begin(); fault != faults_.end(); ++fault) {
    if (!fits(*fault, provider, path, method)) continue;
    if (fault->skip > 0) {
      --fault->skip;
      return std::nullopt;
    }
    Fault taken = *fault;
    if (fault->times && --*fault->times == 0) faults_.erase(fault);
    return taken;
  }
  return std::nullopt;
}

json FaultList::list() const {
  const std::lock_guard lock(mutex_);
  json result = json::array();
  for (const Fault &fault : faults_) {
    json entry = fault.source;
    entry["id"] = fault.id;
    entry["skip"] = fault.skip;
    entry["times"] = fault.times ? json(*fault.times) : json("always");
    result.push_back(std::move(entry));
  }
  return result;
}

void FaultList::clear() {
  const std::lock_guard lock(mutex_);
  faults_.clear();
}

}  // namespace fleetauth::emulator
