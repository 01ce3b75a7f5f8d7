// With FLEETAUTH_SIGNAL_STORM in the environment every test of the program runs while signals interrupt it.
#include "tests/fault/signal_storm.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>

namespace {

class Storm : public ::testing::Environment {
  void SetUp() override { storm_.emplace(); }
  void TearDown() override {
    EXPECT_GT(fleetauth::test::SignalStorm::count(), 0);
    storm_.reset();
  }

  std::optional<fleetauth::test::SignalStorm> storm_;
};

[[maybe_unused]] const auto *const kStorm =
    std::getenv("FLEETAUTH_SIGNAL_STORM") == nullptr ? nullptr : ::testing::AddGlobalTestEnvironment(new Storm);

}  // namespace
