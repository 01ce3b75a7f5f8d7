#include "core/flow/server_time.h"

#include "core/base/http_date.h"
#include "core/base/text.h"

namespace fleetauth::flow {

WallMs server_time(const HttpResponse &response, const Now &now) {
  const auto date = response.header("date");
  return date ? parse_http_date(text::trim(*date)).value_or(now.wall) : now.wall;
}

}  // namespace fleetauth::flow
