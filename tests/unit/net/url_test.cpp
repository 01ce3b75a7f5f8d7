#include "core/net/url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

namespace fleetauth::net {
namespace {

using testing::HasSubstr;
using testing::Not;

// One line of urls.txt.
struct Row {
  int line = 0;
  std::string url;
  std::string expected;  // "origin path-and-query", or a part of the reason
  bool accepted = false;
  bool loopback_http = false;
};

// Resolves \xNN and \{N*text}.
std::string unescape(const std::string &text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.compare(i, 2, "\\x") == 0) {
      out.push_back(static_cast<char>(std::stoi(text.substr(i + 2, 2), nullptr, 16)));
      i += 3;
    } else if (text.compare(i, 2, "\\{") == 0) {
      const std::size_t star = text.find('*', i);
      const std::size_t end = text.find('}', i);
      for (int n = std::stoi(text.substr(i + 2, star - i - 2)); n > 0; --n) out += text.substr(star + 1, end - star - 1);
      i = end;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

std::vector<Row> read_table() {
  std::ifstream file(FLEETAUTH_TEST_DATA "/urls.txt");
  std::vector<Row> rows;
  Row section;
  std::string text;
  for (int line = 1; std::getline(file, text); ++line) {
    if (text.empty() || text.front() == '#') continue;
    if (text.front() == '[') {
      section.accepted = text.starts_with("[accept");
      section.loopback_http = text.find("with loopback http") != std::string::npos;
      const std::size_t colon = text.find(": ");
      section.expected = section.accepted ? "" : text.substr(colon + 2, text.size() - colon - 3);
      continue;
    }
    Row row = section;
    row.line = line;
    const std::size_t arrow = text.find(" => ");
    row.url = unescape(row.accepted ? text.substr(0, arrow) : text);
    if (row.accepted) row.expected = unescape(text.substr(arrow + 4));
    rows.push_back(row);
  }
  return rows;
}

const std::vector<Row> &table() {
  static const std::vector<Row> rows = read_table();
  return rows;
}

TEST(Url, T04_TheTableIsLargeEnough) { EXPECT_GE(table().size(), 200U); }

TEST(Url, T04_GoodUrlsAreTakenApartCanonically) {
  for (const Row &row : table()) {
    if (!row.accepted) continue;
    const auto url = parse_url(row.url, {row.loopback_http});
    ASSERT_TRUE(url) << "urls.txt:" << row.line << ": " << url.error()->message;
    EXPECT_EQ(url->origin + " " + url->path + url->query, row.expected) << "urls.txt:" << row.line;
  }
}

TEST(Url, T04_BadUrlsAreRefusedForTheirReason) {
  for (const Row &row : table()) {
    if (row.accepted) continue;
    const auto url = parse_url(row.url, {row.loopback_http});
    ASSERT_FALSE(url) << "urls.txt:" << row.line << ": " << row.url;
    EXPECT_EQ(url.error()->status, Status::Url);
    EXPECT_THAT(url.error()->message, HasSubstr(row.expected)) << "urls.txt:" << row.line << ": " << row.url;
  }
}

TEST(Url, T04_WhatWasAcceptedIsAcceptedAgainUnchanged) {
  for (const Row &row : table()) {
    if (!row.accepted) continue;
    const auto once = parse_url(row.url, {row.loopback_http});
    ASSERT_TRUE(once);
    const auto twice = parse_url(once->origin + once->path + once->query, {row.loopback_http});
    ASSERT_TRUE(twice) << row.url;
    EXPECT_EQ(twice->origin, once->origin);
    EXPECT_EQ(twice->path, once->path);
    EXPECT_EQ(twice->query, once->query);
  }
}

TEST(Url, ErrorsNeverQuoteTheUrl) {
  const auto url = parse_url("https://api.example.com/?key=hunter2#x", {});
  ASSERT_FALSE(url);
  EXPECT_THAT(url.error()->message, Not(HasSubstr("hunter2")));
}

// The fast path may refuse what the parser accepts, never the other way round, and must find the same path.
TEST(SplitPlain, AgreesWithTheParserOnWholeTable) {
  int taken = 0;
  for (const Row &row : table()) {
    for (const std::string origin : {"https://api.example.com", "https://localhost:8443", "https://127.0.0.1", "https://[::1]"}) {
      std::string_view path;
      if (!split_plain(row.url, origin, path)) continue;
      ++taken;
      const auto url = parse_url(row.url, {});
      ASSERT_TRUE(url) << row.url;
      EXPECT_EQ(url->origin, origin);
      EXPECT_EQ(url->path, path);
    }
  }
  EXPECT_GT(taken, 20);
}

TEST(SplitPlain, TakesOrdinaryUrls) {
  std::string_view path;
  ASSERT_TRUE(split_plain("https://api.example.com/v1/devices?a=%2F", "https://api.example.com", path));
  EXPECT_EQ(path, "/v1/devices");
}

TEST(SplitPlain, LeavesEverythingElseToTheParser) {
  std::string_view path;
  for (const char *url :
       {"https://api.example.com", "https://api.example.com:443/", "https://api.example.com.evil.example/", "https://API.example.com/",
        "https://api.example.com@evil.example/", "https://api.example.com/a/../b", "https://api.example.com/.a",
        "https://api.example.com/%2e", "https://api.example.com/a%5c..%5cb", "https://api.example.com/a\\b", "https://api.example.com/#",
        "https://api.example.com/ ", "https://api.example.com/\x7f", "https://api.example.com/?\n", "https://api.example.com?x",
        "http://api.example.com/"}) {
    EXPECT_FALSE(split_plain(url, "https://api.example.com", path)) << url;
  }
}

}  // namespace
}  // namespace fleetauth::net
