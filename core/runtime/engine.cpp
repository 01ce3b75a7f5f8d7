#include "core/runtime/engine.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>
#include <new>
#include <thread>
#include <utility>

#include "core/base/clock_skew.h"
#include "core/base/os/process.h"
#include "core/crypto/fingerprint.h"
#include "core/crypto/random.h"
#include "core/provider/descriptor.h"
#include "core/runtime/common_errors.h"
#include "core/runtime/flight.h"
#include "core/runtime/operation.h"
#include "core/runtime/source_set.h"

namespace fleetauth::runtime {

namespace {

using SteadyClock = std::chrono::steady_clock;

/// What is made once, at its first use, is made before there are clients: a fork must not find it half made.
ErrorPtr make_what_lasts() {
  install_fork_handlers();
  const std::lock_guard lock(first_use_mutex());
  if (auto error = net::initialise()) return error;
  (void)common_errors();
  (void)crypto::keyed_digest("");
  (void)provider::builtins();
  return nullptr;
}

/// OpenSSL is asked once, for it may be busy with a signature while the mutex is held.
std::uint_fast32_t seed() {
  return static_cast<std::uint_fast32_t>(crypto::random_fraction() * std::numeric_limits<std::int32_t>::max()) + 1;
}

}  // namespace

Engine::Engine(RuntimeSettings settings, std::shared_ptr<Clock> clock) : settings_(settings), clock_(std::move(clock)), spread_(seed()) {}

Engine::~Engine() {
  {
    const std::lock_guard lock(mutex_);  // a fork must not find libcurl half torn down
    if (forked_) leave_to_parent();
    driver_.reset();
  }
  unregister_engine(this);
}

void Engine::attach() {
  register_engine(this);
  if (ManualClock *manual = clock_->manual()) {
    manual->observe(weak_from_this(), [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->clock_moved();
    });
  }
}

// ---------------------------------------------------------------- entry, ending

Engine::Lock Engine::enter() {
  Lock lock(mutex_);
  if (forked_) rebuild_after_fork();
  return lock;
}

void Engine::shut_down() {
  const auto lock = enter();
  if (std::exchange(closed_, true)) return;
  fail_everything(common_errors().runtime_closed);
  for_each_source([](TokenSource &source) { source.give_up(common_errors().runtime_closed); });
  {
    const std::lock_guard queues(queues_mutex_);
    for (const auto &[id, queue] : queues_) queue->end();
  }
  token_timers_.clear();
  timers_.clear();
  words_live_ = false;
  wake();
  if (!driving_ && !thread_alive_) close_driver();
}

/// Connections end with the runtime, not with the last handle. The driver itself stays: nudge() may be looking at it.
void Engine::close_driver() {
  if (driver_ != nullptr) driver_->close();
  turn_->sending.clear();
  commands_.clear();
}

bool Engine::close(std::int64_t timeout_ms) {
  shut_down();
  auto lock = enter();
  return turn_over_->wait_for(lock, std::chrono::milliseconds(std::clamp<std::int64_t>(timeout_ms, 0, kLongestWaitMs)),
                              [this] { return !thread_alive_; });
}

void Engine::for_each_source(const std::function<void(TokenSource &)> &what) const {
  for (const auto &[key, weak] : sources_) {
    if (const auto set = weak.lock()) set->for_each(what);
  }
}

/// What is in flight; tokens and logins stay.
void Engine::fail_everything(const ErrorPtr &error) {
  for_each_source([&](TokenSource &source) { source.end_flight(error); });
  complete_if([](const Operation &) { return true; }, error);
}

// ---------------------------------------------------------------- what lives in it

std::shared_ptr<SourceSet> Engine::sources(const std::string &key, const std::function<std::shared_ptr<SourceSet>()> &make) {
  std::weak_ptr<SourceSet> &place = sources_[key];
  if (auto existing = place.lock()) return existing;
  auto made = make();
  place = made;
  // Sources end without telling: sweep whenever the dead could be as many as the living.
  if (sources_.size() >= sweep_at_) {
    std::erase_if(sources_, [](const auto &entry) { return entry.second.expired(); });
    sweep_at_ = std::max<std::size_t>(64, 2 * sources_.size());
  }
  return made;
}

net::Pace &Engine::pace(const std::string &configuration, const provider::Step &step) {
  return paces_[configuration].try_emplace(step.name, step.rate->interval_ms, step.rate->burst).first->second;
}

flow::Now Engine::now(const std::string &configuration) const {
  flow::Now now = this->now();
  const auto learned = server_times_.find(configuration);
  if (learned != server_times_.end()) now.server = learned->second + now.boot;
  return now;
}

void Engine::learn_time(const std::string &configuration, WallMs date, std::int64_t took_ms) noexcept {
  const flow::Now now = this->now();
  const ClockSkew skew = clock_skew(now.wall - date, took_ms);
  if (skew == ClockSkew::TooGreat) return;
  if (skew == ClockSkew::None) {
    server_times_.erase(configuration);
    return;
  }
  try {
    server_times_.insert_or_assign(configuration, date + took_ms / 2 - now.boot);  // a step of the wall clock is not to count twice
  } catch (const std::bad_alloc &) {  // NOLINT(bugprone-empty-catch): the next answer tells again
  }
}

void Engine::forget(const std::string &configuration) {
  server_times_.erase(configuration);
  const BootMs now = clock_->boot_ms();
  // The provider counts the requests of clients that are gone as well.
  std::erase_if(paces_, [&](const auto &of) {
    return std::all_of(of.second.begin(), of.second.end(), [now](const auto &step) { return step.second.is_idle(now); });
  });
}

void Engine::lay_by() {
  constexpr std::size_t kUsualAnswer = std::size_t{32} * 1024;
  if (laid_by_ == nullptr) laid_by_ = std::make_unique_for_overwrite<char[]>(kUsualAnswer);
}

void Engine::track(const std::shared_ptr<Operation> &operation) { operations_.emplace(operation->id(), operation); }
void Engine::untrack(std::uint64_t operation) { operations_.erase(operation); }

void Engine::complete_if(const std::function<bool(const Operation &)> &which, const ErrorPtr &error) {
  for (auto next = operations_.begin(); next != operations_.end();) {
    const auto operation = (next++)->second;  // completing takes it out of the list
    if (which(*operation)) operation->got_error(error);
  }
}

QueueId Engine::add_queue(Queue *queue) {
  const std::lock_guard lock(queues_mutex_);
  queues_.emplace(++last_queue_, queue);
  return last_queue_;
}

void Engine::remove_queue(QueueId id) {
  const std::lock_guard lock(queues_mutex_);
  queues_.erase(id);
}

bool Engine::post(QueueId id, EventNode &node) {
  const std::lock_guard lock(queues_mutex_);
  const auto found = queues_.find(id);
  return found != queues_.end() && found->second->push(node);
}

void Engine::observe(QueueId queue) {
  if (std::find(observers_.begin(), observers_.end(), queue) == observers_.end()) observers_.push_back(queue);
}

void Engine::notify(const Notice &notice) noexcept {
  const auto count = [this](NoticeKind kind) { ++counters_.at(static_cast<std::size_t>(kind)); };
  count(notice.kind);
  if (observers_.empty()) return;
  std::shared_ptr<const std::string> text;
  const auto is_gone = [&](QueueId observer) {
    try {
      if (text == nullptr) text = std::make_shared<const std::string>(to_json(notice, clock_->wall_ms()));
      EventNode node(1);
      node.front().kind = EventKind::Notice;
      node.front().notice = text;
      if (!post(observer, node)) return true;
      if (!node.empty()) count(NoticeKind::Dropped);
    } catch (const std::bad_alloc &) {
      count(NoticeKind::Dropped);  // what it tells of goes on without it
    }
    return false;
  };
  std::erase_if(observers_, is_gone);
}

bool Engine::takes_events(QueueId id) {
  const std::lock_guard lock(queues_mutex_);
  const auto found = queues_.find(id);
  return found != queues_.end() && !found->second->closed();
}

double Engine::random() {
  // On a manual clock everything is repeatable, the spread of pauses too.
  return clock_->manual() != nullptr ? 0.5 : std::uniform_real_distribution<double>(0, 1)(spread_);
}

// ---------------------------------------------------------------- exchanges

void Engine::expect(std::uint64_t id, const std::shared_ptr<Flight> &flight) { awaited_[id] = flight; }

void Engine::transmit(std::uint64_t id, std::shared_ptr<const flow::HttpRequest> request, std::shared_ptr<const net::NetOptions> options) {
  commands_.push_back({id, std::move(request), std::move(options)});
}

void Engine::offer_calls_again() {
  for (const auto &[id, weak] : awaited_) {
    if (const auto flight = weak.lock()) flight->offer_call();
  }
}

void Engine::abort(std::uint64_t id) {
  if (id == 0 || awaited_.erase(id) == 0) return;
  if (std::erase_if(signatures_, [id](const Signature &signature) { return signature.id == id; }) != 0) return;
  const auto unsent = std::find_if(commands_.begin(), commands_.end(), [id](const Command &c) { return c.id == id; });
  if (unsent != commands_.end()) {
    commands_.erase(unsent);
    return;
  }
  try {
    commands_.push_back({id, nullptr, nullptr});
    wake();
  } catch (const std::bad_alloc &) {  // NOLINT(bugprone-empty-catch): it goes on to its own end, for which nobody waits
  }
}

flow::Sent Engine::sent(std::uint64_t id) const { return driver_ == nullptr ? flow::Sent::No : driver_->sent(id); }

bool Engine::deliver(std::uint64_t id, Outcome outcome) {
  const auto found = awaited_.find(id);
  if (found == awaited_.end()) return false;
  const auto flight = found->second.lock();
  awaited_.erase(found);
  if (flight == nullptr) return false;
  flight->on_outcome(std::move(outcome));
  return true;
}

// ---------------------------------------------------------------- signing

ErrorPtr Engine::sign(Signature signature) {
  signatures_.push_back(std::move(signature));
  return signing_here_ ? nullptr : call_driver();
}

Engine::SigningHere::SigningHere(Engine &engine, bool here) : engine_(engine), here_(here) {
  engine_.signing_here_ = here;
  if (here_) of_others_.swap(engine_.signatures_);
}

/// Left in a hurry: what it was to sign fails, since nobody may be there to sign it.
Engine::SigningHere::~SigningHere() {
  for (const Signature &left : take()) engine_.deliver(left.id, flow::HttpFailure{common_errors().out_of_memory, flow::Sent::No});
}

std::vector<Engine::Signature> Engine::SigningHere::take() {
  if (!std::exchange(here_, false)) return {};
  engine_.signing_here_ = false;
  return std::exchange(engine_.signatures_, std::move(of_others_));
}

void Engine::carry_out(std::span<const Signature> signatures) {
  for (const Signature &signature : signatures) {
    Outcome outcome = flow::HttpFailure{common_errors().out_of_memory, flow::Sent::No};
    try {
      auto bytes = signature.order->key->sign_rs256(signature.order->input.view());
      if (bytes) {
        outcome = std::move(*bytes);
      } else {
        outcome = flow::HttpFailure{bytes.error(), flow::Sent::No};
      }
    } catch (const std::bad_alloc &) {  // NOLINT(bugprone-empty-catch): the outcome says so already
    }
    const auto lock = enter();
    // The token will age: without the thread that sees it, no host could keep its headers. If there can be none, they are asked for.
    try {
      if (!settings_.manual) (void)ensure_driver();
    } catch (const std::bad_alloc &) {  // NOLINT(bugprone-empty-catch): likewise
    }
    deliver(signature.id, std::move(outcome));
  }
}

/// A few in each turn: whatever else is due must not wait for all.
void Engine::handle_signatures(Lock &lock) {
  constexpr std::size_t kFew = 4;
  if (signatures_.empty()) return;
  std::array<Signature, kFew> few;
  const std::size_t count = std::min(kFew, signatures_.size());
  const auto end = signatures_.begin() + static_cast<std::ptrdiff_t>(count);
  std::move(signatures_.begin(), end, few.begin());
  signatures_.erase(signatures_.begin(), end);
  if (!signatures_.empty()) driver_->wake();
  lock.unlock();
  carry_out(std::span(few).first(count));
  lock.lock();
}

// ---------------------------------------------------------------- driving

ErrorPtr Engine::ensure_driver() {
  if (closed_) return common_errors().runtime_closed;
  if (driver_ == nullptr) {
    auto driver = net::Driver::create();
    if (!driver) return driver.error();
    driver_ = std::move(*driver);
    nudged_.store(driver_.get(), std::memory_order_release);
    if (settings_.manual) {
      const std::lock_guard queues(queues_mutex_);
      for (const auto &[id, queue] : queues_) queue->driver_made(*driver_);
    }
  }
  if (settings_.manual || thread_alive_) return nullptr;
  try {
    const os::SignalBlock no_signals;
    std::thread([self = shared_from_this()] { self->io_thread(); }).detach();
  } catch (const std::system_error &) {
    return fail(Status::Resource, "the process cannot start another thread; raise its limit or use a runtime in manual mode");
  }
  thread_alive_ = true;
  words_live_ = true;
  return nullptr;
}

ErrorPtr Engine::call_driver() {
  if (auto error = ensure_driver()) return error;
  wake();
  return nullptr;
}

void Engine::wake() {
  if (driver_ != nullptr) driver_->wake();
}

Timers::Id Engine::at(BootMs when, std::function<void()> what) {
  if (when < armed_) wake();
  return timers_.at(when, std::move(what));
}

Timers::Id Engine::at_token_instant(BootMs when, std::function<void()> what) {
  if (when < armed_) wake();
  return token_timers_.at(when, std::move(what));
}

void Engine::move_token_instant(Timers::Id &timer, BootMs when) {
  if (when < armed_) wake();
  token_timers_.move(timer, when);
}

void Engine::nudge() {
  // The one who drives ends its turn, and with that all who wait for theirs look whether their queue has something.
  if (net::Driver *driver = nudged_.load(std::memory_order_acquire)) driver->wake();
}

int Engine::driver_fd() {
  const auto lock = enter();
  return ensure_driver() == nullptr ? driver_->fd() : -1;
}

ErrorPtr Engine::drive(const Queue &queue, std::optional<SteadyClock::time_point> until) {
  auto lock = enter();
  if (driver_ != nullptr && !driving_) driver_->heed_wakes();
  if (queue.has_events()) return nullptr;
  if (auto error = ensure_driver()) return error;
  if (driving_) {
    const auto over = [this, &queue] { return !driving_ || queue.has_events(); };
    if (until) {
      turn_over_->wait_until(lock, *until, over);
    } else {
      turn_over_->wait(lock, over);
    }
    return nullptr;
  }
  driving_ = true;
  std::int64_t wait_ms = -1;
  if (until) {
    wait_ms = std::max<std::int64_t>(0, std::chrono::ceil<std::chrono::milliseconds>(*until - SteadyClock::now()).count());
  }
  guarded_turn(lock, wait_ms);
  driving_ = false;
  if (closed_) close_driver();
  turn_over_->notify_all();
  return nullptr;
}

bool Engine::idle() const {
  return timers_.empty() && token_timers_.next() == kNever && awaited_.empty() && commands_.empty() && signatures_.empty() &&
         turn_->sending.empty();
}

void Engine::io_thread() {
  os::name_thread("fleetauth-io");
  auto lock = enter();
  driving_ = true;
  std::optional<SteadyClock::time_point> idle_since;
  while (!closed_) {
    std::int64_t wait_ms = -1;
    if (idle()) {
      const auto now = SteadyClock::now();
      const auto since = idle_since.value_or(now);
      idle_since = since;
      const auto spent = std::chrono::duration_cast<std::chrono::milliseconds>(now - since).count();
      if (spent >= settings_.idle_ms) break;
      wait_ms = settings_.idle_ms - spent;
    } else {
      idle_since.reset();
    }
    driver_->heed_wakes();
    guarded_turn(lock, wait_ms);
  }
  driving_ = false;
  thread_alive_ = false;
  words_live_ = false;
  if (closed_) close_driver();
  turn_over_->notify_all();
}

/// A turn that memory ran out in ends what is in flight, not the process.
void Engine::guarded_turn(Lock &lock, std::int64_t max_wait_ms) {
  try {
    turn(lock, max_wait_ms);
  } catch (...) {
    if (!lock.owns_lock()) lock.lock();
    armed_ = kNever;
    try {
      fail_everything(common_errors().out_of_memory);
    } catch (...) {  // what could not even be failed has its caller's deadline left
    }
  }
}

/// One round of whoever drives: what is due, what was asked, what the network brings.
void Engine::turn(Lock &lock, std::int64_t max_wait_ms) {
  if (timers_.next() <= clock_->boot_ms()) {  // whoever drives late, or was suspended, finds what arrived in time
    exchange_with_network(lock, 0);
    max_wait_ms = 0;  // a wake may have ended in that
  }
  const BootMs now = clock_->boot_ms();
  token_timers_.run(now);
  timers_.run(now);
  handle_signatures(lock);
  exchange_with_network(lock, max_wait_ms);
  if (!settings_.manual) return;
  // Programs poll the descriptor between the turns: what came up during this one must not be left lying.
  const BootMs soonest = std::min(timers_.next(), token_timers_.next());
  if (!commands_.empty() || !signatures_.empty() || soonest <= clock_->boot_ms()) driver_->wake();
  if (clock_->manual() != nullptr) return;
  armed_ = soonest;
  driver_->arm(armed_);
}

/// Hands over what is to be sent, waits for the network and takes what it brought.
void Engine::exchange_with_network(Lock &lock, std::int64_t max_wait_ms) {
  auto commands = std::exchange(commands_, {});
  armed_ = std::min(timers_.next(), token_timers_.next());
  const BootMs next = armed_;
  lock.unlock();

  obey(commands);
  if (clock_->manual() == nullptr) driver_->arm(next);
  driver_->run_once(max_wait_ms);

  lock.lock();
  armed_ = kNever;
  fail_refused(commands);
  handle_outcomes();
}

void Engine::obey(std::vector<Command> &commands) {
  for (Command &command : commands) {
    if (command.request == nullptr) {
      driver_->cancel(command.id);
      turn_->sending.erase(command.id);
      continue;
    }
    try {
      turn_->sending.emplace(command.id, command.request);
      turn_->arrived.reserve(turn_->sending.size());  // so that no outcome is lost
      driver_->start(command.id, *command.request, command.options,
                     [this, id = command.id](net::Outcome outcome) { turn_->arrived.emplace_back(id, std::move(outcome)); });
    } catch (const std::bad_alloc &) {
      command.refused = true;
      turn_->sending.erase(command.id);
    }
  }
}

void Engine::fail_refused(const std::vector<Command> &commands) {
  for (const Command &command : commands) {
    if (command.refused) deliver(command.id, flow::HttpFailure{common_errors().out_of_memory, flow::Sent::No});
  }
}

void Engine::handle_outcomes() {
  for (auto &[id, outcome] : turn_->arrived) {
    turn_->sending.erase(id);
    std::visit([&, id = id](auto &&value) { deliver(id, std::forward<decltype(value)>(value)); }, std::move(outcome));
  }
  turn_->arrived.clear();  // its room stays, for those that are still on their way
}

void Engine::clock_moved() {
  const auto lock = enter();
  token_timers_.run(clock_->boot_ms());
  if (driver_ != nullptr) driver_->wake();  // whoever drives, now or next, finds what is due
}

// ---------------------------------------------------------------- fork

void Engine::lock_for_fork() {
  mutex_.lock();
  queues_mutex_.lock();
  for (const auto &[id, queue] : queues_) queue->lock_for_fork();
  if (driver_ != nullptr) driver_->lock_for_fork();
}

void Engine::unlock_after_fork() {
  if (driver_ != nullptr) driver_->unlock_after_fork();
  for (const auto &[id, queue] : queues_) queue->unlock_after_fork();
  queues_mutex_.unlock();
  mutex_.unlock();
}

void Engine::mark_forked() {
  forked_ = true;
  words_live_.store(false, std::memory_order_release);
  nudged_.store(nullptr, std::memory_order_release);
  if (driver_ != nullptr) driver_->close_inherited();
  for (const auto &[id, queue] : queues_) queue->renew_descriptors();
}

void Engine::leave_to_parent() noexcept {
  nudged_ = nullptr;
  if (driver_ != nullptr) net::Driver::abandon(std::move(driver_));
  (void)turn_.release();       // NOLINT(bugprone-unused-return-value): the parent's thread may have been writing it
  (void)turn_over_.release();  // NOLINT(bugprone-unused-return-value): the parent's threads may be waiting on it
}

/// In the child, by the first who enters: leaves the parent's thread, sockets and half-done work behind.
void Engine::rebuild_after_fork() {
  // What needs memory comes first: without it nothing has changed, and the next who enters tries again.
  auto turn = std::make_unique<Turn>();
  auto turn_over = std::make_unique<std::condition_variable>();
  spread_.seed(seed());
  {
    const std::lock_guard queues(queues_mutex_);
    for (const auto &[id, queue] : queues_) queue->rebuild_after_fork();
  }
  leave_to_parent();
  turn_ = std::move(turn);
  turn_over_ = std::move(turn_over);
  commands_.clear();
  signatures_.clear();
  signing_here_ = false;
  awaited_.clear();
  armed_ = kNever;
  driving_ = thread_alive_ = false;
  forked_ = false;
  fail_everything(common_errors().forked);
}

// ---------------------------------------------------------------- the runtime

Result<std::shared_ptr<Runtime>> Runtime::create(RuntimeSettings settings, std::shared_ptr<Clock> clock) {
  if (auto error = make_what_lasts()) return error;
  auto engine = std::make_shared<Engine>(settings, clock != nullptr ? std::move(clock) : Clock::real());
  engine->attach();
  return std::make_shared<Runtime>(std::move(engine));
}

Runtime::~Runtime() {
  try {
    engine_->shut_down();
  } catch (...) {  // NOLINT(bugprone-empty-catch): in a fork's child without memory, which has no thread to stop
  }
}

Result<std::shared_ptr<Runtime>> Runtime::shared() {
  install_fork_handlers();
  const std::lock_guard lock(shared_runtime_mutex());
  static auto *instance = new std::shared_ptr<Runtime>;  // never destroyed: threads may outlive main
  if (*instance != nullptr) {
    const auto engine_lock = (*instance)->engine().enter();
    if (!(*instance)->engine().closed()) return *instance;
  }
  auto settings = read_runtime_options(nullptr);
  if (!settings) return settings.error();
  auto made = create(*settings, nullptr);
  if (made) *instance = *made;
  return made;
}

}  // namespace fleetauth::runtime
