#include "core/provider/claims.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "core/provider/descriptor.h"

namespace fleetauth::provider {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kDescriptor = R"({
  "descriptor": 1, "name": "acme", "title": "Acme",
  "parameters": {"account": {"type": "text", "secret": true, "doc": "The key file."}},
  "claims": {
    "ids": {"max_characters": 8, "without": "/:", "wildcard": true},
    "names": {
      "truck": {"doc": "A truck."},
      "trip": {"excludes": ["trips"], "doc": "A trip."},
      "trips": {"list": true, "doc": "Trips."},
      "stop": {"excludes": ["trip", "truck"], "doc": "A stop."}
    },
    "sets": {
      "server": {"every": ["trips", "truck"], "doc": "A server."},
      "driver": {"required": ["truck"], "optional": ["trip", "trips"], "doc": "A driver."},
      "planner": {"required": ["truck"], "one_of": ["trip", "trips"], "doc": "A planner."},
      "guest": {"one_of": ["trip", "stop"], "doc": "A guest."}
    }
  },
  "origins": {"api": "https://api.acme.example"},
  "credentials": {"token": {"flow": "signed_jwt", "key": {"service_account": "account"}, "payload": {"for": {"$claims": true}}}},
  "schemes": {"bearer": {"credential": "token", "headers": {"Authorization": ["Bearer ", {"$token": true}]}}},
  "apis": {"all": {"origin": "api", "path": "/", "schemes": ["bearer"]}}
})";

using Text = std::optional<std::string_view>;

class Reading : public ::testing::Test {
 protected:
  void SetUp() override {
    auto descriptor = parse_descriptor(kDescriptor, "acme.json");
    ASSERT_TRUE(descriptor) << descriptor.error()->message;
    rules = descriptor->claims;
  }

  /// The claims as they stand in a token.
  [[nodiscard]] std::string made(Text set, Text claims) const {
    const auto read = read_claims(rules, set, claims);
    if (!read) return read.error()->message;
    return *read == nullptr ? "none" : (*read)->json;
  }
  [[nodiscard]] std::string refused(Text set, Text claims) const {
    const auto read = read_claims(rules, set, claims);
    if (read) return "was accepted";
    EXPECT_EQ(read.error()->status, Status::Config);
    return read.error()->message;
  }
  [[nodiscard]] std::string truck(const std::string &id_in_json) const { return made({}, R"({"truck":")" + id_in_json + "\"}"); }

  ClaimRules rules;
};

TEST_F(Reading, NothingIsNamed) { EXPECT_EQ(made({}, {}), "none"); }

TEST_F(Reading, IdsAreCountedInCharacters) {
  EXPECT_EQ(truck("12345678"), R"({"truck":"12345678"})");
  EXPECT_EQ(truck("\xc3\xa4\xe2\x82\xac\xf0\x9f\x9a\x9a\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"),
            "{\"truck\":\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x9a\x9a\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\"}");
  EXPECT_EQ(truck("\\ud83d\\ude9a\\u00e4345678"),
            "{\"truck\":\"\xf0\x9f\x9a\x9a\xc3\xa4"
            "345678\"}")
      << "written as escapes";
  EXPECT_EQ(truck("123456789"), "the claim \"truck\" has more than 8 characters");
  EXPECT_EQ(truck("\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"),
            "the claim \"truck\" has more than 8 characters");
  EXPECT_EQ(truck(""), "the claim \"truck\" must not be empty");
}

TEST_F(Reading, IdsHoldNoForbiddenCharacters) {
  for (const std::string id : {"a/b", ":", "ab/"}) EXPECT_EQ(truck(id), "the claim \"truck\" must hold none of the characters /:") << id;
  for (const std::string id : {"\\u0000", "a\\n", "\\u001f", "\\u007f"}) {
    EXPECT_EQ(truck(id), "the claim \"truck\" must hold no control characters") << id;
  }
  EXPECT_EQ(truck(" ?#.*%"), R"({"truck":" ?#.*%"})") << "what the rules do not forbid";
  EXPECT_EQ(truck("a\\\"\\\\"), R"({"truck":"a\"\\"})");
}

TEST_F(Reading, NoIdIsEverRepeated) {
  for (const std::string id : {"hunter2/", "hunter2hunter2", "hunter2\\n"}) EXPECT_THAT(truck(id), Not(HasSubstr("hunter2"))) << id;
  EXPECT_THAT(refused({}, R"({"trips":["hunter2","hunter2"]})"), Not(HasSubstr("hunter2")));
  EXPECT_THAT(refused({}, R"({"truck":hunter2})"), Not(HasSubstr("hunter2")));
  EXPECT_THAT(refused("driver", R"({"stop":"hunter2"})"), Not(HasSubstr("hunter2")));
}

TEST_F(Reading, ListsHoldEachIdOnce) {
  EXPECT_EQ(made({}, R"({"trips":["b","a"]})"), R"({"trips":["b","a"]})") << "in the order that was given";
  EXPECT_EQ(refused({}, R"({"trips":[]})"), "the claim \"trips\" must hold from 1 to 1000 ids");
  EXPECT_EQ(refused({}, R"({"trips":["a","b","a"]})"), "the claim \"trips\" holds an id twice");
  EXPECT_EQ(refused({}, R"({"trips":["a","*"]})"), "the claim \"trips\" holds * beside ids: * stands alone");
  EXPECT_EQ(made({}, R"({"trips":["*"]})"), R"({"trips":["*"]})");
  EXPECT_EQ(refused({}, R"({"trips":["a",""]})"), "the claim \"trips\" must not be empty");
  std::string many;
  for (int i = 0; i < 1000; ++i) many += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\"";
  EXPECT_THAT(made({}, R"({"trips":[)" + many + "]}"), HasSubstr("\"999\"]"));
  EXPECT_EQ(refused({}, R"({"trips":[)" + many + ",\"x\"]}"), "the claim \"trips\" must hold from 1 to 1000 ids");
}

TEST_F(Reading, EachClaimHasItsType) {
  for (const std::string value : {"1", "null", "true", "{}", "[\"a\"]"}) {
    EXPECT_EQ(refused({}, "{\"truck\":" + value + "}"), "the claim \"truck\" must be a string") << value;
  }
  for (const std::string value : {"1", "\"a\"", "{}", "[1]", "[\"a\",[]]"}) {
    EXPECT_EQ(refused({}, "{\"trips\":" + value + "}"), "the claim \"trips\" must be an array of strings") << value;
  }
}

TEST_F(Reading, WhatIsNoObjectIsRefused) {
  EXPECT_THAT(refused({}, ""), HasSubstr("claims"));
  EXPECT_THAT(refused({}, "truck=1"), HasSubstr("claims"));
  EXPECT_EQ(refused({}, "[]"), "the claims must be a JSON object of names and ids");
  EXPECT_EQ(refused({}, "{}"), "the claims are empty; name at least one");
  EXPECT_THAT(refused({}, R"({"truck":"a","truck":"b"})"), HasSubstr("truck"));
  EXPECT_THAT(refused({}, R"({"truck":"a","tr\u0075ck":"b"})"), HasSubstr("truck"));
  EXPECT_THAT(refused({}, "{\"truck\":\"\xff\"}"), Not(HasSubstr("accepted")));
  EXPECT_EQ(refused({}, "{\"truck\":\"" + std::string(256 * 1024, 'a') + "\"}"), "the claims are above 262144 bytes");
}

TEST_F(Reading, UnknownNamesAreAnsweredWithTheNearest) {
  EXPECT_EQ(refused({}, R"({"truk":"a"})"),
            "there is no claim \"truk\" (did you mean \"truck\"?); there are \"truck\", \"trip\", \"trips\" or \"stop\"");
  EXPECT_EQ(refused("drivr", {}),
            "there is no claim set \"drivr\" (did you mean \"driver\"?); there are \"server\", \"driver\", \"planner\" or \"guest\"");
  EXPECT_THAT(refused("", {}), HasSubstr("there is no claim set"));
}

TEST_F(Reading, ASetHasItsOwnClaims) {
  const std::string wildcards = R"({"truck":"*","trips":["*"]})";
  EXPECT_EQ(made("server", {}), wildcards);
  EXPECT_EQ(made("server", "{}"), wildcards) << "no others are named";
  EXPECT_EQ(refused("server", R"({"truck":"*"})"), "the claim set \"server\" has its claims already; leave the others out");
  EXPECT_EQ(made({}, R"({"trips":["*"],"truck":"*"})"), wildcards) << "the same by hand, in the order of the rules";

  EXPECT_EQ(made("driver", R"({"truck":"a"})"), R"({"truck":"a"})");
  EXPECT_EQ(made("driver", R"({"trip":"b","truck":"a"})"), R"({"truck":"a","trip":"b"})");
  for (const Text claims : {Text(), Text("{}"), Text(R"({"trip":"b"})"), Text(R"({"truck":"a","stop":"b"})")}) {
    EXPECT_EQ(refused("driver", claims),
              "the claim set \"driver\" takes \"truck\" and perhaps \"trip\" and \"trips\", and no other claims");
  }
  EXPECT_EQ(refused("driver", R"({"truck":"*"})"), "the claim set \"driver\" is for ids, not for *");

  EXPECT_EQ(made("guest", R"({"stop":"a"})"), R"({"stop":"a"})");
  for (const Text claims : {Text(), Text(R"({"trip":"a","stop":"b"})"), Text(R"({"truck":"a"})")}) {
    EXPECT_EQ(refused("guest", claims), "the claim set \"guest\" takes \"trip\" or \"stop\", and no other claims");
  }
  EXPECT_EQ(made("planner", R"({"truck":"a","trips":["b"]})"), R"({"truck":"a","trips":["b"]})");
  for (const Text claims : {Text(R"({"truck":"a"})"), Text(R"({"trip":"a"})"), Text(R"({"truck":"a","trip":"b","trips":["c"]})")}) {
    EXPECT_EQ(refused("planner", claims), "the claim set \"planner\" takes \"truck\" and \"trip\" or \"trips\", and no other claims");
  }
}

TEST_F(Reading, SomeClaimsExcludeEachOtherUnlessAllAreWildcards) {
  EXPECT_EQ(refused({}, R"({"trip":"a","trips":["b"]})"), "the claims \"trip\" and \"trips\" exclude each other");
  EXPECT_EQ(refused({}, R"({"truck":"a","stop":"b"})"), "the claims \"stop\" and \"truck\" exclude each other") << "whichever comes first";
  EXPECT_EQ(refused({}, R"({"trip":"*","trips":["b"]})"), "the claims \"trip\" and \"trips\" exclude each other");
  EXPECT_EQ(refused("driver", R"({"truck":"a","trip":"b","trips":["c"]})"), "the claims \"trip\" and \"trips\" exclude each other");
  EXPECT_EQ(made({}, R"({"stop":"*","trips":["*"],"trip":"*"})"), R"({"trip":"*","trips":["*"],"stop":"*"})");
  EXPECT_EQ(made({}, R"({"truck":"a","trips":["b","c"]})"), R"({"truck":"a","trips":["b","c"]})");
}

TEST_F(Reading, AWildcardIsForWhoMayHaveOne) {
  EXPECT_EQ(truck("*"), R"({"truck":"*"})");
  rules.wildcard = false;
  EXPECT_EQ(truck("*"), "the claim \"truck\" must be one id: * stands for every one, and is not for this client to ask");
  EXPECT_THAT(refused({}, R"({"trips":["*"]})"), HasSubstr("must be one id"));
  EXPECT_EQ(truck("**"), R"({"truck":"**"})") << "an id as good as any";
}

TEST_F(Reading, EqualClaimsAreEqualSubjects) {
  const auto claims = [&](Text set, const std::string &text) { return *read_claims(rules, set, text); };
  const auto key = [](const std::string &account, std::shared_ptr<const Claims> of) { return Subject{account, std::move(of)}; };
  EXPECT_EQ(key("", claims({}, R"({"truck":"a"})")).hash(), key("", claims({}, R"({"truck":"a"})")).hash());
  EXPECT_EQ(key("", claims({}, R"({"truck":"a","trip":"b"})")), key("", claims("driver", R"( {"trip" : "b", "truck":"\u0061"} )")));
  EXPECT_NE(key("", claims({}, R"({"truck":"a"})")), key("", claims({}, R"({"trip":"a"})")));
  EXPECT_NE(key("", claims({}, R"({"trips":["a","b"]})")), key("", claims({}, R"({"trips":["a,b"]})")));
  EXPECT_NE(key("x", claims({}, R"({"truck":"a"})")), key("", claims({}, R"({"truck":"a"})")));
  EXPECT_NE(key("x", nullptr), key("", nullptr));
}

TEST_F(Reading, T17_OnlyEqualAccountsAndClaimsAreEqualSubjects) {
  constexpr std::string_view kLetters = "a1,|";
  std::minstd_rand random(17);
  const auto text = [&] {
    std::string out;
    for (auto length = 1 + random() % 3; length > 0; --length) out += kLetters[random() % kLetters.size()];
    return out;
  };
  struct One {
    std::string account;
    std::string truck;
    Subject subject;
  };
  std::vector<One> all;
  for (int i = 0; i < 500; ++i) {
    One one{text(), text(), {}};
    one.subject = {one.account, *read_claims(rules, {}, R"({"truck":")" + one.truck + "\"}")};
    all.push_back(std::move(one));
  }
  for (const One &a : all) {
    for (const One &b : all) {
      const bool equal = a.account == b.account && a.truck == b.truck;
      ASSERT_EQ(a.subject == b.subject, equal) << a.account << " " << a.truck << " and " << b.account << " " << b.truck;
      ASSERT_TRUE(!equal || a.subject.hash() == b.subject.hash());
    }
  }
}

TEST_F(Reading, AStepIsGivenSingleIds) {
  const auto claims = *read_claims(rules, {}, R"({"truck":"a","trips":["b","c"]})");
  EXPECT_EQ(*claims->id("truck"), "a");
  EXPECT_EQ(claims->id("trip"), nullptr);
  EXPECT_EQ(claims->id("trips"), nullptr) << "it has two";
}

TEST(Rules, ThoseOfTheBuiltInProviders) {
  const auto read = [](std::string_view provider, Text set, Text claims) {
    const auto result = read_claims((*builtin(provider))->claims, set, claims);
    return result ? (*result)->json : result.error()->message;
  };
  EXPECT_EQ(read("fleet_engine", "delivery_server", {}), R"({"taskid":"*","trackingid":"*","deliveryvehicleid":"*"})")
      << "Google's own library mixes these";
  EXPECT_EQ(read("fleet_engine", "fleet_reader", {}),
            R"({"tripid":"*","vehicleid":"*","taskid":"*","trackingid":"*","deliveryvehicleid":"*"})");
  EXPECT_THAT(read("fleet_engine", {}, R"({"trackingid":"a","deliveryvehicleid":"*"})"), HasSubstr("exclude each other"));
  EXPECT_THAT(read("fleet_engine", {}, R"({"taskids":["a"],"taskid":"a"})"), HasSubstr("exclude each other"));
  EXPECT_THAT(read("fleet_engine", {}, R"({"vehicleid":"a,b"})"), HasSubstr("none of the characters /:?,#"));
  EXPECT_THAT(read("fleet_engine", {}, "{\"vehicleid\":\"" + std::string(65, 'v') + "\"}"), HasSubstr("more than 64 characters"));
  EXPECT_THAT(read("fleet_engine_device", {}, R"({"vehicleid":"*"})"), HasSubstr("must be one id"));
  EXPECT_THAT(read("fleet_engine_device", "server", {}), HasSubstr("no claim set \"server\""));
  EXPECT_THAT(read("fleetup", "server", {}), HasSubstr("its tokens are not for claims; leave"));
  EXPECT_THAT(read("fleetup", {}, "{}"), HasSubstr("its tokens are not for claims; leave"));
}

}  // namespace
}  // namespace fleetauth::provider
