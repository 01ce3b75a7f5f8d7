#include <gmock/gmock.h>

#include "core/flow/retry_after.h"
#include "tests/unit/flow/scene.h"

namespace fleetauth::flow {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const Headers kJson{{"Content-Type", "application/json"}};

TEST(Answer, ATokenIsGrantedWithoutLookingAtWhatElseThereIs_J15) {
  const Grant grant = Scene::connected_fleet().granted(
      answer(200, R"({"success":true,"accessToken":"B9","token_type":"bearer","expires_in":2591999,"user":{")" + std::string(100'000, 'x') +
                      R"(":[1,{"a":null}]}})"));
  EXPECT_EQ(grant.access.view(), "B9");
  EXPECT_EQ(grant.lifetime_ms, 2'591'999'000);
  EXPECT_FALSE(grant.expiry_unknown);
}

TEST(Answer, TheAliasOfTheTokenIsAccepted) {
  EXPECT_EQ(Scene::connected_fleet().granted(answer(200, R"({"access_token":"B9","expires_in":60})")).access.view(), "B9");
}

TEST(Answer, H01_ASuccessStatusThatSaysFailureIsNeverAToken) {
  const Scene fleet = Scene::connected_fleet();
  EXPECT_EQ(fleet.failed(answer(200, R"({"success":false,"accessToken":"B9","expires_in":60})")).status, Status::InvalidCredentials);
  EXPECT_EQ(fleet.failed(answer(200, R"({"success":"False","accessToken":"B9","expires_in":60})")).status, Status::InvalidCredentials);
  const Error error = fleet.failed(answer(200, R"({"error":"invalid_client","accessToken":"B9","expires_in":60})"));
  EXPECT_EQ(error.status, Status::InvalidCredentials);
  EXPECT_EQ(error.provider_code, "invalid_client");
  EXPECT_EQ(error.http_status, 200);
  EXPECT_EQ(fleet.failed(answer(200, R"({"error":"server_error","accessToken":"B9"})")).status, Status::Server);
  EXPECT_EQ(Scene::fleetup().failed(answer(200, R"({"success":false,"token":"a.b.c"})")).status, Status::InvalidCredentials);
  EXPECT_EQ(Scene::fleetup().failed(answer(200, R"({"error":{"code":7},"token":"a.b.c"})")).provider_code, "7");
  const Scene without_rules = Scene::fleetup(R"({"steps":{"token":{"errors":null}}})");
  EXPECT_EQ(without_rules.failed(answer(200, R"({"success":false,"token":"a.b.c"})")).status, Status::Protocol);
  EXPECT_EQ(fleet.granted(answer(200, R"({"error":null,"accessToken":"B9","expires_in":60})")).access.view(), "B9");
}

TEST(Answer, H02_EmptySuccessIsNoToken) {
  for (const std::int32_t status : {200, 204, 205}) {
    const Error error = Scene::fleetup().failed(answer(status, ""));
    EXPECT_EQ(error.status, Status::Protocol) << status;
    EXPECT_FALSE(error.in_doubt) << "the step may be repeated";
  }
  EXPECT_THAT(Scene::fleetup().failed(answer(200, "")).message, HasSubstr("answered 200 without a body"));
  const Scene careful = Scene::fleetup(R"({"steps":{"token":{"class":"refresh"}}})");
  EXPECT_TRUE(careful.failed(answer(200, "")).in_doubt);
}

TEST(Answer, H03_OtherSuccessStatusesOnlyIfListed) {
  const std::string body = R"({"token":"abc"})";
  EXPECT_EQ(Scene::fleetup().failed(answer(201, body)).status, Status::Protocol);
  EXPECT_EQ(Scene::fleetup().failed(answer(202, body)).status, Status::Protocol);
  EXPECT_EQ(Scene::fleetup(R"({"steps":{"token":{"success":{"status":[200,201]}}}})").granted(answer(201, body)).access.view(), "abc");
}

TEST(Answer, H04_ARedirectIsAnErrorThatNamesTheTargetsOriginOnly) {
  const auto redirected = [](std::int32_t status, const std::string &location) {
    const Error error = Scene::fleetup().failed(answer(status, "", {{"Location", location}}));
    EXPECT_EQ(error.status, Status::Protocol);
    EXPECT_FALSE(error.is_retryable());
    EXPECT_THAT(error.message, Not(HasSubstr("hunter2")));
    return error.message;
  };
  for (const std::int32_t status : {301, 302, 303, 307, 308}) {
    EXPECT_THAT(redirected(status, "HTTPS://Evil.Example:8443/path/hunter2?token=hunter2"),
                AllOf(HasSubstr("answered " + std::to_string(status)), HasSubstr("a redirect to https://evil.example:8443;")));
  }
  EXPECT_THAT(redirected(302, "http://me:hunter2@portal.example/hunter2"), HasSubstr("a redirect to http://portal.example;"));
  EXPECT_THAT(redirected(302, "//portal.example\\@hunter2"), HasSubstr("a redirect to //portal.example;"));
  EXPECT_THAT(redirected(302, "/login?hunter2"), HasSubstr("a redirect to another path of the same origin;"));
  EXPECT_THAT(redirected(302, "https://\x1b[31mhunter2"), HasSubstr("a redirect to an unreadable address;"));
  EXPECT_THAT(redirected(302, "javascript://hunter2"), HasSubstr("a redirect to an unreadable address;"));
  EXPECT_THAT(Scene::fleetup().failed(answer(304, "")).message, HasSubstr("answered 304, a redirect; redirects are never followed"));
}

TEST(Answer, H07_TheDescriptorMapsUnusualStatusesOfBadCredentials) {
  const Error error = Scene::fleetup().failed(answer(422, R"({"message":"Invalid"})"));
  EXPECT_EQ(error.status, Status::InvalidCredentials);
  EXPECT_EQ(error.provider, "fleetup");
  EXPECT_EQ(error.provider_code, "Invalid");
  EXPECT_EQ(error.http_status, 422);
  EXPECT_FALSE(error.is_retryable());
  EXPECT_EQ(
      error.message,
      "fleetup: step \"token\" at https://api.fleetup.net answered 422: the credentials were refused; check api_key, acct_id and secret");
  EXPECT_EQ(Scene::fleetup(R"({"steps":{"token":{"errors":[{"status":[422],"is":"protocol"}]}}})").failed(answer(422, "{}")).status,
            Status::Protocol);
}

TEST(Answer, H09_403IsDeniedAndNotRepeated) {
  const Error error = Scene::connected_fleet().failed(answer(403, "{}"));
  EXPECT_EQ(error.status, Status::AccessDenied);
  EXPECT_FALSE(error.is_retryable());
}

TEST(Answer, H10_OtherClientErrorsAreNotTheProtocol) {
  for (const std::int32_t status : {402, 404, 405, 409, 410, 415, 451}) {
    const Error error = Scene::connected_fleet().failed(answer(status, "<html>no</html>", {{"Content-Type", "text/html"}}));
    EXPECT_EQ(error.status, Status::Protocol) << status;
    EXPECT_FALSE(error.is_retryable());
    EXPECT_THAT(error.message, AllOf(HasSubstr("check base_url"), Not(HasSubstr("html"))));
  }
}

TEST(Answer, H11_ServerErrorsMayBeRepeatedAndLeaveDoubtWhereTheCallMustNot) {
  for (const std::int32_t status : {408, 425, 500, 502, 503, 504, 599}) {
    const Error error = Scene::connected_fleet().failed(answer(status, R"({"success":false})"));
    EXPECT_EQ(error.status, Status::Server) << status;
    EXPECT_TRUE(error.is_retryable());
    EXPECT_FALSE(error.in_doubt);
  }
  const Scene one_shot = Scene::fleetup(R"({"steps":{"token":{"class":"one_shot"}}})");
  EXPECT_TRUE(one_shot.failed(answer(503, "")).in_doubt);
  EXPECT_FALSE(one_shot.failed(answer(401, "")).in_doubt) << "a refusal is definite";
}

TEST(Answer, H12_TooManyRequestsCarriesTheWait) {
  const Error error = Scene::fleetup().failed(answer(429, "{}", {{"Retry-After", "7"}}));
  EXPECT_EQ(error.status, Status::RateLimited);
  EXPECT_EQ(error.retry_after_ms, 7000);
  EXPECT_TRUE(error.is_retryable());
  EXPECT_THAT(error.message, HasSubstr("too many requests; it asks to wait 7 s"));
}

std::int64_t retry_after(const Headers &headers) { return retry_after_ms(answer(429, "", headers), kNow); }

TEST(RetryAfter, H13_ADateIsMeasuredAgainstTheServersOwn) {
  // The server's clock is two hours behind ours.
  EXPECT_EQ(retry_after({{"Date", "Fri, 02 Jan 2026 01:04:05 GMT"}, {"Retry-After", "Fri, 02 Jan 2026 01:04:25 GMT"}}), 20'000);
  EXPECT_EQ(retry_after({{"Retry-After", "Fri, 02 Jan 2026 03:04:25 GMT"}}), 20'000) << "without Date our clock has to do";
  EXPECT_EQ(retry_after({{"Date", "yesterday"}, {"Retry-After", "Fri, 02 Jan 2026 03:04:25 GMT"}}), 20'000);
  EXPECT_EQ(retry_after({{"Date", kNowAsDate}, {"Retry-After", "Fri, 02 Jan 2026 03:00:00 GMT"}}), 0) << "past: our own back-off decides";
  EXPECT_EQ(retry_after({{"Date", kNowAsDate}, {"Retry-After", "Sat, 03 Jan 2026 03:04:05 GMT"}}), 3'600'000) << "capped";
  EXPECT_EQ(
      Scene::fleetup().failed(answer(503, "", {{"Date", kNowAsDate}, {"Retry-After", "Fri, 02 Jan 2026 03:04:15 GMT"}})).retry_after_ms,
      10'000);
}

TEST(RetryAfter, H14_WhatMakesNoSenseIsIgnoredAndTheLongestCounts) {
  EXPECT_EQ(retry_after({}), -1);
  for (const char *bad : {"-1", "soon", "", "1.5", "7 s", "1e12", "+7", "0x10"}) EXPECT_EQ(retry_after({{"Retry-After", bad}}), -1) << bad;
  EXPECT_EQ(retry_after({{"Retry-After", "0"}}), 0);
  EXPECT_EQ(retry_after({{"Retry-After", " 12 "}}), 12'000);
  EXPECT_EQ(retry_after({{"Retry-After", "1000000000000"}}), 3'600'000);
  EXPECT_EQ(retry_after({{"Retry-After", std::string(1000, '9')}}), 3'600'000);
  EXPECT_EQ(retry_after({{"retry-after", "3"}, {"RETRY-AFTER", "9"}, {"Retry-After", "x"}}), 9000);
}

TEST(Answer, H18_OnlyJsonTypesAreReadUnlessListed) {
  const std::string body = R"({"token":"abc"})";
  const auto with_type = [&](const std::string &type) { return answer(200, body, {{"Content-Type", type}}); };
  const Scene scene = Scene::fleetup();
  for (const char *good :
       {"application/json", "APPLICATION/JSON; charset=utf-8", "application/problem+json", " application/vnd.acme.v2+json ;x=y"}) {
    EXPECT_EQ(scene.granted(with_type(good)).access.view(), "abc") << good;
  }
  for (const char *bad : {"text/plain", "text/html", "application/jsonp", "+json", "json", "application/octet-stream", ""}) {
    EXPECT_EQ(scene.failed(with_type(bad)).status, Status::Protocol) << bad;
  }
  EXPECT_EQ(scene.failed(answer(200, body, {})).status, Status::Protocol) << "no Content-Type at all";

  const Scene lenient = Scene::fleetup(R"({"steps":{"token":{"content_types":["Text/JavaScript","none"]}}})");
  EXPECT_EQ(lenient.granted(with_type("text/javascript")).access.view(), "abc");
  EXPECT_EQ(lenient.granted(answer(200, body, {})).access.view(), "abc");
  EXPECT_EQ(lenient.failed(with_type("text/html")).status, Status::Protocol);
}

TEST(Answer, N22_APortalPageIsNoRefusalOfTheCredentials) {
  const Error error = Scene::fleetup().failed(answer(200, "<html>Sign in</html>", {{"Content-Type", "text/html"}}));
  EXPECT_EQ(error.status, Status::Protocol);
  EXPECT_THAT(error.message, AllOf(HasSubstr("a proxy or portal may have answered"), Not(HasSubstr("Sign in"))));
}

TEST(Answer, H19_AnotherTokenTypeIsNoBearerToken) {
  const auto typed = [](const std::string &type) {
    return answer(200, R"({"accessToken":"B9","expires_in":60,"token_type":)" + type + "}");
  };
  const Scene fleet = Scene::connected_fleet();
  for (const char *good : {"\"bearer\"", "\"Bearer\"", "\"BEARER\""}) EXPECT_EQ(fleet.granted(typed(good)).access.view(), "B9") << good;
  EXPECT_EQ(fleet.granted(answer(200, R"({"accessToken":"B9","expires_in":60})")).access.view(), "B9") << "the type is optional";
  for (const char *bad : {"\"mac\"", "\"\"", "7", "null", "[\"bearer\"]"})
    EXPECT_EQ(fleet.failed(typed(bad)).status, Status::Protocol) << bad;
  const Scene named = Scene::connected_fleet(R"({"steps":{"token":{"token_type":{"accept":["bearer","MAC"]}}}})");
  EXPECT_EQ(named.granted(typed("\"mac\"")).access.view(), "B9");
}

TEST(Answer, N19_AnEncodedBodyIsRefusedUnread) {
  Headers headers = kJson;
  headers.emplace_back("Content-Encoding", "gzip");
  EXPECT_EQ(Scene::fleetup().failed(answer(200, R"({"token":"abc"})", headers)).status, Status::Protocol);
  EXPECT_EQ(Scene::fleetup().failed(answer(401, "{}", headers)).status, Status::Protocol) << "also with an error status";
  headers.back().second = "Identity";
  EXPECT_EQ(Scene::fleetup().granted(answer(200, R"({"token":"abc"})", headers)).access.view(), "abc");
}

TEST(Answer, N18_N20_WhatIsTooLargeIsRefused) {
  const Error body = Scene::fleetup().failed(answer(200, std::string(kMaxBody + 1, ' ')));
  EXPECT_EQ(body.status, Status::TooLarge);
  Headers many = kJson;
  for (int i = 0; i < 10'000; ++i) many.emplace_back("x-filler", "12345678");
  EXPECT_EQ(Scene::fleetup().failed(answer(200, R"({"token":"abc"})", many)).status, Status::TooLarge);
}

TEST(Answer, N21_AStatusThatIsNoneIsNotTheProtocol) {
  for (const std::int32_t status : {0, -1, 100, 101, 600, 999})
    EXPECT_EQ(Scene::fleetup().failed(answer(status, "")).status, Status::Protocol) << status;
}

TEST(Answer, J01_WhatIsNotJsonIsRefused) {
  for (const char *bad :
       {"{", "null", "[]", "\"abc\"", R"({"token":"abc"} x)", R"({"token":"abc"}{})", "\xef\xbb\xbf{\"token\":\"abc\"}", "{'token':'abc'}",
        "token=abc", R"({"token":"abc",})", R"({"token":"\ud800"})", "{\"token\":\"\xff\"}", R"({"token":"a","expires_in":01})"}) {
    const Error error = Scene::fleetup().failed(answer(200, bad));
    EXPECT_EQ(error.status, Status::Protocol) << bad;
    EXPECT_THAT(error.message, Not(HasSubstr("abc"))) << bad;
  }
}

TEST(Answer, N16_ATruncatedAnswerIsNeverReadInPart) {
  const std::string whole = R"({"success":true,"accessToken":"B983854936","token_type":"bearer","expires_in":2591999})";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(Scene::connected_fleet().failed(answer(200, whole.substr(0, size))).status, Status::Protocol) << size;
  }
  const Scene refresh = Scene::fleetup(R"({"steps":{"token":{"class":"refresh"}}})");
  EXPECT_TRUE(refresh.failed(answer(200, R"({"token":"ab)")).in_doubt);
}

TEST(Answer, J03_DuplicateMembersAreRefusedAlsoWhenEscaped) {
  EXPECT_EQ(Scene::fleetup().failed(answer(200, R"({"token":"abc","token":"abd"})")).status, Status::Protocol);
  EXPECT_EQ(Scene::fleetup().failed(answer(200, R"({"token":"abc","\u0074oken":"abd"})")).status, Status::Protocol);
}

TEST(Answer, J04_DeepNestingIsRefused) {
  EXPECT_EQ(
      Scene::fleetup().granted(answer(200, R"({"token":"abc","x":)" + std::string(14, '[') + std::string(14, ']') + "}")).access.view(),
      "abc");
  for (const std::size_t depth : {17U, 2000U, 120'000U}) {
    EXPECT_EQ(
        Scene::fleetup().failed(answer(200, R"({"token":"abc","x":)" + std::string(depth, '[') + std::string(depth, ']') + "}")).status,
        Status::Protocol)
        << depth;
  }
}

TEST(Answer, J10_J11_TokensWithForeignCharactersOrSizesAreRefused) {
  for (const std::string &bad : std::vector<std::string>{R"(a\r\nX-Evil: 1)", R"(a\u0000b)", R"(a\tb)", "a b", "\xc3\xa9", R"(\u007f)", "",
                                                         std::string(16'385, 'a')}) {
    const Error error = Scene::fleetup().failed(answer(200, R"({"token":")" + bad + R"("})"));
    EXPECT_EQ(error.status, Status::Protocol);
    EXPECT_THAT(error.message, AllOf(HasSubstr("with a token that is empty"), Not(HasSubstr("Evil"))));
  }
  EXPECT_EQ(Scene::fleetup().granted(answer(200, R"({"token":")" + std::string(16'384, 'a') + R"("})")).access.size(), 16'384U);
}

TEST(Answer, J12_ATokenOfAnotherTypeIsRefused) {
  for (const char *bad : {"7", "null", "true", "{}", "[\"abc\"]"}) {
    const Error error = Scene::connected_fleet().failed(answer(200, R"({"access_token":"good","accessToken":)" + std::string(bad) + "}"));
    EXPECT_EQ(error.status, Status::Protocol) << bad;
    EXPECT_THAT(error.message, HasSubstr("is not a string where the token should be (/accessToken)"));
  }
  EXPECT_THAT(Scene::connected_fleet().failed(answer(200, R"({"expires_in":60})")).message,
              HasSubstr("without a token at /accessToken or /access_token"));
}

TEST(Answer, J16_ErrorWordsAreFilteredAndSentencesLeftOut) {
  const auto code = [](const std::string &json) {
    return Scene::connected_fleet().failed(answer(401, R"({"error":)" + json + "}")).provider_code;
  };
  EXPECT_EQ(code(R"("invalid_client")"), "invalid_client");
  EXPECT_EQ(code(R"("\u001b[31minvalid\r\n_client\u0000")"), "31minvalid_client");
  EXPECT_EQ(code('"' + std::string(200, 'e') + '"'), std::string(64, 'e'));
  EXPECT_EQ(code(R"("the key 1234 is wrong")"), "");
  EXPECT_EQ(code("-32001"), "-32001");
  EXPECT_EQ(code(R"({"code":"x"})"), "");
}

TEST(Answer, L03_AnErrorThatRepeatsTheSecretDoesNotPassItOn) {
  const Scene scene = Scene::fleetup();
  const Error error = scene.failed(answer(401, R"({"code":"bad_key_the-api-key","message":"the-api-key"})"));
  EXPECT_EQ(error.provider_code, "");
  EXPECT_THAT(error.message, Not(HasSubstr("the-api-key")));
  EXPECT_EQ(scene.failed(answer(401, R"({"code":"the-/api-key"})")).provider_code, "") << "nor one that filtering would put together";
}

constexpr std::string_view kRules = R"({"steps":{"token":{"error_code":["/code"],"errors":[
  {"status":[400],"path":"/code","contains":"EXPIRED","is":"invalid_credentials","action":"stop"},
  {"status":[400],"path":"/busy","is":"server","action":"retry"},
  {"status":[503],"contains":"maintenance","is":"access_denied"},
  {"contains":"quota","is":"rate_limited"},
  {"path":"/number","contains":"17","is":"access_denied","action":"retry"}
]}}})";

TEST(Answer, TheFirstErrorRuleThatFitsDecides) {
  const Scene scene = Scene::fleetup(kRules);
  const auto text = Headers{{"Content-Type", "text/plain"}};
  EXPECT_EQ(scene.failed(answer(400, R"({"code":"key_expired"})")).status, Status::InvalidCredentials);
  EXPECT_EQ(scene.failed(answer(400, R"({"code":"key_expired"})")).is_retryable(), false);
  const Error busy = scene.failed(answer(400, R"({"busy":true})"));
  EXPECT_EQ(busy.status, Status::Server);
  EXPECT_TRUE(busy.is_retryable());
  EXPECT_EQ(scene.failed(answer(400, R"({"code":"other"})")).status, Status::Protocol);
  EXPECT_EQ(scene.failed(answer(503, "Down for MAINTENANCE", text)).status, Status::AccessDenied);
  EXPECT_EQ(scene.failed(answer(503, "Down", text)).status, Status::Server);
  EXPECT_EQ(scene.failed(answer(404, "Quota used up", text)).status, Status::RateLimited) << "without status: any 4xx";
  EXPECT_EQ(scene.failed(answer(500, "Quota used up", text)).status, Status::Server) << "but no 5xx";
  EXPECT_EQ(scene.failed(answer(429, "17 quota", text)).status, Status::RateLimited);
  const Error number = scene.failed(answer(418, R"({"number":1170})"));
  EXPECT_EQ(number.status, Status::AccessDenied);
  EXPECT_TRUE(number.is_retryable()) << "retry overrides the table";
}

TEST(Answer, ARefusedConnectionKeepsItsErrorAndSaysWhere) {
  const Scene scene = Scene::fleetup();
  const auto failed = [&](const Scene &of, Sent sent) {
    const auto machine = of.machine();
    (void)machine->start(kNow);
    Error error;
    error.status = Status::Connect;
    error.message = "connection refused";
    const Effect effect = machine->on_failure({fail(std::move(error)), sent}, kNow);
    return *std::get<Failed>(effect).error;
  };
  const Error error = failed(scene, Sent::No);
  EXPECT_EQ(error.status, Status::Connect);
  EXPECT_EQ(error.provider, "fleetup");
  EXPECT_EQ(error.message, "fleetup: step \"token\" at https://api.fleetup.net got no answer: connection refused");
  EXPECT_FALSE(error.in_doubt);
  EXPECT_FALSE(failed(scene, Sent::Maybe).in_doubt) << "an idempotent step is never in doubt";
  const Scene one_shot = Scene::fleetup(R"({"steps":{"token":{"class":"one_shot"}}})");
  EXPECT_TRUE(failed(one_shot, Sent::Maybe).in_doubt);
  EXPECT_FALSE(failed(one_shot, Sent::No).in_doubt);
}

constexpr std::string_view kTextToken = R"({
  "descriptor": 1, "name": "acme", "title": "Acme",
  "parameters": {"key": {"type": "text", "required": true, "secret": true, "doc": "The key."}},
  "origins": {"api": "https://api.example.com"},
  "steps": {"token": {"class": "idempotent", "method": "GET", "origin": "api", "path": "/token", "headers": {"x-key": {"$param": "key"}},
    "token_format": "text", "expiry": [{"jwt": true}, {"fixed_s": 1200}]}},
  "credentials": {"main": {"flow": "exchange", "step": "token"}},
  "schemes": {"bearer": {"credential": "main", "headers": {"Authorization": ["Bearer ", {"$token": true}]}}},
  "apis": {"all": {"origin": "api", "path": "/", "schemes": ["bearer"]}}
})";

TEST(Answer, ATextTokenIsTheWholeBody) {
  const Scene scene = Scene::from_json(kTextToken, {{"key", "k"}});
  const Headers text{{"Content-Type", "text/plain; charset=us-ascii"}};
  const Grant grant = scene.granted(answer(200, " raw-token\r\n", text));
  EXPECT_EQ(grant.access.view(), "raw-token");
  EXPECT_EQ(grant.lifetime_ms, 1'200'000);
  EXPECT_EQ(scene.failed(answer(200, " \r\n ", text)).status, Status::Protocol);
  EXPECT_EQ(scene.failed(answer(200, "two words", text)).status, Status::Protocol);
  EXPECT_EQ(scene.failed(answer(200, "<html>", {{"Content-Type", "text/html"}})).status, Status::Protocol);
  EXPECT_EQ(scene.failed(answer(200, "\"raw\"", kJson)).status, Status::Protocol);
}

}  // namespace
}  // namespace fleetauth::flow
