// What of a private key is left in this process. The key is made in another one, for whoever makes keys leaves traces of them.
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "core/crypto/service_account.h"
#include "core/crypto/signing_key.h"
#include "tests/secrets/made_key.h"
#include "tests/secrets/memory_scan.h"

namespace secrets {
namespace {

using fleetauth::crypto::SigningKey;

class KeyResidue : public testing::TestWithParam<bool> {
 protected:
  static void expect_none(const std::map<std::string, Masked> &what) {
    for (const auto &[name, needle] : what) {
      for (const std::string &place : find_in_memory(needle)) ADD_FAILURE() << name << " is left at " << place;
    }
  }

  MadeKey key_text{GetParam()};
  const std::map<std::string, Masked> &needles = key_text.needles;  // never to be found
  const std::map<std::string, Masked> &numbers = key_text.numbers;  // to be found while the key lives
};

TEST_P(KeyResidue, T18_KeysLiveInOnePlaceAndDieThere) {
  auto key = SigningKey::from_pem(key_text.pem());
  ASSERT_TRUE(key) << key.error()->message;
  key_text.forget();
  ASSERT_TRUE((*key)->sign_rs256("bytes"));
  expect_none(needles);
  for (const auto &[name, number] : numbers) EXPECT_FALSE(find_in_memory(number).empty()) << name << ": the search finds nothing at all";
  key = fleetauth::ErrorPtr();
  expect_none(needles);
  expect_none(numbers);
}

TEST_P(KeyResidue, T18_RefusedKeysLeaveNothing) {
  for (char *place = key_text.pem(); (place = strchr(place, '\n')) != nullptr; ++place) {
    const char kept = *place;
    *place = '*';
    EXPECT_FALSE(SigningKey::from_pem(key_text.pem()));
    *place = kept;
  }
  key_text.forget();
  expect_none(needles);
  expect_none(numbers);
}

TEST_P(KeyResidue, T18_KeyFilesLeaveNothing) {
  auto account = fleetauth::crypto::parse_service_account(key_text.json(), "key.json");
  ASSERT_TRUE(account) << account.error()->message;
  key_text.json()[strlen(key_text.json()) - 1] = ']';
  EXPECT_FALSE(fleetauth::crypto::parse_service_account(key_text.json(), "key.json"));
  key_text.forget();
  expect_none(needles);
  account = fleetauth::ErrorPtr();
  expect_none(needles);
  expect_none(numbers);
}

INSTANTIATE_TEST_SUITE_P(Forms, KeyResidue, testing::Bool(), [](const auto &form) { return form.param ? "Pkcs8" : "Pkcs1"; });

}  // namespace
}  // namespace secrets
