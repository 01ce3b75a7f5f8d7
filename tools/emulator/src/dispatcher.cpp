#include "dispatcher.h"

#include <set>

#include "crypto.h"

namespace fleetauth::emulator {
namespace {

// The segments of "/a/b" are "a" and "b".
std::vector<std::string_view> segments(std::string_view path) {
  std::vector<std::string_view> parts;
  for (std::size_t start = 1; start <= path.size();) {
    const std::size_t slash = std::min(path.find('/', start), path.size());
    parts.push_back(path.substr(start, slash - start));
    start = slash + 1;
  }
  return parts;
}

bool path_fits(const std::string &pattern, const std::string &path, std::map<std::string, std::string> &parameters) {
  const auto wanted = segments(pattern);
  const auto given = segments(path);
  if (wanted.size() != given.size()) return false;
  std::map<std::string, std::string> found;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i].starts_with('{') && !given[i].empty()) {
      found.emplace(wanted[i].substr(1, wanted[i].size() - 2), given[i]);
    } else if (wanted[i] != given[i]) {
      return false;
    }
  }
  parameters = std::move(found);
  return true;
}

struct Target {
  const Route *route = nullptr;
  bool path_known = false;
};

Target find_route(const Provider &provider, Request &request) {
  Target target;
  for (const Route &route : provider.routes()) {
    if (!path_fits(route.path, request.path, request.parameters)) continue;
    target.path_known = true;
    if (route.method != request.method) continue;
    target.route = &route;
    break;
  }
  return target;
}

Response act(const Provider &provider, const Target &target, Exchange &exchange) {
  if (target.route != nullptr) return target.route->handle(exchange);
  return target.path_known ? provider.method_not_allowed(exchange.request) : provider.not_found(exchange.request);
}

std::set<std::string> header_names(const Request &request) {
  std::set<std::string> names;
  for (const auto &[name, value] : request.headers) names.insert(lower_case(name));
  return names;
}

json describe(const World &world, const Provider &provider, const Target &target, const Request &request) {
  const auto secrets = provider.secrets();
  const auto public_names = provider.public_names();
  const std::int64_t now = world.clock.now_ms();
  json names = json::array();
  for (const std::string &name : header_names(request)) names.push_back(world.redactor.text(name, secrets));

  json entry = {
      {"time", iso8601(now)},
      {"time_ms", now},
      {"provider", provider.name()},
      {"endpoint", target.route != nullptr ? json(target.route->path) : json(nullptr)},
      {"flow", target.route != nullptr ? json(target.route->flow) : json(nullptr)},
      {"method", request.method},
      {"path", world.redactor.text(request.path, secrets)},
      {"headers", std::move(names)},
      {"body", world.redactor.body(request, public_names, secrets)},
      {"connection", request.connection},
      {"on_connection", request.on_connection},
      {"status", nullptr},
  };
  if (!request.query.empty()) {
    const auto fields = parse_fields(request.query);
    entry["query"] = fields ? world.redactor.fields(*fields, public_names, secrets) : json("<malformed, not shown>");
  }
  return entry;
}

// Waits as the fault says. False when the emulator stops meanwhile.
bool wait_as_told(World &world, const FaultAction &action) {
  if (!action.hold.empty() && !world.stopper.wait_at(action.hold)) return false;
  return action.delay.count() == 0 || world.stopper.sleep_for(action.delay);
}

}  // namespace

void Exchange::issued(std::string_view token, std::int64_t expires_s) {
  notes["token"] = fingerprint(token);
  notes["token_expires_s"] = expires_s;
}

void Exchange::presented(std::string_view token) { notes["credential"] = fingerprint(token); }

Provider *Dispatcher::provider_of(const std::string &path) const {
  for (const auto &provider : providers_) {
    for (const auto &[name, prefix] : provider->base_paths()) {
      if (path == prefix || path.starts_with(prefix + "/")) return provider.get();
    }
  }
  return nullptr;
}

Response Dispatcher::serve(Request &request) const {
  const Provider *provider = provider_of(request.path);
  if (provider == nullptr) {
    json known = json::array({"/_emulator"});
    for (const auto &each : providers_) {
      for (const auto &[name, prefix] : each->base_paths()) known.push_back(prefix);
    }
    return json_response(
        404, {{"error", "no provider lives at this path; paths start with one of those in \"known\""}, {"known", std::move(known)}});
  }

  const Target target = find_route(*provider, request);
  const std::uint64_t entry = world_.log.begin(describe(world_, *provider, target, request));
  const auto fault = world_.faults.take(provider->name(), request.path, request.method);

  Exchange exchange{request};
  Response response;
  bool acted = false;
  bool alive = true;
  if (fault) alive = wait_as_told(world_, fault->action);
  if (alive && (!fault || fault->action.lets_provider_act())) {
    response = act(*provider, target, exchange);
    acted = true;
  }
  if (fault) {
    exchange.notes["fault"] = fault->id;
    apply_fault(fault->action, response);
  }
  response.delivery.drop = response.delivery.drop || !alive;

  exchange.notes["acted"] = acted;
  const bool answered = !response.delivery.drop && !response.delivery.raw;
  exchange.notes["status"] = answered ? json(response.status) : json(nullptr);
  exchange.notes["outcome"] = response.delivery.drop            ? "dropped"
                              : response.delivery.raw           ? "garbage"
                              : response.delivery.truncate_body ? "truncated"
                                                                : "answered";
  world_.log.finish(entry, exchange.notes);
  return response;
}

std::vector<std::unique_ptr<Provider>> all_providers(World &world) {
  std::vector<std::unique_ptr<Provider>> providers;
  providers.push_back(make_fleet_engine(world));
  providers.push_back(make_fleet_orchestrator(world));
  providers.push_back(make_fleetio(world));
  providers.push_back(make_fleetup(world));
  providers.push_back(make_motive(world));
  providers.push_back(make_my_connected_fleet(world));
  providers.push_back(make_oauth2(world));
  providers.push_back(make_samsara(world));
  providers.push_back(make_tn360(world));
  providers.push_back(make_trimble_maps(world));
  providers.push_back(make_verizon_reveal(world));
  return providers;
}

}  // namespace fleetauth::emulator
