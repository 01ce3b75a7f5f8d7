// An emulator with a manual clock, and a TLS client that trusts its CA and nothing else.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "fleetauth/emulator/emulator.h"

namespace fleetauth::emulator {

using nlohmann::json;

inline constexpr std::int64_t kStart = 1'700'000'000;  // the clock's first value, Unix seconds

class EmulatorTest : public testing::Test {
 protected:
  EmulatorTest() { start({{"clock", {{"manual", true}, {"set_s", kStart}}}}); }

  void start(const json &config) {
    Options options;
    options.config_json = config.dump();
    emulator = Emulator::start(options);
  }

  std::unique_ptr<httplib::SSLClient> new_client() const {
    auto client = std::make_unique<httplib::SSLClient>("127.0.0.1", emulator->port());
    client->set_ca_cert_path(emulator->ca_file().c_str());
    client->enable_server_certificate_verification(true);
    client->set_read_timeout(10);
    client->set_tcp_nodelay(true);
    return client;
  }

  httplib::Result get(const std::string &path, const httplib::Headers &headers = {}) const { return new_client()->Get(path, headers); }
  httplib::Result post(const std::string &path, const httplib::Headers &headers, const std::string &body,
                       const std::string &type = "application/json") const {
    return new_client()->Post(path, headers, body, type);
  }

  httplib::Headers admin_headers() const { return {{"Authorization", "Bearer " + emulator->admin_token()}}; }
  // The answer's JSON; the call must succeed.
  json admin_get(const std::string &path) const {
    const auto answer = get("/_emulator" + path, admin_headers());
    EXPECT_TRUE(answer && answer->status == 200) << path;
    return answer ? json::parse(answer->body) : json();
  }
  json admin_post(const std::string &path, const json &body) const {
    const auto answer = post("/_emulator" + path, admin_headers(), body.dump());
    EXPECT_TRUE(answer && answer->status == 200) << path << ' ' << (answer ? answer->body : "no answer");
    return answer ? json::parse(answer->body) : json();
  }
  void advance(double seconds) const { admin_post("/clock", {{"advance_s", seconds}}); }
  json entries(const std::string &query = "") const { return admin_get("/log" + query)["entries"]; }

  // FleetUp with the documented account.
  httplib::Headers api_key() const { return {{"x-api-key", "demo-api-key"}}; }
  httplib::Result fleetup_login(const json &body = {{"acctId", 12345}, {"secret", "your-app-secret"}}) const {
    return post("/fleetup/token", api_key(), body.dump());
  }
  std::string fleetup_token() const { return json::parse(fleetup_login()->body)["token"]; }
  int fleetup_devices(const std::string &token) const {
    const auto answer = get("/fleetup/devices", {{"x-api-key", "demo-api-key"}, {"Authorization", "Bearer " + token}});
    return answer ? answer->status : -1;
  }

  std::unique_ptr<Emulator> emulator;
};

}  // namespace fleetauth::emulator
