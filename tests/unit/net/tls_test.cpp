#include <curl/curl.h>
#include <openssl/conf.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/base/base64.h"
#include "core/crypto/digest.h"
#include "tests/unit/net/driver_fixture.h"

namespace fleetauth::net {
namespace {

using flow::Sent;
using test::CertificateRequest;
using test::Identity;
using test::json_answer;
using test::RawConnection;
using test::RawServer;
using test::RawTls;
using test::TestCa;
using testing::HasSubstr;

// Set before libcurl starts, which looks at it once.
const std::string key_log = [] {
  std::string path = testing::TempDir() + "fleetauth-keys-" + std::to_string(getpid());
  setenv("SSLKEYLOGFILE", path.c_str(), 1);
  return path;
}();

const TestCa &ca() {
  static const TestCa authority;
  return authority;
}

class TlsTest : public DriverTest {
 protected:
  /// As in a program whose OpenSSL is set up to put up with anything.
  static void SetUpTestSuite() {
    const std::string path = testing::TempDir() + "fleetauth-weak-" + std::to_string(getpid()) + ".cnf";
    std::ofstream(path) << "openssl_conf = all\n[all]\nssl_conf = ssl\n[ssl]\nsystem_default = weak\n"
                           "[weak]\nMinProtocol = None\nCipherString = ALL:@SECLEVEL=0\n";
    EXPECT_EQ(CONF_modules_load_file(path.c_str(), nullptr, 0), 1);
    std::filesystem::remove(path);
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
    EXPECT_EQ(SSL_CTX_get_security_level(context.get()), 0);
    EXPECT_EQ(SSL_CTX_get_min_proto_version(context.get()), 0);
  }

  // Tries to send a secret to a server with that certificate.
  void expect_refused(const Identity &identity, Status status, const std::string &message) {
    const RawServer server(RawServer::always(json_answer("{}")), RawTls{identity, 0, ""});
    const Outcome outcome = fetch(post(server.origin(), "password"), settings(ca().pem()));
    expect_failure(outcome, status, Sent::No, message);
    EXPECT_FALSE(std::get<flow::HttpFailure>(outcome).error->is_retryable());
    EXPECT_TRUE(server.requests().empty());
  }

  static std::string pin_of(const Identity &identity) {
    unsigned char *der = nullptr;
    const int size = i2d_PUBKEY(identity.key.get(), &der);
    const auto digest = crypto::sha256({reinterpret_cast<const char *>(der), static_cast<std::size_t>(size)});
    OPENSSL_free(der);
    return "sha256//" + std::string(base64::encode(crypto::view(digest)).view());
  }

  static Identity issued(const CertificateRequest &request) { return ca().issue(request); }
};

TEST_F(TlsTest, GoodCertificatesAreAccepted) {
  const RawServer server(RawServer::always(json_answer("{}")), RawTls{issued({}), 0, ""});
  for (const char *host : {"127.0.0.1", "localhost"}) {
    const std::string origin = std::string("https://") + host + ":" + std::to_string(server.port());
    EXPECT_EQ(response_of(fetch(get(origin), settings(ca().pem()))).status, 200) << host;
  }
}

TEST_F(TlsTest, N08_OnlyPinnedKeysAreAccepted) {
  const Identity identity = issued({});
  const RawServer server(RawServer::always(json_answer("{}")), RawTls{identity, 0, ""});
  const auto options = settings(ca().pem());
  options->pinned_public_key = pin_of(issued({}));
  const Outcome outcome = fetch(get(server.origin()), options);
  expect_failure(outcome, Status::Tls, Sent::No, "pinned_public_key");
  EXPECT_FALSE(std::get<flow::HttpFailure>(outcome).error->is_retryable());
  EXPECT_TRUE(server.requests().empty());

  const auto both = settings(ca().pem());
  both->pinned_public_key = options->pinned_public_key + ";" + pin_of(identity);
  EXPECT_EQ(response_of(fetch(get(server.origin()), both)).status, 200);
  EXPECT_EQ(response_of(fetch(get(server.origin()), settings(ca().pem()))).status, 200);
  expect_failure(fetch(get(server.origin()), options), Status::Tls, Sent::No,
                 "pinned_public_key");  // also with connections that others keep
}

TEST_F(TlsTest, N05_T01_SelfSigned) {
  expect_refused(TestCa::self_signed(), Status::Tls, "self-signed certificate (CA certificates from the option ca_pem); if");
}

TEST_F(TlsTest, N05_T01_UnknownCa) { expect_refused(TestCa("Stranger").issue(), Status::Tls, "set ca_file"); }

TEST_F(TlsTest, N05_T01_WrongHost) {
  CertificateRequest request;
  request.alt_names = "DNS:other.example,DNS:127.0.0.1.example";
  expect_refused(issued(request), Status::Tls, "for another host");
}

TEST_F(TlsTest, N05_T01_Expired) {
  CertificateRequest request;
  request.valid_from = std::chrono::hours(-48);
  request.valid_until = std::chrono::hours(-24);
  expect_refused(issued(request), Status::Tls, "expired; check this machine's clock");
}

TEST_F(TlsTest, N05_T01_NotYetValid) {
  CertificateRequest request;
  request.valid_from = std::chrono::hours(24);
  request.valid_until = std::chrono::hours(48);
  expect_refused(issued(request), Status::Tls, "not yet valid; check this machine's clock");
}

TEST_F(TlsTest, N05_T01_WrongUsage) {
  CertificateRequest request;
  request.usage = "clientAuth";
  expect_refused(issued(request), Status::Tls, "purpose");
}

TEST_F(TlsTest, N05_T01_ShortKey) {
  CertificateRequest request;
  request.rsa_bits = 1024;
  expect_refused(issued(request), Status::Tls, "key too weak; the server needs");
}

TEST_F(TlsTest, N05_T01_Sha1Signature) {
  CertificateRequest request;
  request.sha1 = true;
  expect_refused(issued(request), Status::Tls, "algorithm too weak; the server needs");
}

TEST_F(TlsTest, N06_T02_OldVersionsAreRefused) {
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    const RawServer server(RawServer::always(json_answer("{}")), RawTls{issued({}), version, "ALL:@SECLEVEL=0"});
    expect_failure(fetch(post(server.origin(), "x"), settings(ca().pem())), Status::Tls, Sent::No, "TLS 1.2 or newer");
  }
}

/// What the extension supported_versions of a hello lists, two bytes each; empty without one.
std::string supported_versions(const std::string &hello) {
  const auto number = [&hello](std::size_t at, std::size_t bytes) {
    std::size_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) value = value * 256 + static_cast<unsigned char>(hello.at(at + i));
    return value;
  };
  constexpr std::size_t kExtension = 43;
  std::size_t at = 5 + 4 + 2 + 32;  // the record's and the message's head, the version and the random bytes
  at += 1 + number(at, 1);          // the session's id
  at += 2 + number(at, 2);          // the ciphers
  at += 1 + number(at, 1);          // the compressions
  const std::size_t end = at + 2 + number(at, 2);
  for (at += 2; at < end; at += 4 + number(at + 2, 2)) {
    if (number(at, 2) == kExtension) return hello.substr(at + 5, number(at + 4, 1));
  }
  return {};
}

TEST_F(TlsTest, N06_T02_OldVersionsAreNotOffered) {
  std::string hello;
  {
    const RawServer server([&hello](RawConnection &connection) {
      hello = connection.receive();
      connection.close();
    });
    EXPECT_EQ(fetch(get("https://127.0.0.1:" + std::to_string(server.port())), settings(ca().pem())).index(), 1U);
  }
  EXPECT_EQ(supported_versions(hello), "\x03\x04\x03\x03");
}

TEST_F(TlsTest, N06_T02_CiphersWithoutAeadAreRefused) {
  for (const char *ciphers : {"ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384"}) {
    const RawServer server(RawServer::always(json_answer("{}")), RawTls{issued({}), TLS1_2_VERSION, ciphers});
    expect_failure(fetch(post(server.origin(), "x"), settings(ca().pem())), Status::Tls, Sent::No, "ECDHE and an AEAD cipher");
  }
  const RawServer server(RawServer::always(json_answer("{}")), RawTls{issued({}), TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256"});
  EXPECT_EQ(response_of(fetch(get(server.origin()), settings(ca().pem()))).status, 200);
}

TEST_F(TlsTest, N06_T02_CiphersWithoutForwardSecrecyAreRefused) {
  CertificateRequest rsa;
  rsa.rsa_bits = 2048;
  const RawServer server(RawServer::always(json_answer("{}")), RawTls{issued(rsa), TLS1_2_VERSION, "AES128-GCM-SHA256:AES256-SHA"});
  expect_failure(fetch(post(server.origin(), "x"), settings(ca().pem())), Status::Tls, Sent::No, "ECDHE and an AEAD cipher");
}

TEST_F(TlsTest, N06_RenegotiationIsRefused) {
  std::atomic<bool> agreed = true;
  {
    const RawServer server(
        [&](RawConnection &connection) {
          connection.read_request();
          agreed = connection.renegotiate();
          connection.close();
        },
        RawTls{issued({}), TLS1_2_VERSION, ""});
    EXPECT_EQ(fetch(post(server.origin(), "x"), settings(ca().pem())).index(), 1U);
  }
  EXPECT_FALSE(agreed);
}

TEST_F(TlsTest, PlainHttpOnAnHttpsPort) {
  const RawServer server([](RawConnection &connection) {
    connection.send("HTTP/1.1 400 Bad Request\r\n\r\n");
    connection.close();
  });
  expect_failure(fetch(post("https://127.0.0.1:" + std::to_string(server.port()), "x"), settings(ca().pem())), Status::Tls, Sent::No);
}

TEST_F(TlsTest, CaFilesAreReadAndTheirFaultsNamed) {
  const std::string path = testing::TempDir() + "fleetauth-ca-" + std::to_string(getpid()) + ".pem";
  const RawServer server(RawServer::always(json_answer("{}")), RawTls{issued({}), 0, ""});
  const auto options = settings(" ");
  options->ca_pem.clear();
  options->ca_file = path;
  expect_failure(fetch(get(server.origin()), options), Status::Config, Sent::No, path + " cannot be read: No such file");
  std::ofstream(path) << "not a certificate\n";
  expect_failure(fetch(get(server.origin()), options), Status::Config, Sent::No, "holds no certificate");
  std::ofstream(path) << "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  expect_failure(fetch(get(server.origin()), options), Status::Config, Sent::No, "damaged");
  std::ofstream(path) << TestCa("Another").pem() << ca().pem();
  EXPECT_EQ(response_of(fetch(get(server.origin()), options)).status, 200);
  std::filesystem::remove(path);
}

TEST_F(TlsTest, TheSystemsCertificatesAreTheDefault) {
  const RawServer server(RawServer::always(json_answer("{}")), RawTls{issued({}), 0, ""});
  const auto options = settings(" ");
  options->ca_pem.clear();
  expect_failure(fetch(get(server.origin()), options), Status::Tls, Sent::No, "/etc/");
}

/// What any other program does with libcurl.
CURLcode get_plainly(const std::string &url) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy(curl_easy_init(), curl_easy_cleanup);
  curl_easy_setopt(easy.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy.get(), CURLOPT_SSL_VERIFYPEER, 0L);
  curl_easy_setopt(easy.get(), CURLOPT_NOBODY, 1L);
  return curl_easy_perform(easy.get());
}

TEST_F(TlsTest, L06_SessionKeysAreNotWrittenToAFile) {
  const RawServer server(RawServer::always(json_answer("{}")), RawTls{issued({}), 0, ""});
  response_of(fetch(get(server.origin()), settings(ca().pem())));
  ASSERT_TRUE(std::filesystem::exists(key_log)) << "libcurl was not asked for one";
  EXPECT_EQ(std::filesystem::file_size(key_log), 0U);
  EXPECT_EQ(get_plainly(server.origin()), CURLE_OK);
  EXPECT_GT(std::filesystem::file_size(key_log), 0U) << "libcurl writes none at all";
  std::filesystem::remove(key_log);
}

}  // namespace
}  // namespace fleetauth::net
