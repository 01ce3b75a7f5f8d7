// The library prepares its OpenSSL before the tests make certificates with the same copy.
#include <gtest/gtest.h>

#include "core/net/driver.h"

namespace fleetauth::net {
namespace {

class LibraryFirst : public ::testing::Environment {
 public:
  void SetUp() override { ASSERT_EQ(initialise(), nullptr); }
};

const auto *const kLibraryFirst = ::testing::AddGlobalTestEnvironment(new LibraryFirst);

}  // namespace
}  // namespace fleetauth::net
