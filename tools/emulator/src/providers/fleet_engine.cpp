// Google Fleet Engine: takes JWTs that a service account has signed. And a backend, as in Google's samples, which
// signs them for devices.
#include <algorithm>
#include <mutex>

#include "../crypto.h"
#include "../json_members.h"
#include "../jwt.h"
#include "../provider.h"

namespace fleetauth::emulator {
namespace {

constexpr std::int64_t day_s = 86'400;
constexpr std::int64_t skew_s = 600;
constexpr std::int64_t longest_ahead_s = 3600;
constexpr std::size_t longest_id = 64;

constexpr const char *api_base = "/fleet-engine";
constexpr const char *backend_base = "/fleet-engine-backend";
constexpr const char *audience = "https://fleetengine.googleapis.com/";
constexpr const char *own_email = "fleet@demo-project.iam.gserviceaccount.com";
constexpr const char *own_project = "demo-project";
constexpr const char *token_kind = "jwt";

struct ServiceAccount {
  std::string email;
  std::string key_id;
  std::string project;
  RsaKey key;
};

struct Settings {
  std::vector<ServiceAccount> service_accounts{};  // besides our own
  std::string backend_shape = "by_path";
  std::int64_t backend_lifetime_s = 3600;
  std::string backend_key{};  // empty: anybody may ask
  double min_interval_s = 0;
};

ServiceAccount parse_service_account(const json &source, const std::string &where) {
  Members members(source, where);
  const std::string email = members.required_text("client_email");
  const std::string key_id = members.required_text("private_key_id");
  const std::string project = members.text("project_id").value_or(own_project);
  const auto key = RsaKey::from_public_pem(members.required_text("public_key"));
  if (!key) members.fail("public_key", "a PEM of an RSA public key of 2048 bits at least");
  members.finish();
  return {email, key_id, project, *key};
}

struct Problem {
  int code;
  std::string message;
};
using Refusal = std::optional<Problem>;

Problem unauthenticated(const std::string &message) { return {401, message}; }
Problem denied(const std::string &message) { return {403, message}; }
Problem invalid(const std::string &message) { return {400, message}; }

const char *status_of(int code) {
  switch (code) {
    case 400:
      return "INVALID_ARGUMENT";
    case 401:
      return "UNAUTHENTICATED";
    case 403:
      return "PERMISSION_DENIED";
    case 404:
      return "NOT_FOUND";
    case 429:
      return "RESOURCE_EXHAUSTED";
    default:
      return "UNIMPLEMENTED";
  }
}

Response google_error(const Problem &problem) {
  const json body = {{"error", {{"code", problem.code}, {"message", problem.message}, {"status", status_of(problem.code)}}}};
  Response response = json_response(problem.code, body);
  if (problem.code == 401) response.set_header("WWW-Authenticate", "Bearer realm=\"https://accounts.google.com/\"");
  return response;
}

std::optional<std::int64_t> unix_seconds(const json &claims, const char *name) {
  const auto found = claims.find(name);
  if (found == claims.end() || !found->is_number_integer()) return std::nullopt;
  if (found->is_number_unsigned() && found->get<std::uint64_t>() > INT64_MAX) return std::nullopt;
  return found->get<std::int64_t>();
}

// What Fleet Engine allows as an id, but for the normal form of Unicode, which is not checked.
bool valid_id(const std::string &id) {
  if (id.empty() || id.find_first_of("/:?,#") != std::string::npos) return false;
  const auto starts_character = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; };
  if (static_cast<std::size_t>(std::count_if(id.begin(), id.end(), starts_character)) > longest_id) return false;
  // What is not UTF-8 does not survive JSON.
  return json::parse(json(id).dump(-1, ' ', false, json::error_handler_t::ignore)) == id;
}

Refusal refuse_header(const json &header) {
  if (header.value("alg", json()) != "RS256") return unauthenticated("The JWT's alg must be RS256");
  if (header.value("typ", json()) != "JWT") return unauthenticated("The JWT's typ must be JWT");
  if (header.contains("kid") && !header["kid"].is_string()) return unauthenticated("The JWT's kid must be a string");
  if (header.contains("crit")) return unauthenticated("The JWT has critical headers that are not understood");
  return std::nullopt;
}

Refusal refuse_claims(const json &claims, const std::string &email, std::int64_t now) {
  if (claims.value("iss", json()) != email) return unauthenticated("The JWT's iss must be the service account's e-mail");
  if (claims.value("sub", json()) != email) return unauthenticated("The JWT's sub must be the service account's e-mail");
  if (claims.value("aud", json()) != audience) return unauthenticated(std::string("The JWT's aud must be ") + audience);
  const auto issued = unix_seconds(claims, "iat");
  const auto expires = unix_seconds(claims, "exp");
  if (!issued || !expires) return unauthenticated("The JWT's iat and exp must be Unix seconds");
  if (*issued > now + skew_s) return unauthenticated("The JWT's iat is in the future");
  if (*expires <= now) return unauthenticated("The JWT has expired");
  if (*expires > now + longest_ahead_s) return unauthenticated("The JWT's exp is more than 1 hour in the future");
  return std::nullopt;
}

// One member of "authorization". `all`: it stands for every id.
bool valid_claim(const std::string &name, const json &value, bool &all) {
  const auto is_id = [](const json &id) { return id.is_string() && !id.get_ref<const std::string &>().empty(); };
  if (name != "taskids") {
    all = all && value == "*";
    return is_id(value);
  }
  if (!value.is_array() || value.empty() || !std::all_of(value.begin(), value.end(), is_id)) return false;
  const bool wildcard = std::find(value.begin(), value.end(), "*") != value.end();
  all = all && wildcard;
  return !wildcard || value.size() == 1;
}

Refusal refuse_authorization(const json &claims) {
  const json authorization = claims.value("authorization", json());
  if (!authorization.is_object()) return denied("The JWT has no authorization object");
  bool all = true;
  for (const char *name : {"vehicleid", "tripid", "deliveryvehicleid", "taskid", "taskids", "trackingid"}) {
    if (authorization.contains(name) && !valid_claim(name, authorization[name], all)) {
      return denied(std::string("The authorization claim ") + name + " is malformed");
    }
  }
  // Google's own libraries mix wildcards.
  if (all) return std::nullopt;
  const auto has = [&](const char *name) { return authorization.contains(name); };
  const bool mixed_taskids = has("taskids") && (has("deliveryvehicleid") || has("trackingid") || has("taskid"));
  const bool mixed_trackingid = has("trackingid") && (has("deliveryvehicleid") || has("taskid"));
  if (mixed_taskids || mixed_trackingid) return denied("The authorization claims exclude each other");
  return std::nullopt;
}

// Whether the claim, a text or an array of texts, names the id.
bool covers(const json &authorization, const std::string &claim, const std::string &id) {
  const auto found = authorization.find(claim);
  if (found == authorization.end()) return false;
  if (!found->is_array()) return *found == id || *found == "*";
  return std::any_of(found->begin(), found->end(), [&](const json &each) { return each == id || each == "*"; });
}

struct Collection {
  const char *name;
  const char *claim;
  json content;
};

std::vector<Collection> collections() {
  return {{"vehicles", "vehicleid", {{"vehicleState", "ONLINE"}}},
          {"trips", "tripid", {{"tripStatus", "NEW"}}},
          {"deliveryVehicles", "deliveryvehicleid", {{"navigationStatus", "NO_GUIDANCE"}}},
          {"tasks", "taskid", {{"state", "OPEN"}}},
          {"taskTrackingInfo", "trackingid", {{"state", "OPEN"}}}};
}

// What the backend hands out at /token/<name>.
struct TokenType {
  const char *name;
  bool last_mile;  // the shape of the answer, by default
  bool takes_id;   // otherwise the claims are wildcards
  std::vector<const char *> claims;
};

std::vector<TokenType> token_types() {
  return {{"delivery_driver", true, true, {"deliveryvehicleid"}},
          {"delivery_consumer", true, true, {"trackingid"}},
          {"fleet_reader", true, false, {"deliveryvehicleid", "taskid", "trackingid"}},
          {"driver", false, true, {"vehicleid"}},
          {"consumer", false, true, {"tripid"}},
          {"server", false, false, {"tripid", "vehicleid"}}};
}

Response backend_error(int status, const std::string &message) { return json_response(status, {{"error", message}}); }

// What a token says of its bearer.
struct Caller {
  std::string email;
  std::string project;
  json claims;
};

Refusal refuse_access(const Caller &caller, const std::string &project, const std::string &claim, const std::vector<std::string> &ids) {
  if (project != caller.project) return denied("The service account is of another project");
  if (auto problem = refuse_authorization(caller.claims)) return problem;
  const json authorization = caller.claims["authorization"];
  const bool all = std::all_of(ids.begin(), ids.end(), [&](const std::string &id) { return covers(authorization, claim, id); });
  if (!all) return denied("The authorization claim " + claim + " does not allow this");
  return std::nullopt;
}

// The ids of the tasks to create. Empty: the request is malformed.
std::vector<std::string> task_ids(const Request &request, const std::string &parent) {
  const json body = json::parse(request.body, nullptr, /*allow_exceptions=*/false);
  if (request.content_type() != "application/json" || !body.is_object()) return {};
  const json requests = body.value("requests", json());
  if (!requests.is_array()) return {};
  std::vector<std::string> ids;
  for (const json &each : requests) {
    if (!each.is_object() || each.value("parent", json(parent)) != parent) return {};
    const json id = each.value("taskId", json());
    if (!id.is_string() || !valid_id(id)) return {};
    ids.push_back(id);
  }
  return ids;
}

Response refused(const Request &request, int code, const std::string &message) {
  return request.path.starts_with(backend_base) ? backend_error(code, message) : google_error({code, message});
}

class FleetEngine final : public Provider {
 public:
  explicit FleetEngine(World &world) : world_(world) {
    const std::string parent = std::string(api_base) + "/v1/providers/{project}/";
    for (const Collection &collection : collections()) {
      add_route("GET", parent + collection.name + "/{id}", "resource",
                [this, collection](Exchange &exchange) { return get_resource(exchange, collection); });
    }
    add_route("POST", parent + "tasks:batchCreate", "resource", [this](Exchange &exchange) { return batch_create_tasks(exchange); });

    const std::string tokens = std::string(backend_base) + "/token/";
    for (const TokenType &type : token_types()) {
      const auto handle = [this, type](Exchange &exchange) { return get_token(exchange, type); };
      add_route("GET", tokens + type.name, "backend token", handle);
      if (!type.takes_id) continue;
      add_route("GET", tokens + type.name + "/", "backend token", handle);
      add_route("GET", tokens + type.name + "/{id}", "backend token", handle);
    }
    const auto unknown_type = [](Exchange &) { return backend_error(400, "Unknown token type"); };
    add_route("GET", tokens + "{type}", "backend token", unknown_type);
    add_route("GET", tokens + "{type}/{id}", "backend token", unknown_type);
  }

  std::string name() const override { return "fleet_engine"; }
  std::map<std::string, std::string> base_paths() const override { return {{"api", api_base}, {"backend", backend_base}}; }
  const std::vector<Route> &routes() const override { return routes_; }
  PublicNames public_names() const override { return {"taskId", "parent"}; }

  Response not_found(const Request &request) const override { return refused(request, 404, "Not found"); }
  Response method_not_allowed(const Request &request) const override { return refused(request, 405, "Method not allowed"); }

  std::vector<std::string> secrets() const override {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> result;
    if (!settings_.backend_key.empty()) result.push_back(settings_.backend_key);
    return result;
  }
  std::map<std::string, std::function<json()>> documents() const override {
    return {{"service_account", [this] { return key_file(); }}};
  }

  void configure(const json &source) override;
  json settings() const override;

 private:
  void add_route(const char *method, std::string path, const char *flow, std::function<Response(Exchange &)> handle) {
    routes_.push_back({method, std::move(path), flow, std::move(handle)});
  }

  Settings snapshot() const {
    const std::lock_guard lock(mutex_);
    return settings_;
  }

  // Our own service account. The key is made when it is first needed.
  ServiceAccount own() const {
    const std::lock_guard lock(key_mutex_);
    if (!key_) key_ = RsaKey::generate();
    return {own_email, key_id_, own_project, *key_};
  }
  json key_file() const;

  std::optional<Response> throttle(const Settings &settings, const std::string &who, Response refusal);
  std::optional<ServiceAccount> signer(const Settings &settings, const Jwt &jwt) const;
  Refusal refuse_token(const Settings &settings, const std::string &token, Caller &caller);
  // Empty when the request may pass, as far as its token tells who calls.
  std::optional<Response> refuse(Exchange &exchange, Caller &caller);

  Response get_resource(Exchange &exchange, const Collection &collection);
  Response batch_create_tasks(Exchange &exchange);
  Response get_token(Exchange &exchange, const TokenType &type);
  Response answer_token(Exchange &exchange, const Settings &settings, const TokenType &type, const std::string &id);

  World &world_;
  std::vector<Route> routes_;
  mutable std::mutex mutex_;
  Settings settings_;
  const std::string key_id_ = random_hex(20);
  mutable std::mutex key_mutex_;
  mutable std::optional<RsaKey> key_;
};

void FleetEngine::configure(const json &source) {
  Settings next = snapshot();
  Members members(source, name());
  next.service_accounts = members.each("service_accounts", parse_service_account).value_or(next.service_accounts);
  next.backend_shape = members.one_of("backend_shape", {"by_path", "last_mile", "on_demand"}).value_or(next.backend_shape);
  next.backend_lifetime_s = members.integer("backend_lifetime_s", 1, day_s).value_or(next.backend_lifetime_s);
  // As POST /lifetime names it for every provider.
  next.backend_lifetime_s = members.integer("lifetime_s", 1, day_s).value_or(next.backend_lifetime_s);
  next.backend_key = members.text("backend_key").value_or(next.backend_key);
  next.min_interval_s = members.number("min_interval_s", 0, day_s).value_or(next.min_interval_s);
  members.finish();
  const std::lock_guard lock(mutex_);
  settings_ = std::move(next);
}

json FleetEngine::settings() const {
  const Settings settings = snapshot();
  json accounts = json::array({{{"client_email", own_email}, {"private_key_id", key_id_}, {"project_id", own_project}}});
  for (const ServiceAccount &account : settings.service_accounts) {
    accounts.push_back({{"client_email", account.email}, {"private_key_id", account.key_id}, {"project_id", account.project}});
  }
  return {{"service_accounts", std::move(accounts)},
          {"backend_shape", settings.backend_shape},
          {"backend_lifetime_s", settings.backend_lifetime_s},
          {"backend_key", !settings.backend_key.empty()},
          {"min_interval_s", settings.min_interval_s}};
}

json FleetEngine::key_file() const {
  const ServiceAccount account = own();
  return {{"type", "service_account"},
          {"project_id", account.project},
          {"private_key_id", account.key_id},
          {"private_key", account.key.private_pem()},
          {"client_email", account.email},
          {"client_id", "100000000000000000001"},
          {"auth_uri", "https://accounts.google.com/o/oauth2/auth"},
          {"token_uri", "https://oauth2.googleapis.com/token"},
          {"auth_provider_x509_cert_url", "https://www.googleapis.com/oauth2/v1/certs"},
          {"universe_domain", "googleapis.com"}};
}

std::optional<Response> FleetEngine::throttle(const Settings &settings, const std::string &who, Response refusal) {
  const auto interval_ms = static_cast<std::int64_t>(settings.min_interval_s * 1000);
  const auto wait_s = world_.throttle.refuse("fleet_engine " + who, interval_ms, world_.clock.now_ms());
  if (!wait_s) return std::nullopt;
  refusal.set_header("Retry-After", std::to_string(*wait_s));
  return refusal;
}

// By the key's id; without one, whichever key of the issuer fits, for signers that do not know their key's id.
std::optional<ServiceAccount> FleetEngine::signer(const Settings &settings, const Jwt &jwt) const {
  const bool by_id = jwt.header.contains("kid");
  const json wanted = by_id ? jwt.header["kid"] : jwt.claims.value("iss", json());
  std::vector<ServiceAccount> candidates;
  if (wanted == (by_id ? key_id_ : own_email)) candidates.push_back(own());
  for (const ServiceAccount &account : settings.service_accounts) {
    if (wanted == (by_id ? account.key_id : account.email)) candidates.push_back(account);
  }
  const auto fits = [&](const ServiceAccount &account) { return account.key.verify(jwt.signed_part, jwt.signature); };
  const auto found = std::find_if(candidates.begin(), candidates.end(), fits);
  return found == candidates.end() ? std::nullopt : std::optional(*found);
}

Refusal FleetEngine::refuse_token(const Settings &settings, const std::string &token, Caller &caller) {
  const auto jwt = parse_jwt(token);
  if (!jwt) return unauthenticated("The credential is no JWT");
  if (auto problem = refuse_header(jwt->header)) return problem;
  const auto account = signer(settings, *jwt);
  if (!account) return unauthenticated("The JWT is not signed by a known service account");
  caller = {account->email, account->project, jwt->claims};
  const std::int64_t now = world_.clock.now_s();
  if (auto problem = refuse_claims(jwt->claims, account->email, now)) return problem;

  const TokenState state = world_.tokens.check(name(), token_kind, token, now).state;
  if (state == TokenState::revoked) return unauthenticated("The JWT has been revoked");
  // In the book the admin API can revoke it although somebody else has made it.
  if (state == TokenState::unknown) {
    world_.tokens.add({token, name(), token_kind, account->email, *unix_seconds(jwt->claims, "iat"), *unix_seconds(jwt->claims, "exp")});
  }
  return std::nullopt;
}

std::optional<Response> FleetEngine::refuse(Exchange &exchange, Caller &caller) {
  const Settings settings = snapshot();
  const auto token = credentials_of_scheme(exchange.request, "Bearer");
  if (!token) return google_error(unauthenticated("The request has no bearer token"));
  exchange.presented(*token);
  const auto problem = refuse_token(settings, *token, caller);
  exchange.account(caller.email);
  if (problem) return google_error(*problem);
  return throttle(settings, "api " + caller.email, google_error({429, "Too many requests"}));
}

Response FleetEngine::get_resource(Exchange &exchange, const Collection &collection) {
  Caller caller;
  if (auto refusal = refuse(exchange, caller)) return *refusal;
  const auto &parameters = exchange.request.parameters;
  const auto id = decode_segment(parameters.at("id"));
  if (!id || !valid_id(*id)) return google_error(invalid("The resource name is malformed"));
  const std::string &project = parameters.at("project");
  if (auto problem = refuse_access(caller, project, collection.claim, {*id})) return google_error(*problem);
  json body = collection.content;
  body["name"] = "providers/" + project + "/" + collection.name + "/" + *id;
  return json_response(200, body);
}

Response FleetEngine::batch_create_tasks(Exchange &exchange) {
  Caller caller;
  if (auto refusal = refuse(exchange, caller)) return *refusal;
  const std::string &project = exchange.request.parameters.at("project");
  const std::string parent = "providers/" + project;
  const std::string tasks_name = parent + "/tasks/";
  const auto ids = task_ids(exchange.request, parent);
  if (ids.empty()) return google_error(invalid("requests must be an array of objects with a valid taskId, and with this parent if any"));
  if (auto problem = refuse_access(caller, project, "taskids", ids)) return google_error(*problem);
  json tasks = json::array();
  for (const std::string &id : ids) tasks.push_back({{"name", tasks_name + id}, {"state", "OPEN"}});
  return json_response(200, {{"tasks", std::move(tasks)}});
}

Response FleetEngine::get_token(Exchange &exchange, const TokenType &type) {
  const Settings settings = snapshot();
  if (!settings.backend_key.empty()) {
    const auto key = credentials_of_scheme(exchange.request, "Bearer");
    if (!key || !equal_constant_time(settings.backend_key, *key)) return backend_error(401, "The backend's key is missing or wrong");
  }
  if (auto refusal = throttle(settings, exchange.request.path, backend_error(429, "Too many requests"))) return *refusal;
  std::string id = "*";
  if (type.takes_id) {
    const auto &parameters = exchange.request.parameters;
    id = parameters.contains("id") ? decode_segment(parameters.at("id")).value_or("") : "";
    // A device must not come by a token for all of them.
    if (id == "*" || !valid_id(id)) return backend_error(400, "The id must be that of one thing");
  }
  return answer_token(exchange, settings, type, id);
}

Response FleetEngine::answer_token(Exchange &exchange, const Settings &settings, const TokenType &type, const std::string &id) {
  const ServiceAccount account = own();
  const std::int64_t now = world_.clock.now_s();
  const std::int64_t expires_s = now + settings.backend_lifetime_s;
  json claims = {{"iss", account.email}, {"sub", account.email}, {"aud", audience}, {"iat", now}, {"exp", expires_s}};
  for (const char *claim : type.claims) claims["authorization"][claim] = id;
  // Two tokens of one second differ, so that revoking the first spares the second.
  claims["jti"] = random_hex(8);
  const std::string token = make_jwt(claims, account.key, account.key_id);
  world_.tokens.add({token, name(), token_kind, account.email, now, expires_s});
  exchange.account(account.email);
  exchange.issued(token, expires_s);

  const bool last_mile = settings.backend_shape == "by_path" ? type.last_mile : settings.backend_shape == "last_mile";
  const json as_last_mile = {{"token", token}, {"creation_timestamp_ms", now * 1000}, {"expiration_timestamp_ms", expires_s * 1000}};
  const json as_on_demand = {{"jwt", token}, {"creationTimestamp", now * 1000}, {"expirationTimestamp", expires_s * 1000}};
  Response response = json_response(200, last_mile ? as_last_mile : as_on_demand);
  response.set_header("Cache-Control", "no-store");
  return response;
}

}  // namespace

std::unique_ptr<Provider> make_fleet_engine(World &world) { return std::make_unique<FleetEngine>(world); }

}  // namespace fleetauth::emulator
