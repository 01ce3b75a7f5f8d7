#include "capi/gen/bodies.h"
#include "capi/src/handles.h"
#include "core/runtime/common_errors.h"

namespace fleetauth::capi {

namespace {

template <class Call, class Handle>
ErrorPtr claim(fleetauth_event &event, runtime::EventKind kind, const char *otherwise, Handle *&out) {
  if (event.body.kind != kind) return fail(Status::InvalidArgument, otherwise);
  auto handle = std::make_unique<Handle>();
  if (!event.body.call->claim(event.body.queue)) return runtime::common_errors().call_over;
  handle->body = std::static_pointer_cast<Call>(event.body.call);
  out = handle.release();
  return nullptr;
}

}  // namespace

ErrorPtr queue_new(fleetauth_runtime &runtime, std::int32_t kind, fleetauth_queue *&out) {
  auto queue = std::make_shared<runtime::Queue>(runtime.body, static_cast<runtime::Queue::Kind>(kind));
  out = new fleetauth_queue(std::move(queue));
  return nullptr;
}

ErrorPtr queue_next(fleetauth_queue &queue, std::int64_t timeout_ms, fleetauth_event *&out) {
  if (timeout_ms < -1) return fail(Status::InvalidArgument, "queue_next: timeout_ms must be -1 (for ever), 0 or more");
  auto handle = std::make_unique<fleetauth_event>();  // made ahead: an event that was taken must not be lost
  auto event = queue.body->next(timeout_ms);
  if (!event) return event.error();
  handle->body = std::move(*event);
  out = handle.release();
  return nullptr;
}

std::int64_t queue_wakeup_fd(fleetauth_queue &queue) {
  const os::CancellationBlock whole;
  return queue.body->wakeup_fd();
}

Status queue_set_wakeup(fleetauth_queue &queue, fleetauth_wakeup_fn wakeup, void *user_data) {
  const os::CancellationBlock whole;  // the host's wakeup may well be a write()
  queue.body->set_wakeup(wakeup, user_data);
  return Status::Ok;
}

void queue_close(fleetauth_queue &queue) { queue.body->close(); }

ErrorPtr queue_observe(fleetauth_queue &queue) {
  runtime::Engine &engine = queue.body->engine();
  const auto lock = engine.enter();
  if (engine.closed() || queue.body->closed()) return runtime::common_errors().queue_closed;
  engine.observe(queue.body->id());
  return nullptr;
}

ErrorPtr queue_serve(fleetauth_queue &queue, fleetauth_client &client) { return client.body->serve(*queue.body); }

std::int32_t event_kind(fleetauth_event &event) { return static_cast<std::int32_t>(event.body.kind); }
std::int64_t event_tag(fleetauth_event &event) { return event.body.tag; }

ErrorPtr event_token(fleetauth_event &event, fleetauth_token *&out) {
  const runtime::Event &body = event.body;
  if (body.kind != runtime::EventKind::Token) {
    return fail(Status::InvalidArgument, "event_token: the event is not of kind TOKEN");
  }
  if (body.error != nullptr) return body.error;
  auto answer = runtime::make_answer(*body.plan, body.token, body.word, body.from_cache);
  if (!answer) return answer.error();
  out = new fleetauth_token(std::move(*answer));
  return nullptr;
}

Borrowed event_notice(fleetauth_event &event) {
  if (event.body.notice == nullptr) return {};
  return {event.body.notice->c_str(), event.body.notice->size()};
}

ErrorPtr event_http_call(fleetauth_event &event, fleetauth_http_call *&out) {
  return claim<runtime::HttpCall>(event, runtime::EventKind::HttpCall, "event_http_call: the event is not of kind HTTP_CALL", out);
}

ErrorPtr event_sign_call(fleetauth_event &event, fleetauth_sign_call *&out) {
  return claim<runtime::SignCall>(event, runtime::EventKind::SignCall, "event_sign_call: the event is not of kind SIGN_CALL", out);
}

}  // namespace fleetauth::capi

fleetauth_event::~fleetauth_event() {
  if (body.call != nullptr) body.call->decline(body.queue);
}
