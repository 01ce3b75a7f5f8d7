#pragma once

#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "tests/capi/handles.h"
#include "tests/fault/memory/provider.h"
#include "tests/fault/memory/shortage.h"

namespace fleetauth::test {

using Texts = std::vector<std::pair<std::string, std::string>>;

/// A client on a manual clock, and whoever uses it. Every call of the library may run out of memory; it is then made again, as long as
/// there is hope. What goes wrong otherwise is kept in `faults`.
class Scene {
 public:
  struct Setting {
    const char *provider;
    Texts options;
    // How the time passes for one who waits: so long a real wait for an event, then a step of the clock, so many times.
    std::int64_t wait_ms = 0;
    std::int64_t step_ms = 500;
    int patience = 40;
    bool threaded = false;  ///< the library's own thread does the work
  };
  Scene(Provider &provider, Setting setting);
  Scene(const Scene &) = delete;
  Scene &operator=(const Scene &) = delete;

  void make();
  /// Ends what was started, and waits for the library's thread to let go of everything.
  void close();

  // ---- each answers a status
  int token(const char *url = nullptr, fleetauth_request *request = nullptr);
  /// The same by a thread that blocks until it has it.
  int token_of_a_blocked_thread();
  int inquire(std::int32_t what);
  int log_out();
  int answer(const char *code);
  int peek(const char *url = nullptr);
  int reject();
  int advance(std::int64_t ms);
  int request(capi::Request &request, const Texts &options);
  /// The open challenge is sealed, and opened from that.
  int reseal();

  /// Does what the library asks of its host, though nobody waits.
  void pump();

  /// With memory back: what was started has ended, and a call for a token succeeds or comes to `afterwards`.
  void recover(int afterwards = FLEETAUTH_OK);
  void expect(bool good, const std::string &what) {
    const std::lock_guard lock(faults_mutex_);
    if (!good) faults.push_back(what);
  }

  bool hopeless = false;  ///< memory does not come back for long: what waits for it may end in other ways
  std::vector<std::string> faults;
  capi::Clock clock;
  capi::Runtime runtime;
  capi::Queue queue;
  capi::Client client;
  capi::Token held;
  capi::Challenge challenge;

 private:
  template <class Function>
  int call(const char *what, Function function);
  template <class Start>
  int run(const char *what, Start start);
  int await(std::int64_t tag);
  bool handle_next();
  void take(const capi::Event &event);
  int outcome_of(const capi::Event &event);
  void send(const capi::Event &event);
  void sign(const capi::Event &event);
  capi::Options options(const Texts &texts);

  std::mutex faults_mutex_;
  const Setting setting_;
  fleetauth_provider *const descriptor_;
  Provider &provider_;
  int afterwards_ = FLEETAUTH_OK;
  std::int64_t last_tag_ = 0;
  std::map<std::int64_t, int> outcomes_;  ///< of what was started; kGoesOn until it ends
};

}  // namespace fleetauth::test
