#include "capi/gen/bodies.h"
#include "capi/src/operations.h"

namespace fleetauth::capi {

ErrorPtr error_challenge(fleetauth_error &error, fleetauth_challenge *&out) {
  if (error.body->challenge == nullptr) return fail(Status::InvalidArgument, "error_challenge: the error carries no challenge");
  out = new fleetauth_challenge(error.body->challenge);
  return nullptr;
}

Borrowed challenge_account(fleetauth_challenge &challenge) { return {challenge.body->account.c_str(), challenge.body->account.size()}; }

std::int64_t challenge_expires_at_ms(fleetauth_challenge &challenge) { return challenge.body->asked + challenge.body->lifetime_ms; }

ErrorPtr client_answer(fleetauth_client &client, fleetauth_challenge &challenge, std::string_view code, fleetauth_queue &queue,
                       std::int64_t tag, fleetauth_op *&out) {
  return start_operation(client, out, [&] { return client.body->answer(challenge.body, SecretBytes(code), *queue.body, tag); });
}

ErrorPtr client_seal_challenge(fleetauth_client &client, fleetauth_challenge &challenge, std::string_view key, fleetauth_blob *&out) {
  auto sealed = client.body->seal(*challenge.body, key);
  if (!sealed) return sealed.error();
  out = new fleetauth_blob(std::move(*sealed));
  return nullptr;
}

ErrorPtr client_open_challenge(fleetauth_client &client, std::string_view sealed, std::string_view key, fleetauth_challenge *&out) {
  auto challenge = client.body->open_challenge(sealed, key);
  if (!challenge) return challenge.error();
  out = new fleetauth_challenge(std::move(*challenge));
  return nullptr;
}

Borrowed blob_bytes(fleetauth_blob &blob) { return {blob.body.c_str(), blob.body.size()}; }

ErrorPtr client_logout(fleetauth_client &client, fleetauth_queue &queue, std::int64_t tag, fleetauth_op *&out) {
  return start_operation(client, out, [&] { return client.body->log_out(*queue.body, tag); });
}

ErrorPtr event_result(fleetauth_event &event) {
  if (event.body.kind != runtime::EventKind::LoggedOut) {
    return fail(Status::InvalidArgument, "event_result: the event is not of kind LOGGED_OUT");
  }
  return event.body.error;
}

}  // namespace fleetauth::capi
