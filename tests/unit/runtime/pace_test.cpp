#include <gtest/gtest.h>

#include "tests/unit/runtime/scripted_host.h"

namespace fleetauth::runtime {
namespace {

using testing::ScriptedHost;

constexpr std::string_view kTenSeconds = R"({"steps": {"token": {"rate": {"interval_s": 10}}}})";

/// Clients whose step may be taken once in ten seconds. In manual mode: nothing moves unless the test waits for it.
class PaceTest : public ScriptedHost {
 protected:
  void SetUp() override {
    use(RuntimeSettings{true, 0});
    client = make_paced();
  }

  std::shared_ptr<Client> make_paced(const std::string &password = "pa55word") {
    return make_client({{"descriptor_patch", std::string(kTenSeconds)}, {"password", password}});
  }

  void log_out() {
    ASSERT_TRUE(client->log_out(*queue, 9));
    EXPECT_EQ(event()->kind, EventKind::LoggedOut);
  }
};

TEST_F(PaceTest, TwinsShareIt) {
  fetch("tok-1", 3600);
  const auto twin = make_paced();
  log_out();
  client = twin;
  start();
  EXPECT_FALSE(event());
  clock->advance(10'000);
  answer(call(), 200, R"({"token":"tok-2","expires_in":3600})");
  EXPECT_EQ(outcome().secret(), "tok-2");
}

TEST_F(PaceTest, ItOutlivesTheLastClient) {
  fetch("tok-1", 3600);
  client->close();
  client = make_paced();
  start();
  EXPECT_FALSE(event());
  clock->advance(10'000);
  EXPECT_NE(call(), nullptr);
}

TEST_F(PaceTest, AnotherConfigurationHasItsOwn) {
  fetch("tok-1", 3600);
  client = make_paced("other");
  start();
  EXPECT_NE(call(), nullptr);
}

TEST_F(PaceTest, ARequestThatIsGivenUpLeavesItsTurnToTheNext) {
  fetch("tok-1", 3600);
  log_out();
  start(1);  // its turn is in 10 s
  ASSERT_TRUE(client->log_out(*queue, 9));
  EXPECT_EQ(outcome().status, Status::Cancelled);
  EXPECT_EQ(event()->kind, EventKind::LoggedOut);
  start(2);
  clock->advance(9'999);
  EXPECT_FALSE(event());
  clock->advance(1);
  EXPECT_NE(call(), nullptr);
}

TEST_F(PaceTest, JoiningACallThatWaitsForItsTurnSendsNothingMore) {
  fetch("tok-1", 3600);
  log_out();
  start(1);
  start(2);
  clock->advance(10'000);
  answer(call(), 200, R"({"token":"tok-2","expires_in":3600})");
  EXPECT_EQ(outcome().secret(), "tok-2");
  EXPECT_EQ(outcome().secret(), "tok-2");
  EXPECT_FALSE(event());
}

}  // namespace
}  // namespace fleetauth::runtime
