// What a hostile provider can make a process take in: the most that its memory ever grows. The server is in another process.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/fault/figure.h"
#include "tests/fault/raw_server.h"

namespace process {
namespace {

using fleetauth::test::RawConnection;
using fleetauth::test::RawServer;
using fleetauth::test::TestCa;

constexpr long kMostKib = 1024;

struct Growth {
  std::string status;
  long kib = -1;
};

/// Of a process which the server answers well once, and then so.
Growth under(const RawServer::Script &attack, const std::string &pace = "quick") {
  const TestCa ca;
  const std::string ca_file = testing::TempDir() + "budget_test_" + std::to_string(getpid()) + ".pem";
  std::ofstream(ca_file) << ca.pem();
  std::atomic<bool> well{true};
  const RawServer server(
      [&](RawConnection &connection) {
        while (!connection.read_request().empty()) {
          if (!well.exchange(false)) return attack(connection);
          connection.send(fleetauth::test::json_answer(R"({"token":"tok"})"));
        }
      },
      fleetauth::test::RawTls{ca.issue(), 0, ""});
  const std::string command = "'" BUDGET_COMMAND "' " + server.origin() + " '" + ca_file + "' " + pace;
  FILE *child = popen(command.c_str(), "r");
  char status[64] = "";
  Growth growth;
  if (std::fscanf(child, "%63s %ld", status, &growth.kib) == 2) growth.status = status;
  EXPECT_EQ(pclose(child), 0);
  std::filesystem::remove(ca_file);
  return growth;
}

void expect_within_budget(const char *attack, const Growth &growth, const char *status) {
  EXPECT_EQ(growth.status, status);
  EXPECT_GE(growth.kib, 0);
  EXPECT_LE(growth.kib, kMostKib);
  fleetauth::test::print_figure(std::string("C: growth of memory, ") + attack, kMostKib, growth.kib, " KiB");
}

void send_for_ever(RawConnection &connection, const std::string &bytes) {
  while (connection.send(bytes)) {
  }
}

/// Nearly as much as is taken in, so that it is held all the while; then byte for byte.
void send_slowly(RawConnection &connection, std::size_t first, char byte) {
  connection.send(std::string(first, byte));
  while (connection.send(std::string_view(&byte, 1))) connection.pause(std::chrono::milliseconds(5));
}

TEST(Budget, T06_N12_HeadersByteForByte) {
  const auto attack = [](RawConnection &connection) {
    connection.send("HTTP/1.1 200 OK\r\nX-Slow: ");
    send_slowly(connection, 60'000, 'x');
  };
  expect_within_budget("slow headers", under(attack, "slow"), "E_TIMEOUT");
}

TEST(Budget, T06_N13_ABodyByteForByte) {
  const auto attack = [](RawConnection &connection) {
    connection.send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 262144\r\n\r\n");
    send_slowly(connection, 250'000, ' ');
  };
  expect_within_budget("slow body", under(attack, "slow"), "E_TIMEOUT");
}

TEST(Budget, T06_N17_AHugeAnnouncedLength) {
  const auto attack = [](RawConnection &connection) {
    connection.send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10737418240\r\n\r\n");
    send_for_ever(connection, std::string(0x4000, ' '));
  };
  expect_within_budget("announced 10 GiB", under(attack), "E_TOO_LARGE");
}

TEST(Budget, T06_N18_AnEndlessBody) {
  const auto attack = [](RawConnection &connection) {
    connection.send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
    send_for_ever(connection, "1000\r\n" + std::string(0x1000, ' ') + "\r\n");
  };
  expect_within_budget("endless body", under(attack), "E_TOO_LARGE");
}

TEST(Budget, T06_N20_EndlessHeaders) {
  const auto attack = [](RawConnection &connection) {
    connection.send("HTTP/1.1 200 OK\r\n");
    send_for_ever(connection, "X-Flood: value\r\n");
  };
  expect_within_budget("endless headers", under(attack), "E_TOO_LARGE");
}

TEST(Budget, T06_N20_AHeaderWithoutEnd) {
  const auto attack = [](RawConnection &connection) {
    connection.send("HTTP/1.1 200 OK\r\nX-Long: ");
    send_for_ever(connection, std::string(0x1000, 'x'));
  };
  expect_within_budget("header without end", under(attack), "E_TOO_LARGE");
}

/// 48 KB that a reader of gzip makes 50 MB of: a table in which one zero bit each is a run and its distance, and then only zeros.
std::string bomb() {
  constexpr char kTable[] = "\x1f\x8b\x08\0\0\0\0\0\x02\x03\xec\xc1\x01\x01\0\0\0\x80\x90\xfe\xaf\xee\x08\x0a";
  return std::string(kTable, sizeof kTable - 1) + std::string(48'000, '\0');
}

TEST(Budget, T06_N19_ABombIsNotUnpacked) {
  const auto attack = [](RawConnection &connection) {
    const std::string body = bomb();
    connection.send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: " +
                    std::to_string(body.size()) + "\r\n\r\n" + body);
  };
  expect_within_budget("compressed bomb", under(attack), "E_PROTOCOL");
}

RawServer::Script answers(const std::string &body) {
  return [body](RawConnection &connection) { connection.send(fleetauth::test::json_answer(body)); };
}

TEST(Budget, T06_ABodyOfNestedBrackets) {
  expect_within_budget("nested brackets", under(answers(std::string(200'000, '['))), "E_PROTOCOL");
}

TEST(Budget, T06_ABodyThatIsOneString) {
  expect_within_budget("one string", under(answers("{\"text\":\"" + std::string(250'000, 'x') + "\"}")), "E_PROTOCOL");
}

}  // namespace
}  // namespace process
