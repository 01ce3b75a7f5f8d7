#include "capi/gen/bodies.h"
#include "capi/src/operations.h"
#include "core/runtime/common_errors.h"

namespace fleetauth::capi {

ErrorPtr client_new(fleetauth_runtime &runtime, fleetauth_provider &provider, fleetauth_options &options, fleetauth_client *&out) {
  auto client = runtime::Client::create(runtime.body, provider.body, options.body);
  if (!client) return client.error();
  out = new fleetauth_client(std::move(*client));
  return nullptr;
}

void client_close(fleetauth_client &client) { client.body->close(); }

ErrorPtr request_new(fleetauth_client &client, fleetauth_options *options, fleetauth_request *&out) {
  auto request = client.body->prepare(options == nullptr ? nullptr : &options->body);
  if (!request) return request.error();
  out = new fleetauth_request(client.body, std::move(*request));
  return nullptr;
}

ErrorPtr client_peek(fleetauth_client &client, fleetauth_request *request, std::optional<std::string_view> method,
                     std::optional<std::string_view> url, fleetauth_token *&out) {
  if (auto error = check_request(client, request)) return error;
  auto answer = client.body->peek(body_of(request), method, url);
  if (!answer) return answer.error();
  out = new fleetauth_token(std::move(*answer));
  return nullptr;
}

ErrorPtr client_start(fleetauth_client &client, fleetauth_request *request, std::optional<std::string_view> method,
                      std::optional<std::string_view> url, fleetauth_queue &queue, std::int64_t tag, fleetauth_op *&out) {
  if (auto error = check_request(client, request)) return error;
  return start_operation(client, out, [&] { return client.body->start(body_of(request), method, url, *queue.body, tag); });
}

ErrorPtr client_token(fleetauth_client &client, fleetauth_request *request, std::optional<std::string_view> method,
                      std::optional<std::string_view> url, fleetauth_token *&out) {
  ErrorPtr error = client_peek(client, request, method, url, out);
  if (error == nullptr || error->status != Status::WouldBlock) return error;
  const auto needs_host = client.body->needs_host(body_of(request), method, url);
  if (!needs_host) return needs_host.error();
  if (*needs_host) {
    return fail(
        Status::Unsupported,
        "client_token: the host itself sends or signs what this token takes; start the operation on a queue and answer its HTTP_CALL "
        "and SIGN_CALL events");
  }
  runtime::Queue queue(client.body->runtime(), runtime::Queue::Kind::Sync);
  auto operation = client.body->start(body_of(request), method, url, queue, 0);
  if (!operation) return operation.error();
  auto event = queue.next(-1);
  if (!event) return event.error();
  if (event->error != nullptr) return event->error;
  auto answer = runtime::make_answer(*event->plan, event->token, event->word, event->from_cache);
  if (!answer) return answer.error();
  out = new fleetauth_token(std::move(*answer));
  return nullptr;
}

void op_cancel(fleetauth_op &op) {
  const auto operation = op.body.lock();
  if (operation == nullptr) return;
  const auto lock = op.runtime->engine().enter();
  operation->got_error(runtime::common_errors().cancelled);
}

ErrorPtr client_report_rejected(fleetauth_client &client, std::int64_t slot, std::int64_t generation, std::int32_t http_status,
                                std::optional<std::string_view> date, std::int32_t &advice) {
  const auto answer = client.body->report_rejected(slot, generation, http_status, date);
  if (!answer) return answer.error();
  advice = *answer == token::Advice::Retry ? FLEETAUTH_ADVICE_RETRY : FLEETAUTH_ADVICE_STOP;
  return nullptr;
}

Status slot_copy(fleetauth_client &client, std::int64_t slot, const Buffer &buffer, std::int64_t &generation) {
  const token::CopyResult result = client.body->copy(slot, reinterpret_cast<char *>(buffer.data), buffer.capacity);
  buffer.length = result.size;
  switch (result.outcome) {
    case token::CopyOutcome::Copied:
      generation = result.generation;
      return Status::Ok;
    case token::CopyOutcome::NoToken:
      return Status::WouldBlock;
    case token::CopyOutcome::TooSmall:
    case token::CopyOutcome::NotYours:
      break;
  }
  return Status::InvalidArgument;
}

}  // namespace fleetauth::capi
