#include "capi/gen/api_checksum.gen.h"
#include "capi/gen/bodies.h"
#include "capi/src/handles.h"
#include "core/base/json.h"
#include "core/base/status.gen.h"
#include "core/base/version.h"

#include <algorithm>
#include <array>

namespace fleetauth::capi {

namespace {

constexpr std::array<std::string_view, 8> kFeatures = {
    "flow.basic",       "flow.exchange",  "flow.static_header", "runtime.manual",
    "runtime.threaded", "transport.curl", "transport.host",     "clock.manual",
};

Borrowed lend(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

std::atomic<std::int64_t> &live_handle_count() noexcept {
  static std::atomic<std::int64_t> count{0};
  return count;
}

bool valid_utf8(std::string_view text) noexcept { return json::is_utf8(text); }

fleetauth_error *wrap(ErrorPtr error) { return new fleetauth_error(std::move(error)); }

Borrowed version() { return lend(fleetauth::version()); }
Borrowed dependencies() { return lend(fleetauth::linked_versions()); }
std::int64_t api_checksum() { return kApiChecksum; }

std::int32_t has_feature(std::string_view name) { return std::find(kFeatures.begin(), kFeatures.end(), name) == kFeatures.end() ? 0 : 1; }

Borrowed status_name(std::int32_t status) { return lend(fleetauth::status_name(static_cast<Status>(status))); }
std::int64_t live_handles() { return live_handle_count().load(std::memory_order_relaxed); }

}  // namespace fleetauth::capi
