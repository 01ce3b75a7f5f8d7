#include "core/runtime/host_call.h"

#include <algorithm>
#include <new>
#include <string>
#include <utility>

#include "core/base/redact.h"
#include "core/runtime/common_errors.h"
#include "core/runtime/flight.h"

namespace fleetauth::runtime {

namespace {

constexpr std::int64_t kClaimPatienceMs = 1000;

/// An id of the host's object that posts a RELEASE event to the queue its call came from when the last error lets go of it.
UserError hold(std::int64_t id, std::weak_ptr<Engine> engine, QueueId queue) {
  EventNode node(1);
  node.front().kind = EventKind::Release;
  node.front().tag = id;
  auto shared_node = std::make_shared<EventNode>(std::move(node));  // made ahead: letting go must not need memory
  return {new std::int64_t(id), [engine = std::move(engine), queue, shared_node](const std::int64_t *held) {
            delete held;
            if (const auto alive = engine.lock()) alive->post(queue, *shared_node);
          }};
}

bool nothing_was_sent(Status status) {
  return status == Status::Dns || status == Status::Connect || status == Status::Tls || status == Status::Proxy;
}

bool may_be_said(Status status) {
  return nothing_was_sent(status) || status == Status::Network || status == Status::Timeout || status == Status::TooLarge ||
         status == Status::Callback;
}

}  // namespace

HostCall::HostCall(std::shared_ptr<Engine> engine, std::uint64_t id, BootMs deadline, EventKind offered, EventKind cancelled,
                   std::string_view what)
    : engine_(std::move(engine)), id_(id), deadline_(deadline), kind_(offered), what_(what) {
  cancel_.front().kind = cancelled;
  cancel_.front().tag = static_cast<std::int64_t>(id_);
}

std::int64_t HostCall::timeout_ms() const { return std::max<std::int64_t>(0, deadline_ - engine_->clock()->boot_ms()); }

void HostCall::offer(const std::shared_ptr<Flight> &flight) {
  if (state_ != State::Due && state_ != State::Offered) return;
  if (state_ == State::Offered && patience_ && engine_->takes_events(offered_to_)) return;
  for (const QueueId queue : flight->responders()) {
    if (queue == offered_to_ || std::find(declined_by_.begin(), declined_by_.end(), queue) != declined_by_.end()) continue;
    declined_by_.reserve(declined_by_.size() + 1);
    EventNode node(1);
    node.front().kind = kind_;
    node.front().tag = static_cast<std::int64_t>(id_);
    node.front().call = shared_from_this();
    node.front().queue = queue;
    if (!engine_->post(queue, node)) continue;
    state_ = State::Offered;
    offered_to_ = queue;
    break;
  }
  if (state_ != State::Offered) return;
  engine_->cancel(patience_);
  patience_ =
      engine_->at(engine_->clock()->boot_ms() + kClaimPatienceMs, [self = shared_from_this(), weak = std::weak_ptr<Flight>(flight)] {
        self->patience_ = {};
        const auto waiting = weak.lock();
        if (waiting == nullptr || self->state_ != State::Offered) return;
        try {
          self->offer(waiting);
        } catch (const std::bad_alloc &) {  // NOLINT(bugprone-empty-catch): the attempt's deadline is left
        }
      });
}

void HostCall::withdraw() {
  engine_->cancel(patience_);
  const State before = std::exchange(state_, State::Done);
  if (before != State::Claimed) return;
  engine_->post(offered_to_, cancel_);
}

bool HostCall::claimed_by_this_thread() const { return state_ == State::Claimed && claimed_by_ == std::this_thread::get_id(); }

bool HostCall::claim(QueueId queue) {
  const auto lock = engine_->enter();
  if (state_ != State::Offered && state_ != State::Due) return false;
  state_ = State::Claimed;
  claimed_by_ = std::this_thread::get_id();
  offered_to_ = queue;  // it may have been offered to others meanwhile
  engine_->cancel(patience_);
  return true;
}

void HostCall::decline(QueueId queue) noexcept try {
  const auto lock = engine_->enter();
  if (state_ != State::Offered || offered_to_ != queue) return;
  declined_by_.push_back(queue);  // there is room since it was offered
  engine_->cancel(patience_);
  state_ = State::Due;
  try {
    engine_->offer_calls_again();
  } catch (const std::bad_alloc &) {  // NOLINT(bugprone-empty-catch): as if there were nobody else
  }
  if (state_ != State::Due) return;
  state_ = State::Done;
  engine_->deliver(id_, flow::HttpFailure{common_errors().call_dropped, flow::Sent::No});
} catch (...) {  // NOLINT(bugprone-empty-catch): a fork's child that has no memory to enter; there the call is over anyway
}

ErrorPtr HostCall::fail(Status status, std::string_view message, std::int64_t user_error) {
  if (!may_be_said(status)) {
    return fleetauth::fail(Status::InvalidArgument,
                           "fail: status must be one of E_DNS, E_CONNECT, E_TLS, E_PROXY, E_NETWORK, E_TIMEOUT, "
                           "E_TOO_LARGE, E_CALLBACK");
  }
  Error error;
  error.status = status;
  // The host's text may hold a URL or worse: only a plain word, such as the name of an exception's class, is taken over.
  error.message = std::string(what_) + " failed";
  if (!message.empty() && redact::filter_code(message) == message) error.message += " (" + std::string(message) + ")";
  {
    const auto lock = engine_->enter();
    if (user_error != 0) error.user_error = hold(user_error, engine_, offered_to_);
  }
  flow::HttpFailure failure{fleetauth::fail(std::move(error)), nothing_was_sent(status) ? flow::Sent::No : flow::Sent::Maybe};
  return answer([&] { return engine_->deliver(id_, std::move(failure)); });
}

void HostCall::dropped() noexcept {
  try {
    answer([&] { return engine_->deliver(id_, flow::HttpFailure{common_errors().call_dropped, flow::Sent::Maybe}); });
  } catch (...) {  // NOLINT(bugprone-empty-catch): without memory who waits is told by the deadline
  }
}

ErrorPtr HostCall::answer(const std::function<bool()> &deliver) {
  const auto lock = engine_->enter();
  if (state_ != State::Claimed) return common_errors().call_over;
  state_ = State::Done;
  return deliver() ? nullptr : common_errors().call_over;
}

// ---------------------------------------------------------------- requests

HttpCall::HttpCall(std::shared_ptr<Engine> engine, std::uint64_t id, std::shared_ptr<const flow::HttpRequest> request, BootMs deadline)
    : HostCall(std::move(engine), id, deadline, EventKind::HttpCall, EventKind::HttpCancel, "the host's transport"),
      request_(std::move(request)) {}

ErrorPtr HttpCall::add_header(std::string_view name, std::string_view value) {
  const std::lock_guard lock(mutex_);
  const std::size_t size = name.size() + value.size() + 4;
  if (header_bytes_ + size > flow::kMaxHeaders) return fleetauth::fail(Status::TooLarge, "the answer's headers are above 64 KiB");
  response_.headers.push_back({std::string(name), SecretBytes(value)});
  header_bytes_ += size;
  return nullptr;
}

ErrorPtr HttpCall::append_body(std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  if (response_.body.size() + bytes.size() > request_->max_body) {
    return fleetauth::fail(Status::TooLarge, "the answer's body is above " + std::to_string(request_->max_body) +
                                                 " bytes; stop reading and fail the call with E_TOO_LARGE");
  }
  response_.body.append(bytes);
  return nullptr;
}

ErrorPtr HttpCall::complete(std::int32_t http_status) {
  if (http_status < 100 || http_status > 599) {
    return fleetauth::fail(Status::InvalidArgument, "http_call_complete: http_status must be from 100 to 599");
  }
  flow::HttpResponse response;
  {
    const std::lock_guard lock(mutex_);
    response = std::move(response_);
  }
  response.status = http_status;
  return answer([&] { return engine().deliver(id(), std::move(response)); });
}

// ---------------------------------------------------------------- signatures

SignCall::SignCall(std::shared_ptr<Engine> engine, std::uint64_t id, std::shared_ptr<const flow::Sign> order, BootMs deadline)
    : HostCall(std::move(engine), id, deadline, EventKind::SignCall, EventKind::SignCancel, "the host's signer"),
      order_(std::move(order)) {}

ErrorPtr SignCall::complete(std::string_view signature) {
  SecretBytes bytes(signature);  // ahead: once it counts as answered there is no way back
  return answer([&] { return engine().deliver(id(), std::move(bytes)); });
}

}  // namespace fleetauth::runtime
