#include <gmock/gmock.h>

#include "tests/unit/flow/scene.h"

namespace fleetauth::flow {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> lines(const std::vector<Header> &headers) {
  std::vector<std::string> out;
  for (const Header &header : headers) out.push_back(header.name + ": " + std::string(header.value.view()));
  return out;
}

TEST(Request, FleetUpAsksForAJwtWithANumberInTheBody) {
  const HttpRequest request = Scene::fleetup().request("jwt");
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url.view(), "https://api.fleetup.net/token");
  EXPECT_THAT(lines(request.headers), ElementsAre("x-api-key: the-api-key", "Content-Type: application/json", "Accept: application/json"));
  EXPECT_EQ(request.body.view(), R"({"acctId":12345,"secret":"the \"secret\" & more"})");
  EXPECT_EQ(request.call_class, CallClass::Idempotent);
  EXPECT_EQ(request.step, "token");
  EXPECT_EQ(request.origin, "https://api.fleetup.net");
}

TEST(Request, FleetUpsLegacyTokenIsAskedForInTheQuery) {
  const HttpRequest request = Scene::fleetup().request("legacy");
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.url.view(), "https://api.fleetup.net/token?acctId=12345&secret=the%20%22secret%22%20%26%20more");
  EXPECT_THAT(lines(request.headers), ElementsAre("x-api-key: the-api-key", "Accept: application/json"));
  EXPECT_TRUE(request.body.empty());
  EXPECT_EQ(request.origin, "https://api.fleetup.net") << "what is printed holds no query";
}

TEST(Request, MyConnectedFleetSendsAFormWithABasicPair) {
  const HttpRequest request = Scene::connected_fleet().request("oauth");
  EXPECT_EQ(request.url.view(), "https://auth.masternautconnect.com/masternauth-oauth/oauth/accessToken");
  // base64 of the UTF-8 text "client:s:cr\u00e9t"
  EXPECT_THAT(lines(request.headers), ElementsAre("Accept: application/json", "Authorization: Basic Y2xpZW50OnM6Y3LDqXQ=",
                                                  "Content-Type: application/x-www-form-urlencoded"));
  EXPECT_EQ(request.body.view(), "grant_type=client_credentials");
}

constexpr std::string_view kBodies = R"({
  "descriptor": 1, "name": "acme", "title": "Acme",
  "parameters": {
    "key": {"type": "text", "required": true, "secret": true, "doc": "The key."},
    "fleet": {"type": "integer", "doc": "The fleet."},
    "verbose": {"type": "boolean", "doc": "Whether."},
    "note": {"type": "text", "doc": "A note."},
    "password": {"type": "text", "required": true, "secret": true, "doc": "The password."}
  },
  "origins": {"api": "https://127.0.0.1:8443/base"},
  "steps": {
    "json": {
      "class": "one_shot", "method": "POST", "origin": "api", "path": "/login",
      "headers": {"x-note": ["note ", {"$param": "note"}], "accept": "application/vnd.acme+json"},
      "query": {"fleet": {"$param": "fleet"}, "all": "yes"},
      "body": {"json": {
        "a": [1, 2.5, true, null, "text", {"$param": "note"}, [], {}],
        "deep": {"fleet": {"$param": "fleet"}, "verbose": {"$param": "verbose"}, "note": {"$param": "note"}},
        "password": {"$param": "password"}
      }},
      "token": ["/token"], "expiry": [{"fixed_s": 60}]
    },
    "form": {
      "class": "refresh", "method": "PUT", "origin": "api", "path": "/renew",
      "body": {"form": {"key": ["k-", {"$param": "password"}], "note": {"$param": "note"}, "a b": "c+d"}},
      "token_format": "text", "expiry": [{"fixed_s": 60}]
    }
  },
  "credentials": {"json": {"flow": "exchange", "step": "json"}, "form": {"flow": "exchange", "step": "form"}},
  "schemes": {
    "json": {"credential": "json", "headers": {"Authorization": ["Bearer ", {"$token": true}]}},
    "form": {"credential": "form", "headers": {"Authorization": ["Atmosphere key=", {"$param": "key"}, ", Bearer ", {"$token": true}]}}
  },
  "apis": {"all": {"origin": "api", "path": "/", "schemes": ["json", "form"]}}
})";

TEST(Request, WhatHasNoValueVanishes) {
  const Scene scene = Scene::from_json(kBodies, {{"key", "k"}, {"password", "p"}});
  const HttpRequest request = scene.request("json");
  EXPECT_EQ(request.url.view(), "https://127.0.0.1:8443/base/login?all=yes");
  EXPECT_THAT(lines(request.headers), ElementsAre("accept: application/vnd.acme+json", "Content-Type: application/json"));
  EXPECT_EQ(request.body.view(), R"({"a":[1,2.5,true,null,"text",[],{}],"deep":{},"password":"p"})");
  EXPECT_EQ(request.origin, "https://127.0.0.1:8443");
  EXPECT_EQ(request.call_class, CallClass::OneShot);
}

TEST(Request, ValuesKeepTheirTypes) {
  const Scene scene = Scene::from_json(
      kBodies, {{"key", "k"}, {"password", "\x01\"\\\n\xc3\xa9"}, {"fleet", "-9223372036854775808"}, {"verbose", "1"}, {"note", "n"}});
  const HttpRequest request = scene.request("json");
  EXPECT_EQ(request.url.view(), "https://127.0.0.1:8443/base/login?fleet=-9223372036854775808&all=yes");
  EXPECT_EQ(request.body.view(),
            "{\"a\":[1,2.5,true,null,\"text\",\"n\",[],{}],"
            "\"deep\":{\"fleet\":-9223372036854775808,\"verbose\":true,\"note\":\"n\"},"
            "\"password\":\"\\u0001\\\"\\\\\\n\xc3\xa9\"}");
  EXPECT_EQ(lines(request.headers).front(), "x-note: note n");
}

TEST(Request, FormsArePercentEncoded) {
  const Scene scene = Scene::from_json(kBodies, {{"key", "k"}, {"password", "a&b=c +%~\xc3\xa9"}});
  const HttpRequest request = scene.request("form");
  EXPECT_EQ(request.method, "PUT");
  EXPECT_EQ(request.body.view(), "key=k-a%26b%3Dc%20%2B%25~%C3%A9&a%20b=c%2Bd");
  EXPECT_EQ(request.call_class, CallClass::Refresh);
  EXPECT_THAT(lines(request.headers), ElementsAre("Content-Type: application/x-www-form-urlencoded", "Accept: text/plain"));
}

TEST(Machine, IsDrivenInOrderOrFails) {
  const Scene scene = Scene::fleetup();
  auto machine = scene.machine("jwt");
  const Effect early = machine->on_response(answer(200, R"({"token":"abc"})"), kNow);
  ASSERT_TRUE(std::holds_alternative<Failed>(early));
  EXPECT_EQ(std::get<Failed>(early).error->status, Status::Internal);

  machine = scene.machine("jwt");
  (void)machine->start(kNow);
  ASSERT_TRUE(std::holds_alternative<Granted>(machine->on_response(answer(200, R"({"token":"abc"})"), kNow)));
  EXPECT_TRUE(std::holds_alternative<Failed>(machine->on_response(answer(200, R"({"token":"abc"})"), kNow)));
  EXPECT_TRUE(std::holds_alternative<Failed>(machine->start(kNow)));
}

TEST(Authorise, EverySchemeOfTheBuiltInProviders) {
  const auto headers = [](const Scene &scene, std::string_view scheme) {
    const auto result = authorise(scene.config(), *scene.descriptor().scheme(scheme), "tok");
    EXPECT_TRUE(result) << result.error()->message;
    return lines(*result);
  };
  EXPECT_THAT(headers(Scene::fleetup(), "jwt"), ElementsAre("Authorization: Bearer tok", "x-api-key: the-api-key"));
  EXPECT_THAT(headers(Scene::fleetup(), "legacy"), ElementsAre("token: tok", "x-api-key: the-api-key"));
  EXPECT_THAT(headers(Scene::connected_fleet(), "basic"), ElementsAre("Authorization: Basic Y2xpZW50OnM6Y3LDqXQ="));
  EXPECT_THAT(headers(Scene::connected_fleet(), "bearer"), ElementsAre("Authorization: Bearer tok"));
  EXPECT_THAT(headers(Scene::connected_fleet(), "connect_token"), ElementsAre("x-connect-token: TOKEN tok"));
  EXPECT_THAT(headers(Scene::from_json(kBodies, {{"key", "k"}, {"password", "p"}}), "form"),
              ElementsAre("Authorization: Atmosphere key=k, Bearer tok"));
}

TEST(Authorise, J10_ATokenThatCannotBeAHeaderIsRefusedAndNotRepeated) {
  const Scene scene = Scene::fleetup();
  const auto result = authorise(scene.config(), *scene.descriptor().scheme("jwt"), "tok\r\nX-Evil: hunter2");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error()->status, Status::Config);
  EXPECT_THAT(result.error()->message, ::testing::HasSubstr("scheme \"jwt\" cannot send the header Authorization"));
  EXPECT_THAT(result.error()->message, ::testing::Not(::testing::HasSubstr("hunter2")));
}

TEST(LocalSecret, IsTheBasicPairOrTheKey) {
  const Scene fleet = Scene::connected_fleet();
  const auto pair = local_secret(fleet.config(), *fleet.descriptor().scheme("basic"));
  ASSERT_TRUE(pair);
  EXPECT_EQ(pair->view(), "Y2xpZW50OnM6Y3LDqXQ=");
  const auto none = local_secret(fleet.config(), *fleet.descriptor().scheme("bearer"));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error()->status, Status::Config);

  const Scene acme = Scene::from_json(R"({
    "descriptor": 1, "name": "acme", "title": "Acme",
    "parameters": {"key": {"type": "text", "required": true, "secret": true, "doc": "The key."}},
    "origins": {"api": "https://api.example.com"},
    "credentials": {"key": {"flow": "static_header"}},
    "schemes": {"key": {"credential": "key", "headers": {"Authorization": ["Token ", {"$param": "key"}]}}},
    "apis": {"all": {"origin": "api", "path": "/", "schemes": ["key"]}}
  })",
                                      {{"key", "k3y"}});
  const auto key = local_secret(acme.config(), *acme.descriptor().scheme("key"));
  ASSERT_TRUE(key);
  EXPECT_EQ(key->view(), "k3y");
  const auto headers = authorise(acme.config(), *acme.descriptor().scheme("key"), "");
  ASSERT_TRUE(headers);
  EXPECT_THAT(lines(*headers), ElementsAre("Authorization: Token k3y"));
}

}  // namespace
}  // namespace fleetauth::flow
