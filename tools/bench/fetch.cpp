// A token fetched over a kept HTTPS connection, in manual mode, beside a bare easy handle of the same libcurl that sends the same request.
#include <curl/curl.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "tests/fault/raw_server.h"
#include "tools/bench/measure.h"
#include "tools/bench/scene.h"

namespace bench {
namespace {

constexpr std::int64_t kLifetimeMs = 3'600'000;
constexpr std::int64_t kFetches = 200;

class OurFetch {
 public:
  OurFetch(const std::string &origin, const std::string &ca_pem) {
    fleetauth_clock *clock = nullptr;
    must(fleetauth_clock_manual_new(1'767'323'045'000, &clock, nullptr), nullptr, "clock");
    clock_.reset(clock);
    runtime_ = make_runtime(true, clock);
    client_ = make_client(runtime_.get(), {{"base_url", origin}, {"ca_pem", ca_pem}, {"proxy", "none"}});
  }
  /// The token expires before each fetch, so each asks the server.
  void expire() { must(fleetauth_clock_advance(clock_.get(), kLifetimeMs, nullptr), nullptr, "advance"); }
  void fetch() {
    fleetauth_token *token = nullptr;
    fleetauth_error *error = nullptr;
    must(fleetauth_client_token(client_.get(), nullptr, nullptr, 0, nullptr, 0, &token, &error), error, "fetch");
    if (fleetauth_token_from_cache(token) != 0) std::abort();
    fleetauth_token_unref(token);
  }

 private:
  Clock clock_;
  Runtime runtime_;
  Client client_;
};

class BareFetch {
 public:
  BareFetch(const std::string &origin, std::string ca_pem)
      : curl_(curl_easy_init(), curl_easy_cleanup), headers_(nullptr, curl_slist_free_all) {
    curl_slist *list = nullptr;
    for (const char *header : {"Content-Type: application/json", "Accept: application/json", "x-api-key: bench-api-key"}) {
      list = curl_slist_append(list, header);
    }
    headers_.reset(list);
    curl_blob ca{ca_pem.data(), ca_pem.size(), CURL_BLOB_COPY};
    curl_easy_setopt(curl_.get(), CURLOPT_URL, (origin + "/token").c_str());
    curl_easy_setopt(curl_.get(), CURLOPT_HTTPHEADER, headers_.get());
    curl_easy_setopt(curl_.get(), CURLOPT_COPYPOSTFIELDS, R"({"acctId":12345,"secret":"bench-secret"})");
    curl_easy_setopt(curl_.get(), CURLOPT_CAINFO_BLOB, &ca);
    curl_easy_setopt(curl_.get(), CURLOPT_PROXY, "");
    curl_easy_setopt(curl_.get(), CURLOPT_WRITEFUNCTION, &BareFetch::receive);
    curl_easy_setopt(curl_.get(), CURLOPT_WRITEDATA, &body_);
  }
  void fetch() {
    body_.clear();
    const CURLcode code = curl_easy_perform(curl_.get());
    if (code == CURLE_OK && body_.size() > kTokenSize) return;
    std::fprintf(stderr, "bench: libcurl: %s\n", curl_easy_strerror(code));
    std::exit(1);
  }

 private:
  static std::size_t receive(char *data, std::size_t size, std::size_t count, void *body) {
    static_cast<std::string *>(body)->append(data, size * count);
    return size * count;
  }
  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl_;
  std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers_;
  std::string body_;
};

template <class Prepare, class Fetch>
double cost(double (*clock)(), Prepare prepare, Fetch fetch) {
  double spent = 0;
  for (std::int64_t i = 0; i < kFetches; ++i) {
    prepare();
    const double begin = clock();
    fetch();
    spent += clock() - begin;
  }
  return spent / static_cast<double>(kFetches);
}

}  // namespace

void bench_fetch() {
  const OneProcessor one;
  const fleetauth::test::TestCa ca;
  const fleetauth::test::RawServer server(fleetauth::test::RawServer::always(fleetauth::test::json_answer(token_body())),
                                          fleetauth::test::RawTls{ca.issue(), 0, ""});
  OurFetch ours(server.origin(), ca.pem());
  BareFetch bare(server.origin(), ca.pem());
  ours.fetch();  // the handshakes
  bare.fetch();

  Rounds cpu;
  Rounds wall;
  for (int round = 0; round < kRounds; ++round) {
    for (auto [clock, rounds] : {std::pair(&thread_cpu_ns, &cpu), std::pair(&wall_ns, &wall)}) {
      const auto run_ours = [&, clock = clock] {
        return cost(
            clock, [&] { ours.expire(); }, [&] { ours.fetch(); });
      };
      if (round % 2 == 0) rounds->ours.push_back(run_ours());
      rounds->reference.push_back(cost(
          clock, [] {}, [&] { bare.fetch(); }));
      if (round % 2 != 0) rounds->ours.push_back(run_ours());
    }
  }
  if (server.connections() != 2) std::fprintf(stderr, "bench: fetch: %d connections instead of 2 were made\n", server.connections());
  print("C: fetch in manual mode / bare libcurl, CPU of the caller", 1.25, cpu);
  print("C: fetch in manual mode / bare libcurl, real time", 1.25, wall);
}

}  // namespace bench
