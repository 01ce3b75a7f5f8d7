#pragma once

#include "core/base/error.h"

namespace fleetauth::runtime {

/// The errors that end things: made once, so that closing, cancelling and destroying need no memory.
struct CommonErrors {
  ErrorPtr would_block;
  ErrorPtr out_of_memory;
  ErrorPtr runtime_closed;
  ErrorPtr client_closed;
  ErrorPtr queue_closed;
  ErrorPtr cancelled;
  ErrorPtr cancelled_with_queue;
  ErrorPtr forked;
  ErrorPtr call_over;
  ErrorPtr call_dropped;
};

const CommonErrors &common_errors();

}  // namespace fleetauth::runtime
