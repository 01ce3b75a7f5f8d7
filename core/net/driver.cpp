#include "core/net/driver.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <list>
#include <map>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#include "core/base/os/clock.h"
#include "core/base/os/descriptor.h"
#include "core/base/os/memory.h"
#include "core/base/os/socket.h"
#include "core/net/connections.h"
#include "core/net/failure.h"
#include "core/net/transfer.h"

namespace fleetauth::net {
namespace {

constexpr std::size_t kIdleSets = 8;   // sets of connections that are kept although nothing uses them
constexpr long kIdleConnections = 16;  // of each set
constexpr int kEventsAtOnce = 64;

struct Finished {
  std::uint64_t id = 0;
  Completion done;
  Outcome outcome;
};

/// A request in flight, and its end, made ahead.
struct InFlight {
  std::unique_ptr<Transfer> transfer;
  std::list<Finished> end;
};

/// What became of a request, even if there is no memory to say it in full.
template <class Say>
Outcome said(Say say, flow::Sent sent) {
  try {
    return say();
  } catch (const std::bad_alloc &) {
    return flow::HttpFailure{out_of_memory(), sent};
  }
}

// ---------------------------------------------------------------- what libcurl tells about sockets and time

int on_socket(CURL *, curl_socket_t fd, int what, void *set, void *) {
  auto &connections = *static_cast<Connections *>(set);
  Sockets &sockets = *connections.sockets;
  try {
    Watched &watched = sockets.watched[fd];
    watched.owner = what == CURL_POLL_REMOVE ? nullptr : &connections;
    const os::Interest wanted{(what & CURL_POLL_IN) != 0, (what & CURL_POLL_OUT) != 0};
    if (what == CURL_POLL_REMOVE || watched.interest == wanted) return 0;
    watched.interest = wanted;
    return os::watch(sockets.epoll, fd, wanted) ? 0 : -1;
  } catch (const std::bad_alloc &) {
    return -1;
  }
}

int on_timer(CURLM *, long timeout_ms, void *set) {
  static_cast<Connections *>(set)->due = timeout_ms < 0 ? kNever : os::boot_ms() + timeout_ms;
  return 0;
}

}  // namespace

struct Driver::Impl {
  /// Held whenever libcurl is at work, and by nobody who waits: a fork must not find it, or OpenSSL below it, half-way. A leaf.
  std::mutex at_work;

  // The sockets outlive the connections, and these the transfers: libcurl reports to them until its end.
  Sockets sockets;
  std::vector<std::unique_ptr<Connections>> connections;
  std::vector<Connections *> due;  // with room for all
  std::map<std::uint64_t, InFlight> transfers;
  std::list<Finished> finished;  // not yet told to their starters

  // A call of wake() costs a system call only if somebody waits, or polls the descriptor.
  os::Descriptor wake_event = os::make_event();
  std::atomic<bool> woken{false};
  std::atomic<bool> waiting{false};
  std::atomic<bool> polled{false};

  os::Descriptor timer = os::make_timer();  // for arm() and for libcurl alike
  BootMs timer_set_to = kNever;             // never later than what is due next, perhaps earlier
  BootMs armed = kNever;

  ~Impl();

  Result<Connections *> connections_for(const std::shared_ptr<const NetOptions> &options);
  void drop_idle_connections();
  static Easy take_handle(Connections &set);
  InFlight detach(std::uint64_t id);

  void begin(InFlight request);
  void act(Connections &set, curl_socket_t fd, int events);
  void collect(Connections &set);
  void fail_all(Connections &set, CURLMcode code);
  void finish(std::list<Finished> &end, Outcome outcome);
  void deliver();

  void wait(std::int64_t timeout_ms);
  void handle(const os::Readiness &ready);
  void act_on_due();
  void set_timer();
};

Driver::Impl::~Impl() {
  for (const auto &[id, request] : transfers) {
    curl_multi_remove_handle(request.transfer->connections().multi.get(), request.transfer->easy());
  }
}

// ---------------------------------------------------------------- connections and handles

Result<Connections *> Driver::Impl::connections_for(const std::shared_ptr<const NetOptions> &options) {
  for (const auto &set : connections) {
    if (set->options == options || set->serves(*options)) return set.get();
  }
  drop_idle_connections();

  auto set = std::make_unique<Connections>();
  set->options = options;
  set->sockets = &sockets;
  set->multi.reset(curl_multi_init());
  CURLM *multi = set->multi.get();
  if (multi == nullptr) return out_of_memory();
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, set.get());
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt(multi, CURLMOPT_TIMERDATA, set.get());
  curl_multi_setopt(multi, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_NOTHING));
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, kIdleConnections);
  set->idle_handles.reserve(kIdleHandles);
  due.reserve(connections.size() + 1);
  connections.push_back(std::move(set));
  return connections.back().get();
}

void Driver::Impl::drop_idle_connections() {
  if (connections.size() < kIdleSets) return;
  std::erase_if(connections, [](const std::unique_ptr<Connections> &set) { return set->in_flight == 0; });
}

Easy Driver::Impl::take_handle(Connections &set) {
  if (set.idle_handles.empty()) return make_handle(set);
  Easy handle = std::move(set.idle_handles.back());
  set.idle_handles.pop_back();
  return handle;
}

// Takes a request out of libcurl's hands. Does not block: neither TLS nor the resolver is waited for.
InFlight Driver::Impl::detach(std::uint64_t id) {
  auto node = transfers.extract(id);
  if (node.empty()) return {};
  InFlight request = std::move(node.mapped());
  Connections &set = request.transfer->connections();
  curl_multi_remove_handle(set.multi.get(), request.transfer->easy());
  --set.in_flight;
  return request;
}

// ---------------------------------------------------------------- from start to end

void Driver::Impl::begin(InFlight request) {
  Connections &set = request.transfer->connections();
  CURL *easy = request.transfer->easy();
  transfers.emplace(request.transfer->id(), std::move(request));
  ++set.in_flight;
  const CURLMcode code = curl_multi_add_handle(set.multi.get(), easy);
  if (code != CURLM_OK) return fail_all(set, code);
  act(set, CURL_SOCKET_TIMEOUT, 0);  // a connection that is open already takes the request at once
}

void Driver::Impl::act(Connections &set, curl_socket_t fd, int events) {
  if (fd == CURL_SOCKET_TIMEOUT) set.due = kNever;
  int running = 0;
  const CURLMcode code = curl_multi_socket_action(set.multi.get(), fd, events, &running);
  collect(set);
  if (code != CURLM_OK && code != CURLM_BAD_SOCKET) fail_all(set, code);
}

void Driver::Impl::collect(Connections &set) {
  int left = 0;
  while (const CURLMsg *message = curl_multi_info_read(set.multi.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;
    Transfer *transfer = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    Outcome outcome = said([&] { return transfer->finish(code); }, transfer->sent());
    InFlight ended = detach(transfer->id());
    finish(ended.end, std::move(outcome));
    ended.transfer->return_handle();
  }
}

// libcurl lost track of a whole set, for want of memory or of room in epoll.
void Driver::Impl::fail_all(Connections &set, CURLMcode code) {
  const Status status = code == CURLM_OUT_OF_MEMORY ? Status::NoMem : Status::Resource;
  const auto of_set = [&set](const auto &entry) { return &entry.second.transfer->connections() == &set; };
  for (auto next = transfers.begin(); (next = std::find_if(next, transfers.end(), of_set)) != transfers.end();) {
    InFlight ended = detach((next++)->first);
    const auto say = [&] { return ended.transfer->give_up(status, std::string("libcurl cannot go on: ") + curl_multi_strerror(code)); };
    finish(ended.end, said(say, ended.transfer->sent()));
  }
  for (auto &[fd, watched] : sockets.watched) {
    if (watched.owner == &set) watched.owner = nullptr;
  }
  std::erase_if(connections, [&set](const auto &entry) { return entry.get() == &set; });
}

void Driver::Impl::finish(std::list<Finished> &end, Outcome outcome) {
  end.front().outcome = std::move(outcome);
  finished.splice(finished.end(), end);
}

void Driver::Impl::deliver() {
  // One at a time: a completion may start and cancel others.
  while (!finished.empty()) {
    Finished next = std::move(finished.front());
    finished.pop_front();
    next.done(std::move(next.outcome));
  }
}

// ---------------------------------------------------------------- waiting

void Driver::Impl::set_timer() {
  BootMs next = armed;
  for (const auto &set : connections) next = std::min(next, set->due);
  // Most deadlines are replaced by later ones before they come, so the timer is only ever moved forward to an earlier instant;
  // when it fires early, handle() sets it anew.
  if (next >= timer_set_to) return;
  os::set_timer(timer, next);
  timer_set_to = next;
}

void Driver::Impl::wait(std::int64_t timeout_ms) {
  std::array<os::Readiness, kEventsAtOnce> ready;
  waiting = true;
  if (woken.exchange(false)) timeout_ms = 0;
  if (timeout_ms != 0) os::wipe_registers();
  const int count = os::wait_ready(sockets.epoll, ready.data(), kEventsAtOnce, timeout_ms);
  waiting = false;
  const std::lock_guard lock(at_work);
  for (int i = 0; i < count; ++i) handle(ready[static_cast<std::size_t>(i)]);
}

void Driver::Impl::handle(const os::Readiness &ready) {
  if (ready.fd == wake_event.get()) {
    os::drain_event(wake_event);
    woken = false;  // in this order: a wake in between is for what the caller looks at next
    return;
  }
  if (ready.fd == timer.get()) {
    if (os::boot_ms() >= armed) armed = kNever;
    os::set_timer(timer, kNever);
    timer_set_to = kNever;
    return;
  }
  const auto found = sockets.watched.find(ready.fd);
  if (found == sockets.watched.end()) return;  // closed by what was handled before it
  Connections *const owner = found->second.owner;
  if (owner == nullptr) {  // idle, and the server has something to say: its goodbye. libcurl sees it before the next use.
    os::unwatch(sockets.epoll, ready.fd);
    sockets.watched.erase(found);
    return;
  }
  const int events = (ready.read ? CURL_CSELECT_IN : 0) | (ready.write ? CURL_CSELECT_OUT : 0) | (ready.error ? CURL_CSELECT_ERR : 0);
  act(*owner, ready.fd, events);
}

void Driver::Impl::act_on_due() {
  const std::lock_guard lock(at_work);
  const BootMs now = os::boot_ms();
  due.clear();
  for (const auto &set : connections) {
    if (set->due <= now) due.push_back(set.get());
  }
  for (Connections *set : due) act(*set, CURL_SOCKET_TIMEOUT, 0);
}

// ---------------------------------------------------------------- the public face

Result<std::unique_ptr<Driver>> Driver::create() {
  if (ErrorPtr error = initialise()) return error;
  auto impl = std::make_unique<Impl>();
  const os::Descriptor &epoll = impl->sockets.epoll;
  const bool complete = epoll && impl->wake_event && impl->timer && os::watch(epoll, impl->wake_event.get(), {true, false}) &&
                        os::watch(epoll, impl->timer.get(), {true, false});
  if (!complete) return fail(Status::Resource, std::string(kNoDescriptors));
  return std::unique_ptr<Driver>(new Driver(std::move(impl)));
}

Driver::Driver(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Driver::~Driver() = default;

int Driver::fd() {
  impl_->polled = true;
  if (impl_->woken) os::signal_event(impl_->wake_event);
  return impl_->sockets.epoll.get();
}

void Driver::start(std::uint64_t id, const flow::HttpRequest &request, std::shared_ptr<const NetOptions> options, Completion done) {
  const std::lock_guard lock(impl_->at_work);
  std::list<Finished> end(1);
  end.front().id = id;
  end.front().done = std::move(done);
  const auto fail_early = [&](ErrorPtr error) { impl_->finish(end, flow::HttpFailure{std::move(error), flow::Sent::No}); };
  auto set = impl_->connections_for(options);
  Easy handle = set ? Impl::take_handle(**set) : Easy(nullptr, curl_easy_cleanup);
  if (!set) {
    fail_early(set.error());
  } else if (handle == nullptr) {
    fail_early(out_of_memory());
  } else {
    auto transfer = std::make_unique<Transfer>(id, std::move(handle), request, std::move(options), **set);
    if (ErrorPtr error = transfer->prepare()) {
      fail_early(std::move(error));
    } else {
      impl_->begin({std::move(transfer), std::move(end)});
    }
  }
  if (!impl_->finished.empty()) wake();  // its end is told by run_once only
  impl_->set_timer();
}

void Driver::cancel(std::uint64_t id) {
  const std::lock_guard lock(impl_->at_work);
  (void)impl_->detach(id);
  std::erase_if(impl_->finished, [id](const Finished &finished) { return finished.id == id; });
}

void Driver::close() {
  const std::lock_guard lock(impl_->at_work);
  while (!impl_->transfers.empty()) impl_->detach(impl_->transfers.begin()->first);
  impl_->finished.clear();
  impl_->connections.clear();
}

flow::Sent Driver::sent(std::uint64_t id) const {
  const auto found = impl_->transfers.find(id);
  return found == impl_->transfers.end() ? flow::Sent::No : found->second.transfer->sent();
}

std::size_t Driver::in_flight() const { return impl_->transfers.size() + impl_->finished.size(); }

void Driver::arm(BootMs at) {
  impl_->armed = at;
  impl_->set_timer();
}

void Driver::run_once(std::int64_t timeout_ms) {
  impl_->set_timer();
  impl_->wait(impl_->finished.empty() ? timeout_ms : 0);
  impl_->act_on_due();
  impl_->deliver();
  impl_->set_timer();
}

void Driver::wake() {
  if (impl_->woken.exchange(true)) return;  // whoever waits was told
  if (impl_->waiting || impl_->polled) os::signal_event(impl_->wake_event);
}

void Driver::heed_wakes() {
  if (!impl_->polled) impl_->woken = false;
}

void Driver::lock_for_fork() { impl_->at_work.lock(); }
void Driver::unlock_after_fork() { impl_->at_work.unlock(); }

void Driver::close_inherited() noexcept {
  for (const int fd : impl_->sockets.open) os::close_descriptor(fd);
  impl_->sockets.epoll.reset();
  impl_->wake_event.reset();
  impl_->timer.reset();
}

void Driver::abandon(std::unique_ptr<Driver> driver) {
  (void)driver->impl_.release();  // NOLINT(bugprone-unused-return-value): libcurl would say goodbye on the parent's connections
}

}  // namespace fleetauth::net
