#include "core/base/percent.h"

#include "core/base/text.h"

namespace fleetauth {

void append_percent(SecretBytes &out, std::string_view bytes) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  out.reserve(out.size() + 3 * bytes.size());
  for (const char c : bytes) {
    const char small = text::lower(c);
    if (text::is_digit(c) || (small >= 'a' && small <= 'z') || c == '-' || c == '.' || c == '_' || c == '~') {
      out.append({&c, 1});
    } else {
      const auto byte = static_cast<unsigned char>(c);
      const char escape[] = {'%', kHex[byte >> 4U], kHex[byte & 15U]};
      out.append({escape, sizeof escape});
    }
  }
}

}  // namespace fleetauth
