#include "tests/secrets/memory_scan.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <stdexcept>

namespace secrets {
namespace {

constexpr std::size_t kChunk = 1U << 20U;
constexpr std::size_t kOverlap = 8192;  // longer than every secret

struct Mapping {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::string line;
};

std::vector<Mapping> readable_mappings() {
  std::ifstream maps("/proc/self/maps");
  std::vector<Mapping> out;
  for (std::string line; std::getline(maps, line);) {
    Mapping mapping;
    char may_read = '-';
    if (std::sscanf(line.c_str(), "%" SCNx64 "-%" SCNx64 " %c", &mapping.begin, &mapping.end, &may_read) != 3 || may_read != 'r') continue;
    if (line.ends_with("[vvar]") || line.ends_with("[vsyscall]") || line.ends_with("[vvar_vclock]")) continue;
    mapping.line = line;
    out.push_back(mapping);
  }
  return out;
}

// Memory of the searcher's own, which the search leaves out.
class Scratch {
 public:
  Scratch() : data_(static_cast<char *>(mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {
    if (data_ == MAP_FAILED) throw std::runtime_error("no memory to search with");
  }
  ~Scratch() { munmap(data_, kSize); }
  Scratch(const Scratch &) = delete;
  Scratch &operator=(const Scratch &) = delete;
  [[nodiscard]] char *data() const { return data_; }
  [[nodiscard]] bool holds(std::uint64_t address) const {
    const auto begin = reinterpret_cast<std::uint64_t>(data_);
    return address >= begin && address < begin + kSize;
  }

 private:
  static constexpr std::size_t kSize = kChunk + kOverlap;
  char *data_;
};

void search(const Masked &secret, const char *data, std::size_t size, const std::function<void(std::size_t)> &found) {
  const char *end = data + size;
  for (const char *at = data; at + secret.size() <= end; ++at) {
    at = static_cast<const char *>(std::memchr(at, secret.at(0), static_cast<std::size_t>(end - at)));
    if (at == nullptr || at + secret.size() > end) return;
    if (secret.equals(at)) found(static_cast<std::size_t>(at - data));
  }
}

}  // namespace

Places find_in_memory(const Masked &secret) {
  Places places;
  const Scratch scratch;
  const int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  if (memory < 0) throw std::runtime_error("this process may not read its own memory");
  for (const Mapping &mapping : readable_mappings()) {
    for (std::uint64_t at = mapping.begin; at < mapping.end; at += kChunk) {
      const std::size_t wanted = std::min<std::uint64_t>(mapping.end - at, kChunk + secret.size() - 1);
      const ssize_t got = pread(memory, scratch.data(), wanted, static_cast<off_t>(at));
      if (got <= 0) continue;
      search(secret, scratch.data(), static_cast<std::size_t>(got), [&](std::size_t offset) {
        if (scratch.holds(at + offset)) return;
        char text[32];
        std::snprintf(text, sizeof text, "%" PRIx64 " in ", at + offset);
        places.push_back(text + mapping.line);
      });
    }
  }
  close(memory);
  return places;
}

Places find_once_settled(const Masked &secret, std::size_t expected) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  Places places = find_in_memory(secret);
  while (places.size() != expected && std::chrono::steady_clock::now() < until) places = find_in_memory(secret);
  return places;
}

Places find_in_file(const Masked &secret, const std::string &path) {
  Places places;
  const Scratch scratch;
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) throw std::runtime_error("cannot open " + path);
  ssize_t got = 0;
  for (off_t at = 0; (got = pread(file, scratch.data(), kChunk + secret.size() - 1, at)) > 0; at += kChunk) {
    search(secret, scratch.data(), static_cast<std::size_t>(got),
           [&](std::size_t offset) { places.push_back("byte " + std::to_string(static_cast<std::size_t>(at) + offset)); });
  }
  close(file);
  return places;
}

}  // namespace secrets
