#include <fcntl.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <thread>

#include "core/base/os/clock.h"
#include "tests/unit/net/driver_fixture.h"

namespace fleetauth::net {
namespace {

using flow::CallClass;
using flow::Sent;
using test::closed_port;
using test::json_answer;
using test::RawConnection;
using test::RawServer;
using test::TestCa;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

bool is_readable(int fd) {
  pollfd entry{fd, POLLIN, 0};
  return poll(&entry, 1, 0) == 1;
}

std::set<int> open_descriptors() {
  std::set<int> found;
  for (const auto &entry : std::filesystem::directory_iterator("/proc/self/fd")) found.insert(std::stoi(entry.path().filename()));
  std::erase_if(found, [](int fd) { return fcntl(fd, F_GETFD) < 0; });  // the listing's own
  return found;
}

const std::set<int> others_descriptors = open_descriptors();  // before the library has any

// ---------------------------------------------------------------- what is sent and what comes back

TEST_F(DriverTest, SendsExactlyTheRequest) {
  const RawServer server(RawServer::always(json_answer("{}")));
  flow::HttpRequest request = post(server.origin(), "{\"a\":1}");
  request.url = SecretBytes(server.origin() + "/a/../b?q=%41");
  request.headers.push_back({"X-Api-Key", SecretBytes("k e y")});
  request.headers.push_back({"X-Empty", SecretBytes()});
  request.headers.push_back({"Accept", SecretBytes("application/json")});
  response_of(fetch(request, settings()));
  EXPECT_THAT(server.requests(), ElementsAre("POST /a/../b?q=%41 HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server.port()) +
                                             "\r\nUser-Agent: fleetauth-test\r\nContent-Type: application/json\r\nX-Api-Key: k e y\r\n"
                                             "X-Empty:\r\nAccept: application/json\r\nContent-Length: 7\r\n\r\n{\"a\":1}"));
}

TEST_F(DriverTest, SendsEveryMethod) {
  const RawServer server(RawServer::always("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
  for (const char *method : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}) {
    flow::HttpRequest request = get(server.origin());
    request.method = method;
    EXPECT_EQ(response_of(fetch(request, settings())).status, 200) << method;
    EXPECT_THAT(server.requests().back(), testing::StartsWith(std::string(method) + " / HTTP/1.1\r\n"));
  }
}

TEST_F(DriverTest, GivesStatusHeadersAndBody) {
  const RawServer server(
      RawServer::always("HTTP/1.1 100 Continue\r\nX-Interim: 1\r\n\r\nHTTP/1.1 401 Unauthorized\r\nX-One:  a b \t\r\nx-two:\r\n"
                        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n"));
  const Outcome outcome = fetch(get(server.origin()), settings());
  const flow::HttpResponse &response = response_of(outcome);
  EXPECT_EQ(response.status, 401);
  EXPECT_EQ(response.body.view(), "abcde");
  ASSERT_EQ(response.headers.size(), 3U);
  EXPECT_EQ(response.headers[0].name, "X-One");
  EXPECT_EQ(response.headers[0].value.view(), "a b");
  EXPECT_EQ(response.headers[1].name, "x-two");
  EXPECT_EQ(response.headers[1].value.view(), "");
}

TEST_F(DriverTest, TakesABodyOfExactlyTheLimit) {
  const std::string body(flow::kMaxBody, 'x');
  const RawServer server(RawServer::always(json_answer(body)));
  EXPECT_EQ(response_of(fetch(get(server.origin()), settings())).body.size(), flow::kMaxBody);
}

TEST_F(DriverTest, T05_HeadersThatCouldBecomeTwoAreNotSent) {
  const RawServer server(RawServer::always(json_answer("{}")));
  for (const std::string &value :
       {std::string("a\r\nX-Evil: 1"), std::string("a\nb"), std::string("a\0b", 3), std::string("\xc3\xa4"), std::string(" a")}) {
    flow::HttpRequest request = get(server.origin());
    request.headers.push_back({"Authorization", SecretBytes(value)});
    expect_failure(fetch(request, settings()), Status::Config, Sent::No, "the header Authorization");
  }
  flow::HttpRequest request = get(server.origin());
  request.headers.push_back({"X: y\r\nZ", SecretBytes("1")});
  expect_failure(fetch(request, settings()), Status::Config, Sent::No);
  EXPECT_EQ(server.connections(), 0);
}

TEST_F(DriverTest, T04_OtherSchemesAndUserNamesAreNotFetched) {
  const std::string host = "127.0.0.1:" + std::to_string(closed_port());
  expect_failure(fetch(get("http://" + host), settings(TestCa().pem())), Status::Url, Sent::No);
  expect_failure(fetch(get("file:///etc/passwd"), settings()), Status::Url, Sent::No);
  for (const std::string scheme : {"https://", "http://"}) {
    flow::HttpRequest request = get(scheme + host);
    request.url = SecretBytes(scheme + "user:hunter2@" + host);
    expect_failure(fetch(request, settings()), Status::Url, Sent::No, "user name");
  }
}

TEST_F(DriverTest, H04_T03_RedirectsAreAnswersAndNothingMore) {
  const RawServer elsewhere(RawServer::always(json_answer("{}")));
  const RawServer server(
      RawServer::always("HTTP/1.1 307 Temporary Redirect\r\nLocation: " + elsewhere.origin() + "/\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_EQ(response_of(fetch(post(server.origin(), "secret"), settings())).status, 307);
  EXPECT_EQ(elsewhere.connections(), 0);
}

TEST_F(DriverTest, N22_PortalPagesAreHandedOnAsTheyAre) {
  const RawServer server(RawServer::always("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>"));
  EXPECT_EQ(response_of(fetch(get(server.origin()), settings())).body.view(), "<html>");
}

// ---------------------------------------------------------------- connections

TEST_F(DriverTest, IdempotentRequestsShareAConnection) {
  const RawServer server(RawServer::always(json_answer("{}")));
  for (int i = 0; i < 3; ++i) response_of(fetch(get(server.origin()), settings()));
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(DriverTest, N10_OtherRequestsHaveAConnectionOfTheirOwn) {
  const RawServer server(RawServer::always(json_answer("{}")));
  for (const CallClass call_class : {CallClass::Idempotent, CallClass::OneShot, CallClass::Refresh, CallClass::Idempotent}) {
    response_of(fetch(post(server.origin(), "x", call_class), settings()));
  }
  EXPECT_EQ(server.connections(), 3);  // the first connection also serves the last request
}

TEST_F(DriverTest, N10_OtherRequestsLeaveNoConnectionBehind) {
  const RawServer server(RawServer::always(json_answer("{}")));
  for (const CallClass call_class : {CallClass::OneShot, CallClass::Refresh, CallClass::Idempotent}) {
    response_of(fetch(post(server.origin(), "x", call_class), settings()));
  }
  EXPECT_EQ(server.connections(), 3);
}

TEST_F(DriverTest, N10_NothingIsSentTwiceWhenTheConnectionDies) {
  for (const CallClass call_class : {CallClass::OneShot, CallClass::Refresh}) {
    const RawServer server([](RawConnection &connection) {
      while (true) {
        const std::string request = connection.read_request();
        if (request.empty() || request.find("consumed-once") != std::string::npos) return connection.cut();
        connection.send(json_answer("{}"));
      }
    });
    response_of(fetch(get(server.origin()), settings()));  // leaves a connection that could be reused
    const Outcome outcome = fetch(post(server.origin(), "consumed-once", call_class), settings());
    expect_failure(outcome, Status::Network, Sent::Maybe, "without an answer");
    EXPECT_TRUE(std::get<flow::HttpFailure>(outcome).error->in_doubt);
    EXPECT_EQ(server.requests().size(), 2U);
  }
}

TEST_F(DriverTest, ClientsWithDifferentCasDoNotShareConnections) {
  const TestCa ca;
  const RawServer server(RawServer::always(json_answer("{}")), test::RawTls{ca.issue(), 0, ""});
  response_of(fetch(get(server.origin()), settings(ca.pem())));
  response_of(fetch(get(server.origin()), settings(ca.pem())));
  EXPECT_EQ(server.connections(), 1);
  response_of(fetch(get(server.origin()), settings(ca.pem() + TestCa("Other CA").pem())));
  EXPECT_EQ(server.connections(), 2);
  expect_failure(fetch(get(server.origin()), settings(TestCa("Other CA").pem())), Status::Tls, Sent::No);
}

TEST_F(DriverTest, ManySettingsDoNotPileUp) {
  const RawServer server(RawServer::always(json_answer("{}")));
  for (int i = 0; i < 40; ++i) {
    const auto options = settings();
    options->ca_file = "/nonexistent/" + std::to_string(i);  // not read for http
    response_of(fetch(get(server.origin()), options));
  }
  EXPECT_LT(open_descriptors().size(), 80U);
}

// ---------------------------------------------------------------- broken connections and answers

TEST_F(DriverTest, N01_RefusedConnections) {
  const std::string origin = "http://127.0.0.1:" + std::to_string(closed_port());
  const Outcome outcome = fetch(post(origin, "x"), settings());
  expect_failure(outcome, Status::Connect, Sent::No, "the connection was refused");
  EXPECT_FALSE(std::get<flow::HttpFailure>(outcome).error->in_doubt);
  EXPECT_TRUE(std::get<flow::HttpFailure>(outcome).error->is_retryable());
}

/// The first record that a TLS server answers this client's hello with.
std::string first_record_of_server(const test::Identity &identity, const std::string &client_hello) {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  SSL_CTX_use_certificate(context.get(), identity.certificate.get());
  SSL_CTX_use_PrivateKey(context.get(), identity.key.get());
  const std::unique_ptr<SSL, decltype(&SSL_free)> server(SSL_new(context.get()), SSL_free);
  SSL_set_bio(server.get(), BIO_new_mem_buf(client_hello.data(), static_cast<int>(client_hello.size())), BIO_new(BIO_s_mem()));
  SSL_accept(server.get());
  char *bytes = nullptr;
  const auto size = static_cast<std::size_t>(BIO_get_mem_data(SSL_get_wbio(server.get()), &bytes));
  const std::string answer(bytes, size);
  constexpr std::size_t kHeader = 5;
  const auto byte = [&answer](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(answer.at(i))); };
  return answer.substr(0, kHeader + byte(3) * 256 + byte(4));
}

TEST_F(DriverTest, N07_ConnectionsThatStallInTheHandshakeTimeOut) {
  const TestCa ca;
  const RawServer silent([](RawConnection &connection) { connection.stall(); });
  const auto options = settings(ca.pem());
  options->connect_timeout_ms = -200;  // libcurl is given 250 ms more than the runtime's timer
  expect_failure(fetch(get("https://127.0.0.1:" + std::to_string(silent.port())), options), Status::Timeout, Sent::No,
                 "no connection within");
}

TEST_F(DriverTest, N07_ServersThatStallAfterTheirHelloTimeOut) {
  const TestCa ca;
  const RawServer server([identity = ca.issue()](RawConnection &connection) {
    connection.send(first_record_of_server(identity, connection.receive()));
    connection.stall();
  });
  const auto options = settings(ca.pem());
  options->connect_timeout_ms = -150;  // libcurl is given 250 ms more than the runtime's timer
  expect_failure(fetch(get("https://127.0.0.1:" + std::to_string(server.port())), options), Status::Timeout, Sent::No,
                 "no connection within");
}

constexpr std::int64_t kOneSecond = 750;  // libcurl is given 250 ms more than the runtime's timer; time enough to send a request

TEST_F(DriverTest, N12_AnswersThatNeverComeTimeOut) {
  const RawServer silent([](RawConnection &connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\nX-Slow: ");
    while (connection.send("x")) connection.pause(std::chrono::milliseconds(5));
  });
  const auto options = settings();
  options->attempt_timeout_ms = kOneSecond;
  expect_failure(fetch(post(silent.origin(), "x"), options), Status::Timeout, Sent::Maybe, "no complete answer within");
}

TEST_F(DriverTest, N13_AnswersThatTrickleTimeOut) {
  const RawServer slow([](RawConnection &connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{");
    while (connection.send(" ")) connection.pause(std::chrono::milliseconds(5));
  });
  const auto options = settings();
  options->attempt_timeout_ms = kOneSecond;
  const Outcome outcome = fetch(post(slow.origin(), "x"), options);
  expect_failure(outcome, Status::Timeout, Sent::Maybe, "no complete answer within");
  EXPECT_TRUE(std::get<flow::HttpFailure>(outcome).error->in_doubt);
}

TEST_F(DriverTest, N09_ResetsBeforeTheRequestLeaveNothingInDoubt) {
  const TestCa ca;
  const RawServer server([](RawConnection &connection) {
    connection.await_bytes();  // an earlier reset may look like a refused connection
    connection.reset();
  });
  const Outcome outcome = fetch(post("https://127.0.0.1:" + std::to_string(server.port()), "x"), settings(ca.pem()));
  expect_failure(outcome, Status::Network, Sent::No, "during the TLS handshake");
  EXPECT_TRUE(std::get<flow::HttpFailure>(outcome).error->is_retryable());
}

TEST_F(DriverTest, N09_ResetsAfterTheRequestLeaveItInDoubt) {
  const RawServer server([](RawConnection &connection) {
    connection.read_request();
    connection.reset();
  });
  const Outcome outcome = fetch(post(server.origin(), "x"), settings());
  expect_failure(outcome, Status::Network, Sent::Maybe);
  EXPECT_TRUE(std::get<flow::HttpFailure>(outcome).error->in_doubt);
}

TEST_F(DriverTest, N11_ClosingWithoutAnAnswerLeavesItInDoubt) {
  const RawServer server([](RawConnection &connection) {
    connection.read_request();
    connection.close();
  });
  const Outcome outcome = fetch(post(server.origin(), "x"), settings());
  expect_failure(outcome, Status::Network, Sent::Maybe, "without an answer");
  EXPECT_TRUE(std::get<flow::HttpFailure>(outcome).error->in_doubt);
}

// Sends `answer`, then closes.
RawServer::Script once(std::string answer) {
  return [answer = std::move(answer)](RawConnection &connection) {
    connection.read_request();
    connection.send(answer);
    connection.close();
  };
}

TEST_F(DriverTest, N14_BodiesShorterThanAnnounced) {
  const RawServer server(once("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{\"token\":\"half"));
  expect_failure(fetch(post(server.origin(), "x"), settings()), Status::Network, Sent::Maybe, "before its announced length");
}

TEST_F(DriverTest, N15_ChunkedBodiesWithoutTheLastChunk) {
  const RawServer server(once("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{\"a\":1}\r\n"));
  expect_failure(fetch(post(server.origin(), "x"), settings()), Status::Network, Sent::Maybe);
}

// Without a length nobody can tell a complete body from one that was cut off; whoever reads it must.
TEST_F(DriverTest, N16_BodiesThatEndWithTheConnectionAreHandedOnAsTheyAre) {
  const TestCa ca;
  const RawServer server(once("HTTP/1.1 200 OK\r\n\r\n{\"token\":\"cut o"), test::RawTls{ca.issue(), 0, ""});
  EXPECT_EQ(response_of(fetch(post(server.origin(), "x"), settings(ca.pem()))).body.view(), "{\"token\":\"cut o");
}

/// What the process holds in memory, in KiB; 0 under a sanitizer, whose allocator keeps what is freed.
std::int64_t resident_kib() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return 0;
#else
  std::ifstream statm("/proc/self/statm");
  std::int64_t size = 0;
  std::int64_t resident = 0;
  statm >> size >> resident;
  return resident * (sysconf(_SC_PAGESIZE) / 1024);
#endif
}

TEST_F(DriverTest, N18_WhatMayBeLongIsReadToItsOwnLimit) {
  const RawServer server(RawServer::always(json_answer(std::string(flow::kMaxBody + 1, 'x'))));
  flow::HttpRequest list = get(server.origin());
  list.max_body = flow::kMaxBody + 1;
  EXPECT_EQ(response_of(fetch(std::move(list), settings())).body.size(), flow::kMaxBody + 1);
  expect_failure(fetch(get(server.origin()), settings()), Status::TooLarge, Sent::Maybe, "256 KiB");
}

TEST_F(DriverTest, N17_HugeAnnouncedLengthsAreRefusedAtOnce) {
  const RawServer server([](RawConnection &connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n");
    connection.stall();  // no byte of the body is waited for
  });
  const std::int64_t before = resident_kib();
  expect_failure(fetch(post(server.origin(), "x"), settings()), Status::TooLarge, Sent::Maybe);
  EXPECT_LT(resident_kib() - before, 1024);
}

TEST_F(DriverTest, N18_T06_EndlessBodiesAreCutOffAtTheLimit) {
  const RawServer server([](RawConnection &connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    const std::string chunk = "1000\r\n" + std::string(0x1000, 'x') + "\r\n";
    while (connection.send(chunk)) {
    }
  });
  const std::int64_t before = resident_kib();
  expect_failure(fetch(post(server.origin(), "x"), settings()), Status::TooLarge, Sent::Maybe, "256 KiB");
  EXPECT_LT(resident_kib() - before, 1024);
}

TEST_F(DriverTest, N19_EncodedBodiesAreNeverDecoded) {
  for (const char *header : {"Content-Encoding: gzip", "content-encoding: br", "Content-Encoding:zstd", "Content-Encoding: identity, gzip",
                             "Transfer-Encoding: gzip"}) {
    const RawServer server(once(std::string("HTTP/1.1 200 OK\r\n") + header + "\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x01"));
    expect_failure(fetch(post(server.origin(), "x"), settings()), Status::Protocol, Sent::Maybe, "compressed");
    EXPECT_THAT(server.requests().at(0), Not(HasSubstr("Accept-Encoding")));
  }
  const RawServer server(once("HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Length: 2\r\n\r\n{}"));
  EXPECT_EQ(response_of(fetch(get(server.origin()), settings())).body.view(), "{}");
}

TEST_F(DriverTest, N20_T06_HeaderFloodsAreCutOff) {
  std::string many = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 10'000; ++i) many += "X-Flood: value\r\n";
  std::string interim;
  for (int i = 0; i < 10'000; ++i) interim += "HTTP/1.1 103 Early Hints\r\n\r\n";
  for (const std::string &answer : {many, interim, "HTTP/1.1 200 OK\r\nX-Long: " + std::string(1 << 20, 'x') + "\r\n\r\n"}) {
    const RawServer server(once(answer));
    expect_failure(fetch(post(server.origin(), "x"), settings()), Status::TooLarge, Sent::Maybe);
  }
}

TEST_F(DriverTest, N20_MalformedHeadersAreRefused) {
  const std::pair<const char *, const char *> cases[] = {{"X-Folded: a\r\n b: c", "folded"}, {"no colon here", "HTTP/1.1"}};
  for (const auto &[header, message] : cases) {
    const RawServer server(once(std::string("HTTP/1.1 200 OK\r\n") + header + "\r\nContent-Length: 2\r\n\r\n{}"));
    expect_failure(fetch(get(server.origin()), settings()), Status::Protocol, Sent::Maybe, message);
  }
}

TEST_F(DriverTest, N20_HeadersOfAnInterimAnswerAreNotTheAnswers) {
  const RawServer server(
      once("HTTP/1.1 103 Early Hints\r\nRetry-After: 60\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n" + json_answer("{}")));
  const Outcome outcome = fetch(get(server.origin()), settings());
  EXPECT_EQ(response_of(outcome).status, 200);
  EXPECT_FALSE(response_of(outcome).header("retry-after"));
  EXPECT_FALSE(response_of(outcome).header("date"));
}

TEST_F(DriverTest, N21_WhatIsNotHttpIsRefused) {
  for (const char *answer : {"hello, this is HTTP/0.9\n", "SSH-2.0-OpenSSH_9.2\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                             "HTTP/9.9 200 OK\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "{\"token\":\"bare\"}", "\x16\x03\x01\x02"}) {
    const RawServer server(once(answer));
    expect_failure(fetch(post(server.origin(), "x"), settings()), Status::Protocol, Sent::Maybe, "HTTP/1.1");
  }
}

TEST_F(DriverTest, N24_PeersThatCloseWhileWeWriteDoNotKillTheProcess) {
  ASSERT_EQ(signal(SIGPIPE, SIG_DFL), SIG_DFL) << "somebody else handles the signal";
  const TestCa ca;
  const std::string body(100'000, 'x');
  const RawServer plain([](RawConnection &connection) { connection.reset(); });
  const RawServer tls([](RawConnection &connection) { connection.reset(); }, test::RawTls{ca.issue(), 0, ""});
  for (int i = 0; i < 150; ++i) EXPECT_EQ(fetch(post(plain.origin(), body), settings()).index(), 1U);
  for (int i = 0; i < 15; ++i) EXPECT_EQ(fetch(post(tls.origin(), body), settings(ca.pem())).index(), 1U);
}

// ---------------------------------------------------------------- driving

TEST_F(DriverTest, ManyRequestsRunAtOnceAndEachEndsOnce) {
  const RawServer server(RawServer::always(json_answer("{}")));
  const flow::HttpRequest request = get(server.origin());
  std::vector<int> ends(30);
  for (std::size_t i = 0; i < ends.size(); ++i) {
    driver->start(i, request, settings(), [&ends, i](Outcome outcome) { ends[i] += outcome.index() == 0 ? 1 : 100; });
  }
  EXPECT_EQ(driver->in_flight(), ends.size());
  drive_until([&] { return driver->in_flight() == 0; });
  EXPECT_THAT(ends, testing::Each(1));
}

TEST_F(DriverTest, CompletionsMayStartAndCancelOthers) {
  const RawServer server(RawServer::always(json_answer("{}")));
  const RawServer silent([](RawConnection &connection) { connection.stall(); });
  const flow::HttpRequest quick = get(server.origin());
  const flow::HttpRequest slow = get(silent.origin());
  bool second_ended = false;
  driver->start(1, slow, settings(), [](Outcome) { ADD_FAILURE() << "was cancelled"; });
  driver->start(2, quick, settings(), [&](Outcome) {
    driver->cancel(1);
    driver->start(3, quick, settings(), [&](Outcome) { second_ended = true; });
  });
  drive_until([&] { return second_ended; });
  EXPECT_EQ(driver->in_flight(), 0U);
}

TEST_F(DriverTest, CancelledRequestsEndWithoutAWord) {
  const RawServer silent([](RawConnection &connection) {
    connection.read_request();
    connection.stall();
  });
  const flow::HttpRequest request = post(silent.origin(), "x");
  driver->start(7, request, settings(), [](Outcome) { ADD_FAILURE() << "was cancelled"; });
  EXPECT_EQ(driver->sent(8), Sent::No);
  drive_until([&] { return driver->sent(7) == Sent::Maybe; });
  driver->cancel(7);
  driver->cancel(7);
  EXPECT_EQ(driver->in_flight(), 0U);
  EXPECT_EQ(driver->sent(7), Sent::No);
  driver->run_once(0);
}

TEST_F(DriverTest, AnEndThatWasNotToldYetCanBeCancelled) {
  const flow::HttpRequest request = get("ftp://127.0.0.1/");
  driver->start(1, request, settings(), [](Outcome) { ADD_FAILURE() << "was cancelled"; });
  EXPECT_TRUE(is_readable(driver->fd()));
  driver->cancel(1);
  driver->run_once(0);
}

TEST_F(DriverTest, DestroyedWithRequestsInFlight) {
  const RawServer silent([](RawConnection &connection) { connection.stall(); });
  const flow::HttpRequest request = get(silent.origin());
  for (std::uint64_t id = 1; id < 5; ++id) driver->start(id, request, settings(), [](Outcome) { ADD_FAILURE() << "is gone"; });
  driver->run_once(0);
  driver.reset();
}

TEST_F(DriverTest, WakeEndsAWaitAndShowsInTheDescriptor) {
  EXPECT_FALSE(is_readable(driver->fd()));
  driver->wake();
  EXPECT_TRUE(is_readable(driver->fd()));
  driver->run_once(-1);
  EXPECT_FALSE(is_readable(driver->fd()));

  std::thread other([this] { driver->wake(); });
  driver->run_once(-1);
  other.join();
}

TEST_F(DriverTest, AnArmedInstantEndsAWait) {
  const BootMs at = os::boot_ms() + 20;
  driver->arm(at);
  while (os::boot_ms() < at) driver->run_once(-1);  // never waits longer than to the instant
  EXPECT_GE(os::boot_ms(), at);
  EXPECT_FALSE(is_readable(driver->fd()));

  driver->arm(os::boot_ms() + 3'600'000);
  driver->arm(1);  // has passed
  EXPECT_TRUE(is_readable(driver->fd()));
  driver->run_once(-1);
  driver->arm(kNever);
  EXPECT_FALSE(is_readable(driver->fd()));
}

TEST_F(DriverTest, T_2_AnArmedInstantThatASuspensionSkipsHasPassed) {
  driver->arm(os::boot_ms() + 3'600'000);
  std::vector<int> clocks;  // of the process's timers
  for (const auto &entry : std::filesystem::directory_iterator("/proc/self/fdinfo")) {
    std::ifstream info(entry.path());
    for (std::string word; info >> word;) {
      if (word == "clockid:") info >> clocks.emplace_back();
    }
  }
  EXPECT_EQ(clocks, std::vector<int>{CLOCK_BOOTTIME});
}

TEST_F(DriverTest, TheDescriptorTellsWhenThereIsSomethingToDo) {
  const RawServer server(RawServer::always(json_answer("{}")));
  const flow::HttpRequest request = get(server.origin());
  bool ended = false;
  driver->start(1, request, settings(), [&](Outcome) { ended = true; });
  for (int i = 0; i < 100 && !ended; ++i) {
    pollfd entry{driver->fd(), POLLIN, 0};
    ASSERT_EQ(poll(&entry, 1, 5'000), 1);
    driver->run_once(0);
  }
  EXPECT_TRUE(ended);
}

TEST_F(DriverTest, P01_AForksChildLeavesTheParentsConnectionsAlone) {
  const TestCa ca;
  const RawServer server(RawServer::always(json_answer("{}")), test::RawTls{ca.issue(), 0, ""});
  response_of(fetch(get(server.origin()), settings(ca.pem())));
  const pid_t child = fork();
  if (child == 0) {
    const std::size_t before = open_descriptors().size();
    driver->close_inherited();
    Driver::abandon(std::move(driver));
    _exit(open_descriptors().size() + 4 <= before ? 0 : 1);  // epoll, event, timer and the connection are closed
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  response_of(fetch(get(server.origin()), settings(ca.pem())));
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(DriverTest, T25_P03_EveryDescriptorIsClosedOnExec) {
  const RawServer server(RawServer::always(json_answer("{}")));
  response_of(fetch(get("http://localhost:" + std::to_string(server.port())), settings()));
  for (const int fd : open_descriptors()) {
    if (others_descriptors.contains(fd) || (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0) continue;
    const auto target = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd)).string();
    const char *key_log = getenv("SSLKEYLOGFILE");
    EXPECT_EQ(target, key_log == nullptr ? "" : key_log) << "only what L06 asks libcurl to open may be inherited";
  }
}

TEST(Driver, N26_WithoutDescriptorsItSaysSo) {
  ASSERT_TRUE(Driver::create());
  {  // the sanitizers' first look at each type needs a descriptor
    const Result<std::unique_ptr<Driver>> refused = fail(Status::Resource, "for example");
    const ErrorPtr shared = refused.error();
  }
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const int next = dup(0);
  close(next);
  for (rlim_t more = 0; more < 3; ++more) {
    const rlimit scarce{static_cast<rlim_t>(next) + more, before.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &scarce), 0);
    const auto driver = Driver::create();
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
    ASSERT_FALSE(driver) << more;
    EXPECT_EQ(driver.error()->status, Status::Resource);
  }
  EXPECT_TRUE(Driver::create());
}

TEST_F(DriverTest, N26_RequestsWithoutDescriptorsSaySoAndRecover) {
  const RawServer server(RawServer::always(json_answer("{}")));
  // From here on nothing but the socket needs a descriptor, the sanitizers' first look at each type included.
  fetch(post(server.origin(), "x"), settings());
  fetch(post("http://127.0.0.1:" + std::to_string(closed_port()), "x"), settings());
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const int next = dup(0);
  close(next);
  const rlimit scarce{static_cast<rlim_t>(next), before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &scarce), 0);
  const Outcome outcome = fetch(post(server.origin(), "x"), settings());
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  expect_failure(outcome, Status::Resource, Sent::No, "file descriptors");
  response_of(fetch(get(server.origin()), settings()));
}

}  // namespace
}  // namespace fleetauth::net
