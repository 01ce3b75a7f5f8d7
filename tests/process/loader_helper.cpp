// loader_helper LIBRARY COPY URL CA_FILE SHOWN...: loads the library twice under two names, uses both, unloads them with requests in
// flight. SHOWN are the names whose symbols every library loaded later can see (RTLD_GLOBAL): LIBRARY, COPY, both or none.
#include <dlfcn.h>
#include <fleetauth/fleetauth.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace {

[[noreturn]] void fail(const std::string &what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::exit(1);
}

class Library {
 public:
  Library(const char *path, bool shown) : path_(path), handle_(dlopen(path, RTLD_NOW | (shown ? RTLD_GLOBAL : RTLD_LOCAL))) {
    if (handle_ == nullptr) fail(dlerror());
  }
  void unload() { dlclose(handle_); }
  [[nodiscard]] bool mapped() const {
    void *again = dlopen(path_, RTLD_NOW | RTLD_NOLOAD);
    if (again != nullptr) dlclose(again);
    return again != nullptr;
  }

  template <class Function>
  Function *get(const char *name) const {
    auto *found = reinterpret_cast<Function *>(dlsym(handle_, name));
    if (found == nullptr) fail(std::string("no ") + name);
    Dl_info where{};
    if (dladdr(reinterpret_cast<void *>(found), &where) == 0 || where.dli_fname != std::string(path_))
      fail(std::string("another's ") + name);
    return found;
  }

 private:
  const char *path_;
  void *handle_;
};

#define CALL(library, name) (library).get<decltype(fleetauth_##name)>("fleetauth_" #name)

struct User {
  fleetauth_runtime *runtime = nullptr;
  fleetauth_client *client = nullptr;
  fleetauth_queue *queue = nullptr;
};

User make_user(const Library &library, const std::string &url, const std::string &ca_file) {
  User user;
  fleetauth_options *options = nullptr;
  fleetauth_provider *provider = nullptr;
  const std::pair<const char *, std::string> given[] = {{"api_key", "demo-api-key"}, {"acct_id", "12345"}, {"secret", "your-app-secret"},
                                                        {"base_url", url},           {"ca_file", ca_file}, {"proxy", "none"}};
  CALL(library, options_new)(&options, nullptr);
  for (const auto &[name, value] : given) {
    CALL(library, options_set_text)(options, name, FLEETAUTH_NTS, value.c_str(), FLEETAUTH_NTS, nullptr);
  }
  CALL(library, provider_builtin)("fleetup", FLEETAUTH_NTS, &provider, nullptr);
  CALL(library, runtime_new)(nullptr, nullptr, &user.runtime, nullptr);
  CALL(library, queue_new)(user.runtime, FLEETAUTH_QUEUE_LOOP, &user.queue, nullptr);
  if (CALL(library, client_new)(user.runtime, provider, options, &user.client, nullptr) != FLEETAUTH_OK) fail("no client");
  CALL(library, options_unref)(options);
  CALL(library, provider_unref)(provider);
  return user;
}

void get_token(const Library &library, const User &user) {
  fleetauth_token *token = nullptr;
  fleetauth_error *error = nullptr;
  if (CALL(library, client_token)(user.client, nullptr, nullptr, 0, nullptr, 0, &token, &error) != FLEETAUTH_OK) {
    fail(CALL(library, error_message)(error, nullptr));
  }
  CALL(library, token_unref)(token);
}

}  // namespace

int main(int argc, char **argv) {
  if (argc < 5) return 2;
  const std::vector<std::string> shown(argv + 5, argv + argc);
  const auto load = [&](const char *path) { return Library(path, std::find(shown.begin(), shown.end(), path) != shown.end()); };
  Library one = load(argv[1]);
  Library two = load(argv[2]);
  if (CALL(one, live_handles) == CALL(two, live_handles)) fail("both names lead to one library");
  const std::string url = argv[3] + std::string("/fleetup");
  const User first = make_user(one, url, argv[4]);
  if (CALL(two, live_handles)() != 0) fail("the copies share their counters");
  const std::int64_t handles = CALL(one, live_handles)();
  const User second = make_user(two, url, argv[4]);
  get_token(two, second);
  if (CALL(one, live_handles)() != handles) fail("one copy counts the other's handles");
  get_token(one, first);
  if (CALL(two, runtime_close)(second.runtime, 10'000, nullptr) != FLEETAUTH_OK) fail("the copy does not close");

  // A request in flight when the program lets go of the library.
  std::int32_t advice = 0;
  std::int64_t generation = 0;
  std::size_t len = 0;
  std::uint8_t buffer[1024];
  const auto copy = CALL(one, slot_copy);
  if (copy(first.client, 0, buffer, sizeof buffer, &len, &generation) != FLEETAUTH_OK) fail("no token to copy");
  CALL(one, client_report_rejected)(first.client, 0, generation, 401, nullptr, 0, &advice, nullptr);
  fleetauth_op *op = nullptr;
  CALL(one, client_start)(first.client, nullptr, nullptr, 0, nullptr, 0, first.queue, 1, &op, nullptr);
  const auto next = CALL(one, queue_next);
  one.unload();
  two.unload();
  if (!one.mapped() || !two.mapped()) fail("unloaded while its thread runs");
  fleetauth_event *event = nullptr;
  if (next(first.queue, 10'000, &event, nullptr) != FLEETAUTH_OK) fail("the request was lost");
  return 0;
}
