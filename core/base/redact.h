#pragma once

#include <cstddef>
#include <string>
#include <string_view>

/// What may be printed, and what may be put on the wire.
namespace fleetauth::redact {

inline constexpr std::size_t kMaxCode = 64;
inline constexpr std::size_t kMaxToken = 16'384;

/// A provider's error word, reduced to at most kMaxCode characters of [A-Za-z0-9_.-]. Nothing else of a server is ever printed.
[[nodiscard]] std::string filter_code(std::string_view word);

/// A text of the host's for one line of a message: control characters become '?', the rest after 256 bytes is cut off.
[[nodiscard]] std::string printable(std::string_view text);

/// 0x20 to 0x7E without a space at either end: cannot end a header or start another.
[[nodiscard]] bool is_header_value(std::string_view value);

/// What a header may be called (RFC 9110 5.6.2).
[[nodiscard]] bool is_header_name(std::string_view name);

/// 1 to kMaxToken characters of 0x21 to 0x7E (RFC 6749 appendix A).
[[nodiscard]] bool is_token(std::string_view token);

}  // namespace fleetauth::redact
