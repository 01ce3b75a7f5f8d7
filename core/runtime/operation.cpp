#include "core/runtime/operation.h"

#include <new>
#include <utility>

#include "core/runtime/common_errors.h"

namespace fleetauth::runtime {

Operation::Operation(Engine &engine, EventKind kind, std::shared_ptr<const Plan> plan, const Queue &queue, std::int64_t tag)
    : engine_(engine),
      kind_(kind),
      plan_(std::move(plan)),
      queue_(queue.id()),
      synchronous_(queue.kind() == Queue::Kind::Sync),
      id_(engine.next_id()),
      node_(1) {
  node_.front().kind = kind;
  node_.front().tag = tag;
  node_.front().plan = plan_;
}

void Operation::wait_until(BootMs deadline) {
  deadline_ = engine_.at(deadline, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->timed_out();
  });
}

void Operation::timed_out() {
  deadline_ = {};
  try {
    Error error;
    error.status = Status::Timeout;
    error.provider = plan_->live->setup->config.descriptor->name;
    error.message = "no answer within the time allowed for this call (timeout_ms); a fetch goes on for later callers";
    got_error(fail(std::move(error)));
  } catch (const std::bad_alloc &) {
    got_error(common_errors().out_of_memory);
  }
}

void Operation::got_token(std::shared_ptr<const token::Token> token, std::int32_t word, bool from_cache) {
  if (done()) return;
  node_.front().token = std::move(token);
  node_.front().word = word;
  node_.front().from_cache = from_cache;
  deliver();
}

void Operation::got_error(ErrorPtr error) {
  if (done()) return;
  node_.front().error = std::move(error);
  deliver();
}

void Operation::got_identity(flow::Identity identity) {
  if (done()) return;
  node_.front().identity = std::make_shared<const flow::Identity>(std::move(identity));
  deliver();
}

void Operation::got_accounts(flow::Accounts accounts) {
  if (done()) return;
  node_.front().accounts = std::make_shared<const flow::Accounts>(std::move(accounts));
  deliver();
}

void Operation::finished() {
  if (!done()) deliver();
}

void Operation::deliver() {
  EventNode event = std::move(node_);
  node_.clear();
  engine_.cancel(deadline_);
  engine_.post(queue_, event);
  engine_.untrack(id_);
  if (const auto over = std::exchange(over_, nullptr)) over();
}

void Operation::abandon() {
  node_.clear();
  engine_.cancel(deadline_);
  engine_.untrack(id_);
  over_ = nullptr;
}

}  // namespace fleetauth::runtime
