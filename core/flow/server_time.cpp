#include "core/flow/server_time.h"

#include "core/base/http_date.h"
#include "core/base/text.h"

namespace fleetauth::flow {

std::optional<WallMs> date_of(const HttpResponse &response) {
  const auto date = response.header("date");
  return date ? parse_http_date(text::trim(*date)) : std::nullopt;
}

WallMs server_time(const HttpResponse &response, const Now &now) { return date_of(response).value_or(now.server); }

}  // namespace fleetauth::flow
