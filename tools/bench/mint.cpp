// Tokens that are made here: what they cost beside the bare signature, and when they are in memory.
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "tools/bench/measure.h"
#include "tools/bench/scene.h"

namespace bench {
namespace {

constexpr unsigned kBits = 2048;
/// 0.95 of the bare signature's throughput.
constexpr double kMostCost = 1 / 0.95;
constexpr double kMicrosecond = 1000;

using Request = Handle<fleetauth_request, fleetauth_request_unref>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

void need(bool done) {
  if (done) return;
  std::fprintf(stderr, "bench: OpenSSL fails\n");
  std::exit(1);
}

/// The key file of a service account, made up.
std::string key_file(EVP_PKEY *key) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), BIO_free);
  need(PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  char *data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  std::string pem;
  for (const char c : std::string(data, static_cast<std::size_t>(size))) pem += c == '\n' ? "\\n" : std::string(1, c);
  return R"({"type":"service_account","project_id":"bench","client_email":"bench@bench.example","private_key_id":"bench-key","private_key":")" +
         pem + "\"}";
}

Client make_minter(fleetauth_runtime *runtime, EVP_PKEY *key) {
  fleetauth_provider *provider = nullptr;
  fleetauth_error *error = nullptr;
  must(fleetauth_provider_builtin("fleet_engine", FLEETAUTH_NTS, &provider, &error), error, "provider");
  fleetauth_client *client = nullptr;
  must(fleetauth_client_new(runtime, provider, options({{"service_account", key_file(key)}}).get(), &client, &error), error, "client");
  fleetauth_provider_unref(provider);
  return Client(client);
}

Request for_vehicle(fleetauth_client *client, std::int64_t number) {
  fleetauth_request *request = nullptr;
  fleetauth_error *error = nullptr;
  const Options named = options({{"claim_set", "driver"}, {"claims", R"({"vehicleid":"vehicle-)" + std::to_string(number) + "\"}"}});
  must(fleetauth_request_new(client, named.get(), &request, &error), error, "request");
  return Request(request);
}

Token token(fleetauth_client *client, fleetauth_request *request, decltype(fleetauth_client_token) *get) {
  fleetauth_token *token = nullptr;
  fleetauth_error *error = nullptr;
  must(get(client, request, nullptr, 0, nullptr, 0, &token, &error), error, "token");
  return Token(token);
}

/// As long as what is signed for a token.
void sign_bare(EVP_PKEY *key, const std::string &text) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  unsigned char signature[kBits / 8];
  std::size_t size = sizeof signature;
  need(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
       EVP_DigestSign(context.get(), signature, &size, reinterpret_cast<const unsigned char *>(text.data()), text.size()) == 1);
  keep(signature);
}

}  // namespace

void bench_mint() {
  const Key key(EVP_RSA_gen(kBits), EVP_PKEY_free);
  need(key != nullptr);
  const Runtime runtime = make_runtime(false);
  const Client client = make_minter(runtime.get(), key.get());

  std::int64_t number = 0;
  const Work made = [&](std::int64_t times) {
    for (std::int64_t i = 0; i < times; ++i) {
      keep(token(client.get(), for_vehicle(client.get(), ++number).get(), fleetauth_client_token).get());
    }
  };
  const std::string text(450, 't');
  const Work bare = [&](std::int64_t times) {
    for (std::int64_t i = 0; i < times; ++i) sign_bare(key.get(), text);
  };
  print("mint: RS256 over bare EVP_DigestSign", kMostCost, interleave(cpu_cost(made), cpu_cost(bare)));

  const Request request = for_vehicle(client.get(), 0);
  (void)token(client.get(), request.get(), fleetauth_client_token);
  const Work again = [&](std::int64_t times) {
    for (std::int64_t i = 0; i < times; ++i) keep(token(client.get(), request.get(), fleetauth_client_peek).get());
  };
  const Rounds rounds = interleave(cpu_cost(again), cpu_cost(again));
  print("mint: the same claims again", kMicrosecond, percentile(rounds.ours, 0.5));
}

}  // namespace bench
