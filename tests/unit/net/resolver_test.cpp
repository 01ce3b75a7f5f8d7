// Name lookups that fail, hang or lead where they should not.
#include "tests/fault/resolver.h"

#include <netinet/in.h>
#include <unistd.h>

#include <fstream>
#include <vector>

#include "tests/unit/net/driver_fixture.h"

namespace fleetauth::net {
namespace {

using flow::Sent;
using test::HungResolver;
using test::json_answer;
using test::RawServer;
using test::TestCa;

class ResolverTest : public DriverTest {
  const HungResolver resolver_;  // its end lets a thread that was left behind go home
};

TEST_F(ResolverTest, N02_NamesThatDoNotExist) {
  const Outcome outcome = fetch(get("https://missing.test:8443"), settings(TestCa().pem()));
  expect_failure(outcome, Status::Dns, Sent::No, "its name does not exist");
  EXPECT_FALSE(std::get<flow::HttpFailure>(outcome).error->is_retryable()) << "one attempt is enough to know";
}

TEST_F(ResolverTest, N02_NameServersThatDoNotAnswer) {
  const Outcome outcome = fetch(get("https://nobody-answers.test"), settings(TestCa().pem()));
  expect_failure(outcome, Status::Dns, Sent::No, "its name could not be resolved");
  EXPECT_TRUE(std::get<flow::HttpFailure>(outcome).error->is_retryable());
}

TEST_F(ResolverTest, N23_AProxyWhoseNameDoesNotExist) {
  const auto options = settings(TestCa().pem());
  auto proxy = choose_proxy("http://missing.test:3128");
  ASSERT_TRUE(proxy) << proxy.error()->message;
  options->proxy = std::move(*proxy);
  expect_failure(fetch(get("https://127.0.0.1"), options), Status::Proxy, Sent::No,
                 "the name of the proxy http://missing.test:3128 could not be resolved");
}

/// A port whose connections are never answered: the queue of a listener that takes none is full, so the kernel drops what comes.
class BlackHole {
 public:
  BlackHole(const sockaddr *address, socklen_t size) {
    sockets_.push_back(::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::bind(sockets_.front(), address, size), 0);
    EXPECT_EQ(::listen(sockets_.front(), 0), 0);
    sockaddr_storage bound{};
    socklen_t length = sizeof bound;
    ::getsockname(sockets_.front(), reinterpret_cast<sockaddr *>(&bound), &length);
    for (int i = 0; i < 4; ++i) {
      sockets_.push_back(::socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      (void)::connect(sockets_.back(), reinterpret_cast<const sockaddr *>(&bound), length);
    }
    port = ntohs(reinterpret_cast<const sockaddr_in *>(&bound)->sin_port);  // at the same place for IPv6
  }
  ~BlackHole() {
    for (const int fd : sockets_) ::close(fd);
  }
  BlackHole(const BlackHole &) = delete;
  BlackHole &operator=(const BlackHole &) = delete;

  int port = 0;

 private:
  std::vector<int> sockets_;
};

TEST_F(ResolverTest, N04_WhereNobodyAnswersTheConnectionTimesOut) {
  sockaddr_in any_port{};
  any_port.sin_family = AF_INET;
  any_port.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const BlackHole hole(reinterpret_cast<const sockaddr *>(&any_port), sizeof any_port);
  const auto options = settings();
  options->connect_timeout_ms = -150;  // libcurl is given 250 ms more than the runtime's timer
  expect_failure(fetch(get("http://127.0.0.1:" + std::to_string(hole.port)), options), Status::Timeout, Sent::No, "no connection within");
}

TEST_F(ResolverTest, N04_WithoutAWayByIPv6TheOtherAddressIsTaken) {
  const RawServer server(RawServer::always(json_answer("{}")));
  sockaddr_in6 same_port{};
  same_port.sin6_family = AF_INET6;
  same_port.sin6_addr = in6addr_loopback;
  same_port.sin6_port = htons(static_cast<std::uint16_t>(server.port()));
  if (std::ifstream("/proc/net/if_inet6").peek() == EOF) GTEST_SKIP() << "this machine has no IPv6";
  const BlackHole hole(reinterpret_cast<const sockaddr *>(&same_port), sizeof same_port);
  EXPECT_EQ(response_of(fetch(get("http://dual.test:" + std::to_string(server.port())), settings())).status, 200);
}

TEST_F(ResolverTest, N03_AHungLookupIsCancelledAtOnce) {
  const flow::HttpRequest request = get("https://hangs.test");
  driver->start(1, request, settings(TestCa().pem()), [](Outcome) { ADD_FAILURE() << "was cancelled"; });
  drive_until([] { return HungResolver::hanging() == 1; });
  driver->cancel(1);
  driver.reset();
  EXPECT_EQ(HungResolver::hanging(), 1) << "the lookup, which hangs until the end of the test, was waited for";
  EXPECT_FALSE(HungResolver::took_signals()) << "a program's handlers must not run on threads of ours; faults must";
}

TEST_F(ResolverTest, N03_AHungLookupEndsWithTheTimeout) {
  const auto options = settings(TestCa().pem());
  options->connect_timeout_ms = -200;  // libcurl is given 250 ms more than the runtime's timer
  expect_failure(fetch(get("https://hangs.test"), options), Status::Timeout, Sent::No);
  EXPECT_EQ(HungResolver::hanging(), 1) << "the lookup was waited for";
}

TEST_F(ResolverTest, N27_NamesOfLinkLocalAddressesAreRefused) {
  expect_failure(fetch(get("https://metadata.test"), settings(TestCa().pem())), Status::Connect, Sent::No, "link-local");
}

TEST_F(ResolverTest, N27_OfSeveralAddressesOnlyTheAllowedAreTried) {
  const RawServer server(RawServer::always(json_answer("{}")));
  const std::string origin = "http://rebound.test:" + std::to_string(server.port());
  EXPECT_EQ(response_of(fetch(get(origin), settings())).status, 200);
}

TEST_F(ResolverTest, N27_ARefusedAddressIsNotEvenConnectedTo) {
  const TestCa ca;
  const RawServer server(RawServer::always(json_answer("{}")), test::RawTls{ca.issue(), 0, ""});
  const Outcome outcome = fetch(get("https://unspecified.test:" + std::to_string(server.port())), settings(ca.pem()));
  expect_failure(outcome, Status::Connect, Sent::No, "not allowed");
  EXPECT_EQ(server.connections(), 0);
}

TEST_F(ResolverTest, T29_PlainHttpNeverLeavesThisMachine) {
  expect_failure(fetch(get("http://elsewhere.test"), settings()), Status::Connect, Sent::No, "not this machine");
}

}  // namespace
}  // namespace fleetauth::net
