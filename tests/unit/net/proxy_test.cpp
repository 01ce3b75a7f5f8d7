#include <cstdlib>

#include "tests/unit/net/driver_fixture.h"

namespace fleetauth::net {
namespace {

using flow::Sent;
using test::closed_port;
using test::json_answer;
using test::RawConnection;
using test::RawServer;
using test::RawTls;
using test::TestCa;
using testing::AllOf;
using testing::AnyOf;
using testing::Contains;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

// Answers every CONNECT with the same bytes, and ends.
RawServer::Script refusing(std::string answer) {
  return [answer = std::move(answer)](RawConnection &connection) {
    connection.read_request();
    connection.send(answer);
    connection.close();
  };
}

RawServer::Script tunnelling(int port) {
  return [port](RawConnection &connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 Connection established\r\n\r\n");
    connection.tunnel(port);
  };
}

// What came after the one CONNECT.
std::string tunnelled(const RawServer &proxy) { return proxy.received().substr(proxy.requests().at(0).size()); }

// The types of a stream of TLS records; empty unless every byte belongs to one.
std::vector<int> record_types(std::string_view stream) {
  std::vector<int> types;
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(stream[at]); };
  while (stream.size() >= 5) {
    const std::size_t size = 5 + 256U * byte(3) + byte(4);
    if (byte(1) != 3 || size > stream.size()) return {};
    types.push_back(byte(0));
    stream.remove_prefix(size);
  }
  return stream.empty() ? types : std::vector<int>();
}

class ProxyTest : public DriverTest {
 protected:
  ~ProxyTest() override {
    for (const char *name : {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY", "http_proxy"}) unsetenv(name);
  }

  static Proxy chosen(std::string_view setting) {
    auto proxy = choose_proxy(setting);
    EXPECT_TRUE(proxy) << proxy.error()->message;
    return std::move(*proxy);
  }

  static std::shared_ptr<NetOptions> through(const std::string &proxy) {
    auto options = settings(TestCa().pem());
    options->proxy = chosen(proxy);
    return options;
  }

  static flow::HttpRequest secret_request(const std::string &origin = "https://api.example.com") {
    flow::HttpRequest request = post(origin, "{\"password\":\"hunter2\"}");
    request.headers.push_back({"Authorization", SecretBytes("Bearer hunter2")});
    return request;
  }
};

TEST_F(ProxyTest, N23_TheProxyLearnsTheHostAndNothingElse) {
  const RawServer proxy(refusing("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"));
  expect_failure(fetch(secret_request(), through(proxy.origin())), Status::Proxy, Sent::No, "answered 403");
  EXPECT_THAT(proxy.received(), AllOf(StartsWith("CONNECT api.example.com:443 HTTP/1.1\r\n"), EndsWith("\r\n\r\n"),
                                      Not(HasSubstr("hunter2")), Not(HasSubstr("Authorization"))));
}

TEST_F(ProxyTest, N23_RefusedForWantOfAPassword) {
  const RawServer proxy(
      refusing("HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n"));
  expect_failure(fetch(secret_request(), through(proxy.origin())), Status::Proxy, Sent::No, "user name and password into the proxy's URL");
  EXPECT_THAT(proxy.received(), Not(HasSubstr("hunter2")));
}

TEST_F(ProxyTest, ItsPasswordIsSentToItAndNeverPrinted) {
  const RawServer proxy(refusing("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"));
  const Outcome outcome = fetch(secret_request(), through("http://me:opensesame@127.0.0.1:" + std::to_string(proxy.port())));
  expect_failure(outcome, Status::Proxy, Sent::No, "http://127.0.0.1:" + std::to_string(proxy.port()));
  EXPECT_THAT(std::get<flow::HttpFailure>(outcome).error->message, Not(HasSubstr("opensesame")));
  EXPECT_THAT(proxy.requests().at(0), HasSubstr("Proxy-Authorization: Basic bWU6b3BlbnNlc2FtZQ==\r\n"));
}

TEST_F(ProxyTest, N23_DyingProxies) {
  const RawServer proxy(refusing(""));
  expect_failure(fetch(secret_request(), through(proxy.origin())), Status::Proxy, Sent::No);
  EXPECT_THAT(proxy.received(), Not(HasSubstr("hunter2")));
  expect_failure(fetch(secret_request(), through("http://127.0.0.1:" + std::to_string(closed_port()))), Status::Proxy, Sent::No,
                 "no connection to the proxy");
}

TEST_F(ProxyTest, N23_AProxyThatDiesInTheHandshakeBehindIt) {
  const RawServer proxy([](RawConnection &connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 Connection established\r\n\r\n");
    connection.receive();
    connection.close();
  });
  expect_failure(fetch(secret_request(), through(proxy.origin())), Status::Proxy, Sent::No, "broke the connection");
  EXPECT_THAT(proxy.received(), Not(HasSubstr("hunter2")));
}

TEST_F(ProxyTest, N23_ThroughTheTunnelGoesNothingButTls) {
  const TestCa ca;
  const RawServer origin(RawServer::always(json_answer("{}")), RawTls{ca.issue(), 0, ""});
  const RawServer proxy(tunnelling(origin.port()));
  const auto options = settings(ca.pem());
  options->proxy = chosen("http://me:opensesame@127.0.0.1:" + std::to_string(proxy.port()));
  EXPECT_EQ(response_of(fetch(secret_request(origin.origin()), options)).status, 200);

  const auto password_of_proxy = AnyOf(HasSubstr("Proxy-"), HasSubstr("bWU6b3BlbnNlc2FtZQ"));
  EXPECT_THAT(origin.requests(), ElementsAre(AllOf(HasSubstr("Authorization: Bearer hunter2\r\n"), EndsWith("{\"password\":\"hunter2\"}"),
                                                   Not(password_of_proxy))));
  EXPECT_THAT(proxy.requests(), ElementsAre(StartsWith("CONNECT 127.0.0.1:" + std::to_string(origin.port()) + " HTTP/1.1\r\n")));
  constexpr int kHandshake = 22;
  constexpr int kApplicationData = 23;
  EXPECT_THAT(record_types(tunnelled(proxy)), AllOf(Contains(kHandshake), Contains(kApplicationData)));
  EXPECT_THAT(proxy.received(), Not(AnyOf(HasSubstr("hunter2"), HasSubstr("Bearer"), HasSubstr("/login"))));
}

TEST_F(ProxyTest, N23_TlsIsCheckedBehindTheProxyToo) {
  const RawServer origin(RawServer::always(json_answer("{}")), RawTls{TestCa::self_signed(), 0, ""});
  const RawServer proxy(tunnelling(origin.port()));
  expect_failure(fetch(secret_request(origin.origin()), through(proxy.origin())), Status::Tls, Sent::No);
  EXPECT_THAT(origin.received(), IsEmpty());
  EXPECT_THAT(record_types(tunnelled(proxy)), Not(IsEmpty()));
}

TEST_F(ProxyTest, TheEnvironmentIsUsedOnlyWhenAskedTo) {
  const RawServer proxy(refusing("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"));
  setenv("HTTPS_PROXY", proxy.origin().c_str(), 1);
  const TestCa ca;
  const RawServer server(RawServer::always(json_answer("{}")), RawTls{ca.issue(), 0, ""});

  auto options = settings(ca.pem());
  EXPECT_EQ(response_of(fetch(get(server.origin()), options)).status, 200);
  EXPECT_EQ(proxy.connections(), 0);

  options = settings(ca.pem());
  options->proxy = chosen("env");
  expect_failure(fetch(get(server.origin()), options), Status::Proxy, Sent::No);
  EXPECT_EQ(proxy.connections(), 1);
}

TEST_F(ProxyTest, TheEnvironmentsExceptionsAreReachedDirectly) {
  setenv("https_proxy", ("127.0.0.1:" + std::to_string(closed_port())).c_str(), 1);
  setenv("no_proxy", "localhost,127.0.0.1", 1);
  const TestCa ca;
  const RawServer server(RawServer::always(json_answer("{}")), RawTls{ca.issue(), 0, ""});
  const auto options = settings(ca.pem());
  options->proxy = chosen("env");
  EXPECT_EQ(response_of(fetch(get(server.origin()), options)).status, 200);
}

TEST_F(ProxyTest, HttpToThisMachineNeverGoesThroughAProxy) {
  for (const char *name : {"http_proxy", "all_proxy", "https_proxy"})
    setenv(name, ("http://127.0.0.1:" + std::to_string(closed_port())).c_str(), 1);
  const RawServer server(RawServer::always(json_answer("{}")));
  const auto options = settings();
  options->proxy = chosen("env");
  EXPECT_EQ(response_of(fetch(get(server.origin()), options)).status, 200);
}

TEST_F(ProxyTest, SettingsThatAreNoProxyAreRefused) {
  for (const char *bad : {"ftp://proxy.example", "http://", "direct://", "http://proxy example", "socks4://proxy.example"}) {
    const auto proxy = choose_proxy(bad);
    ASSERT_FALSE(proxy) << bad;
    EXPECT_EQ(proxy.error()->status, Status::Config);
    EXPECT_THAT(proxy.error()->message, HasSubstr("http://proxy.example:3128"));
  }
}

}  // namespace
}  // namespace fleetauth::net
