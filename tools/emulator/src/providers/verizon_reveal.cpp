// Verizon Connect Reveal: Basic for a raw token of 20 minutes, sent in a scheme "Atmosphere" with the ID of the application.
#include <algorithm>
#include <mutex>

#include "../crypto.h"
#include "../json_members.h"
#include "../provider.h"

namespace fleetauth::emulator {
namespace {

constexpr std::int64_t day_s = 86'400;
constexpr std::int64_t year_s = 365 * day_s;
constexpr const char *token_kind = "atmosphere";

struct User {
  std::string name = "demo-user";
  std::string password = "demo-password";
  std::string app_id = "fleetmatics-p-us-demo";
};

struct Settings {
  std::vector<User> users{User{}};
  std::int64_t lifetime_s = 1200;
  double min_interval_s = 0;
};

User parse_user(const json &source, const std::string &where) {
  Members members(source, where);
  User user;
  user.name = members.required_text("user");
  if (user.name.find(':') != std::string::npos) members.fail("user", "without a colon, which ends it in Basic");
  user.password = members.required_text("password");
  user.app_id = members.text("app_id").value_or(user.app_id);
  members.finish();
  return user;
}

Response error(int status, const std::string &message) { return json_response(status, {{"Message", message}}); }

// Whether the caller names plain text among the types it takes, as the documents ask for.
bool accepts_plain_text(const Request &request) {
  const std::string accept = lower_case(request.header("Accept").value_or(""));
  for (std::string_view rest = accept; !rest.empty();) {
    const std::string_view item = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(item.size() + 1, rest.size()));
    std::string_view type = item.substr(0, item.find(';'));
    while (type.starts_with(' ')) type.remove_prefix(1);
    while (type.ends_with(' ')) type.remove_suffix(1);
    if (type == "text/plain") return true;
  }
  return false;
}

class VerizonReveal final : public Provider {
 public:
  explicit VerizonReveal(World &world) : world_(world) {
    add_route("/token", "token", &VerizonReveal::get_token);
    add_route("/cmd/v1/vehicles", "resource", &VerizonReveal::get_vehicles);
  }

  std::string name() const override { return "verizon_reveal"; }
  std::map<std::string, std::string> base_paths() const override { return {{"api", base}}; }
  const std::vector<Route> &routes() const override { return routes_; }
  PublicNames public_names() const override { return {}; }

  Response not_found(const Request &) const override { return error(404, "Not found"); }
  Response method_not_allowed(const Request &) const override { return error(405, "Method not allowed"); }

  std::vector<std::string> secrets() const override {
    std::vector<std::string> result;
    for (const User &user : snapshot().users) result.push_back(user.password);
    return result;
  }

  void configure(const json &source) override;
  json settings() const override;

 private:
  static constexpr const char *base = "/reveal";

  void add_route(const char *path, const char *flow, Response (VerizonReveal::*handler)(Exchange &)) {
    routes_.push_back({"GET", std::string(base) + path, flow, [this, handler](Exchange &exchange) { return (this->*handler)(exchange); }});
  }

  Settings snapshot() const {
    const std::lock_guard lock(mutex_);
    return settings_;
  }

  std::optional<Response> throttle(const Settings &settings, const std::string &who);
  // Whose the token of "Atmosphere atmosphere_app_id=<AppID>, Bearer <token>" is.
  std::optional<std::string> user_of_token(const Settings &settings, Exchange &exchange) const;

  Response get_token(Exchange &exchange);
  Response get_vehicles(Exchange &exchange);

  World &world_;
  std::vector<Route> routes_;
  mutable std::mutex mutex_;
  Settings settings_;
};

void VerizonReveal::configure(const json &source) {
  Settings next = snapshot();
  Members members(source, name());
  next.users = members.list("users", parse_user).value_or(next.users);
  next.lifetime_s = members.integer("lifetime_s", 1, year_s).value_or(next.lifetime_s);
  next.min_interval_s = members.number("min_interval_s", 0, day_s).value_or(next.min_interval_s);
  members.finish();
  const std::lock_guard lock(mutex_);
  settings_ = std::move(next);
}

json VerizonReveal::settings() const {
  const Settings settings = snapshot();
  json users = json::array();
  for (const User &user : settings.users) users.push_back({{"user", user.name}, {"app_id", user.app_id}});
  return {{"users", std::move(users)}, {"lifetime_s", settings.lifetime_s}, {"min_interval_s", settings.min_interval_s}};
}

std::optional<Response> VerizonReveal::throttle(const Settings &settings, const std::string &who) {
  const auto interval_ms = static_cast<std::int64_t>(settings.min_interval_s * 1000);
  const auto wait_s = world_.throttle.refuse("verizon_reveal " + who, interval_ms, world_.clock.now_ms());
  if (!wait_s) return std::nullopt;
  Response response = error(429, "Too many requests");
  response.set_header("Retry-After", std::to_string(*wait_s));
  return response;
}

Response VerizonReveal::get_token(Exchange &exchange) {
  const Settings settings = snapshot();
  const auto basic = basic_credentials(exchange.request);
  const auto user =
      std::find_if(settings.users.begin(), settings.users.end(), [&](const User &each) { return basic && each.name == basic->user; });
  if (user != settings.users.end()) exchange.account(user->name);
  if (user == settings.users.end() || !equal_constant_time(user->password, basic->password)) {
    Response response = text_response(401, "Unauthorized");
    response.set_header("WWW-Authenticate", "Basic realm=\"fim\"");
    return response;
  }
  if (auto refusal = throttle(settings, "token " + user->name)) return *refusal;
  if (!accepts_plain_text(exchange.request)) return text_response(406, "Accept must be text/plain");

  const std::int64_t now = world_.clock.now_s();
  const Token token{base64url_encode(random_bytes(48)), name(), token_kind, user->name, now, now + settings.lifetime_s};
  world_.tokens.add(token);
  exchange.issued(token.value, token.expires_s);
  return text_response(200, token.value);
}

std::optional<std::string> VerizonReveal::user_of_token(const Settings &settings, Exchange &exchange) const {
  const auto header = exchange.request.header("Authorization");
  if (!header) return std::nullopt;
  // To the letter, as documented.
  const std::string_view before = "Atmosphere atmosphere_app_id=";
  const std::string_view between = ", Bearer ";
  const std::size_t middle = header->find(between);
  if (!header->starts_with(before) || middle == std::string::npos) return std::nullopt;
  const std::string app_id = header->substr(before.size(), middle - before.size());
  const std::string token = header->substr(middle + between.size());

  exchange.presented(token);
  const TokenCheck check = world_.tokens.check(name(), token_kind, token, world_.clock.now_s());
  exchange.account(check.account);
  if (check.state != TokenState::good) return std::nullopt;
  const bool fits = std::any_of(settings.users.begin(), settings.users.end(),
                                [&](const User &user) { return user.name == check.account && user.app_id == app_id; });
  if (!fits) return std::nullopt;
  return check.account;
}

Response VerizonReveal::get_vehicles(Exchange &exchange) {
  const Settings settings = snapshot();
  const auto user = user_of_token(settings, exchange);
  if (!user) return error(401, "Authorization has been denied for this request.");
  if (auto refusal = throttle(settings, "api " + *user)) return *refusal;
  return json_response(200, json::array({{{"Number", "VAN-1"}, {"Name", "Van 1"}, {"RegistrationNumber", "FL33 TUP"}}}));
}

}  // namespace

std::unique_ptr<Provider> make_verizon_reveal(World &world) { return std::make_unique<VerizonReveal>(world); }

}  // namespace fleetauth::emulator
