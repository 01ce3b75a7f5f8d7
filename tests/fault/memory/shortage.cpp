#include "tests/fault/memory/shortage.h"

#include <curl/curl.h>
#include <openssl/crypto.h>
#include <pthread.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>
#include <type_traits>

namespace fleetauth::test {

namespace {

struct Fault {
  std::atomic<std::int64_t> asked{0};
  std::atomic<std::int64_t> first{Shortage::kEnd};
  std::atomic<std::int64_t> last{Shortage::kEnd};
  std::atomic<bool> armed{false};
};
Fault g_fault;
std::atomic<Whose> g_whose{Whose::Ours};
std::atomic<std::int64_t> g_live{0};

thread_local bool t_inside = false;
thread_local bool t_for_curl = false;  // the library's function is asking its heap on behalf of libcurl

/// The library's threads bear its name.
bool of_library() noexcept {
  char name[16] = "";
  return pthread_getname_np(pthread_self(), name, sizeof name) == 0 && std::strncmp(name, "fleetauth-", 10) == 0;
}

bool fails(Whose whose) noexcept {
  if (!g_fault.armed || g_whose != whose || !(t_inside || of_library())) return false;
  const std::int64_t index = g_fault.asked.fetch_add(1);
  return index >= g_fault.first && index <= g_fault.last;
}

// ---------------------------------------------------------------- operator new

/// Before each block: whether it counts.
struct alignas(std::max_align_t) Head {
  bool counted;
};

void *take(std::size_t size) noexcept {
  if (fails(Whose::Ours)) return nullptr;
  auto *head = static_cast<Head *>(std::malloc(sizeof(Head) + size));
  if (head == nullptr) return nullptr;
  head->counted = t_inside || of_library();
  if (head->counted) ++g_live;
  return head + 1;
}

void *take_or_throw(std::size_t size) {
  void *block = take(size);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

void give_back(void *block) noexcept {
  if (block == nullptr) return;
  Head *head = static_cast<Head *>(block) - 1;
  if (head->counted) --g_live;
  std::free(head);
}

// ---------------------------------------------------------------- OpenSSL's functions

thread_local bool t_for_openssl = false;  // as t_for_curl

struct {
  CRYPTO_malloc_fn malloc;
  CRYPTO_realloc_fn realloc;
  CRYPTO_free_fn free;
} g_openssl;

template <class Function>
auto for_openssl(Function function) {
  t_for_openssl = true;
  if constexpr (std::is_void_v<decltype(function())>) {
    function();
    t_for_openssl = false;
  } else {
    auto *block = function();
    t_for_openssl = false;
    return block;
  }
}

void *openssl_malloc(std::size_t size, const char *file, int line) {
  return for_openssl([&] { return g_openssl.malloc(size, file, line); });
}
void *openssl_realloc(void *block, std::size_t size, const char *file, int line) {
  return for_openssl([&] { return g_openssl.realloc(block, size, file, line); });
}
void openssl_free(void *block, const char *file, int line) {
  for_openssl([&] { g_openssl.free(block, file, line); });
}

// ---------------------------------------------------------------- libcurl's functions

struct {
  curl_malloc_callback malloc;
  curl_free_callback free;
  curl_realloc_callback realloc;
  curl_strdup_callback strdup;
  curl_calloc_callback calloc;
} g_library;

/// Runs one of the library's functions such that its malloc may fail.
template <class Function>
void *for_curl(Function function) {
  t_for_curl = true;
  void *block = function();
  t_for_curl = false;
  return block;
}

void *counted(void *block) {
  if (block != nullptr) ++g_live;
  return block;
}

void *curl_malloc(std::size_t size) {
  return counted(for_curl([&] { return g_library.malloc(size); }));
}
void *curl_calloc(std::size_t count, std::size_t size) {
  return counted(for_curl([&] { return g_library.calloc(count, size); }));
}
char *curl_strdup(const char *text) {
  return static_cast<char *>(counted(for_curl([&] { return g_library.strdup(text); })));
}
void *curl_realloc(void *block, std::size_t size) {
  void *grown = for_curl([&] { return g_library.realloc(block, size); });
  return block == nullptr ? counted(grown) : grown;
}
void curl_release(void *block) {
  if (block == nullptr) return;
  --g_live;
  t_for_curl = true;
  g_library.free(block);
  t_for_curl = false;
}

}  // namespace

Shortage::Shortage(Whose whose, std::int64_t first, std::int64_t last) {
  g_whose = whose;
  g_fault.asked = 0;
  g_fault.first = first;
  g_fault.last = last;
  g_fault.armed = true;
}

Shortage::~Shortage() { g_fault.armed = false; }

std::int64_t Shortage::asked() const { return g_fault.asked; }

void enter_library(bool in) noexcept { t_inside = in; }

std::int64_t live_blocks() { return g_live; }

}  // namespace fleetauth::test

using fleetauth::test::give_back;
using fleetauth::test::take;
using fleetauth::test::take_or_throw;

void *operator new(std::size_t size) { return take_or_throw(size); }
void *operator new[](std::size_t size) { return take_or_throw(size); }
void *operator new(std::size_t size, const std::nothrow_t &) noexcept { return take(size); }
void *operator new[](std::size_t size, const std::nothrow_t &) noexcept { return take(size); }
void operator delete(void *block) noexcept { give_back(block); }
void operator delete[](void *block) noexcept { give_back(block); }
void operator delete(void *block, std::size_t) noexcept { give_back(block); }
void operator delete[](void *block, std::size_t) noexcept { give_back(block); }
void operator delete(void *block, const std::nothrow_t &) noexcept { give_back(block); }
void operator delete[](void *block, const std::nothrow_t &) noexcept { give_back(block); }

// The linker puts these in place of what the library calls (--wrap).
extern "C" {
CURLcode __real_curl_global_init_mem(long flags, curl_malloc_callback m, curl_free_callback f, curl_realloc_callback r,
                                     curl_strdup_callback s, curl_calloc_callback c);

// fleetauth::os::allocate_hidden, reallocate_hidden, which only OpenSSL uses, and free_hidden
void *__real__ZN9fleetauth2os15allocate_hiddenEm(std::size_t size);
void *__real__ZN9fleetauth2os17reallocate_hiddenEPvm(void *block, std::size_t size);
void __real__ZN9fleetauth2os11free_hiddenEPv(void *block);

void *__wrap__ZN9fleetauth2os15allocate_hiddenEm(std::size_t size) {
  using namespace fleetauth::test;
  if (fails(t_for_openssl ? Whose::OpenSsls : t_for_curl ? Whose::Curls : Whose::Ours)) return nullptr;
  void *block = __real__ZN9fleetauth2os15allocate_hiddenEm(size);
  if (!t_for_openssl && !t_for_curl && block != nullptr) ++g_live;
  return block;
}

void *__wrap__ZN9fleetauth2os17reallocate_hiddenEPvm(void *block, std::size_t size) {
  using namespace fleetauth::test;
  return fails(Whose::OpenSsls) ? nullptr : __real__ZN9fleetauth2os17reallocate_hiddenEPvm(block, size);
}

void __wrap__ZN9fleetauth2os11free_hiddenEPv(void *block) {
  using namespace fleetauth::test;
  if (!t_for_openssl && !t_for_curl && block != nullptr) --g_live;
  __real__ZN9fleetauth2os11free_hiddenEPv(block);
}

int __real_CRYPTO_set_mem_functions(CRYPTO_malloc_fn m, CRYPTO_realloc_fn r, CRYPTO_free_fn f);

int __wrap_CRYPTO_set_mem_functions(CRYPTO_malloc_fn m, CRYPTO_realloc_fn r, CRYPTO_free_fn f) {
  using namespace fleetauth::test;
  g_openssl = {m, r, f};
  return __real_CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free);
}

CURLcode __wrap_curl_global_init_mem(long flags, curl_malloc_callback m, curl_free_callback f, curl_realloc_callback r,
                                     curl_strdup_callback s, curl_calloc_callback c) {
  using namespace fleetauth::test;
  g_library = {m, f, r, s, c};
  return __real_curl_global_init_mem(flags, curl_malloc, curl_release, curl_realloc, curl_strdup, curl_calloc);
}
}
