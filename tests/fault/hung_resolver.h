#pragma once

namespace fleetauth::test {

/// While it lives, lookups of names that end with "hangs.test" hang; its end, or eight seconds, lets them fail. A program that links it
/// has its own getaddrinfo, for itself and for the shared library.
class HungResolver {
 public:
  HungResolver();
  ~HungResolver();
  HungResolver(const HungResolver &) = delete;
  HungResolver &operator=(const HungResolver &) = delete;

  /// Lookups that hang.
  [[nodiscard]] static int hanging();
  /// Lookups that somebody let hang for all of the eight seconds.
  [[nodiscard]] static int returned();
};

}  // namespace fleetauth::test
