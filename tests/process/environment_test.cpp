// What the environment tells other programs is not obeyed.
#include <fleetauth/fleetauth.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/fault/raw_server.h"
#include "tests/process/child.h"

namespace process {
namespace {

using fleetauth::test::json_answer;
using fleetauth::test::RawServer;
using fleetauth::test::RawTls;
using fleetauth::test::TestCa;
using Strings = std::vector<std::string>;

class Environment : public ::testing::Test {
 protected:
  Environment() {
    std::string pattern = std::filesystem::temp_directory_path() / "fleetauth-test-XXXXXX";
    EXPECT_NE(mkdtemp(pattern.data()), nullptr);
    folder = pattern;
    write("ca.pem", ca.pem());
  }
  ~Environment() override { std::filesystem::remove_all(folder); }

  std::string write(const std::string &name, const std::string &content) const {
    std::ofstream(folder / name) << content;
    return folder / name;
  }

  /// What servers receive from a program that trusts `ca_file`, in such an environment.
  Strings requests(const Strings &environment, const std::string &ca_file, const std::string &proxy, int expected) {
    const std::size_t before = server.requests().size();
    EXPECT_EQ(wait_for(spawn({ENVIRONMENT_COMMAND, server.origin(), ca_file, proxy}, environment)).status, expected);
    const Strings all = server.requests();
    return {all.begin() + static_cast<std::ptrdiff_t>(before), all.end()};
  }

  /// What other programs, and other users of the same libraries, obey.
  [[nodiscard]] Strings hostile() const {
    write(".netrc", "default login netrc password netrc\n");
    write(".curlrc", "header = \"X-Curlrc: obeyed\"\nproxy = " + trap.origin() + "\n");
    const std::string netrc = folder / ".netrc";
    const std::string config = write("openssl.cnf",
                                     "openssl_conf = here\n[here]\nproviders = nothing\nssl_conf = tls\n[nothing]\nmissing = missing\n"
                                     "[missing]\nactivate = 1\n[tls]\nsystem_default = old\n[old]\nMaxProtocol = TLSv1\n");
    Strings set{"HOME=" + folder.string(),
                "CURL_HOME=" + folder.string(),
                "XDG_CONFIG_HOME=" + folder.string(),
                "NETRC=" + netrc,
                "SSLKEYLOGFILE=" + key_log(),
                "OPENSSL_CONF=" + config,
                "OPENSSL_MODULES=/nothing",
                "OPENSSL_ENGINES=/nothing",
                "CURL_CA_BUNDLE=/nothing",
                "SSL_CERT_FILE=/nothing",
                "SSL_CERT_DIR=/nothing",
                "REQUESTS_CA_BUNDLE=/nothing",
                "CURL_SSL_BACKEND=gnutls",
                "TZ=:/etc/passwd",
                "LC_ALL=tr_TR.UTF-8",
                "LANG=ar_EG.UTF-8",
                "LANGUAGE=tr",
                "FLEETUP_API_KEY=of the environment",
                "FLEETUP_SECRET=of the environment",
                "OPENSSL_ia32cap=0:0",
                "REQUEST_METHOD=GET"};
    for (const char *name : {"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) {
      set.push_back(name + ("=" + trap.origin()));
    }
    return set;
  }
  [[nodiscard]] std::string key_log() const { return folder / "keys"; }

  TestCa ca;
  RawServer server{RawServer::always(json_answer(R"({"token":"tok-1","access_token":"tok-1","token_type":"bearer"})")),
                   RawTls{ca.issue(), 0, ""}};
  RawServer trap{RawServer::always(json_answer("{}"))};
  std::filesystem::path folder;
};

TEST_F(Environment, T14_RequestsAreTheSameToTheByte) {
  const std::string ca_file = folder / "ca.pem";
  const Strings ordinary = requests({}, ca_file, "none", 0);
  ASSERT_EQ(ordinary.size(), 2U);
  EXPECT_EQ(requests(hostile(), ca_file, "none", 0), ordinary);
  Strings bypassed = hostile();
  for (const char *name : {"no_proxy=127.0.0.1", "NO_PROXY=127.0.0.1"}) bypassed.emplace_back(name);
  EXPECT_EQ(requests(bypassed, ca_file, "env", 0), ordinary);
  EXPECT_EQ(trap.connections(), 0);
  EXPECT_EQ((std::ostringstream() << std::ifstream(key_log()).rdbuf()).str(), "");
}

TEST_F(Environment, T14_NobodyElseIsTrusted) {
  const std::string ca_file = folder / "ca.pem";
  const Strings environment{"SSL_CERT_FILE=" + ca_file, "SSL_CERT_DIR=" + folder.string(), "CURL_CA_BUNDLE=" + ca_file};
  EXPECT_EQ(requests(environment, "", "none", FLEETAUTH_E_TLS), Strings());
}

}  // namespace
}  // namespace process
