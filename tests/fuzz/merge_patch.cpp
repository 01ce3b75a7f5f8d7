// RFC 7396 on any two texts: the patch's members are in the result, its nulls are not, and patching twice changes nothing.
// Input: a JSON text, a line with nothing but "--", a patch.
#include <string>

#include "core/base/json.h"
#include "tests/fuzz/input.h"

using namespace fleetauth;
using fuzz::require;

namespace {

void check_merged(const json::Value &result, const json::Value &patch) {
  if (patch.type != json::Type::Object) {
    require(json::to_text(result) == json::to_text(patch), "what is no object replaces");
    return;
  }
  require(result.type == json::Type::Object, "an object makes an object");
  for (const auto &[name, wanted] : patch.members) {
    const json::Value *found = result.member(name);
    require((found == nullptr) == (wanted.type == json::Type::Null), "null removes, all else is set");
    if (found != nullptr) check_merged(*found, wanted);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  constexpr std::string_view kSeparator = "\n--\n";
  const std::string_view text(reinterpret_cast<const char *>(data), size);
  const std::size_t at = text.find(kSeparator);
  if (at == std::string_view::npos) return 0;
  const auto target = json::parse_tree(text.substr(0, at), "target", Status::Descriptor);
  const auto patch = json::parse_tree(text.substr(at + kSeparator.size()), "patch", Status::Config);
  require(target || fuzz::is_printable(target.error()->message), "a refusal is in plain words");
  if (!target || !patch) return 0;

  const json::Value once = json::merge_patch(*target, *patch);
  check_merged(once, *patch);
  require(json::to_text(json::merge_patch(once, *patch)) == json::to_text(once), "patching twice is patching once");

  const auto again = json::parse_tree(json::to_text(*target), "again", Status::Descriptor);
  require(again && json::to_text(*again) == json::to_text(*target), "the canonical text is its own");
  return 0;
}
