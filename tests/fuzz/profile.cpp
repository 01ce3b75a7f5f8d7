// Any configuration file: refused at a line, or profiles that say the same when they are written in the plainest TOML. Nothing that they
// refer to is looked up. Input: the file.
#include "tools/fleetauth/profile_text.h"

#include <array>
#include <optional>
#include <string>

#include "tests/fuzz/input.h"
#include "tools/fleetauth/console.h"
#include "tools/fleetauth/text.h"

using namespace fleetauth::command;
using fleetauth::fuzz::require;

namespace {

using Profiles = std::map<std::string, Entries>;

constexpr const char *kPath = "config.toml";
constexpr const char *kSecret = "Canary0secret1Value2";

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    std::array<char, 8> escaped{};
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = byte >= 0x20 && byte != 0x7F && c != '"' && c != '\\';
    if (!plain) std::snprintf(escaped.data(), escaped.size(), "\\u%04X", byte);
    plain ? out.push_back(c) : static_cast<void>(out.append(escaped.data()));
  }
  return out + '"';
}

/// What has no value has none here either.
struct InToml {
  std::string operator()(const std::string &text) const { return in_quotes(text); }
  std::string operator()(const InEnvironment &env) const { return "{ env = " + in_quotes(env.name) + " }"; }
  std::string operator()(const InFile &file) const { return "{ file = " + in_quotes(file.path) + " }"; }
  std::string operator()(const PrintedBy &program) const {
    std::vector<std::string> words;
    for (const std::string &word : program.argv) words.push_back(in_quotes(word));
    return "{ command = [" + joined(words) + "] }";
  }
  std::string operator()(const NoValue & /*why*/) const { return "[]"; }
};

std::string in_toml(const Profiles &profiles) {
  std::string out;
  for (const auto &[name, entries] : profiles) {
    out += '[' + in_quotes(name) + "]\n";
    for (const auto &[option, entry] : entries) out += in_quotes(option) + " = " + std::visit(InToml{}, entry) + '\n';
  }
  return out;
}

std::optional<Profiles> parsed(const std::string &text) {
  try {
    return parse_profiles(text, kPath);
  } catch (const SetupError &error) {
    const std::string message = error.what();
    require(message.starts_with(std::string(kPath) + ':'), "a refusal names the line");
    require(printable(message) == message, "a refusal is in plain words");
    require(message.find(kSecret) == std::string::npos, "a refusal holds no secret");
    return {};
  }
}

void check_name(const std::string &name) { require(printable(name) == name, "a name can be shown"); }

struct Check {
  const std::string &file;

  // In these an escape may be left out, but digits are as they were.
  void operator()(const std::string &text) const {
    const bool digits = !text.empty() && text.find_first_not_of("-0123456789") == std::string::npos;
    require(!digits || file.find(text) != std::string::npos || file.find('\\') != std::string::npos, "a number is as it was written");
  }
  void operator()(const InEnvironment &env) const { check_name(env.name); }
  void operator()(const InFile &in) const { check_name(in.path); }
  void operator()(const PrintedBy &program) const {
    require(!program.argv.empty(), "a command has a program");
    check_name(program.argv.front());
    for (const std::string &word : program.argv) require(word.find('\0') == std::string::npos, "an argument ends where it ends");
  }
  void operator()(const NoValue &none) const {
    require(!none.why.empty() && printable(none.why) == none.why && none.why.find(kSecret) == std::string::npos,
            "what is no value says why and does not repeat it");
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  const std::string file(reinterpret_cast<const char *>(data), size);
  const auto profiles = parsed(file);
  if (!profiles) return 0;
  for (const auto &[name, entries] : *profiles) {
    check_name(name);
    for (const auto &[option, entry] : entries) {
      check_name(option);
      std::visit(Check{file}, entry);
    }
  }
  const std::string plain = in_toml(*profiles);
  const auto again = parsed(plain);
  require(again && in_toml(*again) == plain, "written plainly it says the same");
  return 0;
}
