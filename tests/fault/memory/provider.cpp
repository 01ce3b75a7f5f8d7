#include "tests/fault/memory/provider.h"

namespace fleetauth::test {

namespace {

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

}  // namespace

/// New ones; `refresh` empty: without a refresh token.
std::string Provider::tokens(const char *access, const char *refresh, const char *life) {
  const std::string number = std::to_string(++number_);
  std::string json = std::string("{\"") + access + "\":\"access-" + number + "\",\"token_type\":\"Bearer\",\"" + life + "\":3600";
  if (*refresh != '\0') json += std::string(",\"") + refresh + "\":\"refresh-" + number + "\"";
  return json + "}";
}

Provider::Answer Provider::answer(std::string_view target, std::string_view body) {
  const std::lock_guard lock(mutex_);
  const bool refreshes = has(target, "/auth/refresh-token") || has(body, "grant_type=refresh_token");
  if (refreshes && !has(body, "refresh-" + std::to_string(number_))) {
    ++spent_;
    return {400, R"({"error":"invalid_grant"})"};
  }
  if (has(target, "/auth/login") && has(body, "otp@")) return {200, R"({"tempToken":"temp","sessionId":"session"})"};
  if (has(target, "/auth/whoami")) return {200, R"({"_id":"1","email":"a@fleet.example","role":"admin","companyRef":"c","siteRef":"s"})"};
  if (has(target, "/oauth/accessToken")) return {200, tokens("access_token", "", "expires_in")};
  if (has(target, "/auth/")) return {200, tokens("accessToken", "refreshToken", "expiresIn")};
  if (has(target, "/oauth2/revoke")) return {200, "{}"};
  if (has(target, "/oauth2/token")) return {200, tokens("access_token", has(body, "refresh_token") ? "refresh_token" : "", "expires_in")};
  if (has(target, "/accounts/authenticate")) {
    return {200, R"({"token":"access-)" + std::to_string(++number_) + R"(","expires":"2026-01-01T12:00:00Z"})"};
  }
  if (has(target, "/accounts")) return {200, R"({"data":[{"AccountId":"A1","AccountName":"One"},{"AccountId":"A2","AccountName":"Two"}]})"};
  return {404, "{}"};
}

}  // namespace fleetauth::test
