// Included before every source of libcurl by scripts/deps.sh.
#ifdef BUILDING_LIBCURL
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

// Its socket pairs are closed on exec like everything else here.
static inline int fleetauth_socketpair(int domain, int type, int protocol, int pair[2]) {
  return socketpair(domain, type | SOCK_CLOEXEC, protocol, pair);
}
#define socketpair fleetauth_socketpair

// Its resolver threads never run a program's signal handlers.
static inline int fleetauth_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument) {
  sigset_t blocked, before;
  sigfillset(&blocked);
  sigdelset(&blocked, SIGSEGV);
  sigdelset(&blocked, SIGBUS);
  sigdelset(&blocked, SIGFPE);
  sigdelset(&blocked, SIGILL);
  sigdelset(&blocked, SIGABRT);
  sigdelset(&blocked, SIGTRAP);
  pthread_sigmask(SIG_SETMASK, &blocked, &before);
  const int code = pthread_create(thread, attributes, start, argument);
  pthread_sigmask(SIG_SETMASK, &before, 0);
  return code;
}
#define pthread_create fleetauth_pthread_create

// It does not tell why a name could not be resolved: core/net/lookup.cpp notes that. Weak, since this libcurl also works without the core.
extern int fleetauth_look_up(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **result)
    __attribute__((weak));
#define getaddrinfo(name, service, hints, result) \
  (fleetauth_look_up != 0 ? fleetauth_look_up(name, service, hints, result) : getaddrinfo(name, service, hints, result))
#endif
