#include "core/base/secret_bytes.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <stdexcept>

#include "core/base/os/hidden_memory.h"
#include "core/base/os/memory.h"

namespace fleetauth {
namespace {

constexpr std::size_t kLimit = PTRDIFF_MAX - 1;

void wipe_and_free(char *data, std::size_t size) noexcept {
  os::wipe(data, size);
  os::free_hidden(data);
}

}  // namespace

SecretBytes::SecretBytes(std::string_view bytes) {
  reserve(bytes.size());
  append(bytes);
}

SecretBytes &SecretBytes::operator=(SecretBytes &&other) noexcept {
  SecretBytes old;
  swap(old);
  swap(other);
  return *this;
}

SecretBytes::~SecretBytes() { wipe_and_free(data_, size_); }

void SecretBytes::reserve(std::size_t capacity) {
  if (capacity <= capacity_) return;
  if (capacity > kLimit) throw std::length_error("SecretBytes");
  auto *room = static_cast<char *>(os::allocate_hidden(capacity + 1));
  if (room == nullptr) throw std::bad_alloc();
  if (size_ != 0) std::memcpy(room, data_, size_);
  room[size_] = '\0';
  wipe_and_free(data_, size_);
  data_ = room;
  capacity_ = capacity;
}

void SecretBytes::append(std::string_view bytes) {
  if (bytes.empty()) return;
  if (data_ == nullptr || bytes.size() > capacity_ - size_) {
    if (bytes.size() > kLimit - size_) throw std::length_error("SecretBytes");
    // `bytes` may be a part of ourselves, so the old block is let go last.
    SecretBytes grown;
    grown.reserve(std::max(size_ + bytes.size(), std::min(capacity_ * 2, kLimit)));
    grown.append(view());
    grown.append(bytes);
    swap(grown);
    return;
  }
  std::memmove(data_ + size_, bytes.data(), bytes.size());
  size_ += bytes.size();
  data_[size_] = '\0';
}

void SecretBytes::clear() noexcept {
  os::wipe(data_, size_);
  size_ = 0;
}

bool equal_constant_time(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace fleetauth
