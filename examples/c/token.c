/* Headers for a URL, twice: synchronously, and by pulled events as an event loop does it.
 *
 *   token PROVIDER URL [name=value | name=@VARIABLE]...     @ takes the value from the environment: the way for secrets
 */
#include <fleetauth/fleetauth.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(fleetauth_status status, fleetauth_error *const *err) {
  if (status == FLEETAUTH_OK) return;
  fprintf(stderr, "%s: %s\n", fleetauth_status_name(status, NULL), fleetauth_error_message(*err, NULL));
  exit(1);
}

static void print(const char *how, fleetauth_token *token) {
  printf("%s: %s (%s), %lld s left, headers:", how, fleetauth_token_fingerprint(token, NULL), fleetauth_token_scheme(token, NULL),
         (long long)fleetauth_token_expires_in_ms(token) / 1000);
  for (int32_t i = 0; i < fleetauth_token_header_count(token); ++i) printf(" %s", fleetauth_token_header_name(token, i, NULL));
  printf("\n");
  fleetauth_token_unref(token);
}

int main(int argc, char **argv) {
  fleetauth_error *err = NULL;
  fleetauth_options *options = NULL;
  fleetauth_provider *provider = NULL;
  fleetauth_runtime *runtime = NULL;
  fleetauth_client *client = NULL;
  fleetauth_queue *queue = NULL;
  fleetauth_op *op = NULL;
  fleetauth_event *event = NULL;
  fleetauth_token *token = NULL;
  if (argc < 3) return fprintf(stderr, "usage: %s PROVIDER URL [name=value]...\n", argv[0]), 2;

  check(fleetauth_options_new(&options, &err), &err);
  for (int i = 3; i < argc; ++i) {
    const char *equals = strchr(argv[i], '=');
    const char *value = equals == NULL ? NULL : equals[1] == '@' ? getenv(equals + 2) : equals + 1;
    if (value == NULL) return fprintf(stderr, "%s is not name=value, or its variable is not set\n", argv[i]), 2;
    check(fleetauth_options_set_text(options, argv[i], (size_t)(equals - argv[i]), value, FLEETAUTH_NTS, &err), &err);
  }
  check(fleetauth_provider_builtin(argv[1], FLEETAUTH_NTS, &provider, &err), &err);
  check(fleetauth_runtime_shared(&runtime, &err), &err);
  check(fleetauth_client_new(runtime, provider, options, &client, &err), &err);

  check(fleetauth_client_token(client, NULL, "GET", FLEETAUTH_NTS, argv[2], FLEETAUTH_NTS, &token, &err), &err);
  print("synchronous", token);

  check(fleetauth_queue_new(runtime, FLEETAUTH_QUEUE_LOOP, &queue, &err), &err);
  check(fleetauth_client_start(client, NULL, "GET", FLEETAUTH_NTS, argv[2], FLEETAUTH_NTS, queue, 1, &op, &err), &err);
  check(fleetauth_queue_next(queue, -1, &event, &err), &err);
  check(fleetauth_event_token(event, &token, &err), &err);
  print("pulled", token);

  fleetauth_event_unref(event), fleetauth_op_unref(op), fleetauth_queue_unref(queue), fleetauth_client_unref(client);
  fleetauth_runtime_unref(runtime), fleetauth_provider_unref(provider), fleetauth_options_unref(options);
  return fleetauth_live_handles() == 0 ? 0 : 1;
}
