#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "capi/boundary.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/os/process.h"
#include "core/flow/challenge.h"
#include "core/provider/descriptor.h"
#include "core/runtime/client.h"
#include "core/runtime/engine.h"
#include "core/runtime/host_call.h"
#include "core/runtime/operation.h"
#include "core/runtime/options.h"
#include "core/runtime/queue.h"

/// The bodies of the opaque handles: a count of references and what of the core they refer to. Parents stay alive by what the
/// children refer to.
namespace fleetauth::capi {

/// How many handles are alive in the process.
std::atomic<std::int64_t> &live_handle_count() noexcept;

/// Marks a handle's type in checked builds, so that a stale or foreign pointer is told from a good one.
enum class Tag : std::uint32_t {
  Released = 0xDEADDEAD,
  Error = 0xF1EE0001,
  Options,
  Runtime,
  Queue,
  Event,
  Provider,
  Client,
  Request,
  Op,
  Token,
  HttpCall,
  Clock,
  Identity,
  Accounts,
  Challenge,
  Blob,
  SignCall,
};

template <Tag kTag>
struct Counted {
  Counted() noexcept { live_handle_count().fetch_add(1, std::memory_order_relaxed); }
  ~Counted() {
    tag = Tag::Released;
    live_handle_count().fetch_sub(1, std::memory_order_relaxed);
  }
  Counted(const Counted &) = delete;
  Counted &operator=(const Counted &) = delete;

  static constexpr Tag kType = kTag;
  volatile Tag tag = kTag;
  std::atomic<std::int32_t> references{1};
};

template <class Handle>
void ref(Handle *handle) noexcept {
  handle->references.fetch_add(1, std::memory_order_relaxed);
}

template <class Handle>
void unref(Handle *handle) noexcept {
  if (handle->references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  const os::CancellationBlock whole;
  delete handle;
}

#ifdef FLEETAUTH_CHECKED
template <class Handle>
bool is_live(const Handle *handle) noexcept {
  return handle->tag == Handle::kType;
}
#endif

}  // namespace fleetauth::capi

struct fleetauth_error : fleetauth::capi::Counted<fleetauth::capi::Tag::Error> {
  explicit fleetauth_error(fleetauth::ErrorPtr error) : body(std::move(error)) {}
  fleetauth::ErrorPtr body;
};

struct fleetauth_options : fleetauth::capi::Counted<fleetauth::capi::Tag::Options> {
  fleetauth::runtime::Options body;
};

struct fleetauth_runtime : fleetauth::capi::Counted<fleetauth::capi::Tag::Runtime> {
  explicit fleetauth_runtime(std::shared_ptr<fleetauth::runtime::Runtime> runtime) : body(std::move(runtime)) {}
  std::shared_ptr<fleetauth::runtime::Runtime> body;
};

struct fleetauth_queue : fleetauth::capi::Counted<fleetauth::capi::Tag::Queue> {
  explicit fleetauth_queue(std::shared_ptr<fleetauth::runtime::Queue> queue) : body(std::move(queue)) {}
  std::shared_ptr<fleetauth::runtime::Queue> body;
};

struct fleetauth_event : fleetauth::capi::Counted<fleetauth::capi::Tag::Event> {
  ~fleetauth_event();
  fleetauth::runtime::Event body;
};

struct fleetauth_provider : fleetauth::capi::Counted<fleetauth::capi::Tag::Provider> {
  explicit fleetauth_provider(std::shared_ptr<const fleetauth::provider::Descriptor> descriptor);
  std::shared_ptr<const fleetauth::provider::Descriptor> body;
  std::string description;
};

struct fleetauth_client : fleetauth::capi::Counted<fleetauth::capi::Tag::Client> {
  explicit fleetauth_client(std::shared_ptr<fleetauth::runtime::Client> client) : body(std::move(client)) {}
  std::shared_ptr<fleetauth::runtime::Client> body;
};

struct fleetauth_request : fleetauth::capi::Counted<fleetauth::capi::Tag::Request> {
  fleetauth_request(std::shared_ptr<fleetauth::runtime::Client> of, fleetauth::runtime::Request request)
      : client(std::move(of)), body(std::move(request)) {}
  std::shared_ptr<fleetauth::runtime::Client> client;
  fleetauth::runtime::Request body;
};

struct fleetauth_op : fleetauth::capi::Counted<fleetauth::capi::Tag::Op> {
  explicit fleetauth_op(std::shared_ptr<fleetauth::runtime::Runtime> of) : runtime(std::move(of)) {}
  std::shared_ptr<fleetauth::runtime::Runtime> runtime;
  std::weak_ptr<fleetauth::runtime::Operation> body;
};

struct fleetauth_token : fleetauth::capi::Counted<fleetauth::capi::Tag::Token> {
  explicit fleetauth_token(fleetauth::runtime::Answer answer) : body(std::move(answer)) {}
  fleetauth::runtime::Answer body;
  std::once_flag named;  ///< the fingerprint is made for those who ask: it costs more than the rest of an answer
  std::string fingerprint;
};

struct fleetauth_http_call : fleetauth::capi::Counted<fleetauth::capi::Tag::HttpCall> {
  ~fleetauth_http_call() {
    if (body != nullptr) body->dropped();
  }
  std::shared_ptr<fleetauth::runtime::HttpCall> body;  ///< null until it is claimed
};

struct fleetauth_sign_call : fleetauth::capi::Counted<fleetauth::capi::Tag::SignCall> {
  ~fleetauth_sign_call() {
    if (body != nullptr) body->dropped();
  }
  std::shared_ptr<fleetauth::runtime::SignCall> body;  ///< null until it is claimed
};

struct fleetauth_identity : fleetauth::capi::Counted<fleetauth::capi::Tag::Identity> {
  explicit fleetauth_identity(std::shared_ptr<const fleetauth::flow::Identity> identity) : body(std::move(identity)) {}
  std::shared_ptr<const fleetauth::flow::Identity> body;
};

struct fleetauth_accounts : fleetauth::capi::Counted<fleetauth::capi::Tag::Accounts> {
  explicit fleetauth_accounts(std::shared_ptr<const fleetauth::flow::Accounts> accounts) : body(std::move(accounts)) {}
  std::shared_ptr<const fleetauth::flow::Accounts> body;
};

struct fleetauth_challenge : fleetauth::capi::Counted<fleetauth::capi::Tag::Challenge> {
  explicit fleetauth_challenge(std::shared_ptr<const fleetauth::flow::Challenge> challenge) : body(std::move(challenge)) {}
  std::shared_ptr<const fleetauth::flow::Challenge> body;
};

struct fleetauth_blob : fleetauth::capi::Counted<fleetauth::capi::Tag::Blob> {
  explicit fleetauth_blob(fleetauth::SecretBytes bytes) : body(std::move(bytes)) {}
  fleetauth::SecretBytes body;
};

struct fleetauth_clock : fleetauth::capi::Counted<fleetauth::capi::Tag::Clock> {
  explicit fleetauth_clock(std::shared_ptr<fleetauth::ManualClock> clock) : body(std::move(clock)) {}
  std::shared_ptr<fleetauth::ManualClock> body;
};
