#include "core/base/http_date.h"

#include <gtest/gtest.h>

namespace fleetauth {
namespace {

TEST(HttpDate, ReadsTheThreeForms) {
  constexpr WallMs kInstant = 784'111'777'000;
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), kInstant);
  EXPECT_EQ(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT"), kInstant);
  EXPECT_EQ(parse_http_date("Sun Nov  6 08:49:37 1994"), kInstant);
  EXPECT_EQ(parse_http_date("Wed Nov 16 08:49:37 1994"), kInstant + 10LL * 86'400'000);
}

TEST(HttpDate, TwoDigitYearsLieBetween1970And2069) {
  EXPECT_EQ(parse_http_date("Thursday, 01-Jan-70 00:00:00 GMT"), 0);
  EXPECT_EQ(parse_http_date("Tuesday, 01-Jan-69 00:00:00 GMT"), parse_http_date("Tue, 01 Jan 2069 00:00:00 GMT"));
}

TEST(HttpDate, RefusesEverythingElse) {
  for (const char *text :
       {"", "7", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT ", "1994-11-06T08:49:37Z", "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 06 Nov -994 08:49:37 GMT"}) {
    EXPECT_EQ(parse_http_date(text), std::nullopt) << text;
  }
}

TEST(Rfc3339, J13_ReadsDatesWithZoneAndFraction) {
  EXPECT_EQ(parse_rfc3339("2019-01-21T19:18:23.228Z", false), 1'548'098'303'228);
  EXPECT_EQ(parse_rfc3339("2019-01-21T19:18:23z", false), 1'548'098'303'000);
  EXPECT_EQ(parse_rfc3339("2019-01-21t19:18:23.2Z", false), 1'548'098'303'200);
  EXPECT_EQ(parse_rfc3339("2019-01-21T19:18:23.123456789Z", false), 1'548'098'303'123);
  EXPECT_EQ(parse_rfc3339("2019-01-21T20:18:23.228+01:00", false), 1'548'098'303'228);
  EXPECT_EQ(parse_rfc3339("2019-01-21T13:48:23.228-05:30", false), 1'548'098'303'228);
  EXPECT_EQ(parse_rfc3339("9999-12-31T23:59:59Z", false), 253'402'300'799'000);
  EXPECT_EQ(parse_rfc3339("1969-12-31T23:59:59.999Z", false), -1);
}

TEST(Rfc3339, J13_LeapSecondIsTheNextSecond) {
  EXPECT_EQ(parse_rfc3339("2016-12-31T23:59:60Z", false), parse_rfc3339("2017-01-01T00:00:00Z", false));
}

TEST(Rfc3339, J13_WithoutZoneOnlyWhenDeclaredUtc) {
  EXPECT_EQ(parse_rfc3339("2019-01-21T19:18:23.228", true), 1'548'098'303'228);
  EXPECT_EQ(parse_rfc3339("2019-01-21T19:18:23.228", false), std::nullopt);
  EXPECT_EQ(parse_rfc3339("2019-01-21T20:18:23.228+01:00", true), 1'548'098'303'228);
}

TEST(Rfc3339, J13_RefusesEverythingElse) {
  for (const char *text :
       {"", "2019-01-21", "2019-01-21 19:18:23Z", "2019-01-21T24:00:00Z", "2019-02-29T00:00:00Z", "2019-1-21T00:00:00Z",
        "2019-01-21T19:18:23.Z", "2019-01-21T19:18:23.1234567890Z", "2019-01-21T19:18:61Z", "2019-01-21T19:18:23+0100",
        "2019-01-21T19:18:23+24:00", "2019-01-21T19:18:23Zx", "20190121T191823Z", "+2019-01-21T19:18:23Z", "2019-01-21T19:18Z",
        "2019-01-21T19:18:23\xe2\x88\x92"
        "01:00"}) {
    EXPECT_EQ(parse_rfc3339(text, true), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace fleetauth
