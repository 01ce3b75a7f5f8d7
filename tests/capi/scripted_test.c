/* The C interface from C99, with the host's transport and a manual clock: no network, no waiting. */
#include <fleetauth/fleetauth.h>

#include "check.h"

#define START_MS 1767225600000 /* 2026-01-01T00:00:00Z */
#define DEVICES "https://api.fleetup.net/devices"

/* What a test works with. Freed by tear_down, which also checks that nothing is left. */
struct world {
  int64_t handles_before;
  fleetauth_clock *clock;
  fleetauth_runtime *runtime;
  fleetauth_queue *queue;
  fleetauth_client *client;
};

/* `err` by its address: it is written while the first argument is evaluated. */
static void must(fleetauth_status status, fleetauth_error *const *err) {
  if (status != FLEETAUTH_OK) fprintf(stderr, "%s\n", fleetauth_error_message(*err, NULL));
  CHECK_INT(FLEETAUTH_OK, status);
  CHECK(*err == NULL);
}

static fleetauth_options *make_options(const char *const *pairs) {
  fleetauth_options *options = NULL;
  fleetauth_error *err = NULL;
  must(fleetauth_options_new(&options, &err), &err);
  for (; *pairs != NULL; pairs += 2)
    must(fleetauth_options_set_text(options, pairs[0], FLEETAUTH_NTS, pairs[1], FLEETAUTH_NTS, &err), &err);
  return options;
}

static fleetauth_runtime *make_runtime(fleetauth_clock *clock, const char *mode) {
  const char *const pairs[] = {"mode", mode, NULL};
  fleetauth_options *options = make_options(pairs);
  fleetauth_runtime *runtime = NULL;
  fleetauth_error *err = NULL;
  must(fleetauth_runtime_new(options, clock, &runtime, &err), &err);
  fleetauth_options_unref(options);
  return runtime;
}

static fleetauth_client *make_client(fleetauth_runtime *runtime, const char *secret) {
  const char *const pairs[] = {"api_key", "demo-key", "secret", secret, "transport", "host", NULL};
  fleetauth_options *options = make_options(pairs);
  fleetauth_provider *provider = NULL;
  fleetauth_client *client = NULL;
  fleetauth_error *err = NULL;
  must(fleetauth_options_set_i64(options, "acct_id", FLEETAUTH_NTS, 12345, &err), &err);
  must(fleetauth_provider_builtin("fleetup", FLEETAUTH_NTS, &provider, &err), &err);
  must(fleetauth_client_new(runtime, provider, options, &client, &err), &err);
  fleetauth_options_unref(options);
  fleetauth_provider_unref(provider);
  return client;
}

static struct world set_up_in(const char *mode) {
  struct world w = {0, NULL, NULL, NULL, NULL};
  fleetauth_error *err = NULL;
  w.handles_before = fleetauth_live_handles();
  must(fleetauth_clock_manual_new(START_MS, &w.clock, &err), &err);
  w.runtime = make_runtime(w.clock, mode);
  must(fleetauth_queue_new(w.runtime, FLEETAUTH_QUEUE_LOOP, &w.queue, &err), &err);
  w.client = make_client(w.runtime, "demo-secret");
  return w;
}

static struct world set_up(void) { return set_up_in("threaded"); }

static void tear_down(struct world *w) {
  fleetauth_client_unref(w->client);
  fleetauth_queue_unref(w->queue);
  fleetauth_runtime_unref(w->runtime);
  fleetauth_clock_unref(w->clock);
  CHECK_INT(w->handles_before, fleetauth_live_handles());
}

static fleetauth_op *start(struct world *w, const char *url, int64_t tag) {
  fleetauth_op *op = NULL;
  fleetauth_error *err = NULL;
  must(fleetauth_client_start(w->client, NULL, NULL, 0, url, url == NULL ? 0 : FLEETAUTH_NTS, w->queue, tag, &op, &err), &err);
  return op;
}

static fleetauth_event *next_event(fleetauth_queue *queue, int32_t kind) {
  fleetauth_event *event = NULL;
  fleetauth_error *err = NULL;
  must(fleetauth_queue_next(queue, 5000, &event, &err), &err);
  CHECK_INT(kind, fleetauth_event_kind(event));
  return event;
}

static void no_event(fleetauth_queue *queue) {
  fleetauth_event *event = NULL;
  CHECK_INT(FLEETAUTH_E_WOULD_BLOCK, fleetauth_queue_next(queue, 0, &event, NULL));
  CHECK(event == NULL);
}

static fleetauth_http_call *take_call(fleetauth_queue *queue) {
  fleetauth_event *event = next_event(queue, FLEETAUTH_EVENT_HTTP_CALL);
  fleetauth_http_call *call = NULL;
  fleetauth_error *err = NULL;
  must(fleetauth_event_http_call(event, &call, &err), &err);
  CHECK_INT(fleetauth_event_tag(event), fleetauth_http_call_id(call));
  fleetauth_event_unref(event);
  return call;
}

static void answer(fleetauth_http_call *call, int32_t http_status, const char *body) {
  fleetauth_error *err = NULL;
  must(fleetauth_http_call_add_header(call, "Content-Type", FLEETAUTH_NTS, "application/json", FLEETAUTH_NTS, &err), &err);
  must(fleetauth_http_call_append_body(call, (const uint8_t *)body, strlen(body), &err), &err);
  must(fleetauth_http_call_complete(call, http_status, &err), &err);
  fleetauth_http_call_unref(call);
}

static fleetauth_token *take_token(fleetauth_queue *queue, int64_t tag) {
  fleetauth_event *event = next_event(queue, FLEETAUTH_EVENT_TOKEN);
  fleetauth_token *token = NULL;
  fleetauth_error *err = NULL;
  CHECK_INT(tag, fleetauth_event_tag(event));
  must(fleetauth_event_token(event, &token, &err), &err);
  fleetauth_event_unref(event);
  return token;
}

static fleetauth_error *take_error(fleetauth_queue *queue, int64_t tag, fleetauth_status expected) {
  fleetauth_event *event = next_event(queue, FLEETAUTH_EVENT_TOKEN);
  fleetauth_token *token = NULL;
  fleetauth_error *err = NULL;
  CHECK_INT(tag, fleetauth_event_tag(event));
  CHECK_INT(expected, fleetauth_event_token(event, &token, &err));
  CHECK(token == NULL);
  CHECK_INT(expected, fleetauth_error_status(err));
  fleetauth_event_unref(event);
  return err;
}

/* The token "tok-1", fetched. */
static fleetauth_token *fetch(struct world *w, const char *url) {
  fleetauth_op_unref(start(w, url, 1));
  answer(take_call(w->queue), 200, "{\"token\":\"tok-1\"}");
  return take_token(w->queue, 1);
}

static void no_secret_in(fleetauth_error *err) {
  CHECK(strstr(fleetauth_error_message(err, NULL), "demo-secret") == NULL);
  CHECK(strstr(fleetauth_error_message(err, NULL), "demo-key") == NULL);
}

/* ---- tests */

TEST(the_library_tells_what_it_is) {
  size_t len = 0;
  CHECK_TEXT(FLEETAUTH_VERSION, fleetauth_version(&len));
  CHECK_INT((int64_t)strlen(FLEETAUTH_VERSION), (int64_t)len);
  CHECK(strstr(fleetauth_dependencies(NULL), "curl ") != NULL);
  CHECK_INT(1, fleetauth_has_feature("transport.host", FLEETAUTH_NTS));
  CHECK_INT(0, fleetauth_has_feature("transport.pigeon", FLEETAUTH_NTS));
  CHECK_TEXT("E_RATE_LIMITED", fleetauth_status_name(38, NULL));
  CHECK_TEXT("E_UNKNOWN", fleetauth_status_name(12345, NULL));
}

TEST(providers_are_listed_and_described) {
  const int64_t before = fleetauth_live_handles();
  fleetauth_provider *provider = NULL;
  fleetauth_error *err = NULL;
  CHECK_TEXT("fleet_engine", fleetauth_provider_builtin_name(0, NULL));
  int32_t count = 0;
  while (fleetauth_provider_builtin_name(count, NULL) != NULL) ++count;
  CHECK(count >= 10);
  CHECK(fleetauth_provider_builtin_name(-1, NULL) == NULL);
  must(fleetauth_provider_builtin("fleetup", FLEETAUTH_NTS, &provider, &err), &err);
  CHECK_TEXT("fleetup", fleetauth_provider_name(provider, NULL));
  CHECK(strstr(fleetauth_provider_description(provider, NULL), "\"acct_id\"") != NULL);
  fleetauth_provider_unref(provider);
  CHECK_INT(FLEETAUTH_E_DESCRIPTOR,
            fleetauth_provider_from_json("{\n\"descriptor\":1,\n\"nam\":1}", FLEETAUTH_NTS, "mine.json", FLEETAUTH_NTS, &provider, &err));
  CHECK(provider == NULL);
  CHECK(strstr(fleetauth_error_message(err, NULL), "mine.json:3: /nam") != NULL);
  fleetauth_error_unref(err);
  CHECK_INT(before, fleetauth_live_handles());
}

TEST(a_token_by_pulled_events) {
  struct world w = set_up();
  fleetauth_op_unref(start(&w, DEVICES, 42)); /* releasing does not cancel */
  fleetauth_http_call *call = take_call(w.queue);
  CHECK_TEXT("POST", fleetauth_http_call_method(call, NULL));
  CHECK_TEXT("https://api.fleetup.net/token", fleetauth_http_call_url(call, NULL));
  CHECK_INT(3, fleetauth_http_call_header_count(call));
  CHECK_TEXT("x-api-key", fleetauth_http_call_header_name(call, 0, NULL));
  CHECK_TEXT("demo-key", fleetauth_http_call_header_value(call, 0, NULL));
  CHECK(fleetauth_http_call_header_name(call, 99, NULL) == NULL);
  CHECK(fleetauth_http_call_header_value(call, -1, NULL) == NULL);
  size_t body_len = 0;
  const uint8_t *body = fleetauth_http_call_body(call, &body_len);
  CHECK_INT((int64_t)strlen("{\"acctId\":12345,\"secret\":\"demo-secret\"}"), (int64_t)body_len);
  CHECK(memcmp(body, "{\"acctId\":12345,\"secret\":\"demo-secret\"}", body_len) == 0);
  CHECK_INT(15000, fleetauth_http_call_timeout_ms(call));
  CHECK_INT(256 * 1024, fleetauth_http_call_max_body(call));
  CHECK_INT(0, fleetauth_http_call_one_shot(call));
  answer(call, 200, "{\"token\":\"tok-1\"}");

  fleetauth_token *token = take_token(w.queue, 42);
  size_t len = 0;
  CHECK(memcmp("tok-1", fleetauth_token_secret(token, &len), 5) == 0);
  CHECK_INT(5, (int64_t)len);
  CHECK_INT(FLEETAUTH_TOKEN_BEARER, fleetauth_token_kind(token));
  CHECK_TEXT("jwt", fleetauth_token_scheme(token, NULL));
  CHECK_INT(3600000, fleetauth_token_expires_in_ms(token));
  CHECK_INT(START_MS + 3600000, fleetauth_token_expires_at_ms(token));
  CHECK_INT(0, fleetauth_token_from_cache(token));
  CHECK_INT(2, fleetauth_token_header_count(token));
  CHECK_TEXT("Authorization", fleetauth_token_header_name(token, 0, NULL));
  CHECK_TEXT("Bearer tok-1", fleetauth_token_header_value(token, 0, NULL));
  CHECK(fleetauth_token_header_name(token, 2, NULL) == NULL);
  CHECK(fleetauth_token_header_value(token, INT32_MIN, NULL) == NULL);
  CHECK(strncmp("tok:", fleetauth_token_fingerprint(token, NULL), 4) == 0);
  fleetauth_token_unref(token);
  no_event(w.queue);
  tear_down(&w);
}

TEST(peek_answers_from_memory_at_once) {
  struct world w = set_up();
  fleetauth_token *token = NULL;
  fleetauth_error *err = NULL;
  CHECK_INT(FLEETAUTH_E_WOULD_BLOCK, fleetauth_client_peek(w.client, NULL, NULL, 0, NULL, 0, &token, &err));
  CHECK(token == NULL);
  CHECK_INT(1, fleetauth_error_retryable(err));
  fleetauth_error_unref(err);
  fleetauth_token_unref(fetch(&w, NULL));
  must(fleetauth_client_peek(w.client, NULL, "GET", FLEETAUTH_NTS, DEVICES, FLEETAUTH_NTS, &token, &err), &err);
  CHECK_INT(1, fleetauth_token_from_cache(token));
  CHECK_INT(2, fleetauth_token_header_count(token));
  fleetauth_token_unref(token);
  CHECK_INT(FLEETAUTH_E_FOREIGN_ORIGIN,
            fleetauth_client_peek(w.client, NULL, NULL, 0, "https://evil.example/", FLEETAUTH_NTS, &token, &err));
  CHECK_TEXT("fleetup", fleetauth_error_provider(err, NULL));
  CHECK_TEXT("", fleetauth_error_account(err, NULL));
  CHECK_INT(0, fleetauth_error_http_status(err));
  CHECK_INT(-1, fleetauth_error_retry_after_ms(err));
  fleetauth_error_unref(err);
  tear_down(&w);
}

TEST(a_handle_keeps_alive_what_it_came_from) {
  struct world w = set_up();
  fleetauth_token *token = fetch(&w, DEVICES);
  const int64_t before = w.handles_before;
  fleetauth_client_unref(w.client);
  fleetauth_queue_unref(w.queue);
  fleetauth_runtime_unref(w.runtime);
  fleetauth_clock_unref(w.clock);
  CHECK_TEXT("Bearer tok-1", fleetauth_token_header_value(token, 0, NULL));
  CHECK_INT(3600000, fleetauth_token_expires_in_ms(token));
  CHECK(fleetauth_token_ref(token) == token);
  fleetauth_token_unref(token);
  fleetauth_token_unref(token);
  CHECK_INT(before, fleetauth_live_handles());
}

TEST(P11_whoever_answers_a_call_may_release_all_else_first) {
  struct world w = set_up();
  const int64_t before = w.handles_before;
  fleetauth_op *op = start(&w, NULL, 1);
  fleetauth_http_call *call = take_call(w.queue);
  fleetauth_client_close(w.client);
  fleetauth_client_unref(w.client);
  fleetauth_op_unref(op);
  fleetauth_queue_unref(w.queue);
  fleetauth_runtime_unref(w.runtime);
  fleetauth_clock_unref(w.clock);
  CHECK_TEXT("POST", fleetauth_http_call_method(call, NULL));
  CHECK(fleetauth_http_call_timeout_ms(call) >= 0);
  CHECK_INT(FLEETAUTH_OK, fleetauth_http_call_append_body(call, (const uint8_t *)"{}", 2, NULL));
  CHECK_INT(FLEETAUTH_E_CLOSED, fleetauth_http_call_complete(call, 200, NULL));
  fleetauth_http_call_unref(call);
  CHECK_INT(before, fleetauth_live_handles());
}

#ifdef FLEETAUTH_CHECKED
TEST(P12_a_handle_of_another_type_is_refused) {
  struct world w = set_up();
  fleetauth_op *op = start(&w, NULL, 1);
  void *const handles[] = {w.clock, w.runtime, w.queue, w.client, op};
  for (size_t i = 0; i < sizeof handles / sizeof *handles; ++i) {
    fleetauth_token *token = NULL;
    fleetauth_error *err = NULL;
    if (handles[i] == w.client) continue;
    CHECK_INT(FLEETAUTH_E_INVALID_ARGUMENT, fleetauth_client_peek(handles[i], NULL, NULL, 0, NULL, 0, &token, &err));
    CHECK(strstr(fleetauth_error_message(err, NULL), "client is not a handle of this type") != NULL);
    fleetauth_error_unref(err);
    CHECK_INT(FLEETAUTH_E_INVALID_ARGUMENT, fleetauth_client_peek(w.client, handles[i], NULL, 0, NULL, 0, &token, NULL));
    fleetauth_client_close(handles[i]);
  }
  fleetauth_op_unref(op);
  answer(take_call(w.queue), 200, "{\"token\":\"tok-1\"}");
  fleetauth_token_unref(take_token(w.queue, 1));
  tear_down(&w);
}
#endif

TEST(R09_cancel_ends_the_operation_and_not_the_fetch) {
  struct world w = set_up();
  fleetauth_op *leaving = start(&w, NULL, 1);
  fleetauth_op_unref(start(&w, NULL, 2));
  fleetauth_http_call *call = take_call(w.queue);
  fleetauth_op_cancel(leaving);
  fleetauth_op_cancel(leaving);
  fleetauth_error_unref(take_error(w.queue, 1, FLEETAUTH_E_CANCELLED));
  answer(call, 200, "{\"token\":\"tok-1\"}");
  fleetauth_token_unref(take_token(w.queue, 2));
  fleetauth_op_cancel(leaving);
  fleetauth_op_unref(leaving);
  no_event(w.queue);
  tear_down(&w);
}

TEST(closing_the_client_ends_what_is_in_flight) {
  struct world w = set_up();
  fleetauth_op_unref(start(&w, NULL, 1));
  fleetauth_http_call *call = take_call(w.queue);
  fleetauth_client_close(w.client);
  fleetauth_error_unref(take_error(w.queue, 1, FLEETAUTH_E_CLOSED));
  fleetauth_event *event = next_event(w.queue, FLEETAUTH_EVENT_HTTP_CANCEL);
  CHECK_INT(fleetauth_http_call_id(call), fleetauth_event_tag(event));
  fleetauth_event_unref(event);
  CHECK_INT(FLEETAUTH_E_CLOSED, fleetauth_http_call_complete(call, 200, NULL));
  fleetauth_http_call_unref(call);
  fleetauth_token *token = NULL;
  fleetauth_op *op = NULL;
  CHECK_INT(FLEETAUTH_E_CLOSED, fleetauth_client_peek(w.client, NULL, NULL, 0, NULL, 0, &token, NULL));
  CHECK_INT(FLEETAUTH_E_CLOSED, fleetauth_client_token(w.client, NULL, NULL, 0, NULL, 0, &token, NULL));
  CHECK_INT(FLEETAUTH_E_CLOSED, fleetauth_client_start(w.client, NULL, NULL, 0, NULL, 0, w.queue, 1, &op, NULL));
  fleetauth_client_close(w.client);
  tear_down(&w);
}

TEST(P15_runtimes_may_be_closed_and_made_a_thousand_times) {
  const int64_t before = fleetauth_live_handles();
  for (int i = 0; i < 1000; ++i) {
    fleetauth_error *err = NULL;
    fleetauth_runtime *runtime = make_runtime(NULL, i % 2 == 0 ? "threaded" : "manual");
    must(fleetauth_runtime_close(runtime, 1000, &err), &err);
    must(fleetauth_runtime_close(runtime, 0, &err), &err);
    fleetauth_queue *queue = NULL;
    const fleetauth_status status = fleetauth_queue_new(runtime, FLEETAUTH_QUEUE_LOOP, &queue, NULL);
    CHECK(status == FLEETAUTH_OK || status == FLEETAUTH_E_CLOSED);
    fleetauth_queue_unref(queue);
    fleetauth_runtime_unref(runtime);
  }
  CHECK_INT(before, fleetauth_live_handles());
}

TEST(P15_a_closed_runtime_says_so) {
  struct world w = set_up();
  fleetauth_error *err = NULL;
  fleetauth_op_unref(start(&w, NULL, 1));
  must(fleetauth_runtime_close(w.runtime, 5000, &err), &err);
  fleetauth_event_unref(next_event(w.queue, FLEETAUTH_EVENT_HTTP_CALL));
  fleetauth_error_unref(take_error(w.queue, 1, FLEETAUTH_E_CLOSED));
  fleetauth_event_unref(next_event(w.queue, FLEETAUTH_EVENT_CLOSED));
  fleetauth_event *event = NULL;
  fleetauth_op *op = NULL;
  CHECK_INT(FLEETAUTH_E_CLOSED, fleetauth_queue_next(w.queue, -1, &event, NULL));
  CHECK_INT(FLEETAUTH_E_CLOSED, fleetauth_client_start(w.client, NULL, NULL, 0, NULL, 0, w.queue, 1, &op, NULL));
  tear_down(&w);
}

TEST(closing_a_queue_leaves_a_last_event) {
  struct world w = set_up();
  fleetauth_op_unref(start(&w, NULL, 1));
  fleetauth_queue_close(w.queue);
  fleetauth_event_unref(next_event(w.queue, FLEETAUTH_EVENT_HTTP_CALL));
  fleetauth_error_unref(take_error(w.queue, 1, FLEETAUTH_E_CANCELLED));
  fleetauth_event_unref(next_event(w.queue, FLEETAUTH_EVENT_CLOSED));
  fleetauth_event *event = NULL;
  CHECK_INT(FLEETAUTH_E_CLOSED, fleetauth_queue_next(w.queue, -1, &event, NULL));
  CHECK_INT(FLEETAUTH_E_CLOSED, fleetauth_queue_serve(w.queue, w.client, NULL));
  tear_down(&w);
}

TEST(H08_a_refused_token_is_replaced_once) {
  struct world w = set_up();
  fleetauth_token *first = fetch(&w, NULL);
  fleetauth_error *err = NULL;
  int32_t advice = 0;
  for (int i = 0; i < 100; ++i) {
    must(fleetauth_client_report_rejected(w.client, fleetauth_token_slot(first), fleetauth_token_generation(first), 401, NULL, 0, &advice,
                                          &err),
         &err);
    CHECK_INT(FLEETAUTH_ADVICE_RETRY, advice);
  }
  fleetauth_op_unref(start(&w, NULL, 2));
  answer(take_call(w.queue), 200, "{\"token\":\"tok-2\"}");
  fleetauth_token *second = take_token(w.queue, 2);
  CHECK(fleetauth_token_generation(second) > fleetauth_token_generation(first));
  CHECK_INT(fleetauth_token_slot(first), fleetauth_token_slot(second));
  must(fleetauth_client_report_rejected(w.client, fleetauth_token_slot(second), fleetauth_token_generation(second), 401, NULL, 0, &advice,
                                        &err),
       &err);
  CHECK_INT(FLEETAUTH_ADVICE_STOP, advice);
  must(fleetauth_client_report_rejected(w.client, -1, 0, 401, NULL, 0, &advice, &err), &err);
  CHECK_INT(FLEETAUTH_ADVICE_STOP, advice);
  CHECK_INT(FLEETAUTH_E_INVALID_ARGUMENT, fleetauth_client_report_rejected(w.client, 999999, 1, 401, NULL, 0, &advice, &err));
  fleetauth_error_unref(err);
  no_event(w.queue);
  fleetauth_token_unref(first);
  fleetauth_token_unref(second);
  tear_down(&w);
}

TEST(the_generation_word_changes_when_headers_must_be_asked_for_again) {
  struct world w = set_up();
  fleetauth_token *token = fetch(&w, DEVICES);
  fleetauth_error *err = NULL;
  const int64_t slot = fleetauth_token_slot(token);
  size_t len = 0;
  const int32_t *words = (const int32_t *)(const void *)fleetauth_slot_words(slot / 1024, &len);
  CHECK_INT(1024 * (int64_t)sizeof(int32_t), (int64_t)len);
  const int32_t word = fleetauth_token_word(token);
  CHECK(word != 0);
  CHECK_INT(word, __atomic_load_n(&words[slot % 1024], __ATOMIC_ACQUIRE));
  must(fleetauth_clock_advance(w.clock, 3000000, &err), &err);
  CHECK_INT(word, __atomic_load_n(&words[slot % 1024], __ATOMIC_ACQUIRE));
  must(fleetauth_clock_advance(w.clock, 400000, &err), &err); /* stale */
  CHECK(word != __atomic_load_n(&words[slot % 1024], __ATOMIC_ACQUIRE));
  CHECK(fleetauth_slot_words(-1, NULL) == NULL);
  CHECK(fleetauth_slot_words(1 << 20, NULL) == NULL);
  fleetauth_token_unref(token);
  tear_down(&w);
}

TEST(slot_copy_fills_the_callers_buffer) {
  struct world w = set_up();
  fleetauth_token *token = fetch(&w, NULL);
  const int64_t slot = fleetauth_token_slot(token);
  uint8_t buffer[16];
  size_t len = 0;
  int64_t generation = 0;
  memset(buffer, '#', sizeof buffer);
  CHECK_INT(FLEETAUTH_OK, fleetauth_slot_copy(w.client, slot, buffer, sizeof buffer, &len, &generation));
  CHECK_INT(5, (int64_t)len);
  CHECK(memcmp("tok-1#", buffer, 6) == 0);
  CHECK_INT(fleetauth_token_generation(token), generation);
  len = 0;
  CHECK_INT(FLEETAUTH_E_INVALID_ARGUMENT, fleetauth_slot_copy(w.client, slot, buffer, 4, &len, &generation));
  CHECK_INT(5, (int64_t)len);
  CHECK_INT(FLEETAUTH_E_INVALID_ARGUMENT, fleetauth_slot_copy(w.client, 999999, buffer, sizeof buffer, &len, &generation));
  CHECK_INT(FLEETAUTH_E_INVALID_ARGUMENT, fleetauth_slot_copy(w.client, -1, buffer, sizeof buffer, &len, &generation));
  fleetauth_client *other = make_client(w.runtime, "another-secret");
  CHECK_INT(FLEETAUTH_E_INVALID_ARGUMENT, fleetauth_slot_copy(other, slot, buffer, sizeof buffer, &len, &generation));
  fleetauth_client_unref(other);
  CHECK_INT(FLEETAUTH_OK, fleetauth_clock_advance(w.clock, 3600000, NULL));
  CHECK_INT(FLEETAUTH_E_WOULD_BLOCK, fleetauth_slot_copy(w.client, slot, buffer, sizeof buffer, &len, &generation));
  fleetauth_token_unref(token);
  tear_down(&w);
}

TEST(an_observer_hears_what_happens_and_counters_count_it) {
  struct world w = set_up();
  fleetauth_queue *observer = NULL;
  fleetauth_error *err = NULL;
  must(fleetauth_queue_new(w.runtime, FLEETAUTH_QUEUE_LOOP, &observer, &err), &err);
  must(fleetauth_queue_observe(observer, &err), &err);
  must(fleetauth_queue_observe(observer, &err), &err); /* once is enough */
  fleetauth_token_unref(fetch(&w, NULL));
  const char *const expected[] = {"{\"event\":\"request\",", "{\"event\":\"login\","};
  for (size_t i = 0; i < 2; ++i) {
    fleetauth_event *event = next_event(observer, FLEETAUTH_EVENT_NOTICE);
    size_t len = 0;
    const char *notice = fleetauth_event_notice(event, &len);
    CHECK_INT((int64_t)strlen(notice), (int64_t)len);
    CHECK(strncmp(expected[i], notice, strlen(expected[i])) == 0);
    CHECK(strstr(notice, "tok-1") == NULL);
    CHECK(strstr(notice, "demo-") == NULL);
    fleetauth_event_unref(event);
  }
  no_event(observer);
  fleetauth_blob *counters = NULL;
  must(fleetauth_runtime_counters(w.runtime, &counters, &err), &err);
  size_t len = 0;
  const char *text = (const char *)fleetauth_blob_bytes(counters, &len);
  CHECK(strncmp("{\"login\":1,\"refresh\":0,", text, strlen("{\"login\":1,\"refresh\":0,")) == 0);
  CHECK(text[len - 1] == '}');
  fleetauth_blob_unref(counters);

  fleetauth_queue_close(observer);
  CHECK_INT(FLEETAUTH_E_CLOSED, fleetauth_queue_observe(observer, NULL));
  fleetauth_event *closed = next_event(observer, FLEETAUTH_EVENT_CLOSED);
  CHECK(fleetauth_event_notice(closed, NULL) == NULL);
  fleetauth_event_unref(closed);
  fleetauth_queue_unref(observer);
  tear_down(&w);
}

TEST(a_responder_answers_once) {
  struct world w = set_up();
  fleetauth_op_unref(start(&w, NULL, 1));
  fleetauth_event *event = next_event(w.queue, FLEETAUTH_EVENT_HTTP_CALL);
  fleetauth_http_call *call = NULL;
  fleetauth_http_call *again = NULL;
  fleetauth_error *err = NULL;
  must(fleetauth_event_http_call(event, &call, &err), &err);
  CHECK_INT(FLEETAUTH_E_CLOSED, fleetauth_event_http_call(event, &again, NULL));
  CHECK(again == NULL);
  fleetauth_token *token = NULL;
  CHECK_INT(FLEETAUTH_E_INVALID_ARGUMENT, fleetauth_event_token(event, &token, NULL));
  fleetauth_event_unref(event);
  CHECK_INT(FLEETAUTH_E_INVALID_ARGUMENT, fleetauth_http_call_complete(call, 99, NULL));
  CHECK_INT(FLEETAUTH_E_INVALID_ARGUMENT, fleetauth_http_call_complete(call, 600, NULL));
  CHECK_INT(FLEETAUTH_E_INVALID_ARGUMENT, fleetauth_http_call_fail(call, FLEETAUTH_OK, NULL, 0, 0, NULL));
  CHECK_INT(FLEETAUTH_E_INVALID_ARGUMENT, fleetauth_http_call_fail(call, FLEETAUTH_E_RATE_LIMITED, NULL, 0, 0, NULL));
  must(fleetauth_http_call_fail(call, FLEETAUTH_E_CALLBACK, "ValueError", FLEETAUTH_NTS, 77, &err), &err);
  CHECK_INT(FLEETAUTH_E_CLOSED, fleetauth_http_call_complete(call, 200, NULL));
  CHECK_INT(FLEETAUTH_E_CLOSED, fleetauth_http_call_fail(call, FLEETAUTH_E_CALLBACK, NULL, 0, 0, NULL));
  fleetauth_http_call_unref(call);
  fleetauth_error *failed = take_error(w.queue, 1, FLEETAUTH_E_CALLBACK);
  CHECK_INT(77, fleetauth_error_user_error(failed));
  CHECK(strstr(fleetauth_error_message(failed, NULL), "ValueError") != NULL);
  fleetauth_error_unref(failed);
  tear_down(&w);
}

TEST(a_released_responder_has_failed) {
  struct world w = set_up();
  fleetauth_op_unref(start(&w, NULL, 1));
  fleetauth_http_call_unref(take_call(w.queue));
  fleetauth_error_unref(take_error(w.queue, 1, FLEETAUTH_E_CALLBACK));
  tear_down(&w);
}

TEST(a_call_nobody_takes_goes_to_another_queue_or_fails_at_once) {
  struct world w = set_up();
  fleetauth_queue *other = NULL;
  fleetauth_error *err = NULL;
  must(fleetauth_queue_new(w.runtime, FLEETAUTH_QUEUE_LOOP, &other, &err), &err);
  must(fleetauth_queue_serve(other, w.client, &err), &err);
  fleetauth_op_unref(start(&w, NULL, 1));
  fleetauth_event_unref(next_event(w.queue, FLEETAUTH_EVENT_HTTP_CALL));
  answer(take_call(other), 200, "{\"token\":\"tok-1\"}");
  fleetauth_token_unref(take_token(w.queue, 1));

  must(fleetauth_clock_advance(w.clock, 24 * 3600 * 1000, &err), &err);
  fleetauth_op_unref(start(&w, NULL, 2));
  fleetauth_event_unref(next_event(w.queue, FLEETAUTH_EVENT_HTTP_CALL));
  fleetauth_event_unref(next_event(other, FLEETAUTH_EVENT_HTTP_CALL));
  no_event(other);
  fleetauth_error_unref(take_error(w.queue, 2, FLEETAUTH_E_CALLBACK));
  fleetauth_queue_unref(other);
  tear_down(&w);
}

TEST(N18_what_is_too_large_is_refused_while_it_is_read) {
  struct world w = set_up();
  static uint8_t chunk[64 * 1024];
  fleetauth_op_unref(start(&w, NULL, 1));
  fleetauth_http_call *call = take_call(w.queue);
  for (int i = 0; i < 4; ++i) CHECK_INT(FLEETAUTH_OK, fleetauth_http_call_append_body(call, chunk, sizeof chunk, NULL));
  CHECK_INT(FLEETAUTH_E_TOO_LARGE, fleetauth_http_call_append_body(call, chunk, 1, NULL));
  CHECK_INT(FLEETAUTH_OK, fleetauth_http_call_fail(call, FLEETAUTH_E_TOO_LARGE, NULL, 0, 0, NULL));
  fleetauth_http_call_unref(call);
  fleetauth_error_unref(take_error(w.queue, 1, FLEETAUTH_E_TOO_LARGE));
  tear_down(&w);
}

TEST(H06_a_refusal_says_what_to_do_and_shows_no_secret) {
  struct world w = set_up();
  fleetauth_op_unref(start(&w, NULL, 1));
  answer(take_call(w.queue), 401, "{\"message\":\"demo-secret\"}");
  fleetauth_error *err = take_error(w.queue, 1, FLEETAUTH_E_INVALID_CREDENTIALS);
  CHECK_INT(401, fleetauth_error_http_status(err));
  CHECK_TEXT("fleetup", fleetauth_error_provider(err, NULL));
  CHECK_TEXT("", fleetauth_error_provider_code(err, NULL));
  CHECK_INT(0, fleetauth_error_in_doubt(err));
  CHECK(strstr(fleetauth_error_message(err, NULL), "check api_key, acct_id and secret") != NULL);
  no_secret_in(err);
  fleetauth_error_unref(err);
  tear_down(&w);
}

TEST(a_synchronous_call_needs_a_transport_of_the_librarys) {
  struct world w = set_up();
  fleetauth_token *token = NULL;
  fleetauth_error *err = NULL;
  CHECK_INT(FLEETAUTH_E_UNSUPPORTED, fleetauth_client_token(w.client, NULL, NULL, 0, NULL, 0, &token, &err));
  fleetauth_error_unref(err);
  fleetauth_token_unref(fetch(&w, NULL));
  must(fleetauth_client_token(w.client, NULL, NULL, 0, DEVICES, FLEETAUTH_NTS, &token, &err), &err); /* from memory it works */
  CHECK_INT(2, fleetauth_token_header_count(token));
  fleetauth_token_unref(token);
  tear_down(&w);
}

TEST(P10_waiting_for_an_answer_that_this_thread_owes_is_refused) {
  struct world w = set_up();
  fleetauth_queue *own = NULL;
  fleetauth_op *op = NULL;
  fleetauth_error *err = NULL;
  must(fleetauth_queue_new(w.runtime, FLEETAUTH_QUEUE_SYNC, &own, &err), &err);
  fleetauth_op_unref(start(&w, NULL, 1));
  fleetauth_http_call *call = take_call(w.queue);
  CHECK_INT(FLEETAUTH_E_REENTRANT, fleetauth_client_start(w.client, NULL, NULL, 0, NULL, 0, own, 2, &op, NULL));
  CHECK(op == NULL);
  answer(call, 200, "{\"token\":\"tok-1\"}");
  fleetauth_token_unref(take_token(w.queue, 1));
  fleetauth_queue_unref(own);
  tear_down(&w);
}

TEST(P10_whoever_owes_an_answer_may_do_all_else) {
  struct world w = set_up();
  fleetauth_queue *own = NULL;
  fleetauth_client *other = make_client(w.runtime, "another-secret");
  fleetauth_op *op = NULL;
  fleetauth_token *token = NULL;
  fleetauth_error *err = NULL;
  must(fleetauth_queue_new(w.runtime, FLEETAUTH_QUEUE_SYNC, &own, &err), &err);
  fleetauth_op_unref(start(&w, NULL, 1));
  fleetauth_http_call *call = take_call(w.queue);
  CHECK_INT(FLEETAUTH_E_WOULD_BLOCK, fleetauth_client_peek(w.client, NULL, NULL, 0, NULL, 0, &token, NULL));
  op = start(&w, NULL, 2);
  fleetauth_op_cancel(op);
  fleetauth_op_unref(op);
  fleetauth_error_unref(take_error(w.queue, 2, FLEETAUTH_E_CANCELLED));
  /* What it owes is of no concern to another fetch. */
  must(fleetauth_client_start(other, NULL, NULL, 0, NULL, 0, own, 3, &op, &err), &err);
  fleetauth_op_unref(op);
  answer(take_call(own), 200, "{\"token\":\"tok-3\"}");
  fleetauth_token_unref(take_token(own, 3));
  fleetauth_client_close(w.client);
  fleetauth_error_unref(take_error(w.queue, 1, FLEETAUTH_E_CLOSED));
  CHECK_INT(FLEETAUTH_E_CLOSED, fleetauth_http_call_complete(call, 200, NULL));
  fleetauth_http_call_unref(call);
  fleetauth_client_unref(other);
  fleetauth_queue_unref(own);
  tear_down(&w);
}

TEST(a_request_belongs_to_its_client) {
  struct world w = set_up();
  const char *const pairs[] = {"min_remaining_ms", "60000", NULL};
  fleetauth_options *options = make_options(pairs);
  fleetauth_client *other = make_client(w.runtime, "another-secret");
  fleetauth_request *request = NULL;
  fleetauth_token *token = NULL;
  fleetauth_op *op = NULL;
  fleetauth_error *err = NULL;
  must(fleetauth_request_new(w.client, options, &request, &err), &err);
  CHECK_INT(FLEETAUTH_E_INVALID_ARGUMENT, fleetauth_client_peek(other, request, NULL, 0, NULL, 0, &token, NULL));
  CHECK_INT(FLEETAUTH_E_INVALID_ARGUMENT, fleetauth_client_start(other, request, NULL, 0, NULL, 0, w.queue, 1, &op, NULL));
  CHECK_INT(FLEETAUTH_E_INVALID_ARGUMENT, fleetauth_client_token(other, request, NULL, 0, NULL, 0, &token, NULL));
  fleetauth_request_unref(request);
  fleetauth_options_unref(options);
  fleetauth_client_unref(other);
  tear_down(&w);
}

TEST(a_queue_belongs_to_its_runtime) {
  struct world w = set_up();
  fleetauth_runtime *runtime = make_runtime(NULL, "threaded");
  fleetauth_queue *queue = NULL;
  fleetauth_op *op = NULL;
  fleetauth_error *err = NULL;
  must(fleetauth_queue_new(runtime, FLEETAUTH_QUEUE_LOOP, &queue, &err), &err);
  CHECK_INT(FLEETAUTH_E_INVALID_ARGUMENT, fleetauth_client_start(w.client, NULL, NULL, 0, NULL, 0, queue, 1, &op, NULL));
  CHECK_INT(FLEETAUTH_E_INVALID_ARGUMENT, fleetauth_queue_serve(queue, w.client, NULL));
  fleetauth_queue_unref(queue);
  fleetauth_runtime_unref(runtime);
  tear_down(&w);
}

static void count_wakeup(void *user_data) { __atomic_fetch_add((int *)user_data, 1, __ATOMIC_RELAXED); }

TEST(a_wakeup_is_called_when_the_queue_fills) {
  struct world w = set_up();
  int wakeups = 0;
  CHECK_INT(FLEETAUTH_OK, fleetauth_queue_set_wakeup(w.queue, count_wakeup, &wakeups));
  CHECK(fleetauth_queue_wakeup_fd(w.queue) >= 0);
  fleetauth_op_unref(start(&w, NULL, 1));
  CHECK_INT(1, wakeups);
  answer(take_call(w.queue), 200, "{\"token\":\"tok-1\"}");
  CHECK_INT(2, wakeups);
  CHECK_INT(FLEETAUTH_OK, fleetauth_queue_set_wakeup(w.queue, NULL, NULL));
  fleetauth_token_unref(take_token(w.queue, 1));
  fleetauth_op_unref(start(&w, NULL, 2));
  CHECK_INT(2, wakeups);
  fleetauth_token_unref(take_token(w.queue, 2));
  tear_down(&w);
}

TEST(manual_mode_needs_no_thread) {
  struct world w = set_up_in("manual");
  fleetauth_token *token = fetch(&w, DEVICES);
  CHECK_INT(0, fleetauth_token_word(token)); /* headers may not be kept: nobody would change the word */
  fleetauth_token_unref(token);
  CHECK_INT(FLEETAUTH_OK, fleetauth_clock_advance(w.clock, 3600000, NULL));
  CHECK_INT(FLEETAUTH_E_WOULD_BLOCK, fleetauth_client_peek(w.client, NULL, NULL, 0, NULL, 0, &token, NULL));
  fleetauth_op_unref(start(&w, NULL, 1));
  fleetauth_http_call *call = take_call(w.queue);
  CHECK_INT(FLEETAUTH_OK, fleetauth_clock_advance(w.clock, 15000, NULL));
  fleetauth_event_unref(next_event(w.queue, FLEETAUTH_EVENT_HTTP_CANCEL));
  fleetauth_http_call_unref(call);
  tear_down(&w);
}

TEST(the_shared_runtime_is_one) {
  const int64_t before = fleetauth_live_handles();
  fleetauth_runtime *first = NULL;
  fleetauth_runtime *second = NULL;
  fleetauth_error *err = NULL;
  must(fleetauth_runtime_shared(&first, &err), &err);
  must(fleetauth_runtime_shared(&second, &err), &err);
  fleetauth_client *one = make_client(first, "demo-secret");
  fleetauth_client *two = make_client(second, "demo-secret");
  fleetauth_queue *queue = NULL;
  fleetauth_token *token = NULL;
  must(fleetauth_queue_new(second, FLEETAUTH_QUEUE_LOOP, &queue, &err), &err);
  struct world w = {0, NULL, second, queue, one};
  fleetauth_token_unref(fetch(&w, NULL));
  must(fleetauth_client_peek(two, NULL, NULL, 0, NULL, 0, &token, &err), &err); /* equal configuration, one token */
  fleetauth_token_unref(token);
  fleetauth_client_unref(one);
  fleetauth_client_unref(two);
  fleetauth_queue_unref(queue);
  fleetauth_runtime_unref(first);
  fleetauth_runtime_unref(second);
  CHECK_INT(before, fleetauth_live_handles());
}

TEST(options_last_value_wins_and_is_checked_where_it_is_used) {
  const int64_t before = fleetauth_live_handles();
  const char *const pairs[] = {"idle_ms", "never", "idle_ms", "10", NULL};
  fleetauth_options *options = make_options(pairs);
  fleetauth_runtime *runtime = NULL;
  fleetauth_error *err = NULL;
  must(fleetauth_runtime_new(options, NULL, &runtime, &err), &err);
  fleetauth_runtime_unref(runtime);
  must(fleetauth_options_set_i64(options, "idle_ms", FLEETAUTH_NTS, -1, &err), &err);
  CHECK_INT(FLEETAUTH_E_CONFIG, fleetauth_runtime_new(options, NULL, &runtime, &err));
  CHECK(strstr(fleetauth_error_message(err, NULL), "idle_ms must be a whole number from 0 to 3600000") != NULL);
  fleetauth_error_unref(err);
  fleetauth_options_unref(options);
  CHECK_INT(before, fleetauth_live_handles());
}

TEST(methods_that_are_none_are_refused) {
  struct world w = set_up();
  fleetauth_token_unref(fetch(&w, DEVICES));
  const char *const bad[] = {"", "GET /x HTTP/1.1\r\nX-Evil: 1\r\nQ", "G T", "AMETHODTHATISLONGERTHANANYOFHTTPIS"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; ++i) {
    fleetauth_token *token = NULL;
    CHECK_INT(FLEETAUTH_E_INVALID_ARGUMENT,
              fleetauth_client_peek(w.client, NULL, bad[i], FLEETAUTH_NTS, DEVICES, FLEETAUTH_NTS, &token, NULL));
    CHECK(token == NULL);
  }
  tear_down(&w);
}

TEST(P18_arguments_out_of_range_are_refused) {
  CHECK_INT(-1, fleetauth_queue_wakeup_fd(NULL));
  CHECK_INT(-1, fleetauth_token_slot(NULL));
  CHECK_INT(-1, fleetauth_token_expires_in_ms(NULL));
  CHECK_INT(-1, fleetauth_error_retry_after_ms(NULL));
  struct world w = set_up();
  fleetauth_queue *queue = NULL;
  fleetauth_event *event = NULL;
  fleetauth_token *token = NULL;
  fleetauth_clock *clock = NULL;
  fleetauth_options *options = NULL;
  const uint8_t byte = 0;
  const fleetauth_status bad = FLEETAUTH_E_INVALID_ARGUMENT;
  CHECK_INT(bad, fleetauth_queue_new(w.runtime, 2, &queue, NULL));
  CHECK_INT(bad, fleetauth_queue_new(w.runtime, -1, &queue, NULL));
  CHECK_INT(bad, fleetauth_queue_next(w.queue, -2, &event, NULL));
  CHECK_INT(bad, fleetauth_queue_next(w.queue, INT64_MIN, &event, NULL));
  CHECK_INT(bad, fleetauth_runtime_close(w.runtime, -1, NULL));
  CHECK_INT(bad, fleetauth_clock_manual_new(-1, &clock, NULL));
  CHECK_INT(bad, fleetauth_clock_manual_new(INT64_MAX, &clock, NULL));
  CHECK_INT(bad, fleetauth_clock_advance(w.clock, INT64_MAX, NULL));
  CHECK_INT(bad, fleetauth_clock_step_wall(w.clock, INT64_MAX, NULL));
  CHECK_INT(bad, fleetauth_clock_step_wall(w.clock, INT64_MIN, NULL));
  CHECK_INT(bad, fleetauth_clock_advance(w.clock, -1, NULL));
  CHECK_INT(bad, fleetauth_client_peek(w.client, NULL, NULL, 0, "\xff", 1, &token, NULL));
  CHECK_INT(bad, fleetauth_client_peek(w.client, NULL, NULL, 0, "x", SIZE_MAX - 1, &token, NULL));
  CHECK_INT(FLEETAUTH_OK, fleetauth_options_new(&options, NULL));
  CHECK_INT(bad, fleetauth_options_set_text(options, "", FLEETAUTH_NTS, "x", FLEETAUTH_NTS, NULL));
  CHECK_INT(bad, fleetauth_options_set_text(options, "n", FLEETAUTH_NTS, NULL, 3, NULL));
  CHECK_INT(bad, fleetauth_options_set_bytes(options, "n", FLEETAUTH_NTS, NULL, 3, NULL));
  CHECK_INT(bad, fleetauth_options_set_bytes(options, "n", FLEETAUTH_NTS, &byte, SIZE_MAX, NULL));
  fleetauth_options_unref(options);
  /* The longest wait is one, and ends when something comes. */
  fleetauth_op_unref(start(&w, NULL, 1));
  CHECK_INT(FLEETAUTH_OK, fleetauth_queue_next(w.queue, INT64_MAX, &event, NULL));
  fleetauth_event_unref(event);
  CHECK_INT(FLEETAUTH_OK, fleetauth_runtime_close(w.runtime, INT64_MAX, NULL));
  tear_down(&w);
}

#define CASE(name) \
  { #name, name }
static const struct check_case cases[] = {
    CASE(the_library_tells_what_it_is),
    CASE(providers_are_listed_and_described),
    CASE(a_token_by_pulled_events),
    CASE(peek_answers_from_memory_at_once),
    CASE(a_handle_keeps_alive_what_it_came_from),
    CASE(P11_whoever_answers_a_call_may_release_all_else_first),
#ifdef FLEETAUTH_CHECKED
    CASE(P12_a_handle_of_another_type_is_refused),
#endif
    CASE(R09_cancel_ends_the_operation_and_not_the_fetch),
    CASE(closing_the_client_ends_what_is_in_flight),
    CASE(P15_runtimes_may_be_closed_and_made_a_thousand_times),
    CASE(P15_a_closed_runtime_says_so),
    CASE(closing_a_queue_leaves_a_last_event),
    CASE(H08_a_refused_token_is_replaced_once),
    CASE(the_generation_word_changes_when_headers_must_be_asked_for_again),
    CASE(slot_copy_fills_the_callers_buffer),
    CASE(an_observer_hears_what_happens_and_counters_count_it),
    CASE(a_responder_answers_once),
    CASE(a_released_responder_has_failed),
    CASE(a_call_nobody_takes_goes_to_another_queue_or_fails_at_once),
    CASE(N18_what_is_too_large_is_refused_while_it_is_read),
    CASE(H06_a_refusal_says_what_to_do_and_shows_no_secret),
    CASE(a_synchronous_call_needs_a_transport_of_the_librarys),
    CASE(P10_waiting_for_an_answer_that_this_thread_owes_is_refused),
    CASE(P10_whoever_owes_an_answer_may_do_all_else),
    CASE(a_request_belongs_to_its_client),
    CASE(a_queue_belongs_to_its_runtime),
    CASE(a_wakeup_is_called_when_the_queue_fills),
    CASE(manual_mode_needs_no_thread),
    CASE(the_shared_runtime_is_one),
    CASE(options_last_value_wins_and_is_checked_where_it_is_used),
    CASE(methods_that_are_none_are_refused),
    CASE(P18_arguments_out_of_range_are_refused),
};

int main(void) {
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    printf("%s\n", cases[i].name);
    fflush(stdout);
    cases[i].run();
  }
  return 0;
}
