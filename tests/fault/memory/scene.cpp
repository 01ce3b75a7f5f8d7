#include "tests/fault/memory/scene.h"

#include <atomic>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

namespace fleetauth::test {

namespace {

constexpr int kGoesOn = -1;
constexpr int kPatience = 8;                    // how often a call is made again for want of memory
constexpr std::int64_t kStart = 1767225600000;  // 2026-01-01T00:00:00Z

std::string name(int status) { return status == kGoesOn ? "nothing" : fleetauth_status_name(status, nullptr); }

/// A handle that ends inside the library.
template <class Handle>
void drop(Handle &handle) {
  inside([&] { handle.out(); });
}

/// The library's threads bear its name.
bool has_threads() {
  for (const auto &task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::ifstream(task.path() / "comm") >> name;
    if (name.starts_with("fleetauth-")) return true;
  }
  return false;
}

/// Read once: that takes longer than all the rest.
fleetauth_provider *descriptor_of(const std::string &provider) {
  static std::map<std::string, capi::Provider> known;
  capi::Provider &descriptor = known[provider];
  if (descriptor.get() == nullptr) fleetauth_provider_builtin(provider.data(), provider.size(), descriptor.out(), nullptr);
  return descriptor.get();
}

}  // namespace

/// Calls until there is memory for it, or no hope; any other failure but those that are always possible is a fault.
template <class Function>
int Scene::call(const char *what, Function function) {
  int status = FLEETAUTH_E_NOMEM;
  for (int i = 0; i < kPatience && status == FLEETAUTH_E_NOMEM; ++i) {
    capi::Error error;
    fleetauth_error **err = error.out();
    status = inside([&] { return static_cast<int>(function(err)); });
    const bool withdrawn = status == FLEETAUTH_E_CLOSED && std::string_view(what).ends_with("_call");
    expect(status == FLEETAUTH_OK || status == FLEETAUTH_E_NOMEM || status == FLEETAUTH_E_WOULD_BLOCK || withdrawn,
           std::string(what) + ": " + name(status) + ": " + capi::text_of(fleetauth_error_message, error.get()));
  }
  return status;
}

// ---------------------------------------------------------------- making

Scene::Scene(Provider &provider, Setting setting)
    : setting_(std::move(setting)), descriptor_(descriptor_of(setting_.provider)), provider_(provider) {}

capi::Options Scene::options(const Texts &texts) {
  capi::Options options;
  fleetauth_options **out = options.out();
  call("options_new", [&](fleetauth_error **err) { return fleetauth_options_new(out, err); });
  if (options.get() == nullptr) return options;
  for (const auto &[key, value] : texts) {
    call(key.c_str(), [&, &key = key, &value = value](fleetauth_error **err) {
      return fleetauth_options_set_text(options.get(), key.data(), key.size(), value.data(), value.size(), err);
    });
  }
  return options;
}

void Scene::make() {
  fleetauth_clock **clock_out = clock.out();
  call("clock", [&](fleetauth_error **err) { return fleetauth_clock_manual_new(kStart, clock_out, err); });
  const capi::Options of_runtime = options({{"mode", setting_.threaded ? "threaded" : "manual"}});
  const capi::Options of_client = options(setting_.options);
  if (clock.get() == nullptr || of_runtime.get() == nullptr || of_client.get() == nullptr) return;
  fleetauth_runtime **runtime_out = runtime.out();
  call("runtime", [&](fleetauth_error **err) { return fleetauth_runtime_new(of_runtime.get(), clock.get(), runtime_out, err); });
  if (runtime.get() == nullptr) return;
  fleetauth_queue **queue_out = queue.out();
  fleetauth_client **client_out = client.out();
  call("queue", [&](fleetauth_error **err) { return fleetauth_queue_new(runtime.get(), FLEETAUTH_QUEUE_LOOP, queue_out, err); });
  call("client", [&](fleetauth_error **err) { return fleetauth_client_new(runtime.get(), descriptor_, of_client.get(), client_out, err); });
  if (queue.get() == nullptr || client.get() == nullptr) return;
  call("serve", [&](fleetauth_error **err) { return fleetauth_queue_serve(queue.get(), client.get(), err); });
}

void Scene::close() {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::seconds kLong(20);
  const auto latest = Clock::now() + kLong;
  if (runtime.get() == nullptr) return;
  call("close",
       [&](fleetauth_error **err) { return fleetauth_runtime_close(runtime.get(), std::chrono::milliseconds(kLong).count(), err); });
  while (has_threads() && Clock::now() < latest) std::this_thread::yield();
  expect(!has_threads(), "the library's thread does not end");
}

int Scene::request(capi::Request &request, const Texts &texts) {
  const capi::Options made = options(texts);
  fleetauth_request **out = request.out();
  if (made.get() == nullptr) return FLEETAUTH_E_NOMEM;
  return call("request", [&](fleetauth_error **err) { return fleetauth_request_new(client.get(), made.get(), out, err); });
}

// ---------------------------------------------------------------- what is started

int Scene::token(const char *url, fleetauth_request *request) {
  return run("start", [&](std::int64_t tag, fleetauth_op **out, fleetauth_error **err) {
    return fleetauth_client_start(client.get(), request, nullptr, 0, url, url == nullptr ? 0 : FLEETAUTH_NTS, queue.get(), tag, out, err);
  });
}

int Scene::token_of_a_blocked_thread() {
  int status = FLEETAUTH_OK;
  std::atomic<bool> over{false};
  std::thread blocked([&] {
    fleetauth_token **out = held.out();
    status = call("token",
                  [&](fleetauth_error **err) { return fleetauth_client_token(client.get(), nullptr, nullptr, 0, nullptr, 0, out, err); });
    over = true;
  });
  for (int waits = 0; !over && waits < setting_.patience; ++waits) {
    handle_next();
    advance(setting_.step_ms);
  }
  expect(over, "a blocked thread was forgotten");
  blocked.join();
  return status;
}

int Scene::inquire(std::int32_t what) {
  return run("inquire", [&](std::int64_t tag, fleetauth_op **out, fleetauth_error **err) {
    return fleetauth_client_inquire(client.get(), nullptr, what, queue.get(), tag, out, err);
  });
}

int Scene::log_out() {
  return run("logout", [&](std::int64_t tag, fleetauth_op **out, fleetauth_error **err) {
    return fleetauth_client_logout(client.get(), queue.get(), tag, out, err);
  });
}

int Scene::answer(const char *code) {
  return run("answer", [&](std::int64_t tag, fleetauth_op **out, fleetauth_error **err) {
    return fleetauth_client_answer(client.get(), challenge.get(), reinterpret_cast<const std::uint8_t *>(code), std::strlen(code),
                                   queue.get(), tag, out, err);
  });
}

template <class Start>
int Scene::run(const char *what, Start start) {
  const std::int64_t tag = ++last_tag_;
  capi::Op op;
  fleetauth_op **out = op.out();
  const int status = call(what, [&](fleetauth_error **err) { return start(tag, out, err); });
  if (status != FLEETAUTH_OK) return status;
  outcomes_[tag] = kGoesOn;
  return await(tag);
}

/// Does what the library asks of its host until that has ended; kGoesOn when there is no hope.
int Scene::await(std::int64_t tag) {
  for (int waits = 0; outcomes_[tag] == kGoesOn && waits < setting_.patience;) {
    if (handle_next()) continue;
    advance(setting_.step_ms);
    ++waits;
  }
  return outcomes_[tag];
}

void Scene::pump() {
  while (handle_next()) {
  }
}

bool Scene::handle_next() {
  capi::Event event;
  fleetauth_event **out = event.out();
  if (call("queue_next", [&](fleetauth_error **err) { return fleetauth_queue_next(queue.get(), setting_.wait_ms, out, err); }) !=
      FLEETAUTH_OK) {
    return false;
  }
  take(event);
  drop(event);
  return true;
}

void Scene::take(const capi::Event &event) {
  switch (fleetauth_event_kind(event.get())) {
    case FLEETAUTH_EVENT_HTTP_CALL:
      return send(event);
    case FLEETAUTH_EVENT_SIGN_CALL:
      return sign(event);
    case FLEETAUTH_EVENT_HTTP_CANCEL:
    case FLEETAUTH_EVENT_SIGN_CANCEL:
      return;
    default: {
      int &outcome = outcomes_[fleetauth_event_tag(event.get())];
      expect(outcome == kGoesOn, "an operation ended twice");
      outcome = outcome_of(event);
    }
  }
}

int Scene::outcome_of(const capi::Event &event) {
  int status = FLEETAUTH_E_NOMEM;
  for (int i = 0; i < kPatience && status == FLEETAUTH_E_NOMEM; ++i) {
    capi::Error error;
    capi::Token token;
    capi::Identity identity;
    capi::Accounts accounts;
    fleetauth_error **err = error.out();
    status = inside([&]() -> int {
      switch (fleetauth_event_kind(event.get())) {
        case FLEETAUTH_EVENT_TOKEN:
          return fleetauth_event_token(event.get(), token.out(), err);
        case FLEETAUTH_EVENT_IDENTITY:
          return fleetauth_event_identity(event.get(), identity.out(), err);
        case FLEETAUTH_EVENT_ACCOUNTS:
          return fleetauth_event_accounts(event.get(), accounts.out(), err);
        default:
          return fleetauth_event_result(event.get(), err);
      }
    });
    if (token.get() != nullptr) held = std::move(token);
    if (status == FLEETAUTH_E_OTP_REQUIRED && error.get() != nullptr) {
      fleetauth_challenge **out = challenge.out();
      call("challenge", [&](fleetauth_error **e) { return fleetauth_error_challenge(error.get(), out, e); });
    }
    const bool known = status == FLEETAUTH_OK || status == FLEETAUTH_E_NOMEM || status == FLEETAUTH_E_OTP_REQUIRED ||
                       status == afterwards_ || status == FLEETAUTH_E_RATE_LIMITED ||
                       (hopeless && (status == FLEETAUTH_E_TIMEOUT || status == FLEETAUTH_E_CALLBACK));
    expect(known, "ended with " + name(status) + ": " + capi::text_of(fleetauth_error_message, error.get()));
  }
  return status;
}

/// The host's transport.
void Scene::send(const capi::Event &event) {
  capi::HttpCall http;
  fleetauth_http_call **out = http.out();
  if (call("http_call", [&](fleetauth_error **err) { return fleetauth_event_http_call(event.get(), out, err); }) != FLEETAUTH_OK) return;
  const auto answer =
      provider_.answer(capi::text_of(fleetauth_http_call_url, http.get()), capi::text_of(fleetauth_http_call_body, http.get()));
  call("add_header", [&](fleetauth_error **err) {
    return fleetauth_http_call_add_header(http.get(), "Content-Type", FLEETAUTH_NTS, "application/json", FLEETAUTH_NTS, err);
  });
  call("append_body", [&](fleetauth_error **err) {
    return fleetauth_http_call_append_body(http.get(), reinterpret_cast<const std::uint8_t *>(answer.json.data()), answer.json.size(), err);
  });
  call("complete", [&](fleetauth_error **err) { return fleetauth_http_call_complete(http.get(), answer.status, err); });
  drop(http);
}

/// The host's signer.
void Scene::sign(const capi::Event &event) {
  capi::SignCall call_of_signer;
  fleetauth_sign_call **out = call_of_signer.out();
  if (call("sign_call", [&](fleetauth_error **err) { return fleetauth_event_sign_call(event.get(), out, err); }) != FLEETAUTH_OK) return;
  const std::string signature(256, 's');
  call("sign_call_complete", [&](fleetauth_error **err) {
    return fleetauth_sign_call_complete(call_of_signer.get(), reinterpret_cast<const std::uint8_t *>(signature.data()), signature.size(),
                                        err);
  });
  drop(call_of_signer);
}

// ---------------------------------------------------------------- what ends at once

int Scene::peek(const char *url) {
  capi::Token token;
  fleetauth_token **out = token.out();
  const int status = call("peek", [&](fleetauth_error **err) {
    return fleetauth_client_peek(client.get(), nullptr, nullptr, 0, url, url == nullptr ? 0 : FLEETAUTH_NTS, out, err);
  });
  if (status == FLEETAUTH_OK) held = std::move(token);
  return status;
}

int Scene::reject() {
  const std::int64_t slot = fleetauth_token_slot(held.get());
  const std::int64_t generation = fleetauth_token_generation(held.get());
  constexpr const char *kDate = "Thu, 01 Jan 2026 00:10:00 GMT";  // by a clock that is ahead of ours
  std::int32_t advice = 0;
  return call("report_rejected", [&](fleetauth_error **err) {
    return fleetauth_client_report_rejected(client.get(), slot, generation, 401, kDate, FLEETAUTH_NTS, &advice, err);
  });
}

int Scene::advance(std::int64_t ms) {
  return call("advance", [&](fleetauth_error **err) { return fleetauth_clock_advance(clock.get(), ms, err); });
}

int Scene::reseal() {
  const std::string key(32, 'k');
  const auto *bytes = reinterpret_cast<const std::uint8_t *>(key.data());
  capi::Blob sealed;
  capi::Challenge opened;
  fleetauth_blob **blob_out = sealed.out();
  fleetauth_challenge **out = opened.out();
  int status = call("seal", [&](fleetauth_error **err) {
    return fleetauth_client_seal_challenge(client.get(), challenge.get(), bytes, key.size(), blob_out, err);
  });
  if (status != FLEETAUTH_OK) return status;
  std::size_t size = 0;
  const std::uint8_t *data = fleetauth_blob_bytes(sealed.get(), &size);
  status = call("open", [&](fleetauth_error **err) {
    return fleetauth_client_open_challenge(client.get(), data, size, bytes, key.size(), out, err);
  });
  if (status == FLEETAUTH_OK) challenge = std::move(opened);
  return status;
}

// ---------------------------------------------------------------- afterwards

void Scene::recover(int afterwards) {
  afterwards_ = afterwards;
  for (const auto &[tag, outcome] : outcomes_) {
    if (outcome == kGoesOn) expect(await(tag) != kGoesOn, "an operation never ended");
  }
  int status = token();
  // A one-time code of this moment is not used twice; and without memory the time of a fetch may go by.
  if (status == FLEETAUTH_E_RATE_LIMITED || (hopeless && status == FLEETAUTH_E_TIMEOUT)) {
    advance(30'000);
    status = token();
  }
  if (status == FLEETAUTH_E_OTP_REQUIRED) status = answer("123456");
  if (status == afterwards) return;
  expect(status == FLEETAUTH_OK, "afterwards there is no token but " + name(status));
  expect(peek() == FLEETAUTH_OK, "afterwards the token is not kept");
}

}  // namespace fleetauth::test
