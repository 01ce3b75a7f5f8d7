#include "core/runtime/operation.h"

#include <utility>

namespace fleetauth::runtime {

Operation::Operation(std::shared_ptr<const Plan> plan, const Queue &queue, std::int64_t tag, std::uint64_t id)
    : plan_(std::move(plan)), queue_(queue.id()), synchronous_(queue.kind() == Queue::Kind::Sync), id_(id), node_(1) {
  node_.front().kind = EventKind::Token;
  node_.front().tag = tag;
  node_.front().plan = plan_;
}

void Operation::wait_until(Engine &engine, BootMs deadline) {
  deadline_ = engine.at(deadline, [weak = weak_from_this(), &engine] {
    const auto self = weak.lock();
    if (self == nullptr) return;
    self->deadline_ = {};
    Error error;
    error.status = Status::Timeout;
    error.provider = self->plan_->live->setup->config.descriptor->name;
    error.message = "no token within the time allowed for this call (timeout_ms); the fetch goes on for later callers";
    self->complete(engine, fail(std::move(error)));
  });
}

void Operation::complete(Engine &engine, std::shared_ptr<const token::Token> token, std::int32_t word, bool from_cache) {
  if (done()) return;
  node_.front().token = std::move(token);
  node_.front().word = word;
  node_.front().from_cache = from_cache;
  deliver(engine);
}

void Operation::complete(Engine &engine, ErrorPtr error) {
  if (done()) return;
  node_.front().error = std::move(error);
  deliver(engine);
}

void Operation::deliver(Engine &engine) {
  EventNode event = std::move(node_);
  node_.clear();
  engine.cancel(deadline_);
  engine.post(queue_, event);
  engine.untrack(id_);
}

void Operation::abandon(Engine &engine) {
  node_.clear();
  engine.cancel(deadline_);
  engine.untrack(id_);
}

}  // namespace fleetauth::runtime
