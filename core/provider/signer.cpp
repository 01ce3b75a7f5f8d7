#include "core/provider/signer.h"

#include "core/base/os/file.h"
#include "core/crypto/fingerprint.h"
#include "core/crypto/service_account.h"
#include "core/provider/client_config.h"
#include "core/provider/errors.h"

namespace fleetauth::provider {
namespace {

constexpr std::size_t kLargestFile = 64 * 1024;

Result<std::optional<Signer>> host(const KeyRule &rule, const GivenKey &given) {
  if (given.service_account != nullptr || given.file != nullptr) {
    const std::string &key = given.file != nullptr ? rule.file : rule.service_account;
    return fail(Status::Config, "option " + quoted(key) + " is of no use with signer=host: the key is the host's");
  }
  if (given.issuer == nullptr) return std::optional<Signer>();
  Signer out;
  out.issuer = given.issuer->text.view();
  if (given.key_id != nullptr) out.key_id = given.key_id->text.view();
  return std::optional(std::move(out));
}

Result<Signer> read(std::string_view text, std::string_view source) {
  auto account = crypto::parse_service_account(text, source);
  if (!account) return account.error();
  return Signer{std::move(account->key), std::move(account->client_email), std::move(account->private_key_id), crypto::keyed_digest(text)};
}

}  // namespace

Result<std::optional<Signer>> read_signer(const KeyRule &rule, const GivenKey &given, bool host_signs) {
  if (host_signs) return host(rule, given);
  if (given.service_account != nullptr && given.file != nullptr) {
    return fail(Status::Config, "options " + quoted(rule.service_account) + " and " + quoted(rule.file) + " exclude each other");
  }
  const bool key = given.service_account != nullptr || given.file != nullptr;
  if (given.issuer != nullptr || given.key_id != nullptr) {
    const std::string option = quoted(given.issuer != nullptr ? rule.issuer : rule.key_id);
    return fail(Status::Config, key ? "option " + option + " is of no use beside a service account, which names itself"
                                    : "option " + option + " is for a client whose host signs; give a service account, or a signer");
  }
  if (!key) return std::optional<Signer>();
  SecretBytes content;
  if (given.file != nullptr) {
    auto file = os::read_file(std::string(given.file->text.view()), kLargestFile);
    if (!file) return file.error();
    content = std::move(*file);
  }
  auto signer = given.file != nullptr ? read(content.view(), given.file->text.view())
                                      : read(given.service_account->text.view(), "option " + quoted(rule.service_account));
  if (!signer) return signer.error();
  return std::optional(std::move(*signer));
}

}  // namespace fleetauth::provider
