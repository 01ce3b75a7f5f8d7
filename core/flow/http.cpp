#include "core/flow/http.h"

#include "core/base/text.h"

namespace fleetauth::flow {

std::optional<std::string_view> HttpResponse::header(std::string_view name) const {
  for (const Header &candidate : headers) {
    if (text::equal_ignore_case(candidate.name, name)) return candidate.value.view();
  }
  return {};
}

}  // namespace fleetauth::flow
