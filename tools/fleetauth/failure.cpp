#include "tools/fleetauth/failure.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tools/fleetauth/console.h"
#include "tools/fleetauth/exit_status.gen.h"

namespace fleetauth::command {

namespace {

using nlohmann::json;

constexpr ExitRow kOther = {FLEETAUTH_E_INTERNAL, 1, "FleetAuthError"};
constexpr ExitRow kUsage = {FLEETAUTH_E_INVALID_ARGUMENT, 2, "UsageError"};

ExitRow row_of(fleetauth_status status) {
  const auto *const row = std::find_if(kExitTable.begin(), kExitTable.end(), [&](const ExitRow &one) { return one.status == status; });
  return row == kExitTable.end() ? kOther : *row;
}

ExitRow row_of(const std::exception &error) {
  if (const auto *of_library = dynamic_cast<const LibraryError *>(&error)) return row_of(of_library->status);
  if (dynamic_cast<const UsageError *>(&error) != nullptr) return kUsage;
  if (dynamic_cast<const SetupError *>(&error) != nullptr) return row_of(FLEETAUTH_E_CONFIG);
  return kOther;
}

void add_details(json &about, const LibraryError &error) {
  about["status"] = fleetauth_status_name(error.status, nullptr);
  about["retryable"] = error.retryable;
  if (!error.provider.empty()) about["provider"] = error.provider;
  if (!error.provider_code.empty()) about["provider_code"] = error.provider_code;
  if (error.http_status != 0) about["http_status"] = error.http_status;
  if (error.retry_after_ms >= 0) about["retry_after_ms"] = error.retry_after_ms;
}

}  // namespace

int tell(const std::exception &error, bool as_json) {
  const ExitRow row = row_of(error);
  if (as_json) {
    json about = {{"class", row.error_class}, {"message", error.what()}};
    if (const auto *of_library = dynamic_cast<const LibraryError *>(&error)) add_details(about, *of_library);
    complain_json({{"error", std::move(about)}});
  } else {
    complain(error.what());
  }
  return row.exit;
}

int exit_status_of(const char *error_class) {
  const auto *const row =
      std::find_if(kExitTable.begin(), kExitTable.end(), [&](const ExitRow &one) { return one.error_class == error_class; });
  return row == kExitTable.end() ? kOther.exit : row->exit;
}

int exit_status_of(fleetauth_status status) { return row_of(status).exit; }

std::string_view class_of(fleetauth_status status) { return row_of(status).error_class; }

}  // namespace fleetauth::command
