#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/flow/authorise.h"
#include "core/flow/machine.h"
#include "core/provider/client_config.h"

namespace fleetauth::flow {

/// 2026-01-02T03:04:05Z
inline constexpr Now kNow{.boot = 1'000'000, .wall = 1'767'323'045'000};
inline constexpr const char *kNowAsDate = "Fri, 02 Jan 2026 03:04:05 GMT";

using Headers = std::vector<std::pair<std::string, std::string>>;

inline HttpResponse answer(std::int32_t status, const std::string &body, const Headers &headers = {{"Content-Type", "application/json"}}) {
  HttpResponse out;
  out.status = status;
  for (const auto &[name, value] : headers) out.headers.push_back({name, SecretBytes(value)});
  out.body = SecretBytes(body);
  return out;
}

/// A client of a provider and what its machines say.
class Scene {
 public:
  using Options = std::vector<std::pair<std::string, std::string>>;

  Scene(std::shared_ptr<const provider::Descriptor> descriptor, const Options &options) {
    std::vector<provider::GivenValue> given;
    for (const auto &[name, text] : options) given.push_back({name, SecretBytes(text)});
    auto config = provider::configure(std::move(descriptor), std::move(given));
    if (!config) {
      ADD_FAILURE() << config.error()->message;
      std::abort();
    }
    config_ = std::make_unique<provider::ClientConfig>(std::move(*config));
  }

  static Scene fleetup(std::optional<std::string_view> patch = {}) {
    return Scene(patched("fleetup", patch), {{"api_key", "the-api-key"}, {"acct_id", "12345"}, {"secret", "the \"secret\" & more"}});
  }
  static Scene connected_fleet(std::optional<std::string_view> patch = {}) {
    return Scene(patched("my_connected_fleet", patch), {{"client_id", "client"}, {"client_secret", "s:cr\xc3\xa9t"}});
  }
  static Scene from_json(std::string_view json, const Options &options) {
    auto descriptor = provider::parse_descriptor(json, "test.json");
    if (!descriptor) {
      ADD_FAILURE() << descriptor.error()->message;
      std::abort();
    }
    return Scene(std::make_shared<const provider::Descriptor>(std::move(*descriptor)), options);
  }

  [[nodiscard]] const provider::ClientConfig &config() const { return *config_; }
  [[nodiscard]] const provider::Descriptor &descriptor() const { return *config_->descriptor; }
  Session session;  ///< what the machine begins with
  [[nodiscard]] std::unique_ptr<Machine> machine(std::string_view credential = {}) const {
    return make_login(*config_, credential.empty() ? first_exchange() : *descriptor().credential(credential), {}, session);
  }

  [[nodiscard]] HttpRequest request(std::string_view credential = {}) const {
    Effect effect = machine(credential)->start(kNow);
    if (auto *send = std::get_if<SendRequest>(&effect)) return std::move(send->request);
    ADD_FAILURE() << "nothing was sent";
    return {};
  }

  [[nodiscard]] Effect outcome(const HttpResponse &response, std::string_view credential = {}) const {
    const auto driven = machine(credential);
    (void)driven->start(kNow);
    return driven->on_response(response, kNow);
  }
  /// The grant, which the test expects.
  [[nodiscard]] Grant granted(const HttpResponse &response, std::string_view credential = {}) const {
    Effect effect = outcome(response, credential);
    if (auto *grant = std::get_if<Granted>(&effect)) return std::move(grant->grant);
    ADD_FAILURE() << std::get<Failed>(effect).error->message;
    return {};
  }
  /// The error, which the test expects.
  [[nodiscard]] Error failed(const HttpResponse &response, std::string_view credential = {}) const {
    const Effect effect = outcome(response, credential);
    if (const auto *failure = std::get_if<Failed>(&effect)) return *failure->error;
    ADD_FAILURE() << "a token was granted";
    return {};
  }

 private:
  static std::shared_ptr<const provider::Descriptor> patched(std::string_view name, std::optional<std::string_view> patch) {
    const auto descriptor = provider::override_descriptor(*provider::builtin(name), patch, {});
    if (!descriptor) {
      ADD_FAILURE() << descriptor.error()->message;
      std::abort();
    }
    return *descriptor;
  }
  [[nodiscard]] const provider::Credential &first_exchange() const {
    for (const provider::Credential &credential : descriptor().credentials) {
      if (credential.kind == provider::FlowKind::Exchange) return credential;
    }
    std::abort();
  }

  std::unique_ptr<provider::ClientConfig> config_;
};

}  // namespace fleetauth::flow
