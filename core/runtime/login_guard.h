#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/clock.h"
#include "core/base/error.h"

namespace fleetauth::runtime {

class Flight;

/// Keeps a runtime from sending a wrong password or code again and again: providers count them, and lock the account. A login is named by
/// a digest of its credentials, whichever clients and accounts it is for. Not synchronised.
class LoginGuard {
 public:
  /// The password or code was refused: it is not sent again before it is changed or forgiven. More often than tolerated, that is.
  void refused(const std::string &login, const ErrorPtr &error, int tolerated);
  void accepted(const std::string &login, BootMs now) noexcept;
  void forgive(const std::string &login);
  /// How it was refused; null when it was not.
  [[nodiscard]] ErrorPtr locked_out(const std::string &login) const;

  /// While it is not known whether a password is right, one flight sends it and the others wait. False when this one has to: leave() names
  /// it.
  bool enter(const std::string &login, const std::shared_ptr<Flight> &flight, BootMs now);
  /// The flight has landed: who waited for it.
  [[nodiscard]] std::vector<std::weak_ptr<Flight>> leave(const std::string &login, const Flight &flight) noexcept;

  /// The period of the last one-time code that was made for the login, which all its flights share; -1 for none.
  std::shared_ptr<std::int64_t> code_period(const std::string &login);

 private:
  struct Refusals {
    int times = 0;
    ErrorPtr error;  ///< null: it may be tried once more
    std::uint64_t order = 0;
  };
  struct Turn {
    std::weak_ptr<Flight> first;
    std::vector<std::weak_ptr<Flight>> waiting;
  };

  std::unordered_map<std::string, Refusals> refused_;
  std::uint64_t refusals_ = 0;
  std::unordered_map<std::string, BootMs> accepted_;  ///< until when that counts
  std::unordered_map<std::string, Turn> turns_;
  std::unordered_map<std::string, std::shared_ptr<std::int64_t>> code_periods_;
};

}  // namespace fleetauth::runtime
