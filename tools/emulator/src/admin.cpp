#include "admin.h"

#include <algorithm>
#include <charconv>

#include "crypto.h"
#include "json_members.h"

namespace fleetauth::emulator {
namespace {

constexpr std::size_t tokens_shown = 100;
constexpr std::int64_t max_wait_ms = 60'000;
constexpr double max_seconds = static_cast<double>(Clock::max_ms) / 1000;

json body_of(const Request &request) {
  if (request.body.empty()) throw ConfigError("the body is empty; send a JSON object");
  return parse_config(request.body, "the body");
}

std::uint64_t number_field(const Fields &fields, const std::string &name, std::uint64_t fallback) {
  const auto text = single(fields, name);
  if (!text) return fallback;
  std::uint64_t number = 0;
  const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (failure != std::errc() || end != text->data() + text->size()) {
    throw ConfigError("query parameter " + name + " must be a whole number");
  }
  return number;
}

Response done() { return json_response(200, {{"ok", true}}); }

Response get_document(const std::function<json()> &document) {
  Response response = json_response(200, document());
  response.set_header("Cache-Control", "no-store");
  return response;
}

json describe_clock(const Clock &clock) {
  const std::int64_t now = clock.now_ms();
  return {{"now_s", static_cast<double>(now) / 1000}, {"now", iso8601(now)}, {"manual", clock.manual()}};
}

}  // namespace

Admin::Admin(World &world, const std::vector<std::unique_ptr<Provider>> &providers, std::string token, std::string ca_pem,
             std::function<void()> shut_down)
    : world_(world), providers_(providers), token_(std::move(token)), ca_pem_(std::move(ca_pem)), shut_down_(std::move(shut_down)) {}

const std::vector<Admin::Endpoint> &Admin::endpoints() {
  static const std::vector<Endpoint> list{
      {"GET", "/log", &Admin::get_log},
      {"DELETE", "/log", &Admin::delete_log},
      {"POST", "/clock", &Admin::post_clock},
      {"POST", "/revoke", &Admin::post_revoke},
      {"GET", "/faults", &Admin::get_faults},
      {"POST", "/faults", &Admin::post_faults},
      {"DELETE", "/faults", &Admin::delete_faults},
      {"POST", "/release", &Admin::post_release},
      {"POST", "/lifetime", &Admin::post_lifetime},
      {"POST", "/config", &Admin::post_config},
      {"GET", "/state", &Admin::get_state},
      {"GET", "/ca.pem", &Admin::get_ca},
      {"POST", "/shutdown", &Admin::post_shutdown},
  };
  return list;
}

bool Admin::owns(const std::string &path) { return path.starts_with(std::string(prefix) + "/") || path == prefix; }

Response Admin::serve(const Request &request) {
  const auto token = credentials_of_scheme(request, "Bearer");
  if (!token || !equal_constant_time(*token, token_)) {
    return json_response(401,
                         {{"error", "send \"Authorization: Bearer <admin_token>\" with the token that the emulator printed at start"}});
  }
  const std::string path = request.path.substr(std::string(prefix).size());
  std::string methods;
  for (const Endpoint &endpoint : endpoints()) {
    if (endpoint.path != path) continue;
    if (endpoint.method == request.method) {
      try {
        return (this->*endpoint.handle)(request);
      } catch (const ConfigError &error) {
        return json_response(400, {{"error", error.what()}});
      }
    }
    methods += (methods.empty() ? "" : ", ") + endpoint.method;
  }
  for (const auto &provider : providers_) {
    for (const auto &[name, document] : provider->documents()) {
      if (path != "/" + provider->name() + "/" + name) continue;
      if (request.method == "GET") return get_document(document);
      methods = "GET";
    }
  }
  if (!methods.empty()) {
    Response response = json_response(405, {{"error", "this endpoint takes " + methods}});
    response.set_header("Allow", methods);
    return response;
  }
  json known = json::array();
  for (const Endpoint &endpoint : endpoints()) known.push_back(endpoint.method + " " + prefix + endpoint.path);
  for (const auto &provider : providers_) {
    for (const auto &[name, document] : provider->documents()) {
      known.push_back(std::string("GET ") + prefix + "/" + provider->name() + "/" + name);
    }
  }
  return json_response(404, {{"error", "no such endpoint"}, {"known", std::move(known)}});
}

Provider &Admin::provider(const std::string &name) const {
  std::string known;
  for (const auto &provider : providers_) {
    if (provider->name() == name) return *provider;
    known += (known.empty() ? "" : ", ") + provider->name();
  }
  throw ConfigError("provider must be one of: " + known);
}

void Admin::configure(const json &source) {
  if (!source.is_object()) throw ConfigError("the configuration must be a JSON object");
  // All names are checked before anything changes.
  for (const auto &[name, settings] : source.items()) {
    if (name != "clock") provider(name);
  }
  for (const auto &[name, settings] : source.items()) {
    if (name == "clock") {
      set_clock(settings);
    } else {
      provider(name).configure(settings);
    }
  }
}

void Admin::set_clock(const json &source) {
  Members members(source, "clock");
  const auto manual = members.boolean("manual");
  const auto set_s = members.number("set_s", 0, max_seconds);
  const auto advance_s = members.number("advance_s", -max_seconds, max_seconds);
  members.finish();
  if (!manual && !set_s && !advance_s) members.fail("advance_s", "given, or \"set_s\" or \"manual\"");
  if (manual) world_.clock.set_manual(*manual);
  if (set_s) world_.clock.set_ms(static_cast<std::int64_t>(*set_s * 1000));
  if (advance_s) world_.clock.advance_ms(static_cast<std::int64_t>(*advance_s * 1000));
}

Response Admin::get_log(const Request &request) {
  const auto fields = parse_fields(request.query);
  if (!fields) throw ConfigError("the query is malformed");
  const LogFilter filter{single(*fields, "provider").value_or(""), single(*fields, "endpoint").value_or(""),
                         number_field(*fields, "after", 0)};
  const std::uint64_t count = number_field(*fields, "wait_for", 0);
  const std::uint64_t time = std::min<std::uint64_t>(number_field(*fields, "timeout_ms", 5000), max_wait_ms);
  const bool complete =
      world_.log.wait_for(filter, static_cast<std::size_t>(count), std::chrono::milliseconds(static_cast<std::int64_t>(time)));
  json result = world_.log.read(filter);
  result["complete"] = complete;
  return json_response(200, result);
}

Response Admin::delete_log(const Request &) {
  world_.log.clear();
  return done();
}

Response Admin::post_clock(const Request &request) {
  set_clock(body_of(request));
  return json_response(200, describe_clock(world_.clock));
}

Response Admin::post_revoke(const Request &request) {
  const json body = body_of(request);
  Members members(body, "the body");
  const std::string name = members.required_text("provider");
  const std::string token = members.text("fingerprint").value_or("");
  const std::string account = members.text("account").value_or("");
  members.finish();
  return json_response(200, {{"revoked", world_.tokens.revoke(provider(name).name(), token, account)}});
}

Response Admin::get_faults(const Request &) { return json_response(200, {{"faults", world_.faults.list()}}); }

Response Admin::post_faults(const Request &request) {
  std::vector<Fault> faults = parse_faults(body_of(request));
  for (const Fault &fault : faults) {
    if (!fault.provider.empty()) provider(fault.provider);
  }
  return json_response(200, {{"ids", world_.faults.add(std::move(faults))}});
}

Response Admin::delete_faults(const Request &) {
  world_.faults.clear();
  world_.stopper.close_gates();
  return done();
}

Response Admin::post_release(const Request &request) {
  const json body = body_of(request);
  Members members(body, "the body");
  const std::string gate = members.required_text("gate");
  members.finish();
  world_.stopper.release(gate);
  return done();
}

Response Admin::post_lifetime(const Request &request) {
  const json body = body_of(request);
  Members members(body, "the body");
  const std::string name = members.required_text("provider");
  const json *seconds = members.value("seconds");
  members.finish();
  if (seconds == nullptr) members.fail("seconds", "the lifetime of tokens that are given out from now on");
  provider(name).configure({{"lifetime_s", *seconds}});
  return done();
}

Response Admin::post_config(const Request &request) {
  configure(body_of(request));
  return done();
}

Response Admin::get_state(const Request &) {
  json providers = json::object();
  for (const auto &provider : providers_) {
    json tokens = json::array();
    for (const Token &token : world_.tokens.newest(provider->name(), tokens_shown)) {
      tokens.push_back({{"fingerprint", fingerprint(token.value)},
                        {"kind", token.kind},
                        {"account", token.account},
                        {"issued_s", token.issued_s},
                        {"expires_s", token.expires_s},
                        {"revoked", token.revoked}});
    }
    providers[provider->name()] = {
        {"settings", provider->settings()}, {"base_paths", provider->base_paths()}, {"tokens", std::move(tokens)}};
  }
  return json_response(200,
                       {{"clock", describe_clock(world_.clock)}, {"providers", std::move(providers)}, {"faults", world_.faults.list()}});
}

Response Admin::get_ca(const Request &) {
  if (ca_pem_.empty()) throw ConfigError("there is no CA: the emulator serves plain HTTP");
  return {200, {}, "application/x-pem-file", ca_pem_, {}};
}

Response Admin::post_shutdown(const Request &) {
  Response response = done();
  response.delivery.done = shut_down_;
  return response;
}

}  // namespace fleetauth::emulator
