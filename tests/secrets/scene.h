#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/capi/emulator.h"
#include "tests/secrets/secret.h"

namespace secrets {

/// Does something in a child process, so that nothing of it stays in this one.
inline void elsewhere(const std::function<void()> &work) {
  const pid_t child = fork();
  if (child == 0) {
    try {
      work();
    } catch (...) {
      _exit(1);
    }
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0) << "the child process failed";
}

/// Options of which the secret ones go from the mask into the library and nowhere else.
class Bag {
 public:
  Bag() { EXPECT_EQ(fleetauth_options_new(options_.out(), nullptr), FLEETAUTH_OK); }
  Bag &set(const char *name, const std::string &value) {
    EXPECT_EQ(fleetauth_options_set_text(options_.get(), name, FLEETAUTH_NTS, value.data(), value.size(), nullptr), FLEETAUTH_OK);
    return *this;
  }
  Bag &set(const char *name, const Masked &value) {
    value.reveal([&](std::string_view plain) {
      const auto *bytes = reinterpret_cast<const std::uint8_t *>(plain.data());
      EXPECT_EQ(fleetauth_options_set_bytes(options_.get(), name, FLEETAUTH_NTS, bytes, plain.size(), nullptr), FLEETAUTH_OK);
    });
    return *this;
  }
  [[nodiscard]] capi::Client client(fleetauth_runtime *runtime, const char *provider_name) const {
    capi::Provider provider;
    capi::Client client;
    capi::Error error;
    EXPECT_EQ(fleetauth_provider_builtin(provider_name, FLEETAUTH_NTS, provider.out(), nullptr), FLEETAUTH_OK);
    EXPECT_EQ(fleetauth_client_new(runtime, provider.get(), options_.get(), client.out(), error.out()), FLEETAUTH_OK)
        << fleetauth_error_message(error.get(), nullptr);
    return client;
  }

 private:
  capi::Options options_;
};

/// The token of a handle, masked.
inline Masked masked_token(fleetauth_token *token) {
  std::size_t size = 0;
  const std::uint8_t *secret = fleetauth_token_secret(token, &size);
  return Masked({reinterpret_cast<const char *>(secret), size});
}

}  // namespace secrets
