// Options of every scope: taken, or refused in plain words that hold no secret. Input: one byte chooses the scope and provider, then
// lines "name=value"; a value may hold line breaks as \n and the rest as it is.
#include <string>

#include "core/runtime/options.h"
#include "tests/fuzz/input.h"

using namespace fleetauth;
using fuzz::require;

namespace {

constexpr std::string_view kSecret = "Canary0secret1Value2";

std::string with_line_breaks(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escaped = text.substr(i, 2) == "\\n";
    out.push_back(escaped ? '\n' : text[i]);
    i += escaped ? 1 : 0;
  }
  return out;
}

template <class T>
void check(const Result<T> &result, bool tells_itself) {
  if (result) return;
  const Error &error = *result.error();
  require(error.status == Status::Config || error.status == Status::Url || error.status == Status::Descriptor,
          "a refusal is the caller's to mend");
  require(!error.message.empty() && fuzz::is_printable(error.message), "a refusal is in plain words");
  require(tells_itself || error.message.find(kSecret) == std::string::npos, "a refusal holds no secret");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::uint8_t choice = input.byte();
  // Written as an option's name or into a patch it is no secret any more.
  const bool tells_itself = std::string_view(reinterpret_cast<const char *>(data), size).find(kSecret) != std::string_view::npos;
  const auto provider = *provider::builtin((choice & 1U) != 0 ? "fleetup" : "my_connected_fleet");
  runtime::Options options;
  if ((choice & 2U) != 0) {
    for (const provider::Parameter &parameter : provider->parameters) {
      options.set(parameter.name, parameter.secret ? kSecret : parameter.type == provider::ParameterType::Integer ? "12345" : "name");
    }
  }
  while (!input.empty()) {
    const std::string_view line = input.until('\n');
    const std::size_t equals = std::min(line.find('='), line.size());
    options.set(line.substr(0, equals), with_line_breaks(line.substr(std::min(equals + 1, line.size()))));
  }

  check(runtime::read_runtime_options(&options), tells_itself);
  check(runtime::read_request_options(&options), tells_itself);
  const auto setup = runtime::read_client_options(provider, options);
  check(setup, tells_itself);
  if (!setup) return 0;
  const runtime::Setup &made = **setup;
  require(made.origins.size() == made.config.descriptor->origins.size(), "every origin has its URL");
  require(made.total_timeout_ms > 0 && made.net->attempt_timeout_ms > 0 && made.net->connect_timeout_ms > 0, "every attempt ends");
  for (const net::Url &origin : made.origins) {
    require(origin.origin.starts_with("https://") || made.net->allow_loopback_http, "credentials travel encrypted");
  }
  const auto again = runtime::read_client_options(provider, options);
  require(again && (*again)->digest == made.digest, "equal options share a token");
  return 0;
}
