#include "core/runtime/common_errors.h"

namespace fleetauth::runtime {

const CommonErrors &common_errors() {
  static const auto *const errors = new CommonErrors{
      .would_block = fail(Status::WouldBlock, "nothing is there yet; start an operation, or wait for one, to get it"),
      .out_of_memory = fail(Status::NoMem, "memory ran out while a token was fetched; call again"),
      .runtime_closed = fail(Status::Closed, "the runtime was closed"),
      .client_closed = fail(Status::Closed, "the client is closed"),
      .queue_closed = fail(Status::Closed, "the queue is closed"),
      .cancelled = fail(Status::Cancelled, "the operation was cancelled"),
      .cancelled_with_queue = fail(Status::Cancelled, "the queue of the operation was closed"),
      .forked = fail(Status::Forked, "the process forked while this was in flight; start it again in this process"),
      .call_over = fail(Status::Closed, "the call was taken or answered before, or its answer is no longer wanted"),
      .call_dropped = fail(Status::Callback, "the host let go of the call without an answer"),
  };
  return *errors;
}

}  // namespace fleetauth::runtime
