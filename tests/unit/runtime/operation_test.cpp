#include <gtest/gtest.h>
#include <poll.h>

#include <thread>

#include "tests/unit/runtime/scripted_host.h"

namespace fleetauth::runtime {
namespace {

using testing::Outcome;
using testing::ScriptedHost;

constexpr std::string_view kOk = R"({"token":"tok-1","expires_in":3600})";

class OperationTest : public ScriptedHost {
 protected:
  void cancel(const std::shared_ptr<Operation> &operation) {
    const auto lock = runtime->engine().enter();
    operation->got_error(fail(Status::Cancelled, "cancelled"));
  }
};

TEST_F(OperationTest, R09_ACancelledCallerLeavesTheOthersTheirFetch) {
  const auto leaving = start(1);
  start(2);
  const auto request = call();
  cancel(leaving);
  EXPECT_EQ(outcome().status, Status::Cancelled);
  answer(request, 200, kOk);
  EXPECT_EQ(outcome().secret(), "tok-1");
  EXPECT_FALSE(event()) << "completed exactly once";
}

TEST_F(OperationTest, R09_TheFetchGoesOnWithTheQueuesOfThoseWhoStillWait) {
  use(RuntimeSettings{true, 0});
  const auto other = std::make_shared<Queue>(runtime, Queue::Kind::Loop);
  const auto leaving = start(1);
  start(2, nullptr, other);
  const auto request = call();
  ASSERT_NE(request, nullptr);
  cancel(leaving);
  EXPECT_EQ(outcome().status, Status::Cancelled);
  EXPECT_EQ(request->fail(Status::Connect, "", 0), nullptr);
  clock->advance(1000);
  EXPECT_FALSE(event()) << "who has left is asked for nothing";
  EXPECT_NE(call(other), nullptr);
}

TEST_F(OperationTest, ACallersDeadlineDoesNotEndTheFetch) {
  Options options;
  options.set("timeout_ms", "2000");
  const auto impatient = client->prepare(&options);
  ASSERT_TRUE(impatient);
  start(1, &*impatient);
  const auto request = call();
  clock->advance(2000);
  while (!queue->has_events()) std::this_thread::yield();
  EXPECT_EQ(outcome().status, Status::Timeout);
  answer(request, 200, kOk);
  EXPECT_EQ(peek(), "tok-1");
}

TEST_F(OperationTest, AProviderWhoseTokensAreNotForClaimsSaysSo) {
  for (const std::string_view name : {"claim_set", "claims"}) {
    Options options;
    options.set(name, R"({"vehicleid":"v1"})");
    const auto refused = client->prepare(&options);
    ASSERT_FALSE(refused) << name;
    EXPECT_EQ(refused.error()->status, Status::Unsupported);
    EXPECT_NE(refused.error()->message.find("not for claims"), std::string::npos) << refused.error()->message;
    EXPECT_EQ(refused.error()->message.find("v1"), std::string::npos);
  }
}

TEST_F(OperationTest, CompletesAfterItStartedEvenFromMemory) {
  fetch("tok-1", 3600);
  const auto operation = start(7);
  EXPECT_TRUE(operation->done());
  const auto done = event();
  ASSERT_TRUE(done);
  EXPECT_EQ(done->tag, 7);
}

TEST_F(OperationTest, ClosingTheClientFailsWhatIsInFlightAndForgetsTheToken) {
  start(1);
  const auto request = call();
  client->close();
  EXPECT_EQ(outcome().status, Status::Closed);
  const auto withdrawn = event();
  ASSERT_TRUE(withdrawn);
  EXPECT_EQ(withdrawn->kind, EventKind::HttpCancel);
  EXPECT_EQ(withdrawn->tag, static_cast<std::int64_t>(request->id()));
  EXPECT_EQ(request->complete(200)->status, Status::Closed);
  EXPECT_EQ(client->peek(nullptr, std::nullopt, std::nullopt).error()->status, Status::Closed);
  EXPECT_EQ(client->start(nullptr, std::nullopt, std::nullopt, *queue, 1).error()->status, Status::Closed);
  client->close();
}

TEST_F(OperationTest, AClientThatIsClosedLeavesTheTokenToItsTwin) {
  fetch("tok-1", 3600);
  const auto twin = make_client();
  client->close();
  EXPECT_TRUE(twin->peek(nullptr, std::nullopt, std::nullopt));
}

TEST_F(OperationTest, ClosingTheQueueEndsWithItsLastEvent) {
  start(1);
  queue->close();
  auto first = event();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->kind, EventKind::HttpCall);
  EXPECT_EQ(outcome().status, Status::Cancelled);
  EXPECT_EQ(event()->kind, EventKind::Closed);
  EXPECT_EQ(queue->next(-1).error()->status, Status::Closed) << "nobody waits for what cannot come";
}

TEST_F(OperationTest, ClosingTheRuntimeFailsEverything) {
  start(1);
  EXPECT_TRUE(runtime->engine().close(5000));
  event();  // the offered request
  EXPECT_EQ(outcome().status, Status::Closed);
  EXPECT_EQ(event()->kind, EventKind::Closed);
  EXPECT_EQ(client->start(nullptr, std::nullopt, std::nullopt, *queue, 1).error()->status, Status::Closed);
}

TEST_F(OperationTest, AnUnclaimedRequestMovesToAnotherWaiter) {
  const auto busy = std::make_shared<Queue>(runtime, Queue::Kind::Loop);
  start(1, nullptr, busy);
  start(2);
  EXPECT_FALSE(event());
  clock->advance(1000);
  while (!queue->has_events()) std::this_thread::yield();
  const auto request = call();
  ASSERT_NE(request, nullptr);
  EXPECT_EQ(call(busy), nullptr) << "taken once";
  answer(request, 200, kOk);
  EXPECT_EQ(outcome(busy).secret(), "tok-1");
}

TEST_F(OperationTest, AWaiterWhoseQueueClosedLeavesTheRequestToTheNext) {
  const auto leaving = std::make_shared<Queue>(runtime, Queue::Kind::Loop);
  start(1, nullptr, leaving);
  leaving->close();
  start(2);
  EXPECT_NE(call(), nullptr);
}

TEST_F(OperationTest, AQueueThatGoesLeavesItsRequestToTheNextAtOnce) {
  for (const bool closed : {true, false}) {
    auto leaving = std::make_shared<Queue>(runtime, Queue::Kind::Loop);
    start(1, nullptr, leaving);
    start(2);
    EXPECT_FALSE(event());
    if (closed) leaving->close();
    leaving = nullptr;
    answer(call(), 200, kOk);
    EXPECT_EQ(outcome().secret(), "tok-1");
    clock->advance(3'600'000);
  }
}

TEST_F(OperationTest, AQueueThatComesToServeGetsTheRequestNobodyCouldTake) {
  const auto leaving = std::make_shared<Queue>(runtime, Queue::Kind::Loop);
  start(1, nullptr, leaving);
  leaving->close();
  EXPECT_EQ(client->serve(*queue), nullptr);
  EXPECT_NE(call(), nullptr);
}

TEST_F(OperationTest, ADroppedRequestFailsAsTheHostsFault) {
  start(1);
  call()->dropped();
  EXPECT_EQ(outcome().status, Status::Callback);
}

TEST_F(OperationTest, TheHostsOwnErrorComesOutAndIsReleasedAfterwards) {
  start(1);
  const auto request = call();
  EXPECT_EQ(request->fail(Status::Callback, "ValueError", 4711), nullptr);
  {
    const Outcome failed = outcome();
    EXPECT_EQ(failed.status, Status::Callback);
    ASSERT_NE(failed.error->user_error, nullptr);
    EXPECT_EQ(*failed.error->user_error, 4711);
    EXPECT_NE(failed.error->message.find("ValueError"), std::string::npos);
    EXPECT_FALSE(event()) << "still referred to";
  }
  const auto release = event();  // the library keeps it no longer than its callers
  ASSERT_TRUE(release);
  EXPECT_EQ(release->kind, EventKind::Release);
  EXPECT_EQ(release->tag, 4711);
}

TEST_F(OperationTest, L03_TextOfTheHostThatCouldHoldASecretIsDropped) {
  start(1);
  call()->fail(Status::Network, "GET https://api.acme.test/token?secret=pa55word failed", 0);
  clock->advance(1000);
  while (!queue->has_events()) std::this_thread::yield();
  call()->fail(Status::Network, "pa55word!", 0);
  clock->advance(1000);
  while (!queue->has_events()) std::this_thread::yield();
  call()->fail(Status::Network, "ConnectionError", 0);
  const Outcome failed = outcome();
  EXPECT_EQ(failed.error->message.find("pa55word"), std::string::npos);
}

TEST_F(OperationTest, P10_ASynchronousWaitForAnAnswerOfItsOwnThreadIsRefused) {
  start(1);
  const auto request = call();
  const auto own = std::make_shared<Queue>(runtime, Queue::Kind::Sync);
  const auto nested = client->start(nullptr, std::nullopt, std::nullopt, *own, 2);
  ASSERT_FALSE(nested);
  EXPECT_EQ(nested.error()->status, Status::Reentrant);
  answer(request, 200, kOk);
  EXPECT_EQ(outcome().secret(), "tok-1");
}

TEST_F(OperationTest, AQueueMayGoWhileItsOperationIsInFlight) {
  auto leaving = std::make_shared<Queue>(runtime, Queue::Kind::Loop);
  const std::weak_ptr<Queue> watch = leaving;
  start(1, nullptr, leaving);
  start(2);
  leaving.reset();
  EXPECT_TRUE(watch.expired()) << "nothing but its handle keeps a queue";
  clock->advance(1000);
  while (!queue->has_events()) std::this_thread::yield();
  answer(call(), 200, kOk);
  EXPECT_EQ(outcome().secret(), "tok-1");
}

TEST_F(OperationTest, TheAttemptsTimeIsBounded) {
  start(1);
  const auto request = call();
  clock->advance(15'000);
  while (!queue->has_events()) std::this_thread::yield();
  EXPECT_EQ(event()->kind, EventKind::HttpCancel);
  EXPECT_EQ(request->complete(200)->status, Status::Closed);
}

TEST_F(OperationTest, WithoutAWaiterTheWholeFetchIsBounded) {
  start(1);
  ASSERT_NE(call(), nullptr);
  clock->advance(30'000);
  Outcome last;
  while (last.status != Status::Timeout) {
    while (!queue->has_events()) std::this_thread::yield();
    auto next = event();
    if (next->kind != EventKind::Token) continue;
    last.status = next->error->status;
  }
  EXPECT_EQ(last.status, Status::Timeout);
}

TEST_F(OperationTest, HeadersForTheProvidersUrlsOnly) {
  fetch("tok-1", 3600);
  const auto bearer = client->peek(nullptr, std::nullopt, "https://api.acme.test/devices?page=1");
  ASSERT_TRUE(bearer);
  ASSERT_EQ(bearer->headers.size(), 1U);
  EXPECT_EQ(bearer->headers[0].name, "Authorization");
  EXPECT_EQ(bearer->headers[0].value.view(), "Bearer tok-1");
  const auto basic = client->peek(nullptr, std::nullopt, "https://api.acme.test/core/live");
  ASSERT_TRUE(basic);
  EXPECT_EQ(basic->headers[0].value.view(), "Basic am86cGE1NXdvcmQ=");
  EXPECT_EQ(basic->kind, TokenKind::Basic);
  EXPECT_EQ(basic->slot, -1);
  for (const std::string_view foreign : {"https://api.acme.test.evil.example/", "https://evil.example/api.acme.test/",
                                         "https://api.acme.test:444/x", "https://api.acme.test@evil.example/"}) {
    const auto refused = client->peek(nullptr, std::nullopt, foreign);
    ASSERT_FALSE(refused) << foreign;
    EXPECT_TRUE(refused.error()->status == Status::ForeignOrigin || refused.error()->status == Status::Url) << foreign;
  }
}

TEST_F(OperationTest, ALocalCredentialNeedsNoRequest) {
  auto started = client->start(nullptr, std::nullopt, "https://api.acme.test/core/live", *queue, 1);
  ASSERT_TRUE(started);
  EXPECT_EQ(outcome().answer->kind, TokenKind::Basic);
}

TEST_F(OperationTest, ADeadlineEarlierThanAllOthersIsKept) {
  runtime.reset();
  queue.reset();
  client.reset();
  auto made = Runtime::create(RuntimeSettings{false, 10'000}, nullptr);  // the real clock: the I/O thread sleeps until 15 s from now
  ASSERT_TRUE(made);
  runtime = *made;
  queue = std::make_shared<Queue>(runtime, Queue::Kind::Loop);
  client = make_client();
  start(1);
  ASSERT_TRUE(queue->next(1000));
  Options options;
  options.set("timeout_ms", "20");
  const auto impatient = client->prepare(&options);
  start(2, &*impatient);
  const auto done = queue->next(5000);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->tag, 2);
  EXPECT_EQ(done->error->status, Status::Timeout);
}

class ManualModeTest : public OperationTest {
 protected:
  void SetUp() override { use(RuntimeSettings{true, 10'000}); }
};

TEST_F(ManualModeTest, WorksWithoutAThreadAndNeverLetsHeadersBeKept) {
  const Outcome first = fetch("tok-1", 3600);
  EXPECT_EQ(first.secret(), "tok-1");
  EXPECT_EQ(first.answer->word, 0);
  clock->advance(3'600'000);
  EXPECT_EQ(peek(), "E_WOULD_BLOCK");
}

TEST_F(ManualModeTest, AWaiterIsWokenByAnAnswerFromAnotherThread) {
  start(1);
  const auto request = call();
  std::thread other([&] { answer(request, 200, kOk); });
  const auto done = queue->next(-1);
  other.join();
  ASSERT_TRUE(done);
  EXPECT_EQ(done->kind, EventKind::Token);
}

bool readable(int descriptor) {
  pollfd poll{descriptor, POLLIN, 0};
  return ::poll(&poll, 1, 0) == 1;
}

TEST_F(ManualModeTest, TheDescriptorIsReadableWhileThereIsSomethingToDo) {
  const int descriptor = queue->wakeup_fd();
  ASSERT_GE(descriptor, 0);
  while (event()) {
  }
  EXPECT_FALSE(readable(descriptor));
  start(1);
  EXPECT_TRUE(readable(descriptor)) << "the request is offered";
  const auto request = call();
  while (event()) {
  }
  EXPECT_FALSE(readable(descriptor));
  clock->advance(15'000);
  EXPECT_TRUE(readable(descriptor)) << "the deadline passed";
  EXPECT_EQ(event()->kind, EventKind::HttpCancel);
}

TEST_F(ManualModeTest, AnEventIsNotLostToAnotherLoopThatDrives) {
  const auto other = std::make_shared<Queue>(runtime, Queue::Kind::Loop);
  const int descriptor = other->wakeup_fd();
  start(1, nullptr, other);
  while (event()) {  // another loop drives and drains what it can
  }
  EXPECT_TRUE(readable(descriptor));
}

}  // namespace
}  // namespace fleetauth::runtime
