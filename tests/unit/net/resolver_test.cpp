// Name lookups that fail, hang or lead where they should not. libcurl is linked statically, so the getaddrinfo below is the one it calls.

#include <dlfcn.h>
#include <netdb.h>

#include <atomic>
#include <cstring>

#include "core/base/os/clock.h"
#include "tests/unit/net/driver_fixture.h"

namespace {

std::atomic<bool> lookup_hangs{false};
std::atomic<int> lookups{0};

using GetAddrInfo = int (*)(const char *, const char *, const addrinfo *, addrinfo **);

GetAddrInfo real_lookup() {
  static const auto found = reinterpret_cast<GetAddrInfo>(dlsym(RTLD_NEXT, "getaddrinfo"));
  return found;
}

// A chain of the answers for two names.
int look_up_both(const char *first, const char *second, const char *service, const addrinfo *hints, addrinfo **result) {
  addrinfo *rest = nullptr;
  const int code = real_lookup()(first, service, hints, result);
  if (code != 0 || real_lookup()(second, service, hints, &rest) != 0) return code;
  addrinfo *last = *result;
  while (last->ai_next != nullptr) last = last->ai_next;
  last->ai_next = rest;
  return 0;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int getaddrinfo(const char *name, const char *service, const addrinfo *hints,
                                                                  addrinfo **result) {
  ++lookups;
  const std::string_view host = name == nullptr ? "" : name;
  if (host == "hangs.test") {
    lookup_hangs = true;
    lookup_hangs.wait(true);
    return EAI_AGAIN;
  }
  if (host == "missing.test") return EAI_NONAME;
  if (host == "rebound.test") return look_up_both("169.254.169.254", "127.0.0.1", service, hints, result);
  if (host == "metadata.test") return real_lookup()("169.254.169.254", service, hints, result);
  if (host == "elsewhere.test") return real_lookup()("192.0.2.1", service, hints, result);
  return real_lookup()(name, service, hints, result);
}

namespace fleetauth::net {
namespace {

using flow::Sent;
using test::json_answer;
using test::RawServer;
using test::TestCa;

class ResolverTest : public DriverTest {
 protected:
  void TearDown() override {
    lookup_hangs = false;  // lets a thread that was left behind go home
    lookup_hangs.notify_all();
  }
};

TEST_F(ResolverTest, N02_NamesThatDoNotExist) {
  expect_failure(fetch(get("https://missing.test"), settings(TestCa().pem())), Status::Dns, Sent::No, "its name could not be resolved");
  EXPECT_GT(lookups, 0);
}

TEST_F(ResolverTest, N03_AHungLookupIsCancelledAtOnce) {
  const flow::HttpRequest request = get("https://hangs.test");
  driver->start(1, request, settings(TestCa().pem()), [](Outcome) { ADD_FAILURE() << "was cancelled"; });
  drive_until([] { return lookup_hangs.load(); });
  const std::int64_t before = os::boot_ms();
  driver->cancel(1);
  driver.reset();
  EXPECT_LE(os::boot_ms() - before, 10);
  EXPECT_TRUE(lookup_hangs) << "the lookup was waited for";
}

TEST_F(ResolverTest, N03_AHungLookupEndsWithTheTimeout) {
  const auto options = settings(TestCa().pem());
  options->connect_timeout_ms = -200;  // libcurl is given 250 ms more than the runtime's timer
  expect_failure(fetch(get("https://hangs.test"), options), Status::Timeout, Sent::No);
  EXPECT_TRUE(lookup_hangs) << "the lookup was waited for";
}

TEST_F(ResolverTest, N27_NamesOfLinkLocalAddressesAreRefused) {
  expect_failure(fetch(get("https://metadata.test"), settings(TestCa().pem())), Status::Connect, Sent::No, "link-local");
}

TEST_F(ResolverTest, N27_OfSeveralAddressesOnlyTheAllowedAreTried) {
  const RawServer server(RawServer::always(json_answer("{}")));
  const std::string origin = "http://rebound.test:" + std::to_string(server.port());
  EXPECT_EQ(response_of(fetch(get(origin), settings())).status, 200);
}

TEST_F(ResolverTest, T29_PlainHttpNeverLeavesThisMachine) {
  expect_failure(fetch(get("http://elsewhere.test"), settings()), Status::Connect, Sent::No, "not this machine");
}

}  // namespace
}  // namespace fleetauth::net
