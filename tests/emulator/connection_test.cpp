#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <barrier>
#include <thread>

#include "fixture.h"

namespace fleetauth::emulator {
namespace {

using EmulatorConnection = EmulatorTest;

using Context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;
using Session = std::unique_ptr<SSL, decltype(&SSL_free)>;

Context new_context() { return {SSL_CTX_new(TLS_client_method()), SSL_CTX_free}; }

// Whether a TLS handshake over a new connection succeeds; `host` is an IPv4 or IPv6 loopback address.
bool handshake(SSL_CTX *context, const char *host, std::uint16_t port) {
  sockaddr_storage address{};
  socklen_t size = 0;
  if (std::string(host).find(':') == std::string::npos) {
    auto *four = reinterpret_cast<sockaddr_in *>(&address);
    four->sin_family = AF_INET;
    four->sin_port = htons(port);
    EXPECT_EQ(inet_pton(AF_INET, host, &four->sin_addr), 1);
    size = sizeof *four;
  } else {
    auto *six = reinterpret_cast<sockaddr_in6 *>(&address);
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(port);
    EXPECT_EQ(inet_pton(AF_INET6, host, &six->sin6_addr), 1);
    size = sizeof *six;
  }
  const int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(connect(fd, reinterpret_cast<const sockaddr *>(&address), size), 0);
  const Session session(SSL_new(context), SSL_free);
  X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session.get()), host);
  SSL_set_fd(session.get(), fd);
  const bool done = SSL_connect(session.get()) == 1;
  close(fd);
  return done;
}

TEST_F(EmulatorConnection, CertificateFitsEveryLoopbackName) {
  for (const char *host : {"127.0.0.1", "localhost"}) {
    httplib::SSLClient client(host, emulator->port());
    client.set_ca_cert_path(emulator->ca_file().c_str());
    client.enable_server_certificate_verification(true);
    EXPECT_TRUE(client.Get("/fleetup/devices")) << host;
  }
}

TEST_F(EmulatorConnection, AnotherEmulatorsCaIsNotTrusted) {
  const auto other = Emulator::start({});
  httplib::SSLClient client("127.0.0.1", emulator->port());
  client.set_ca_cert_path(other->ca_file().c_str());
  client.enable_server_certificate_verification(true);
  EXPECT_FALSE(client.Get("/fleetup/devices"));
  EXPECT_NE(client.get_openssl_verify_result(), 0);
}

TEST_F(EmulatorConnection, Ipv6Loopback) {
  Options options;
  options.host = "::1";
  std::unique_ptr<Emulator> six;
  try {
    six = Emulator::start(options);
  } catch (const StartError &) {
    GTEST_SKIP() << "this machine has no IPv6 loopback";
  }
  EXPECT_EQ(six->url(), "https://[::1]:" + std::to_string(six->port()));
  // Not httplib's client: it reads past the end of IPv4 names when it looks for an IPv6 one.
  const Context context = new_context();
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  EXPECT_FALSE(handshake(context.get(), "::1", six->port()));
  ASSERT_EQ(SSL_CTX_load_verify_locations(context.get(), six->ca_file().c_str(), nullptr), 1);
  EXPECT_TRUE(handshake(context.get(), "::1", six->port()));
}

TEST_F(EmulatorConnection, OldTlsIsRefused) {
  const auto connects_with = [&](int version) {
    const Context context = new_context();
    SSL_CTX_set_security_level(context.get(), 0);
    SSL_CTX_set_min_proto_version(context.get(), version);
    SSL_CTX_set_max_proto_version(context.get(), version);
    return handshake(context.get(), "127.0.0.1", emulator->port());
  };
  EXPECT_FALSE(connects_with(TLS1_1_VERSION));
  EXPECT_TRUE(connects_with(TLS1_2_VERSION));
  EXPECT_TRUE(connects_with(TLS1_3_VERSION));
}

TEST_F(EmulatorConnection, PlainHttpIsNotAnsweredUnlessAskedFor) {
  httplib::Client to_tls("127.0.0.1", emulator->port());
  EXPECT_FALSE(to_tls.Get("/fleetup/devices"));

  Options options;
  options.plain_http = true;
  const auto plain = Emulator::start(options);
  EXPECT_EQ(plain->url(), "http://127.0.0.1:" + std::to_string(plain->port()));
  EXPECT_EQ(plain->ca_file(), "");
  httplib::Client client("127.0.0.1", plain->port());
  EXPECT_EQ(client.Get("/fleetup/devices")->status, 401);
}

TEST_F(EmulatorConnection, NeverLeavesLoopback) {
  for (const char *host : {"0.0.0.0", "::", "192.0.2.1", "example.com", ""}) {
    Options options;
    options.host = host;
    EXPECT_THROW(Emulator::start(options), StartError) << host;
  }
}

TEST_F(EmulatorConnection, APortInUseIsAClearError) {
  Options options;
  options.port = emulator->port();
  try {
    Emulator::start(options);
    FAIL() << "two emulators share a port";
  } catch (const StartError &error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("choose another port"));
  }
}

TEST_F(EmulatorConnection, ADirectoryThatCannotBeMadeIsAClearError) {
  Options options;
  options.directory = "/dev/null/here";
  EXPECT_THROW(Emulator::start(options), StartError);
}

TEST_F(EmulatorConnection, SeventyConnectionsAtOnce) {
  constexpr int count = 70;
  admin_post("/faults", {{"times", count}, {"do", {{"hold", "all"}}}});
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&] {
      const auto answer = fleetup_login();
      if (answer && answer->status == 200) ++good;
    });
  }
  // All of them are in the emulator at the same moment, and the admin API still answers.
  EXPECT_EQ(entries("?wait_for=70&timeout_ms=30000").size(), 70U);
  EXPECT_EQ(good, 0);
  admin_post("/release", {{"gate", "all"}});
  for (std::thread &thread : threads) thread.join();
  EXPECT_EQ(good, count);
}

TEST_F(EmulatorConnection, KeepAliveServesManyRequestsOnOneConnection) {
  const auto client = new_client();
  client->set_keep_alive(true);
  for (int i = 0; i < 500; ++i) ASSERT_EQ(client->Get("/fleetup/devices", api_key())->status, 401) << i;
  EXPECT_EQ(entries().back()["on_connection"], 500);
}

TEST_F(EmulatorConnection, StopEndsIdleConnections) {
  const auto client = new_client();
  client->set_keep_alive(true);
  client->Get("/fleetup/devices");
  emulator->stop();
  emulator->stop();
  EXPECT_FALSE(client->Get("/fleetup/devices"));
}

TEST_F(EmulatorConnection, OddRequestsAreAnsweredOrRefusedNotFatal) {
  EXPECT_EQ(new_client()->Options("/fleetup/token")->status, 405);
  EXPECT_EQ(new_client()->Head("/fleetup/token")->status, 405);
  EXPECT_EQ(get("/fleetup/%zz?%zz=%")->status, 404);
  EXPECT_EQ(get("/fleetup/" + std::string(7000, 'a'))->status, 404);
  EXPECT_EQ(get("/" + std::string(9000, '/'))->status, 414);
  EXPECT_EQ(post("/fleetup/token", api_key(), std::string((1 << 20) + 1, 'x'))->status, 413);
  EXPECT_EQ(post("/fleetup/token", api_key(), std::string(100'000, '['))->status, 400);
  EXPECT_EQ(new_client()->Post("/fleetup/token")->status, 401);
  EXPECT_EQ(get("/fleetup/devices", {{"Range", "bytes=0-3"}, {"Accept-Encoding", "gzip"}})->get_header_value("Content-Encoding"), "");
  EXPECT_EQ(fleetup_login()->status, 200);
}

}  // namespace
}  // namespace fleetauth::emulator
