#include "tools/bench/scene.h"

#include <cstdio>
#include <cstdlib>

namespace bench {

void must(std::int32_t status, fleetauth_error *error, const char *what) {
  if (status == FLEETAUTH_OK) return;
  std::fprintf(stderr, "bench: %s: %s: %s\n", what, fleetauth_status_name(status, nullptr), fleetauth_error_message(error, nullptr));
  std::exit(1);
}

Options options(const Pairs &pairs) {
  fleetauth_options *bag = nullptr;
  fleetauth_error *error = nullptr;
  must(fleetauth_options_new(&bag, &error), error, "options");
  for (const auto &[name, value] : pairs) {
    must(fleetauth_options_set_text(bag, name.data(), name.size(), value.data(), value.size(), &error), error, name.c_str());
  }
  return Options(bag);
}

Runtime make_runtime(bool manual, fleetauth_clock *clock) {
  const Options bag = options({{"mode", manual ? "manual" : "threaded"}});
  fleetauth_runtime *runtime = nullptr;
  fleetauth_error *error = nullptr;
  must(fleetauth_runtime_new(bag.get(), clock, &runtime, &error), error, "runtime");
  return Runtime(runtime);
}

Queue make_queue(fleetauth_runtime *runtime) {
  fleetauth_queue *queue = nullptr;
  fleetauth_error *error = nullptr;
  must(fleetauth_queue_new(runtime, FLEETAUTH_QUEUE_LOOP, &queue, &error), error, "queue");
  return Queue(queue);
}

Client make_client(fleetauth_runtime *runtime, const std::string &name, const Pairs &pairs) {
  fleetauth_provider *provider = nullptr;
  fleetauth_error *error = nullptr;
  must(fleetauth_provider_builtin(name.data(), name.size(), &provider, &error), error, "provider");
  fleetauth_client *client = nullptr;
  must(fleetauth_client_new(runtime, provider, options(pairs).get(), &client, &error), error, "client");
  fleetauth_provider_unref(provider);
  return Client(client);
}

Client make_client(fleetauth_runtime *runtime, const Pairs &extra) {
  Pairs pairs{{"api_key", "bench-api-key"}, {"acct_id", "12345"}, {"secret", "bench-secret"}};
  pairs.insert(pairs.end(), extra.begin(), extra.end());
  return make_client(runtime, "fleetup", pairs);
}

Op start(fleetauth_client *client, fleetauth_queue *queue, std::int64_t tag) {
  fleetauth_op *op = nullptr;
  fleetauth_error *error = nullptr;
  must(fleetauth_client_start(client, nullptr, nullptr, 0, nullptr, 0, queue, tag, &op, &error), error, "start");
  return Op(op);
}

Event next(fleetauth_queue *queue) {
  fleetauth_event *event = nullptr;
  fleetauth_error *error = nullptr;
  must(fleetauth_queue_next(queue, -1, &event, &error), error, "queue");
  return Event(event);
}

HttpCall claim(fleetauth_event *event) {
  fleetauth_http_call *call = nullptr;
  fleetauth_error *error = nullptr;
  must(fleetauth_event_http_call(event, &call, &error), error, "http call");
  return HttpCall(call);
}

std::string token_body() { return R"({"token":")" + std::string(kTokenSize, 't') + "\"}"; }

void answer(fleetauth_http_call *call, const std::string &body) {
  fleetauth_error *error = nullptr;
  must(fleetauth_http_call_add_header(call, "Content-Type", FLEETAUTH_NTS, "application/json", FLEETAUTH_NTS, &error), error, "header");
  must(fleetauth_http_call_append_body(call, reinterpret_cast<const std::uint8_t *>(body.data()), body.size(), &error), error, "body");
  must(fleetauth_http_call_complete(call, 200, &error), error, "answer");
}

Token token_of(fleetauth_event *event) {
  fleetauth_token *token = nullptr;
  fleetauth_error *error = nullptr;
  must(fleetauth_event_token(event, &token, &error), error, "token");
  return Token(token);
}

Token peek(fleetauth_client *client, const std::string &url) {
  fleetauth_token *token = nullptr;
  fleetauth_error *error = nullptr;
  must(fleetauth_client_peek(client, nullptr, nullptr, 0, url.data(), url.size(), &token, &error), error, "peek");
  return Token(token);
}

Cached::Cached()
    : runtime(make_runtime(false)), queue(make_queue(runtime.get())), client(make_client(runtime.get(), {{"transport", "host"}})) {
  const Op op = start(client.get(), queue.get(), 1);
  answer(claim(next(queue.get()).get()).get());
  slot = fleetauth_token_slot(token_of(next(queue.get()).get()).get());
}

}  // namespace bench
