// A token that is in memory: copied, and as headers for a URL.
#include <atomic>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "tools/bench/measure.h"
#include "tools/bench/scene.h"

namespace bench {
namespace {

// What a careful programmer writes instead: the current token under a mutex, counted, copied.
class PlainHolder {
 public:
  explicit PlainHolder(std::string token) : token_(std::make_shared<const std::string>(std::move(token))) {}
  std::size_t copy(char *buffer) const {
    std::shared_ptr<const std::string> token;
    {
      const std::lock_guard lock(mutex_);
      token = token_;
    }
    std::memcpy(buffer, token->data(), token->size());
    return token->size();
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const std::string> token_;
};

// The same with the headers of each URL in a map.
class PlainHeaders {
 public:
  explicit PlainHeaders(const std::vector<std::string> &urls) {
    for (const std::string &url : urls) by_url_.emplace(url, std::make_shared<const std::string>("Bearer " + std::string(kTokenSize, 't')));
  }
  std::string get(const std::string &url) const {
    std::shared_ptr<const std::string> value;
    {
      const std::lock_guard lock(mutex_);
      value = by_url_.find(url)->second;
    }
    return *value;
  }

 private:
  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<const std::string>> by_url_;
};

class SlotCopy {
 public:
  explicit SlotCopy(const Cached &cached) : client_(cached.client.get()), slot_(cached.slot) {}
  void operator()(std::int64_t times) const {
    std::uint8_t buffer[1024];
    for (std::int64_t i = 0; i < times; ++i) {
      std::size_t size = 0;
      std::int64_t generation = 0;
      must(fleetauth_slot_copy(client_, slot_, buffer, sizeof buffer, &size, &generation), nullptr, "slot_copy");
      keep(buffer);
    }
  }

 private:
  fleetauth_client *client_;
  std::int64_t slot_;
};

// CPU time of one call while two threads make them.
Costs cpu_cost_of_two(Work work) {
  return [work = std::move(work)](std::int64_t times) {
    std::atomic<int> ready{0};
    double costs[2] = {};
    const auto run = [&](int index) {
      ready.fetch_add(1);
      while (ready.load() < 2) {
      }
      costs[index] = cpu_cost(work)(times);
    };
    std::thread other(run, 1);
    run(0);
    other.join();
    return (costs[0] + costs[1]) / 2;
  };
}

void copies(const Cached &cached) {
  const PlainHolder plain(std::string(kTokenSize, 't'));
  const Work reference = [&](std::int64_t times) {
    char buffer[1024];
    for (std::int64_t i = 0; i < times; ++i) {
      keep(plain.copy(buffer));
      keep(buffer);
    }
  };
  const SlotCopy ours(cached);
  print("C: slot_copy of 900 bytes / mutex, shared_ptr, memcpy", 1.0, interleave(cpu_cost(ours), cpu_cost(reference)));
  print("C: slot_copy, CPU of a call, 2 threads / 1 thread", 1.25, interleave(cpu_cost_of_two(ours), cpu_cost(ours)));
  print("C: slot_copy / mutex, shared_ptr, memcpy, 2 threads", 0, interleave(cpu_cost_of_two(ours), cpu_cost_of_two(reference)));
}

void headers(const Cached &cached, const char *figure, std::size_t url_count) {
  std::vector<std::string> urls;
  for (std::size_t i = 0; i < url_count; ++i) urls.push_back(std::string(kOrigin) + "/devices/" + std::to_string(i) + "?from=2026-01-02");
  const PlainHeaders plain(urls);
  const Work reference = [&](std::int64_t times) {
    for (std::int64_t i = 0; i < times; ++i) keep(plain.get(urls[static_cast<std::size_t>(i) % urls.size()]).data());
  };
  const Work ours = [&](std::int64_t times) {
    for (std::int64_t i = 0; i < times; ++i) {
      const Token token = peek(cached.client.get(), urls[static_cast<std::size_t>(i) % urls.size()]);
      keep(fleetauth_token_header_value(token.get(), 0, nullptr));
    }
  };
  print(figure, 0, interleave(cpu_cost(ours), cpu_cost(reference)));
}

// What bindings, and C callers with many requests, do instead of asking again.
void unchanged_word(const Cached &cached) {
  const Token token = peek(cached.client.get(), std::string(kOrigin) + "/devices");
  const std::int32_t word = fleetauth_token_word(token.get());
  const std::uint8_t *words = fleetauth_slot_words(cached.slot / 1024, nullptr);
  const auto *own = reinterpret_cast<const std::int32_t *>(words) + cached.slot % 1024;
  const PlainHolder plain(std::string(kTokenSize, 't'));
  const Work ours = [&](std::int64_t times) {
    for (std::int64_t i = 0; i < times; ++i) keep(__atomic_load_n(own, __ATOMIC_ACQUIRE) == word);
  };
  const Work reference = [&](std::int64_t times) {
    char buffer[1024];
    for (std::int64_t i = 0; i < times; ++i) keep(plain.copy(buffer));
  };
  print("C: kept headers, word unchanged / mutex, shared_ptr, memcpy", 1.0, interleave(cpu_cost(ours), cpu_cost(reference)));
}

}  // namespace

void bench_cached() {
  const Cached cached;
  copies(cached);
  unchanged_word(cached);
  headers(cached, "C: client_peek, one URL / map of headers", 1);
  headers(cached, "C: client_peek, 1,000 URLs / map of headers", 1000);
}

}  // namespace bench
