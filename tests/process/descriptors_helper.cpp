// descriptors_helper: prints what descriptors it was started with, each with what it is.
#include <cstdio>
#include <filesystem>
#include <string>

int main() {
  for (const auto &entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const std::string target = std::filesystem::read_symlink(entry).string();
    if (!target.ends_with("/fd")) std::printf("%s %s\n", entry.path().filename().c_str(), target.c_str());  // not what it looks with
  }
}
