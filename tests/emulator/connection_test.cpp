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
  httplib::SSLClient client("::1", six->port());
  client.set_ca_cert_path(six->ca_file().c_str());
  client.enable_server_certificate_verification(true);
  EXPECT_TRUE(client.Get("/fleetup/devices"));
}

TEST_F(EmulatorConnection, OldTlsIsRefused) {
  const auto handshake = [&](int version) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(emulator->port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd, reinterpret_cast<const sockaddr *>(&address), sizeof address), 0);
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_min_proto_version(context, version);
    SSL_CTX_set_max_proto_version(context, version);
    SSL *ssl = SSL_new(context);
    SSL_set_fd(ssl, fd);
    const bool done = SSL_connect(ssl) == 1;
    SSL_free(ssl);
    SSL_CTX_free(context);
    close(fd);
    return done;
  };
  EXPECT_FALSE(handshake(TLS1_1_VERSION));
  EXPECT_TRUE(handshake(TLS1_2_VERSION));
  EXPECT_TRUE(handshake(TLS1_3_VERSION));
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
