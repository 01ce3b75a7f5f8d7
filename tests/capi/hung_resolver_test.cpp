// A name lookup that hangs, as it can for many seconds: the getaddrinfo below is the one that the library calls. Nobody waits for it.
#include "tests/fault/resolver.h"

#include <gtest/gtest.h>

#include "tests/capi/emulator.h"

namespace capi {
namespace {

using fleetauth::test::HungResolver;

class HungResolverTest : public ::testing::TestWithParam<const char *> {
 protected:
  void SetUp() override {
    ASSERT_EQ(fleetauth_clock_manual_new(1'767'225'600'000, clock.out(), nullptr), FLEETAUTH_OK);
    runtime = make_runtime({{"mode", GetParam()}}, clock.get());
    queue = make_queue(runtime.get());
    client = make_client(runtime.get(), "fleetup",
                         {{"api_key", "key"}, {"acct_id", "1"}, {"secret", "s"}, {"base_url", "https://hangs.test"}, {"proxy", "none"}});
    op = start(client.get(), queue.get(), 1);
    while (HungResolver::hanging() == 0) (void)take_outcome(queue.get(), 1);
  }
  void TearDown() override {
    EXPECT_EQ(fleetauth_runtime_close(runtime.get(), 5000, nullptr), FLEETAUTH_OK) << "its thread is held up";
    op = {};
    client = {};
    queue = {};
    runtime = {};
    EXPECT_EQ(HungResolver::returned(), 0) << "the lookup was waited for";
  }

  HungResolver resolver;
  Clock clock;
  Runtime runtime;
  Queue queue;
  Client client;
  Op op;
};

TEST_P(HungResolverTest, N03_ACancelledCallerIsToldBeforeTheLookupReturns) {
  fleetauth_op_cancel(op.get());
  EXPECT_EQ(take_outcome(queue.get()).name(), "E_CANCELLED");
}

TEST_P(HungResolverTest, N03_AClosedClientsCallersAreToldBeforeTheLookupReturns) {
  fleetauth_client_close(client.get());
  EXPECT_EQ(take_outcome(queue.get()).name(), "E_CLOSED");
}

TEST_P(HungResolverTest, N03_TheRuntimeIsClosedBeforeTheLookupReturns) {
  EXPECT_EQ(fleetauth_runtime_close(runtime.get(), 5000, nullptr), FLEETAUTH_OK) << "the thread has left";
  EXPECT_EQ(take_outcome(queue.get()).name(), "E_CLOSED");
}

TEST_P(HungResolverTest, N03_TheDeadlineIsKeptBeforeTheLookupReturns) {
  ASSERT_EQ(fleetauth_clock_advance(clock.get(), 30'000, nullptr), FLEETAUTH_OK);
  EXPECT_EQ(take_outcome(queue.get()).name(), "E_TIMEOUT");
}

TEST_P(HungResolverTest, N03_OtherClientsAreServedBeforeTheLookupReturns) {
  Emulator emulator;
  const Client other = make_client(runtime.get(), "fleetup", fleetup_options(emulator));
  start(other.get(), queue.get(), 2);
  std::int64_t tag = 0;
  EXPECT_EQ(take_outcome(queue.get(), 10'000, &tag).name(), "OK");
  EXPECT_EQ(tag, 2);
}

INSTANTIATE_TEST_SUITE_P(Modes, HungResolverTest, ::testing::Values("threaded", "manual"), [](const auto &mode) { return mode.param; });

}  // namespace
}  // namespace capi
