#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "tools/fleetauth/commands/commands.h"
#include "tools/fleetauth/console.h"

namespace fleetauth::command {

namespace {

constexpr const char *kProgram = "fleetauth-emulator";

/// Beside this program (installed), or in the neighbouring folder of a build tree; else whatever PATH has.
std::string emulator_path() {
  std::error_code unreadable;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", unreadable).parent_path();
  for (const auto &candidate : {self / kProgram, self.parent_path() / "emulator" / kProgram}) {
    if (!unreadable && std::filesystem::exists(candidate)) return candidate;
  }
  return kProgram;
}

}  // namespace

/// The emulator is a program of its own: it brings another TLS library instance than the one it is there to test.
int run_emulate(int argc, char **argv) {
  std::string path = emulator_path();
  std::vector<char *> words(argv, argv + argc);
  words[0] = path.data();
  words.push_back(nullptr);
  ::execvp(path.c_str(), words.data());
  throw SetupError("cannot run " + path + ": " + std::strerror(errno));
}

}  // namespace fleetauth::command
