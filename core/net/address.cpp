#include "core/net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

namespace fleetauth::net {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

// ::a.b.c.d, long out of use: another spelling of an IPv4 address. The unspecified address and ::1 are not meant.
bool is_ipv4_compatible(const std::array<std::uint8_t, 16> &bytes) {
  return std::all_of(bytes.begin(), bytes.begin() + 12, [](std::uint8_t byte) { return byte == 0; }) &&
         std::any_of(bytes.begin() + 12, bytes.end() - 1, [](std::uint8_t byte) { return byte != 0; });
}

}  // namespace

std::optional<Address> Address::parse(std::string_view text) {
  const std::string name(text);
  Address address;
  if (inet_pton(AF_INET, name.c_str(), &address.bytes_[12]) == 1) {
    std::copy(kMapped.begin(), kMapped.end(), address.bytes_.begin());
    return address;
  }
  if (inet_pton(AF_INET6, name.c_str(), address.bytes_.data()) == 1 && name.find('.') == std::string::npos && !address.is_ipv4() &&
      !is_ipv4_compatible(address.bytes_)) {
    return address;
  }
  return std::nullopt;
}

std::optional<Address> Address::of(const sockaddr *from) {
  Address address;
  if (from->sa_family == AF_INET) {
    std::copy(kMapped.begin(), kMapped.end(), address.bytes_.begin());
    std::memcpy(&address.bytes_[12], &reinterpret_cast<const sockaddr_in *>(from)->sin_addr, 4);
    return address;
  }
  if (from->sa_family == AF_INET6) {
    std::memcpy(address.bytes_.data(), &reinterpret_cast<const sockaddr_in6 *>(from)->sin6_addr, 16);
    return address;
  }
  return std::nullopt;
}

bool Address::is_ipv4() const { return std::equal(kMapped.begin(), kMapped.end(), bytes_.begin()); }

bool Address::is_loopback() const {
  if (is_ipv4()) return bytes_[12] == 127;
  return std::all_of(bytes_.begin(), bytes_.end() - 1, [](std::uint8_t byte) { return byte == 0; }) && bytes_[15] == 1;
}

bool Address::is_link_local() const {
  if (is_ipv4()) return bytes_[12] == 169 && bytes_[13] == 254;
  return bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80;
}

bool Address::is_no_host() const {
  if (is_ipv4()) return bytes_[12] == 0 || bytes_[12] >= 224;
  return bytes_[0] == 0xff || std::all_of(bytes_.begin(), bytes_.end(), [](std::uint8_t byte) { return byte == 0; });
}

bool Address::may_be_reached(bool by_tls) const { return !is_link_local() && !is_no_host() && (by_tls || is_loopback()); }

std::string Address::text() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (is_ipv4()) {
    inet_ntop(AF_INET, &bytes_[12], text.data(), text.size());
  } else {
    inet_ntop(AF_INET6, bytes_.data(), text.data(), text.size());
  }
  return text.data();
}

}  // namespace fleetauth::net
