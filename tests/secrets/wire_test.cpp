// Where secrets may stand in a request, and what errors tell of them.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "tests/fault/raw_server.h"
#include "tests/secrets/scene.h"

namespace secrets {
namespace {

using fleetauth::test::RawServer;

class Wire : public testing::Test {
 protected:
  /// One fetch from a server that answers with these bytes.
  capi::Outcome fetch(const std::string &answer) {
    const fleetauth::test::TestCa ca;
    const RawServer server(RawServer::always(answer), fleetauth::test::RawTls{ca.issue(), 0, ""});
    const capi::Runtime runtime = capi::make_runtime({{"mode", "manual"}});
    const capi::Client client = Bag()
                                    .set("api_key", api_key)
                                    .set("acct_id", "12345")
                                    .set("secret", secret)
                                    .set("base_url", server.origin())
                                    .set("ca_pem", ca.pem())
                                    .set("proxy", "none")
                                    .set("total_timeout_ms", "2000")
                                    .client(runtime.get(), "fleetup");
    capi::Outcome outcome = capi::get_token(client.get());
    requests = server.requests();
    return outcome;
  }
  /// What a server says that repeats everything it was sent.
  [[nodiscard]] std::string with_secrets(const std::string &text) const {
    std::string out = text;
    for (const auto &[mark, value] : {std::pair("KEY", &api_key), std::pair("SECRET", &secret)}) {
      value->reveal([&, m = std::string(mark)](std::string_view plain) {
        for (std::size_t at = out.find(m); at != std::string::npos; at = out.find(m)) out.replace(at, m.size(), plain);
      });
    }
    return out;
  }
  void expect_clean(const std::string &text, const std::string &where) const {
    EXPECT_FALSE(api_key.is_in(text)) << where << " holds the API key";
    EXPECT_FALSE(secret.is_in(text)) << where << " holds the secret";
  }

  const Masked api_key = random_secret();
  const Masked secret = random_secret();
  std::vector<std::string> requests;
};

std::string file(const char *path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST_F(Wire, L05_SecretsStandInTheirHeaderAndTheBodyOnly) {
  ASSERT_EQ(fetch(fleetauth::test::json_answer(R"({"token":"abc"})")).status, FLEETAUTH_OK);
  ASSERT_EQ(requests.size(), 1U);
  const std::string &request = requests.front();
  expect_clean(request.substr(0, request.find("\r\n")), "the request line");
  EXPECT_EQ(request.find("\r\nReferer:"), std::string::npos);
  int api_key_headers = 0;
  std::size_t begin = request.find("\r\n") + 2;
  for (std::size_t end = request.find("\r\n", begin); end != begin; begin = end + 2, end = request.find("\r\n", begin)) {
    const std::string line = request.substr(begin, end - begin);
    if (line.starts_with("x-api-key:")) {
      api_key_headers += api_key.is_in(line) ? 1 : 0;
    } else {
      expect_clean(line, line.substr(0, line.find(':')));
    }
  }
  EXPECT_EQ(api_key_headers, 1);
  EXPECT_TRUE(secret.is_in(request.substr(begin))) << "the body carries the secret";
}

TEST_F(Wire, L05_ArgumentsAndEnvironmentHoldNoSecret) {
  ASSERT_EQ(fetch(fleetauth::test::json_answer(R"({"token":"abc"})")).status, FLEETAUTH_OK);
  expect_clean(file("/proc/self/cmdline"), "the command line");
  expect_clean(file("/proc/self/environ"), "the environment");
  expect_clean(file("/proc/self/comm"), "the name of the process");
}

TEST_F(Wire, T13_L03_NoErrorRepeatsWhatAServerSays) {
  const auto http = [](const std::string &head, const std::string &body) {
    return "HTTP/1.1 " + head + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  };
  const std::string json = "\r\nContent-Type: application/json";
  for (const std::string &answer : {
           http("401 KEY SECRET" + json, R"({"code":"KEY","message":"SECRET","error":{"code":"KEY-SECRET"}})"),
           http("400 Bad" + json, R"({"code":"K:KEY","error":"x_SECRET"})"),
           http("403 No\r\nContent-Type: text/html", "<html>KEY SECRET</html>"),
           http("200 OK" + json, R"({"success":false,"message":"SECRET"})"),
           http("200 OK" + json, R"({"token":"KEY SECRET"})"),
           http("200 OK" + json, R"({"token":{"KEY":"SECRET"}})"),
           http("200 OK" + json, R"({"KEY":"SECRET")"),
           http("200 OK\r\nContent-Type: KEY/SECRET", "KEY"),
           http("200 OK\r\nContent-Encoding: SECRET" + json, "KEY"),
           http("302 Found\r\nLocation: https://KEY:SECRET@SECRET.example/KEY?SECRET", ""),
           http("302 Found\r\nLocation: /KEY/SECRET", ""),
           http("429 Slow\r\nRetry-After: SECRET" + json, R"({"code":"SECRET"})"),
           http("500 KEY" + json, R"({"code":"SECRET"})"),
           std::string("KEY SECRET\r\n\r\n"),
           std::string("HTTP/1.1 200 KEY\r\nSECRET\r\n\r\n"),
       }) {
    const capi::Outcome outcome = fetch(with_secrets(answer));
    ASSERT_NE(outcome.status, FLEETAUTH_OK) << answer;
    expect_clean(outcome.message(), "the message about " + answer);
    expect_clean(capi::text_of(fleetauth_error_provider_code, outcome.error.get()), "the code of " + answer);
    expect_clean(capi::text_of(fleetauth_error_account, outcome.error.get()), "the account of " + answer);
  }
}

}  // namespace
}  // namespace secrets
