// What all providers of one emulator share. Every member is safe to use from any thread.
#pragma once

#include "clock.h"
#include "fault.h"
#include "redact.h"
#include "request_log.h"
#include "stopper.h"
#include "throttle.h"
#include "token_book.h"

namespace fleetauth::emulator {

struct World {
  Clock clock;
  Stopper stopper;
  TokenBook tokens;
  Throttle throttle;
  FaultList faults;
  RequestLog log;
  Redactor redactor{[this](std::string_view word) { return tokens.contains(word); }};
};

}  // namespace fleetauth::emulator
