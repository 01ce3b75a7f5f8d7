#include "capi/gen/bodies.h"
#include "capi/src/operations.h"

namespace fleetauth::capi {

namespace {

Borrowed borrowed(const std::string &text) { return {text.c_str(), text.size()}; }

template <class T>
const T *at(const std::vector<T> &items, std::int32_t index) {
  return index < 0 || static_cast<std::size_t>(index) >= items.size() ? nullptr : &items[static_cast<std::size_t>(index)];
}

}  // namespace

ErrorPtr client_inquire(fleetauth_client &client, fleetauth_request *request, std::int32_t what, fleetauth_queue &queue, std::int64_t tag,
                        fleetauth_op *&out) {
  if (auto error = check_request(client, request)) return error;
  if (what != FLEETAUTH_INQUIRY_IDENTITY && what != FLEETAUTH_INQUIRY_ACCOUNTS) {
    return fail(Status::InvalidArgument, "client_inquire: what must be one of the FLEETAUTH_INQUIRY_ numbers");
  }
  const auto kind = what == FLEETAUTH_INQUIRY_ACCOUNTS ? runtime::EventKind::Accounts : runtime::EventKind::Identity;
  return start_operation(client, out, [&] { return client.body->inquire(body_of(request), kind, *queue.body, tag); });
}

ErrorPtr event_identity(fleetauth_event &event, fleetauth_identity *&out) {
  if (event.body.kind != runtime::EventKind::Identity) {
    return fail(Status::InvalidArgument, "event_identity: the event is not of kind IDENTITY");
  }
  if (event.body.error != nullptr) return event.body.error;
  out = new fleetauth_identity(event.body.identity);
  return nullptr;
}

ErrorPtr event_accounts(fleetauth_event &event, fleetauth_accounts *&out) {
  if (event.body.kind != runtime::EventKind::Accounts) {
    return fail(Status::InvalidArgument, "event_accounts: the event is not of kind ACCOUNTS");
  }
  if (event.body.error != nullptr) return event.body.error;
  out = new fleetauth_accounts(event.body.accounts);
  return nullptr;
}

std::int32_t identity_count(fleetauth_identity &identity) { return static_cast<std::int32_t>(identity.body->fields.size()); }

Borrowed identity_name(fleetauth_identity &identity, std::int32_t index) {
  const auto *field = at(identity.body->fields, index);
  return field == nullptr ? Borrowed{} : borrowed(field->first);
}

Borrowed identity_value(fleetauth_identity &identity, std::int32_t index) {
  const auto *field = at(identity.body->fields, index);
  return field == nullptr ? Borrowed{} : borrowed(field->second);
}

std::int32_t accounts_count(fleetauth_accounts &accounts) { return static_cast<std::int32_t>(accounts.body->size()); }

Borrowed accounts_id(fleetauth_accounts &accounts, std::int32_t index) {
  const auto *account = at(*accounts.body, index);
  return account == nullptr ? Borrowed{} : borrowed(account->id);
}

Borrowed accounts_name(fleetauth_accounts &accounts, std::int32_t index) {
  const auto *account = at(*accounts.body, index);
  return account == nullptr ? Borrowed{} : borrowed(account->name);
}

}  // namespace fleetauth::capi
