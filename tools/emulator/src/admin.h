// The admin API under /_emulator: moves the clock, scripts faults, revokes tokens, reads the log.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "provider.h"

namespace fleetauth::emulator {

class Admin {
 public:
  static constexpr const char *prefix = "/_emulator";

  // `shut_down` must return at once.
  Admin(World &world, const std::vector<std::unique_ptr<Provider>> &providers, std::string token, std::string ca_pem,
        std::function<void()> shut_down);

  static bool owns(const std::string &path);
  Response serve(const Request &request);
  // {"fleetup": {...}, "clock": {...}}: POST /config and the configuration file. Throws ConfigError.
  void configure(const json &source);

 private:
  struct Endpoint {
    std::string method;
    std::string path;
    Response (Admin::*handle)(const Request &);
  };
  static const std::vector<Endpoint> &endpoints();

  Provider &provider(const std::string &name) const;
  void set_clock(const json &source);

  Response get_log(const Request &request);
  Response delete_log(const Request &request);
  Response post_clock(const Request &request);
  Response post_revoke(const Request &request);
  Response get_faults(const Request &request);
  Response post_faults(const Request &request);
  Response delete_faults(const Request &request);
  Response post_release(const Request &request);
  Response post_lifetime(const Request &request);
  Response post_config(const Request &request);
  Response get_state(const Request &request);
  Response get_ca(const Request &request);
  Response post_shutdown(const Request &request);

  World &world_;
  const std::vector<std::unique_ptr<Provider>> &providers_;
  std::string token_;
  std::string ca_pem_;
  std::function<void()> shut_down_;
};

}  // namespace fleetauth::emulator
