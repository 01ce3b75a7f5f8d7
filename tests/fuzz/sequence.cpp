// Any sequence of calls through the C ABI, in manual mode on a manual clock: no operation completes twice or gets lost, what is answered is
// well formed, and in the end no handle is left. Input: letters are calls, see Host::step; what follows a letter are its arguments.
#include <array>
#include <deque>
#include <iterator>
#include <map>
#include <string>
#include <utility>

#include "tests/capi/handles.h"
#include "tests/fuzz/input.h"

namespace {

using capi::Client;
using capi::Clock;
using capi::Error;
using capi::Event;
using capi::HttpCall;
using capi::Op;
using capi::Options;
using capi::Queue;
using capi::Request;
using capi::Runtime;
using capi::Token;
using fleetauth::fuzz::Input;
using fleetauth::fuzz::is_printable;
using fleetauth::fuzz::require;

constexpr std::string_view kSecret = "Canary0secret1Value2";

void check_error(std::int32_t status, const Error &error) {
  require((status == FLEETAUTH_OK) == (error.get() == nullptr), "an error comes with every failure and with nothing else");
  if (status == FLEETAUTH_OK) return;
  require(status != FLEETAUTH_E_INTERNAL && status != FLEETAUTH_E_NOMEM, "no fault of the library itself");
  require(fleetauth_error_status(error.get()) == status, "the status is the error's");
  const std::string_view message = fleetauth_error_message(error.get(), nullptr);
  require(!message.empty() && is_printable(message), "an error is in plain words");
  require(message.find(kSecret) == std::string_view::npos, "an error holds no secret");
  require(std::string_view(fleetauth_error_provider_code(error.get(), nullptr)).find(kSecret) == std::string_view::npos,
          "nor does its code");
}

void check_token(fleetauth_token *token, bool with_url) {
  std::size_t size = 0;
  const std::uint8_t *secret = fleetauth_token_secret(token, &size);
  for (std::size_t i = 0; i < size; ++i) require(secret[i] > ' ' && secret[i] < 0x7f, "a token cannot end a header");
  require(size > 0, "a token is not empty");
  require(fleetauth_token_expires_in_ms(token) >= -1, "a token's life has an end or none");
  require((fleetauth_token_header_count(token) > 0) == with_url, "headers come with a URL");
}

// FleetUp and myConnectedFleet; made once, since reading a descriptor takes longer than all else.
const std::array<fleetauth_provider *, 2> &providers() {
  static const auto made = [] {
    std::array<fleetauth_provider *, 2> out{};
    require(fleetauth_provider_builtin("fleetup", FLEETAUTH_NTS, &out[0], nullptr) == FLEETAUTH_OK, "FleetUp is built in");
    require(fleetauth_provider_builtin("my_connected_fleet", FLEETAUTH_NTS, &out[1], nullptr) == FLEETAUTH_OK,
            "myConnectedFleet is built in");
    return out;
  }();
  return made;
}

class Host {
 public:
  explicit Host(Input input) : input_(input) {
    Error error;
    require(fleetauth_clock_manual_new(1'767'323'045'000, clock_.out(), error.out()) == FLEETAUTH_OK, "a clock");
    Options manual;
    fleetauth_options_new(manual.out(), nullptr);
    fleetauth_options_set_text(manual.get(), "mode", FLEETAUTH_NTS, "manual", FLEETAUTH_NTS, nullptr);
    require(fleetauth_runtime_new(manual.get(), clock_.get(), runtime_.out(), error.out()) == FLEETAUTH_OK, "a runtime");
    for (std::size_t i = 0; i < clients_.size(); ++i) make_client(i);
    for (std::size_t i = 0; i < queues_.size(); ++i) make_queue(i);
  }

  void run() {
    for (int steps = 0; steps < 400 && !input_.empty(); ++steps) step(input_.byte());
    finish();
  }

 private:
  static constexpr std::size_t kOf = 3;  // clients and queues
  struct Started {
    std::size_t queue;
    bool with_url;
    int completed = 0;
    Op op;
  };

  std::size_t pick() { return input_.byte() % kOf; }

  void step(std::uint8_t letter) {
    switch (letter) {
      case 's':
        return start(pick(), pick(), input_.byte());
      case 'n':
        next(pick());
        return;
      case 'a':
        return answer(input_.byte(), input_.until('\n'));
      case 'f':
        return fail(input_.byte());
      case 'd':
        if (!calls_.empty()) calls_.pop_front();
        return;
      case 'c':
        if (auto *started = any_started()) fleetauth_op_cancel(started->op.get());
        return;
      case 'u':
        if (auto *started = any_started()) (void)started->op.out();
        return;
      case 't':
        (void)fleetauth_clock_advance(clock_.get(), static_cast<std::int64_t>(input_.byte()) * 10'000, nullptr);
        return;
      case 'T':
        (void)fleetauth_clock_advance(clock_.get(), static_cast<std::int64_t>(input_.number(5)), nullptr);
        return;
      case 'w':
        (void)fleetauth_clock_step_wall(clock_.get(), (input_.byte() - 128) * 3'600'000LL, nullptr);
        return;
      case 'r':
        return report(input_.byte());
      case 'p':
        return peek(pick(), input_.byte());
      case 'y':
        return copy(pick());
      case 'C':
        fleetauth_client_close(clients_[pick()].get());
        return;
      case 'Q':
        fleetauth_queue_close(queues_[pick()].get());
        return;
      case 'm':
        return make_client(pick());
      case 'v':
        (void)fleetauth_queue_serve(queues_[pick()].get(), clients_[pick()].get(), nullptr);
        return;
      case 'R':
        (void)fleetauth_runtime_close(runtime_.get(), 0, nullptr);
        return;
      default:
        return;
    }
  }

  // Two clients share their token, the third is another provider's.
  void make_client(std::size_t index) {
    const bool fleetup = index < 2;
    Error error;
    Options options;
    fleetauth_options_new(options.out(), nullptr);
    const auto set = [&](const char *name, std::string_view value) {
      fleetauth_options_set_text(options.get(), name, FLEETAUTH_NTS, value.data(), value.size(), nullptr);
    };
    set("transport", "host");
    if (fleetup) set("api_key", kSecret);
    if (fleetup) set("acct_id", "12345");
    set(fleetup ? "secret" : "client_secret", kSecret);
    if (!fleetup) set("client_id", "name");
    if (!fleetup) set("scheme", "bearer");
    const std::int32_t status =
        fleetauth_client_new(runtime_.get(), providers()[fleetup ? 0 : 1], options.get(), clients_[index].out(), error.out());
    check_error(status, error);
    require(status == FLEETAUTH_OK || status == FLEETAUTH_E_CLOSED, "a client");
  }

  void make_queue(std::size_t index) {
    Error error;
    require(fleetauth_queue_new(runtime_.get(), FLEETAUTH_QUEUE_LOOP, queues_[index].out(), error.out()) == FLEETAUTH_OK, "a queue");
  }

  // What a call is for, by the bits of one byte: 1 a URL, 2 one of another host, 4 a short patience, 8 a long remaining life.
  struct Call {
    std::string url;
    Request request;
  };
  Call call(std::size_t client, std::uint8_t bits) {
    Call made;
    if ((bits & 1U) != 0)
      made.url = client < 2 ? "https://api.fleetup.net/devices" : "https://api.masternautconnect.com/job-management/v1/jobs";
    if ((bits & 2U) != 0) made.url = "https://api.fleetup.net.example/devices";
    if ((bits & 12U) == 0) return made;
    Options options;
    fleetauth_options_new(options.out(), nullptr);
    if ((bits & 4U) != 0) fleetauth_options_set_i64(options.get(), "timeout_ms", FLEETAUTH_NTS, bits * 10, nullptr);
    if ((bits & 8U) != 0) fleetauth_options_set_i64(options.get(), "min_remaining_ms", FLEETAUTH_NTS, bits * 100'000, nullptr);
    (void)fleetauth_request_new(clients_[client].get(), options.get(), made.request.out(), nullptr);
    return made;
  }
  static const char *url_of(const Call &call) { return call.url.empty() ? nullptr : call.url.data(); }

  void start(std::size_t client, std::size_t queue, std::uint8_t bits) {
    const Call made = call(client, bits);
    const std::int64_t tag = ++last_tag_;
    Started started{queue, !made.url.empty(), 0, {}};
    Error error;
    const std::int32_t status = fleetauth_client_start(clients_[client].get(), made.request.get(), nullptr, 0, url_of(made),
                                                       made.url.size(), queues_[queue].get(), tag, started.op.out(), error.out());
    check_error(status, error);
    if (status == FLEETAUTH_OK) started_.emplace(tag, std::move(started));
  }

  void peek(std::size_t client, std::uint8_t bits) {
    const Call made = call(client, bits);
    Error error;
    Token token;
    const std::int32_t status = fleetauth_client_peek(clients_[client].get(), made.request.get(), "GET", 3, url_of(made), made.url.size(),
                                                      token.out(), error.out());
    check_error(status, error);
    if (status == FLEETAUTH_OK) keep(std::move(token), !made.url.empty());
  }

  void keep(Token token, bool with_url) {
    check_token(token.get(), with_url);
    tokens_.push_back(std::move(token));
    if (tokens_.size() > 4) tokens_.pop_front();
  }

  void report(std::uint8_t which) {
    if (tokens_.empty()) return;
    fleetauth_token *token = tokens_[which % tokens_.size()].get();
    constexpr const char *kDates[] = {nullptr, "Fri, 02 Jan 2026 03:04:05 GMT", "Fri, 02 Jan 2026 03:14:05 GMT", "yesterday"};
    const char *date = kDates[(which / tokens_.size()) % std::size(kDates)];
    std::int32_t advice = 0;
    Error error;
    const std::int32_t status =
        fleetauth_client_report_rejected(clients_[which % kOf].get(), fleetauth_token_slot(token), fleetauth_token_generation(token), 401,
                                         date, date == nullptr ? 0 : FLEETAUTH_NTS, &advice, error.out());
    check_error(status, error);
    if (status == FLEETAUTH_OK) require(advice == FLEETAUTH_ADVICE_RETRY || advice == FLEETAUTH_ADVICE_STOP, "an advice is one of two");
  }

  void copy(std::size_t client) {
    if (tokens_.empty()) return;
    std::array<std::uint8_t, 64> buffer{};
    std::size_t size = 0;
    std::int64_t generation = 0;
    const std::int32_t status = fleetauth_slot_copy(clients_[client].get(), fleetauth_token_slot(tokens_.back().get()), buffer.data(),
                                                    buffer.size(), &size, &generation);
    require(status != FLEETAUTH_OK || (size > 0 && size <= buffer.size() && generation > 0), "a copy fits its buffer");
  }

  // False when there was nothing.
  bool next(std::size_t queue) {
    Error error;
    Event event;
    const std::int32_t status = fleetauth_queue_next(queues_[queue].get(), 0, event.out(), error.out());
    if (status != FLEETAUTH_OK) {
      require(status == FLEETAUTH_E_WOULD_BLOCK || status == FLEETAUTH_E_CLOSED, "a queue is empty or closed");
      return false;
    }
    const std::int32_t kind = fleetauth_event_kind(event.get());
    if (kind == FLEETAUTH_EVENT_TOKEN) completed(queue, event.get());
    if (kind == FLEETAUTH_EVENT_HTTP_CALL) offered(event.get());
    return true;
  }

  void completed(std::size_t queue, fleetauth_event *event) {
    const auto found = started_.find(fleetauth_event_tag(event));
    require(found != started_.end() && found->second.queue == queue, "an outcome belongs to an operation of this queue");
    require(++found->second.completed == 1, "an operation completes once");
    Error error;
    Token token;
    const std::int32_t status = fleetauth_event_token(event, token.out(), error.out());
    check_error(status, error);
    if (status == FLEETAUTH_OK) keep(std::move(token), found->second.with_url);
  }

  void offered(fleetauth_event *event) {
    Error error;
    HttpCall call;
    const std::int32_t status = fleetauth_event_http_call(event, call.out(), error.out());
    check_error(status, error);
    if (status != FLEETAUTH_OK) return;
    const std::string_view url = fleetauth_http_call_url(call.get(), nullptr);
    require(url.starts_with("https://api.fleetup.net/") || url.starts_with("https://auth.masternautconnect.com/"),
            "secrets go to the provider");
    HttpCall again;
    require(fleetauth_event_http_call(event, again.out(), nullptr) == FLEETAUTH_E_CLOSED, "a request is claimed once");
    calls_.push_back(std::move(call));
  }

  void answer(std::uint8_t digit, std::string_view body) {
    constexpr std::int32_t kStatuses[] = {200, 201, 204, 302, 400, 401, 403, 429, 500, 503};
    if (calls_.empty()) return;
    const HttpCall call = std::move(calls_.front());
    calls_.pop_front();
    (void)fleetauth_http_call_add_header(call.get(), "Content-Type", FLEETAUTH_NTS, "application/json", FLEETAUTH_NTS, nullptr);
    (void)fleetauth_http_call_append_body(call.get(), reinterpret_cast<const std::uint8_t *>(body.data()), body.size(), nullptr);
    Error error;
    check_error(fleetauth_http_call_complete(call.get(), kStatuses[digit % std::size(kStatuses)], error.out()), error);
    require(fleetauth_http_call_complete(call.get(), 200, nullptr) == FLEETAUTH_E_CLOSED, "a request is answered once");
  }

  void fail(std::uint8_t digit) {
    constexpr std::int32_t kStatuses[] = {
        FLEETAUTH_E_DNS,     FLEETAUTH_E_CONNECT,   FLEETAUTH_E_TLS,      FLEETAUTH_E_PROXY, FLEETAUTH_E_NETWORK,
        FLEETAUTH_E_TIMEOUT, FLEETAUTH_E_TOO_LARGE, FLEETAUTH_E_CALLBACK, FLEETAUTH_OK,      77};
    if (calls_.empty()) return;
    const HttpCall call = std::move(calls_.front());
    calls_.pop_front();
    (void)fleetauth_http_call_fail(call.get(), kStatuses[digit % std::size(kStatuses)], "Word", FLEETAUTH_NTS, digit % 2, nullptr);
  }

  Started *any_started() {
    const auto found = started_.lower_bound(input_.byte() % (last_tag_ + 1));
    return found == started_.end() ? nullptr : &found->second;
  }

  void finish() {
    calls_.clear();
    for (const Client &client : clients_) fleetauth_client_close(client.get());
    for (std::size_t i = 0; i < kOf; ++i) {
      for (int events = 0; next(i); ++events) require(events < 10'000, "a queue runs dry");
    }
    for (const auto &[tag, started] : started_) require(started.completed == 1, "every operation completes");
  }

  Input input_;
  Clock clock_;
  Runtime runtime_;
  std::array<Client, kOf> clients_;
  std::array<Queue, kOf> queues_;
  std::map<std::int64_t, Started> started_;
  std::int64_t last_tag_ = 0;
  std::deque<HttpCall> calls_;
  std::deque<Token> tokens_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  (void)providers();
  const std::int64_t before = fleetauth_live_handles();
  Host(Input(data, size)).run();
  require(fleetauth_live_handles() == before, "no handle is left");
  return 0;
}
