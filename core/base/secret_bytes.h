#pragma once

#include <cstddef>
#include <string_view>
#include <utility>

namespace fleetauth {

/// Bytes that must not outlive their use: wiped when released, moved from or replaced, and in no core file. Move-only; every copy is
/// spelled out.
/// The bytes are followed by a NUL which is not counted, so that they can be handed to C.
class SecretBytes {
 public:
  SecretBytes() noexcept = default;
  explicit SecretBytes(std::string_view bytes);
  SecretBytes(SecretBytes &&other) noexcept { swap(other); }
  SecretBytes &operator=(SecretBytes &&other) noexcept;
  SecretBytes(const SecretBytes &) = delete;
  SecretBytes &operator=(const SecretBytes &) = delete;
  ~SecretBytes();

  /// Reads the bytes. The view dies with this object and with the next append.
  [[nodiscard]] std::string_view view() const noexcept { return {data_ == nullptr ? "" : data_, size_}; }
  [[nodiscard]] const char *c_str() const noexcept { return data_ == nullptr ? "" : data_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

  [[nodiscard]] SecretBytes clone() const { return SecretBytes(view()); }
  /// Makes room for `capacity` bytes in all, so that appending up to there neither allocates nor leaves copies behind.
  void reserve(std::size_t capacity);
  void append(std::string_view bytes);
  /// Wipes the bytes; the room stays.
  void clear() noexcept;
  void swap(SecretBytes &other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

 private:
  char *data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

/// Compares without telling by its duration where the first difference is.
[[nodiscard]] bool equal_constant_time(std::string_view a, std::string_view b) noexcept;

}  // namespace fleetauth
