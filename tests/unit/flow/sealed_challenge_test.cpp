#include "core/flow/sealed_challenge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/crypto/seal.h"
#include "tests/unit/flow/scene.h"

namespace fleetauth::flow {
namespace {

using ::testing::HasSubstr;

const std::string kKey(crypto::kSealKeySize, 'k');

// What a challenge of FleetUp, which asks for none, would be bound to.
Result<SecretBytes> sealed_text(std::string_view text) {
  return crypto::seal(kKey, "fleetauth/challenge/v1", "7:fleetup23:https://api.fleetup.net7:acct_id5:12345", text);
}

class SealedChallenge : public ::testing::Test {
 protected:
  const Scene scene = Scene::fleetup();
};

TEST_F(SealedChallenge, ComesBackAsItWas) {
  Challenge challenge;
  challenge.credential = "main";
  challenge.step = "otp";
  challenge.account = "A \"1\" \xc3\xa4";
  challenge.asked = kNow.wall;
  challenge.lifetime_ms = 300'000;
  challenge.echoes.push_back({"session", json::Type::String, SecretBytes("s-1\n")});
  challenge.echoes.push_back({"count", json::Type::Integer, SecretBytes("7")});
  challenge.echoes.push_back({"again", json::Type::Boolean, SecretBytes("true")});
  const auto sealed = seal_challenge(scene.config(), challenge, kKey);
  ASSERT_TRUE(sealed);
  const auto opened = open_challenge(scene.config(), sealed->view(), kKey);
  ASSERT_TRUE(opened) << opened.error()->message;
  EXPECT_EQ((*opened)->account, challenge.account);
  EXPECT_EQ((*opened)->asked, challenge.asked);
  EXPECT_EQ((*opened)->lifetime_ms, challenge.lifetime_ms);
  ASSERT_EQ((*opened)->echoes.size(), 3U);
  EXPECT_EQ((*opened)->echoes[0].text.view(), "s-1\n");
  EXPECT_EQ((*opened)->echoes[1].type, json::Type::Integer);
  EXPECT_EQ((*opened)->echoes[2].type, json::Type::Boolean);
}

TEST_F(SealedChallenge, TheTextInsideIsRead) {
  EXPECT_TRUE(open_challenge(scene.config(), sealed_text(R"({"asked":0,"lifetime_ms":1,"echoes":[["a",4,"b"]]})")->view(), kKey));
}

TEST_F(SealedChallenge, WhatNobodyWouldWriteIsRefused) {
  for (const std::string_view text :
       {"", "[]", "{}", R"({"asked":0,"lifetime_ms":1})", R"({"asked":-9223372036854775808,"lifetime_ms":1,"echoes":[]})",
        R"({"asked":0,"lifetime_ms":0,"echoes":[]})", R"({"asked":"0","lifetime_ms":1,"echoes":[]})",
        R"({"asked":0,"lifetime_ms":1,"echoes":[["a",99,"b"]]})", R"({"asked":0,"lifetime_ms":1,"echoes":[["a",0,"b"]]})",
        R"({"asked":0,"lifetime_ms":1,"echoes":[["a",4]]})", R"({"asked":0,"lifetime_ms":1,"echoes":[["a",4,7]]})"}) {
    const auto opened = open_challenge(scene.config(), sealed_text(text)->view(), kKey);
    ASSERT_FALSE(opened) << text;
    EXPECT_EQ(opened.error()->status, Status::Crypto);
    EXPECT_THAT(opened.error()->message, HasSubstr("no challenge")) << text;
  }
}

}  // namespace
}  // namespace fleetauth::flow
