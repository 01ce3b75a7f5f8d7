// myConnectedFleet: Basic on the Core API; elsewhere an opaque token of 30 days, in one of two headers.
#include <algorithm>
#include <mutex>

#include "../crypto.h"
#include "../json_members.h"
#include "../provider.h"

namespace fleetauth::emulator {
namespace {

constexpr std::int64_t day_s = 86'400;
constexpr std::int64_t year_s = 365 * day_s;

constexpr const char *auth_base = "/mcf-auth";
constexpr const char *api_base = "/mcf-api";
constexpr const char *core_prefix = "/mcf-api/connect-webservices/";
constexpr const char *core_customer = "/mcf-api/connect-webservices/services/public/v1/customer/{id}";
constexpr const char *jobs_path = "/mcf-api/job-management/v1/customer/{id}/jobs";
constexpr const char *token_kind = "oauth";

struct Client {
  std::string id = "demo-client";
  std::string secret = "demo-secret";
  std::vector<std::string> customers{"1001"};
};

struct Settings {
  std::vector<Client> clients{Client{}};
  std::int64_t lifetime_s = 2'591'999;
  double min_interval_s = 0;
  std::int64_t same_token_margin_s = -1;
  std::string bad_client = "oauth_401";
  std::string error_style = "by_api";
  std::vector<std::string> disabled_endpoints{"/tracking/history"};
  bool core_accepts_bearer = false;
};

Client parse_client(const json &source, const std::string &where) {
  Members members(source, where);
  Client client;
  client.id = members.required_text("client_id");
  if (client.id.find(':') != std::string::npos) members.fail("client_id", "without a colon, which ends it in Basic");
  client.secret = members.required_text("client_secret");
  client.customers = members.texts("customers").value_or(client.customers);
  members.finish();
  return client;
}

// The three spellings of errors that the API is known to answer.
Response spelled_error(const std::string &style, int status, const std::string &message) {
  const std::string code = std::to_string(status);
  if (style == "errorMsg") return json_response(status, {{"errorCode", code}, {"errorMsg", message}});
  if (style == "errorMessage") return json_response(status, {{"errorCode", code}, {"errorMessage", message}});
  return json_response(status, {{"status", code}, {"message", message}});
}

Response oauth_error(int status, const std::string &error, const std::string &description) {
  return json_response(status, {{"error", error}, {"error_description", description}});
}

// One group of API calls: how it wants to be authorised and how it spells errors by default.
struct Api {
  enum class Credential { basic, bearer, connect_token };
  Credential credential;
  const char *error_style;
};
constexpr Api core{Api::Credential::basic, "status"};
constexpr Api smart_tire{Api::Credential::bearer, "errorMessage"};
constexpr Api job_management{Api::Credential::connect_token, "errorMsg"};

class MyConnectedFleet final : public Provider {
 public:
  explicit MyConnectedFleet(World &world) : world_(world) {
    add_route("POST", std::string(auth_base) + "/masternauth-oauth/oauth/accessToken", "client credentials",
              &MyConnectedFleet::post_access_token);
    add_route("GET", std::string(core_customer) + "/tracking/live", "resource", &MyConnectedFleet::get_live);
    add_route("GET", std::string(core_customer) + "/tracking/history", "resource", &MyConnectedFleet::get_history);
    add_route("GET", std::string(core_customer) + "/tire/events", "resource", &MyConnectedFleet::get_tire_events);
    add_route("GET", jobs_path, "resource", &MyConnectedFleet::get_jobs);
    add_route("POST", jobs_path, "resource", &MyConnectedFleet::post_job);
  }

  std::string name() const override { return "my_connected_fleet"; }
  std::map<std::string, std::string> base_paths() const override { return {{"auth", auth_base}, {"api", api_base}}; }
  const std::vector<Route> &routes() const override { return routes_; }
  PublicNames public_names() const override { return {"grant_type", "reference"}; }

  Response not_found(const Request &request) const override;
  Response method_not_allowed(const Request &) const override { return spelled_error("errorMessage", 405, "Method not allowed"); }

  std::vector<std::string> secrets() const override {
    std::vector<std::string> result;
    for (const Client &client : snapshot().clients) result.push_back(client.secret);
    return result;
  }

  void configure(const json &source) override;
  json settings() const override;

 private:
  void add_route(const char *method, std::string path, const char *flow, Response (MyConnectedFleet::*handler)(Exchange &)) {
    routes_.push_back({method, std::move(path), flow, [this, handler](Exchange &exchange) { return (this->*handler)(exchange); }});
  }

  Settings snapshot() const {
    const std::lock_guard lock(mutex_);
    return settings_;
  }

  std::optional<Response> throttle(const Settings &settings, const std::string &who, const std::string &style);
  std::optional<std::string> client_of_basic(const Settings &settings, Exchange &exchange) const;
  std::optional<std::string> client_of_token(Exchange &exchange, const std::optional<std::string> &token) const;
  // Empty when the request may pass.
  std::optional<Response> refuse(const Api &api, Exchange &exchange);

  Response post_access_token(Exchange &exchange);
  Response get_live(Exchange &exchange);
  Response get_history(Exchange &exchange);
  Response get_tire_events(Exchange &exchange);
  Response get_jobs(Exchange &exchange);
  Response post_job(Exchange &exchange);

  World &world_;
  std::vector<Route> routes_;
  mutable std::mutex mutex_;
  Settings settings_;
};

void MyConnectedFleet::configure(const json &source) {
  Settings next = snapshot();
  Members members(source, name());
  next.clients = members.list("clients", parse_client).value_or(next.clients);
  next.lifetime_s = members.integer("lifetime_s", 1, 10 * year_s).value_or(next.lifetime_s);
  next.min_interval_s = members.number("min_interval_s", 0, day_s).value_or(next.min_interval_s);
  next.same_token_margin_s = members.integer("same_token_margin_s", -1, 10 * year_s).value_or(next.same_token_margin_s);
  next.bad_client = members.one_of("bad_client", {"oauth_401", "success_false", "success_false_with_token"}).value_or(next.bad_client);
  next.error_style = members.one_of("error_style", {"by_api", "errorMsg", "errorMessage", "status"}).value_or(next.error_style);
  next.disabled_endpoints = members.texts("disabled_endpoints").value_or(next.disabled_endpoints);
  next.core_accepts_bearer = members.boolean("core_accepts_bearer").value_or(next.core_accepts_bearer);
  members.finish();
  const std::lock_guard lock(mutex_);
  settings_ = std::move(next);
}

json MyConnectedFleet::settings() const {
  const Settings settings = snapshot();
  json clients = json::array();
  for (const Client &client : settings.clients) {
    clients.push_back({{"client_id", client.id}, {"customers", client.customers}});
  }
  return {{"clients", std::move(clients)},
          {"lifetime_s", settings.lifetime_s},
          {"min_interval_s", settings.min_interval_s},
          {"same_token_margin_s", settings.same_token_margin_s},
          {"bad_client", settings.bad_client},
          {"error_style", settings.error_style},
          {"disabled_endpoints", settings.disabled_endpoints},
          {"core_accepts_bearer", settings.core_accepts_bearer}};
}

std::optional<Response> MyConnectedFleet::throttle(const Settings &settings, const std::string &who, const std::string &style) {
  const auto interval_ms = static_cast<std::int64_t>(settings.min_interval_s * 1000);
  const auto wait_s = world_.throttle.refuse("my_connected_fleet " + who, interval_ms, world_.clock.now_ms());
  if (!wait_s) return std::nullopt;
  Response response = spelled_error(style, 429, "Too many requests");
  response.set_header("Retry-After", std::to_string(*wait_s));
  return response;
}

std::optional<std::string> MyConnectedFleet::client_of_basic(const Settings &settings, Exchange &exchange) const {
  const auto basic = basic_credentials(exchange.request);
  if (!basic) return std::nullopt;
  for (const Client &client : settings.clients) {
    if (client.id != basic->user) continue;
    exchange.account(client.id);
    if (equal_constant_time(client.secret, basic->password)) return client.id;
  }
  return std::nullopt;
}

std::optional<std::string> MyConnectedFleet::client_of_token(Exchange &exchange, const std::optional<std::string> &token) const {
  if (!token) return std::nullopt;
  exchange.presented(*token);
  const TokenCheck check = world_.tokens.check(name(), token_kind, *token, world_.clock.now_s());
  if (!check.account.empty()) exchange.account(check.account);
  if (check.state != TokenState::good) return std::nullopt;
  return check.account;
}

std::optional<Response> MyConnectedFleet::refuse(const Api &api, Exchange &exchange) {
  const Settings settings = snapshot();
  const Request &request = exchange.request;
  const std::string style = settings.error_style == "by_api" ? api.error_style : settings.error_style;

  std::optional<std::string> client_id;
  if (api.credential == Api::Credential::connect_token) {
    const auto header = request.header("x-connect-token");
    // The word TOKEN in capitals and one space, as documented.
    if (header && header->starts_with("TOKEN ")) client_id = client_of_token(exchange, header->substr(6));
  } else {
    if (api.credential == Api::Credential::basic) client_id = client_of_basic(settings, exchange);
    if (!client_id && (api.credential == Api::Credential::bearer || settings.core_accepts_bearer)) {
      client_id = client_of_token(exchange, credentials_of_scheme(request, "Bearer"));
    }
  }

  // One and the same answer for a bad credential, a foreign customer and a disabled endpoint: the API does not
  // let its callers tell them apart.
  const auto client =
      std::find_if(settings.clients.begin(), settings.clients.end(), [&](const Client &each) { return client_id == each.id; });
  if (client == settings.clients.end()) return spelled_error(style, 401, "Bad Credentials");
  const auto &customers = client->customers;
  if (std::find(customers.begin(), customers.end(), request.parameters.at("id")) == customers.end()) {
    return spelled_error(style, 401, "Bad Credentials");
  }
  const auto &disabled = settings.disabled_endpoints;
  if (std::any_of(disabled.begin(), disabled.end(), [&](const std::string &end) { return request.path.ends_with(end); })) {
    return spelled_error(style, 401, "Bad Credentials");
  }
  return throttle(settings, "api " + client->id, style);
}

Response MyConnectedFleet::not_found(const Request &request) const {
  // A wrong URI of the Core API is answered like bad credentials.
  if (request.path.starts_with(core_prefix)) {
    const Settings settings = snapshot();
    return spelled_error(settings.error_style == "by_api" ? core.error_style : settings.error_style, 401, "Bad Credentials");
  }
  return spelled_error("errorMessage", 404, "Not found");
}

Response MyConnectedFleet::post_access_token(Exchange &exchange) {
  const Settings settings = snapshot();
  const Request &request = exchange.request;
  const auto client_id = client_of_basic(settings, exchange);
  if (!client_id) {
    if (settings.bad_client == "oauth_401") {
      Response response = oauth_error(401, "invalid_client", "Bad client credentials");
      response.set_header("WWW-Authenticate", "Basic realm=\"masternauth\"");
      return response;
    }
    json body = {{"success", false}, {"errorCode", "401"}, {"errorMessage", "Bad Credentials"}};
    if (settings.bad_client == "success_false_with_token") {
      body.update({{"accessToken", std::string(32, '0')}, {"token_type", "bearer"}, {"expires_in", settings.lifetime_s}});
    }
    return json_response(200, body);
  }
  if (auto refusal = throttle(settings, "auth " + *client_id, "errorMessage")) return *refusal;
  if (request.content_type() != "application/x-www-form-urlencoded") {
    return oauth_error(400, "invalid_request", "Content-Type must be application/x-www-form-urlencoded");
  }
  const auto form = parse_fields(request.body);
  const auto grant_type = form ? single(*form, "grant_type") : std::nullopt;
  if (!grant_type) return oauth_error(400, "invalid_request", "grant_type is required, once");
  if (*grant_type != "client_credentials") {
    return oauth_error(400, "unsupported_grant_type", "grant_type must be client_credentials");
  }

  const std::int64_t now = world_.clock.now_s();
  Token token{random_hex(16, /*upper_case=*/true), name(), token_kind, *client_id, now, now + settings.lifetime_s};
  std::optional<Token> same;
  if (settings.same_token_margin_s >= 0) {
    same = world_.tokens.find_good(name(), token_kind, *client_id, now, settings.same_token_margin_s);
  }
  if (same) {
    token = *same;
  } else {
    world_.tokens.add(token);
  }
  exchange.issued(token.value, token.expires_s);
  return json_response(200,
                       {{"success", true}, {"accessToken", token.value}, {"token_type", "bearer"}, {"expires_in", token.expires_s - now}});
}

Response MyConnectedFleet::get_live(Exchange &exchange) {
  if (auto refusal = refuse(core, exchange)) return *refusal;
  return json_response(200, {{"items", json::array({{{"assetGroupName", "Demo"},
                                                     {"assetRegistration", "FL33 TUP"},
                                                     {"latitude", 51.5074},
                                                     {"longitude", -0.1278},
                                                     {"date", iso8601(world_.clock.now_ms())}}})}});
}

Response MyConnectedFleet::get_history(Exchange &exchange) {
  if (auto refusal = refuse(core, exchange)) return *refusal;
  return json_response(200, {{"items", json::array()}});
}

Response MyConnectedFleet::get_tire_events(Exchange &exchange) {
  if (auto refusal = refuse(smart_tire, exchange)) return *refusal;
  return json_response(200, {{"items", json::array({{{"type", "LOW_PRESSURE"}, {"wheel", "FRONT_LEFT"}}})}});
}

Response MyConnectedFleet::get_jobs(Exchange &exchange) {
  if (auto refusal = refuse(job_management, exchange)) return *refusal;
  return json_response(200, {{"items", json::array({{{"reference", "JOB-1"}, {"status", "PLANNED"}}})}});
}

Response MyConnectedFleet::post_job(Exchange &exchange) {
  if (auto refusal = refuse(job_management, exchange)) return *refusal;
  const Request &request = exchange.request;
  const json body = json::parse(request.body, nullptr, /*allow_exceptions=*/false);
  if (request.content_type() != "application/json" || !body.is_object()) {
    return spelled_error(job_management.error_style, 400, "The body must be a JSON object, sent as application/json");
  }
  if (!body.contains("reference") || !body["reference"].is_string()) {
    return spelled_error(job_management.error_style, 400, "reference is required and must be a string");
  }
  return json_response(201, {{"reference", body["reference"]}, {"status", "PLANNED"}});
}

}  // namespace

std::unique_ptr<Provider> make_my_connected_fleet(World &world) { return std::make_unique<MyConnectedFleet>(world); }

}  // namespace fleetauth::emulator
