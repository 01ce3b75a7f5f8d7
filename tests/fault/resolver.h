#pragma once

namespace fleetauth::test {

/// A program that uses it has its own getaddrinfo, for itself and for the shared library, which answers by the name:
///
///     hangs.test           hangs while a HungResolver lives, at most eight seconds, and fails
///     missing.test         does not exist
///     nobody-answers.test  cannot be looked up now
///     dual.test            ::1, then 127.0.0.1
///     rebound.test         169.254.169.254, then 127.0.0.1
///     unspecified.test     0.0.0.0, which leads to this machine, then ::1
///     metadata.test        169.254.169.254
///     elsewhere.test       192.0.2.1
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
  /// Whether the last of them was on a thread that runs the program's handlers, or that cannot fault.
  [[nodiscard]] static bool took_signals();
};

}  // namespace fleetauth::test
