#include <gmock/gmock.h>

#include "core/base/base64.h"
#include "tests/unit/flow/scene.h"

namespace fleetauth::flow {
namespace {

constexpr std::int64_t kYear = 366LL * 24 * 3600 * 1000;
constexpr std::int64_t kDefault = 300'000;

struct Life {
  std::int64_t ms;
  bool unknown;
  bool operator==(const Life &) const = default;
};
std::ostream &operator<<(std::ostream &out, const Life &life) { return out << life.ms << (life.unknown ? " (unknown)" : ""); }

Scene with_expiry(const std::string &alternatives) {
  return Scene::connected_fleet(R"({"steps":{"token":{"expiry":)" + alternatives + "}}}");
}

Life life(const Scene &scene, const std::string &member, const Headers &more = {}, const std::string &token = "opaque") {
  Headers headers{{"Content-Type", "application/json"}};
  headers.insert(headers.end(), more.begin(), more.end());
  const Grant grant = scene.granted(answer(200, R"({"accessToken":")" + token + "\"" + member + "}", headers));
  EXPECT_EQ(grant.access.view(), token) << "a bad expiry never costs the token";
  return {grant.lifetime_ms, grant.expiry_unknown};
}

Life seconds(const std::string &json) { return life(Scene::connected_fleet(), R"(,"expires_in":)" + json); }

std::string jwt(const std::string &claims) {
  const auto part = [](const std::string &text) { return std::string(base64::encode_url(text).view()); };
  return part(R"({"alg":"HS256"})") + "." + part(claims) + ".c2lnbmF0dXJl";
}
std::string expiring(std::int64_t seconds_from_now) {
  return jwt(R"({"exp":)" + std::to_string(kNow.wall / 1000 + seconds_from_now) + "}");
}

TEST(Lifetime, J06_NumbersAndNumericStringsAreSeconds) {
  for (const char *good : {"3600", "\"3600\"", "3600.9", "3.6e3", "3600.0"}) EXPECT_EQ(seconds(good), (Life{3'600'000, false})) << good;
  EXPECT_EQ(seconds("\"0031622400\""), (Life{kYear, false})) << "ten digits";
  for (const char *bad : {"\"00000003600\"", "\"3600.9\"", "\"3600 \"", "\"+3600\"", "\"\"", "\"-\""}) {
    EXPECT_EQ(seconds(bad), (Life{kDefault, true})) << bad;
  }
}

TEST(Lifetime, J07_ALifetimeThatIsOverAlreadyStillGivesTheToken) {
  for (const char *past : {"0", "-1", "-0.5", "\"-1\"", "\"0\"", "-9223372036854775808"})
    EXPECT_EQ(seconds(past), (Life{0, false})) << past;
  EXPECT_EQ(life(with_expiry(R"([{"iso8601":"/at"}])"), R"(,"at":"2019-01-21T19:18:23.228Z")"), (Life{0, false}));
  EXPECT_EQ(life(with_expiry(R"([{"unix_s":"/at"}])"), R"(,"at":0)"), (Life{0, false}));
}

TEST(Lifetime, J08_WhatCannotBeUnderstoodNeverCostsTheToken) {
  for (const char *odd : {"null", "true", "[]", "{}", "\"abc\"", "\"NaN\"", "NaN", "Infinity", "-Infinity", "[3600]"}) {
    EXPECT_EQ(seconds(odd), (Life{kDefault, true})) << odd;
  }
  EXPECT_EQ(life(Scene::connected_fleet(), ""), (Life{kDefault, true})) << "missing";
  const Scene patched = Scene::connected_fleet(R"({"life":{"default_lifetime_s":77}})");
  EXPECT_EQ(life(patched, R"(,"expires_in":"soon")"), (Life{77'000, true}));
}

TEST(Lifetime, J09_AbsurdNumbersAreCutToTheMaximum) {
  const std::string huge = "1" + std::string(400, '0');
  for (const std::string &absurd :
       std::vector<std::string>{"1e20", "1e400", "1E+999", huge, huge + ".5", "18446744073709551616", "18446744073709551615",
                                "9223372036854775807", "9223372036854775808", "1e308", "\"9999999999\""}) {
    EXPECT_EQ(seconds(absurd), (Life{kYear, false})) << absurd;
  }
  EXPECT_EQ(seconds("-1e400"), (Life{0, false}));
  EXPECT_EQ(seconds("1e-400"), (Life{0, false}));
  const Scene strict = Scene::connected_fleet(R"({"life":{"max_lifetime_s":60}})");
  EXPECT_EQ(life(strict, R"(,"expires_in":61)"), (Life{60'000, false}));
  for (const char *kind : {"unix_s", "unix_ms"}) {
    EXPECT_EQ(life(with_expiry(R"([{")" + std::string(kind) + R"(":"/at"}])"), R"(,"at":9223372036854775807)"), (Life{kYear, false}))
        << kind;
    EXPECT_EQ(life(with_expiry(R"([{")" + std::string(kind) + R"(":"/at"}])"), R"(,"at":-9223372036854775808)"), (Life{0, false})) << kind;
  }
}

TEST(Lifetime, J09_TextThatLooksLikeAnAbsurdNumberIsLeftAlone) {
  const Grant grant =
      Scene::connected_fleet().granted(answer(200, R"({"accessToken":"1e400","note":"NaN \" -Infinity 1e999","expires_in":1e999})"));
  EXPECT_EQ(grant.access.view(), "1e400");
  EXPECT_EQ(grant.lifetime_ms, kYear);
}

TEST(Lifetime, J13_DatesAreRfc3339AndWithoutZoneOnlyIfDeclared) {
  const Scene zoned = with_expiry(R"([{"iso8601":"/at"}])");
  const Scene utc = with_expiry(R"([{"iso8601":"/at","no_zone":"utc"}])");
  const auto at = [](const Scene &scene, const std::string &date) { return life(scene, R"(,"at":")" + date + "\""); };
  EXPECT_EQ(at(zoned, "2026-01-02T04:04:05Z"), (Life{3'600'000, false}));
  EXPECT_EQ(at(zoned, "2026-01-02T04:04:05.228Z"), (Life{3'600'228, false}));
  EXPECT_EQ(at(zoned, "2026-01-02T05:04:05+01:00"), (Life{3'600'000, false}));
  EXPECT_EQ(at(zoned, "9999-12-31T23:59:59Z"), (Life{kYear, false}));
  EXPECT_EQ(at(zoned, "2026-01-02T04:04:05"), (Life{kDefault, true}));
  EXPECT_EQ(at(utc, "2026-01-02T04:04:05"), (Life{3'600'000, false}));
  EXPECT_EQ(at(utc, "2026-01-02T04:04:05.1234567"), (Life{3'600'123, false}));
  for (const char *bad : {"2026-01-02T24:00:00Z", "2026-02-30T00:00:00Z", "2026-01-02", "tomorrow", "20260102T040405Z"}) {
    EXPECT_EQ(at(utc, bad), (Life{kDefault, true})) << bad;
  }
}

TEST(Lifetime, T_4_AbsoluteTimesAreMeasuredAgainstTheServersDate) {
  const Headers ten_minutes_slow{{"Date", "Fri, 02 Jan 2026 02:54:05 GMT"}};
  EXPECT_EQ(life(with_expiry(R"([{"iso8601":"/at"}])"), R"(,"at":"2026-01-02T03:54:05Z")", ten_minutes_slow), (Life{3'600'000, false}));
  EXPECT_EQ(life(with_expiry(R"([{"unix_s":"/at"}])"), R"(,"at":1767326045)", ten_minutes_slow), (Life{3'600'000, false}));
  EXPECT_EQ(life(with_expiry(R"([{"unix_s":"/at"}])"), R"(,"at":"1767326645")"), (Life{3'600'000, false})) << "no Date: our own clock";
  EXPECT_EQ(life(with_expiry(R"([{"unix_ms":"/at"}])"), R"(,"at":1767326645123)"), (Life{3'600'123, false}));
  EXPECT_EQ(life(Scene::connected_fleet(), R"(,"expires_in":3600)", ten_minutes_slow), (Life{3'600'000, false}))
      << "relative ones are unaffected";
  EXPECT_EQ(life(Scene::connected_fleet(), R"(,"expires_in":7200)", ten_minutes_slow, expiring(3000)), (Life{3'600'000, false}))
      << "a JWT too";
}

TEST(Lifetime, J14_AnEarlierExpOfAJwtCounts) {
  EXPECT_EQ(life(Scene::connected_fleet(), R"(,"expires_in":3600)", {}, expiring(600)), (Life{600'000, false}));
  EXPECT_EQ(life(Scene::connected_fleet(), R"(,"expires_in":3600)", {}, expiring(7200)), (Life{3'600'000, false}));
  EXPECT_EQ(life(Scene::connected_fleet(), "", {}, expiring(7200)), (Life{7'200'000, false})) << "better than the default";
  EXPECT_EQ(life(Scene::connected_fleet(), R"(,"expires_in":3600)", {}, expiring(-5)), (Life{0, false}));
}

TEST(Lifetime, J14_OnlyAReadableExpCounts) {
  for (const std::string &token :
       std::vector<std::string>{"a.b", "a.b.c.d", "a.!!!.c", jwt("{}"), jwt("[]"), jwt("not json"), jwt(R"({"exp":"1767323105"})"),
                                jwt(R"({"exp":null})"), jwt(R"({"exp":1767323105,"exp":1})"), "..", "e30.e30.e30"}) {
    EXPECT_EQ(life(Scene::connected_fleet(), R"(,"expires_in":3600)", {}, token), (Life{3'600'000, false})) << token;
  }
  EXPECT_EQ(life(Scene::connected_fleet(), R"(,"expires_in":3600)", {}, jwt(R"({"exp":1767323105.7})")), (Life{60'000, false}));
  EXPECT_EQ(life(Scene::connected_fleet(), R"(,"expires_in":3600)", {}, jwt(R"({"exp":1e400})")), (Life{3'600'000, false}));
}

TEST(Lifetime, FleetUpReadsTheJwtAndFallsBackToItsDocumentedHour) {
  const Scene scene = Scene::fleetup();
  const auto lifetime = [&](const std::string &token) {
    return scene.granted(answer(200, R"({"token":")" + token + "\"}"), "jwt").lifetime_ms;
  };
  EXPECT_EQ(lifetime(expiring(3540)), 3'540'000);
  EXPECT_EQ(lifetime("opaque"), 3'600'000);
  const Grant legacy = scene.granted(answer(200, R"({"token":"opaque","expireTime":1767324845})"), "legacy");
  EXPECT_EQ(legacy.lifetime_ms, 1'800'000);
  EXPECT_EQ(scene.granted(answer(200, R"({"token":"opaque","expireTime":"soon"})"), "legacy").lifetime_ms, 3'600'000);
}

TEST(Lifetime, TheFirstAlternativeThatYieldsSomethingDecides) {
  const Scene scene = with_expiry(R"([{"seconds":"/a"},{"unix_ms":"/b"},{"fixed_s":5}])");
  EXPECT_EQ(life(scene, R"(,"a":60,"b":1767323046000)"), (Life{60'000, false}));
  EXPECT_EQ(life(scene, R"(,"a":"x","b":1767323046000)"), (Life{1000, false}));
  EXPECT_EQ(life(scene, R"(,"a":"x","b":"y")"), (Life{5000, false}));
}

}  // namespace
}  // namespace fleetauth::flow
