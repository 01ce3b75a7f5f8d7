#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/base/error.h"

namespace fleetauth::runtime {

class Flight;

/// Keeps a runtime from sending a wrong password or code again and again: providers count them, and lock the account. A login is named by
/// a digest of its credentials, whichever clients and accounts it is for. Not synchronised.
class LoginGuard {
 public:
  /// The password or code was refused: it is not sent again before it is changed or forgiven. More often than tolerated, that is.
  void refused(const std::string &login, const ErrorPtr &error, int tolerated);
  void accepted(const std::string &login) noexcept;
  void forgive(const std::string &login);
  /// How it was refused; null when it was not.
  [[nodiscard]] ErrorPtr locked_out(const std::string &login) const;

  /// While it is not known whether a password is right, one flight sends it and the others wait. False when this one has to: leave() names
  /// it.
  bool enter(const std::string &login, const std::shared_ptr<Flight> &flight);
  /// The flight has landed: who waited for it.
  [[nodiscard]] std::vector<std::weak_ptr<Flight>> leave(const std::string &login, const Flight &flight) noexcept;

 private:
  struct Refusals {
    std::string login;
    int times = 0;
    ErrorPtr error;  ///< null: it may be tried once more
  };
  struct Turn {
    std::weak_ptr<Flight> first;
    std::vector<std::weak_ptr<Flight>> waiting;
  };

  std::vector<Refusals> refused_;  ///< the latest last
  std::unordered_set<std::string> accepted_;
  std::unordered_map<std::string, Turn> turns_;
};

}  // namespace fleetauth::runtime
