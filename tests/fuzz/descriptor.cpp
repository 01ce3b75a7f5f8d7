// Any text is either refused with a message, or a descriptor that survives its own canonical text and answers for a URL.
#include <cstdint>
#include <cstdlib>

#include "core/provider/client_config.h"

using namespace fleetauth;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  const auto descriptor = provider::parse_descriptor({reinterpret_cast<const char *>(data), size}, "fuzz.json");
  if (!descriptor) {
    if (descriptor.error()->message.empty()) std::abort();
    return 0;
  }
  const std::string text = json::to_text(descriptor->source);
  const auto again = provider::parse_descriptor(text, "again.json");
  if (!again || json::to_text(again->source) != text) std::abort();

  provider::ClientConfig config;
  config.descriptor = std::make_shared<const provider::Descriptor>(*descriptor);
  config.usable_schemes.assign(descriptor->schemes.size(), true);
  for (const provider::Api &api : descriptor->apis) {
    const provider::Origin &origin = *descriptor->origin(api.origin);
    const std::string path = std::string(origin.prefix()) + api.path;
    const std::string method = api.methods.empty() ? "GET" : api.methods.front();
    const auto found = provider::resolve(config, {}, {}, provider::Target{origin.authority(), path}, method);
    // A path with a star in it fits its own pattern; another group may fit it better, but one there must be.
    if (!found || found->scheme == nullptr || found->credential == nullptr) std::abort();
  }
  return 0;
}
