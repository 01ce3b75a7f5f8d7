#include "capi/gen/bodies.h"
#include "capi/src/handles.h"

namespace fleetauth::capi {

namespace {

const flow::Header *header_at(const fleetauth_http_call &call, std::int32_t index) {
  const auto &headers = call.body->request().headers;
  return index < 0 || static_cast<std::size_t>(index) >= headers.size() ? nullptr : &headers[static_cast<std::size_t>(index)];
}

}  // namespace

std::int64_t http_call_id(fleetauth_http_call &call) { return static_cast<std::int64_t>(call.body->id()); }

Borrowed http_call_method(fleetauth_http_call &call) {
  const std::string &method = call.body->request().method;
  return {method.c_str(), method.size()};
}

Borrowed http_call_url(fleetauth_http_call &call) {
  const SecretBytes &url = call.body->request().url;
  return {url.c_str(), url.size()};
}

std::int32_t http_call_header_count(fleetauth_http_call &call) { return static_cast<std::int32_t>(call.body->request().headers.size()); }

Borrowed http_call_header_name(fleetauth_http_call &call, std::int32_t index) {
  const flow::Header *header = header_at(call, index);
  return header == nullptr ? Borrowed{} : Borrowed{header->name.c_str(), header->name.size()};
}

Borrowed http_call_header_value(fleetauth_http_call &call, std::int32_t index) {
  const flow::Header *header = header_at(call, index);
  return header == nullptr ? Borrowed{} : Borrowed{header->value.c_str(), header->value.size()};
}

Borrowed http_call_body(fleetauth_http_call &call) {
  const SecretBytes &body = call.body->request().body;
  return {body.c_str(), body.size()};
}

std::int64_t http_call_timeout_ms(fleetauth_http_call &call) { return call.body->timeout_ms(); }
std::int64_t http_call_max_body(fleetauth_http_call &call) { return static_cast<std::int64_t>(call.body->request().max_body); }

std::int32_t http_call_one_shot(fleetauth_http_call &call) {
  return call.body->request().call_class == flow::CallClass::Idempotent ? 0 : 1;
}

ErrorPtr http_call_add_header(fleetauth_http_call &call, std::string_view name, std::string_view value) {
  return call.body->add_header(name, value);
}

ErrorPtr http_call_append_body(fleetauth_http_call &call, std::string_view data) { return call.body->append_body(data); }
ErrorPtr http_call_complete(fleetauth_http_call &call, std::int32_t http_status) { return call.body->complete(http_status); }

ErrorPtr http_call_fail(fleetauth_http_call &call, std::int32_t status, std::optional<std::string_view> message, std::int64_t user_error) {
  return call.body->fail(static_cast<Status>(status), message.value_or(""), user_error);
}

}  // namespace fleetauth::capi
