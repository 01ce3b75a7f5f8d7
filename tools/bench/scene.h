#pragma once

#include <fleetauth/fleetauth.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What most figures are taken of: a FleetUp client whose token is in memory.
namespace bench {

template <class T, void (*unref)(T *)>
struct Unref {
  void operator()(T *handle) const { unref(handle); }
};
template <class T, void (*unref)(T *)>
using Handle = std::unique_ptr<T, Unref<T, unref>>;

using Options = Handle<fleetauth_options, fleetauth_options_unref>;
using Runtime = Handle<fleetauth_runtime, fleetauth_runtime_unref>;
using Queue = Handle<fleetauth_queue, fleetauth_queue_unref>;
using Event = Handle<fleetauth_event, fleetauth_event_unref>;
using Client = Handle<fleetauth_client, fleetauth_client_unref>;
using Request = Handle<fleetauth_request, fleetauth_request_unref>;
using Op = Handle<fleetauth_op, fleetauth_op_unref>;
using Token = Handle<fleetauth_token, fleetauth_token_unref>;
using HttpCall = Handle<fleetauth_http_call, fleetauth_http_call_unref>;
using Clock = Handle<fleetauth_clock, fleetauth_clock_unref>;

inline constexpr std::string_view kOrigin = "https://api.fleetup.net";
inline constexpr std::size_t kTokenSize = 900;

/// Ends the program with the library's message unless the call succeeded.
void must(std::int32_t status, fleetauth_error *error, const char *what);

using Pairs = std::vector<std::pair<std::string, std::string>>;
[[nodiscard]] Options options(const Pairs &pairs);
[[nodiscard]] Runtime make_runtime(bool manual, fleetauth_clock *clock = nullptr);
[[nodiscard]] Queue make_queue(fleetauth_runtime *runtime);
[[nodiscard]] Client make_client(fleetauth_runtime *runtime, const std::string &provider, const Pairs &pairs);
/// A FleetUp client with made-up credentials and these options besides.
[[nodiscard]] Client make_client(fleetauth_runtime *runtime, const Pairs &extra);

[[nodiscard]] Op start(fleetauth_client *client, fleetauth_queue *queue, std::int64_t tag);
/// Waits for the next event.
[[nodiscard]] Event next(fleetauth_queue *queue);
/// The HTTP_CALL of the event, claimed.
[[nodiscard]] HttpCall claim(fleetauth_event *event);
/// {"token": 900 characters}
[[nodiscard]] std::string token_body();
void answer(fleetauth_http_call *call, const std::string &body = token_body());
[[nodiscard]] Token token_of(fleetauth_event *event);
[[nodiscard]] Token peek(fleetauth_client *client, const std::string &url);

/// A client in threaded mode with a token of 900 bytes in memory.
struct Cached {
  Cached();
  Runtime runtime;
  Queue queue;
  Client client;
  std::int64_t slot = 0;
};

// The figures.
void bench_accounts();
void bench_cached();
void bench_cancel();
void bench_fetch();
void bench_herd();
void bench_mint();

}  // namespace bench
