/* Compiled only, as C99 and as C++: the header stands alone, may be included twice and promises what it says. */
#include "fleetauth/fleetauth.h"

typedef char a_status_is_32_bits[sizeof(fleetauth_status) == 4 ? 1 : -1];
typedef char nts_is_the_largest_size[(FLEETAUTH_NTS > 0 && FLEETAUTH_NTS + 1 == 0) ? 1 : -1];
typedef char ok_is_zero[FLEETAUTH_OK == 0 ? 1 : -1];
typedef char the_version_is_text[sizeof(FLEETAUTH_VERSION) >= sizeof("0.0.0") ? 1 : -1];

static void signal_only(void *user_data) { (void)user_data; }

fleetauth_status use_it(fleetauth_queue *queue, fleetauth_error **err);

fleetauth_status use_it(fleetauth_queue *queue, fleetauth_error **err) {
  fleetauth_event *event = NULL;
  fleetauth_status status = fleetauth_queue_set_wakeup(queue, signal_only, NULL);
  if (status == FLEETAUTH_OK) status = fleetauth_queue_next(queue, 0, &event, err);
  fleetauth_event_unref(event);
  return status;
}
