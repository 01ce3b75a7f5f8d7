#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

struct sockaddr;

namespace fleetauth::net {

/// An IP address; IPv4 is kept in its IPv6-mapped form, so that both spellings are one.
class Address {
 public:
  /// A plainly written address: four decimal numbers, or IPv6 without brackets, zone and embedded IPv4.
  static std::optional<Address> parse(std::string_view text);
  /// Where a socket is about to connect to; none for families other than IPv4 and IPv6.
  static std::optional<Address> of(const sockaddr *address);

  [[nodiscard]] bool is_loopback() const;
  /// 169.254.0.0/16 and fe80::/10: metadata services and neighbours, never a provider.
  [[nodiscard]] bool is_link_local() const;
  /// Unspecified, broadcast or multicast.
  [[nodiscard]] bool is_no_host() const;
  /// Connections may go there: to a provider by https, in the clear only within this machine.
  [[nodiscard]] bool may_be_reached(bool by_tls) const;
  [[nodiscard]] bool is_ipv4() const;
  /// Canonical, without brackets.
  [[nodiscard]] std::string text() const;

 private:
  std::array<std::uint8_t, 16> bytes_{};
};

}  // namespace fleetauth::net
