#include "core/base/os/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "core/base/os/descriptor.h"
#include "core/base/redact.h"

namespace fleetauth::os {
namespace {

ErrorPtr unreadable(const std::string &path, const std::string &why) {
  return fail(Status::Config, "cannot read " + redact::printable(path) + ": " + why);
}

ErrorPtr unreadable(const std::string &path, int error) { return unreadable(path, std::generic_category().message(error)); }

}  // namespace

Result<SecretBytes> read_file(const std::string &path, std::size_t max_size) {
  if (path.find('\0') != std::string::npos) return unreadable(path, "a path holds no NUL");
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!file) return unreadable(path, errno);
  struct stat about {};
  if (::fstat(file.get(), &about) == 0 && S_ISDIR(about.st_mode)) return unreadable(path, EISDIR);

  SecretBytes buffer(std::string(max_size + 1, '\0'));
  SecretBytes out;
  out.reserve(max_size);
  for (;;) {
    const ssize_t got = ::read(file.get(), const_cast<char *>(buffer.c_str()), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return unreadable(path, errno);
    if (got == 0) return out;
    if (out.size() + static_cast<std::size_t>(got) > max_size)
      return unreadable(path, "it is above " + std::to_string(max_size) + " bytes");
    out.append(buffer.view().substr(0, static_cast<std::size_t>(got)));
  }
}

}  // namespace fleetauth::os
