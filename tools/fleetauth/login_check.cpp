#include "tools/fleetauth/login_check.h"

#include <algorithm>

#include "tools/fleetauth/console.h"
#include "tools/fleetauth/failure.h"

namespace fleetauth::command {

namespace {

using nlohmann::ordered_json;

Finding credentials(State state, std::string seen, std::string next = "", fleetauth_status status = FLEETAUTH_OK) {
  return {state, "credentials", "", std::move(seen), std::move(next), status};
}

/// What to do about a login that failed; `totp` is the option that its one-time code is made from, if any.
std::string advice(const LibraryError &error, const std::string &totp) {
  if (error.in_doubt) {
    return "do not repeat this yet: it may have been carried out, though no proper answer came. Look at the provider first (a new login, "
           "a locked account)";
  }
  switch (error.status) {
    case FLEETAUTH_E_INVALID_CREDENTIALS:
      return "do not repeat this with the same credentials: many providers lock an account after a few refusals. Compare each with what "
             "the provider issued (a stray space, another account, a test key), or have new ones issued";
    case FLEETAUTH_E_LOGIN_REQUIRED:
      return "do not repeat this: the refresh token is used up, revoked or expired; have a new one issued";
    case FLEETAUTH_E_OTP_REJECTED:
    case FLEETAUTH_E_OTP_OVER:
      if (totp.empty()) return "do not repeat this with the same code; take the next one";
      return "the code was made from " + totp + ": check that it is this account's and the newest, and that the clock above is right";
    case FLEETAUTH_E_ACCESS_DENIED:
      return "the credentials are known, but may not do this: ask the provider for the permission";
    case FLEETAUTH_E_RATE_LIMITED:
      return "wait" + (error.retry_after_ms > 0 ? " " + duration(error.retry_after_ms) : " a while") + ", then run this again";
    case FLEETAUTH_E_PROTOCOL:
    case FLEETAUTH_E_TOO_LARGE:
      return "check that the base URL is that of the provider's API, with its path; a portal or proxy may have answered in its place";
    default:
      if (error.retryable) return "try again later; if it stays so, ask the provider";
      if (class_of(error.status) == "ConfigurationError") return "correct it, and run this again";
      return "nothing says that another try would end otherwise: ask the provider, or report it as a fault of fleetauth";
  }
}

Finding failed_login(const LibraryError &error, const std::string &totp) {
  Finding finding = credentials(State::Problem, error.what(), advice(error, totp), error.status);
  if (error.http_status != 0) finding.data["http_status"] = error.http_status;
  if (!error.provider_code.empty()) finding.data["provider_code"] = error.provider_code;
  return finding;
}

/// What would be asked of the provider.
struct Plan {
  std::string scheme;
  std::string why_not;  ///< empty: a login
  std::string totp;     ///< the option that one-time codes are made from, if one has a value
  std::vector<std::string> origins;
};

Plan plan_login(const Client &client, const Descriptor &descriptor) {
  const auto schemes = usable_schemes(client.provider, descriptor, client.values);
  Plan plan{has_value(client.values, "scheme") ? client.values.at("scheme") : schemes.empty() ? "" : schemes[0], "", "", {}};
  if (plan.scheme.empty() || !descriptor["schemes"].contains(plan.scheme)) return plan;
  const Descriptor &credential = credential_of(descriptor, plan.scheme);
  if (const std::string totp = credential.value("totp", ""); has_value(client.values, totp)) plan.totp = totp;
  if (credential["flow"] == "basic" || credential["flow"] == "static_header") {
    plan.why_not = "the scheme " + plan.scheme + " has no login, the credentials go with every request: fleetauth request URL checks them";
  }
  for (const std::string &step : steps_in(credential, "step")) plan.origins.push_back(descriptor["steps"][step].value("origin", ""));
  const auto refresh = credential.find("refresh");
  if (refresh == credential.end()) return plan;
  plan.origins.push_back(descriptor["steps"][refresh->at("step").get<std::string>()].value("origin", ""));
  if (has_value(client.values, refresh->value("initial", ""))) {
    plan.why_not = "a login would use the refresh token, which is spent then where the provider replaces it: fleetauth login does it";
  }
  return plan;
}

Finding log_in(const Arguments &arguments, const Client &client, const Descriptor &descriptor, const Plan &plan) {
  try {
    bool code_asked = false;
    const Token token = arguments.otp_from ? get_token(client, "GET", "", &code_asked) : get_token_without_code(client, "GET", "");
    const std::string scheme = fleetauth_token_scheme(token.get(), nullptr);
    const Descriptor &credential = credential_of(descriptor, scheme);
    const bool made_here = credential["flow"] == "signed_jwt";
    const std::int64_t left = fleetauth_token_expires_in_ms(token.get());
    std::string seen = made_here ? "a token was made here; the provider sees it only with a request: fleetauth request URL checks it"
                                 : "the provider accepted them";
    if (code_asked) seen += ", with the one-time code";
    if (!plan.totp.empty()) seen += "; a one-time code of " + plan.totp + " was used if it was asked for";
    seen += left < 0 ? "; the token does not expire" : "; the token is good for " + duration(left);
    Finding finding = credentials(State::Ok, seen);
    finding.data = {
        {"scheme", scheme}, {"code_asked", code_asked}, {"expires_in_s", left < 0 ? ordered_json() : ordered_json(left / 1000)}};
    return finding;
  } catch (const LibraryError &error) {
    if (error.challenge == nullptr || arguments.otp_from) return failed_login(error, plan.totp);
    Finding finding = credentials(State::Warning, "the provider accepted them, and asks for a one-time code; none was sent",
                                  "that is as it should be; to try a code too, give --otp-from COMMAND, which prints it");
    finding.data = {{"scheme", plan.scheme}, {"code_asked", true}};
    return finding;
  } catch (const SetupError &error) {
    return credentials(State::Problem, error.what(), "correct the command of --otp-from", FLEETAUTH_E_CONFIG);
  }
}

}  // namespace

Finding check_login(const Arguments &arguments, const std::optional<Client> &client, const Descriptor &descriptor,
                    const std::vector<Diagnosis> &origins) {
  if (arguments.no_login) return credentials(State::Skipped, "left out by --no-login");
  if (!client) return credentials(State::Skipped, "the configuration is not complete");
  const Plan plan = plan_login(*client, descriptor);
  if (!plan.why_not.empty()) return credentials(State::Skipped, plan.why_not);
  for (const Diagnosis &origin : origins) {
    const bool needed = std::find(plan.origins.begin(), plan.origins.end(), origin.origin) != plan.origins.end();
    if (needed && !origin.reachable)
      return credentials(State::Skipped, "the login needs the origin " + origin.origin + ", which was not reached");
  }
  return log_in(arguments, *client, descriptor, plan);
}

}  // namespace fleetauth::command
