#include "core/base/os/socket.h"

#include <sys/socket.h>

#include <cerrno>

namespace fleetauth::os {

int open_socket(int family, int type, int protocol, bool &no_descriptors) noexcept {
  const int fd = socket(family, type | SOCK_CLOEXEC, protocol);
  no_descriptors = fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM);
  return fd;
}

void close_descriptor(int fd) noexcept { Descriptor(fd).reset(); }

}  // namespace fleetauth::os
