#include "capi/gen/bodies.h"
#include "capi/src/handles.h"

#include <string>

namespace fleetauth::capi {

namespace {

ErrorPtr set(fleetauth_options &options, std::string_view name, std::string_view value) {
  if (name.empty()) return fail(Status::InvalidArgument, "the name of an option must not be empty");
  options.body.set(name, value);
  return nullptr;
}

}  // namespace

ErrorPtr options_new(fleetauth_options *&out) {
  out = new fleetauth_options;
  return nullptr;
}

ErrorPtr options_set_text(fleetauth_options &options, std::string_view name, std::string_view value) { return set(options, name, value); }

ErrorPtr options_set_bytes(fleetauth_options &options, std::string_view name, std::string_view value) { return set(options, name, value); }

ErrorPtr options_set_i64(fleetauth_options &options, std::string_view name, std::int64_t value) {
  return set(options, name, std::to_string(value));
}

}  // namespace fleetauth::capi
