#include "core/crypto/service_account.h"

#include <optional>
#include <utility>

#include "core/base/json.h"
#include "core/base/redact.h"

namespace fleetauth::crypto {
namespace {

constexpr std::size_t kLongestText = 64 * 1024;
constexpr std::string_view kHowToGet =
    ". Create a JSON key for the service account in the Google Cloud console (IAM & Admin, Service Accounts, Keys)";

// Known by name: what a file says beyond them is never quoted, it may be a secret in the wrong place.
constexpr std::pair<std::string_view, std::string_view> kOtherTypes[] = {
    {"authorized_user", "a person's login, as gcloud writes it"},
    {"external_account", "workload identity federation"},
    {"impersonated_service_account", "a login that impersonates a service account"},
};

class Reader {
 public:
  Reader(const json::Document &document, const std::string &source) : document_(document), source_(source) {}

  [[nodiscard]] ErrorPtr refuse(std::string_view problem) const { return fail(Status::Key, source_ + ": " + std::string(problem)); }

  // The error of another type than "service_account".
  [[nodiscard]] ErrorPtr check_type() const {
    if (document_.root().type() != json::Type::Object) return refuse("not a service account's key: it is no JSON object");
    if (!document_.find("/type") && (document_.find("/installed") || document_.find("/web"))) {
      return refuse("not a service account's key but an OAuth client" + std::string(kHowToGet));
    }
    const auto type = text("type");
    if (!type) return type.error();
    if (*type == "service_account") return nullptr;
    for (const auto &[other, meaning] : kOtherTypes) {
      if (*type == other) {
        return refuse("not a service account's key but of the type \"" + std::string(other) + "\" (" + std::string(meaning) + ")" +
                      std::string(kHowToGet));
      }
    }
    return refuse("not a service account's key: the member \"type\" is not \"service_account\"" + std::string(kHowToGet));
  }

  // A member that must be there. The view lives as long as the document.
  [[nodiscard]] Result<std::string_view> text(const std::string &name) const {
    const auto member = document_.find("/" + name);
    const std::string quoted = "the member \"" + name + "\" ";
    if (!member) return refuse(quoted + "is missing" + std::string(kHowToGet));
    const auto text = member->text();
    if (!text) return refuse(quoted + "is not a string");
    if (text->empty()) return refuse(quoted + "is empty");
    return *text;
  }

 private:
  const json::Document &document_;
  const std::string &source_;
};

}  // namespace

Result<ServiceAccount> parse_service_account(std::string_view json, std::string_view source) {
  const std::string name = redact::printable(source);
  if (json.size() > kLongestText) return fail(Status::Key, name + ": longer than 64 KiB; this is not a service account's key");
  const auto document = json::Document::parse(json, name, Status::Key);
  if (!document) return document.error();
  const Reader reader(*document, name);
  if (const ErrorPtr error = reader.check_type()) return error;

  ServiceAccount account;
  for (const auto &[member, into] : {std::pair<const char *, std::string *>{"client_email", &account.client_email},
                                     {"private_key_id", &account.private_key_id},
                                     {"project_id", &account.project_id}}) {
    const auto text = reader.text(member);
    if (!text) return text.error();
    *into = *text;
  }
  const auto pem = reader.text("private_key");
  if (!pem) return pem.error();
  auto key = SigningKey::from_pem(*pem);
  if (!key) {
    Error error = *key.error();
    error.message = name + ": the member \"private_key\": " + error.message;
    return fail(std::move(error));
  }
  account.key = std::move(*key);
  return account;
}

}  // namespace fleetauth::crypto
