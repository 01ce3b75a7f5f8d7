// Included before every source of libcurl by scripts/deps.sh: its socket pairs are closed on exec like everything else here.
#ifdef BUILDING_LIBCURL
#include <sys/socket.h>
static inline int fleetauth_socketpair(int domain, int type, int protocol, int pair[2]) {
  return socketpair(domain, type | SOCK_CLOEXEC, protocol, pair);
}
#define socketpair fleetauth_socketpair
#endif
