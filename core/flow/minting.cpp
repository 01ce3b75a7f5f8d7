#include "core/base/redact.h"
#include "core/crypto/jws.h"
#include "core/flow/encode.h"
#include "core/flow/machine.h"
#include "core/provider/errors.h"

namespace fleetauth::flow {
namespace {

using provider::ClientConfig;
using provider::Credential;

/// So far back is the time of issue, for verifiers whose clock is late.
constexpr std::int64_t kBackdateS = 10;
constexpr std::size_t kLargestSignature = 2048;  ///< of 16384 bits

std::int64_t lifetime_s(const ClientConfig &config, const Credential &credential) {
  const provider::ParameterValue *given = config.value(credential.jwt.lifetime_parameter);
  return given == nullptr ? credential.jwt.lifetime_s : given->integer();
}

/// The algorithm is what the key is for, and never an input (RFC 8725, 3.1).
std::string header(const provider::Signer &signer) {
  SecretBytes key_id;
  json::append_string(key_id, signer.key_id);
  return R"({"alg":"RS256","typ":"JWT")" + (signer.key_id.empty() ? "" : ",\"kid\":" + std::string(key_id.view())) + "}";
}

/// A JWT that is made and signed here or by the host.
class Minting final : public Machine {
 public:
  Minting(const ClientConfig &config, const Credential &credential, provider::Subject subject)
      : config_(config), credential_(credential), subject_(std::move(subject)) {}

  Effect start(const Now &now) override {
    const provider::Signer &signer = config_.signer(credential_);
    started_ = now;
    const std::int64_t issued = now.server / 1000 - kBackdateS;
    const std::int64_t lifetime = lifetime_s(config_, credential_);
    expires_ = now.boot + (issued + lifetime) * 1000 - now.server;
    SecretBytes payload = encode_json(config_, credential_.jwt.payload,
                                      {.account = subject_.account, .issuer = signer.issuer, .claims = subject_.claims.get()});
    const std::string times = "\"iat\":" + std::to_string(issued) + ",\"exp\":" + std::to_string(issued + lifetime) + "}";
    const bool bare = payload.view() == "{}";
    SecretBytes whole;
    whole.reserve(payload.size() + 1 + times.size());
    whole.append(payload.view().substr(0, payload.size() - 1));
    whole.append((bare ? "" : ",") + times);
    input_ = crypto::signing_input(header(signer), whole.view());
    return Sign{signer.key, signer.key_id, input_.clone()};
  }

  Effect on_signature(SecretBytes signature, const Now &now) override {
    if (clock_was_set(now)) return start(now);
    if (signature.empty() || signature.size() > kLargestSignature) return refuse("the signature is empty or too long");
    Grant grant;
    grant.access = crypto::compact(input_.view(), signature.view());
    if (!redact::is_token(grant.access.view())) return refuse("the token is above 16 KiB; name fewer claims");
    grant.lifetime_ms = expires_ - now.boot;
    return Granted{std::move(grant)};
  }

  Effect on_response(const HttpResponse & /*response*/, const Now & /*now*/) override {
    return refuse("the minting was driven out of order");
  }

  Effect on_failure(const HttpFailure &failure, const Now & /*now*/) override {
    return Failed{provider::of_provider(*config_.descriptor, *failure.error, "the token could not be signed: ")};
  }

 private:
  /// Or found to be wrong, while the token was signed for the time before.
  [[nodiscard]] bool clock_was_set(const Now &now) const {
    const std::int64_t set_by = (now.server - now.boot) - (started_.server - started_.boot);
    return set_by > kBackdateS * 1000 || set_by < -kBackdateS * 1000;
  }
  [[nodiscard]] Effect refuse(const std::string &what) const {
    return Failed{provider::refusal(*config_.descriptor, Status::Crypto, what)};
  }

  const ClientConfig &config_;
  const Credential &credential_;
  const provider::Subject subject_;
  SecretBytes input_;
  Now started_;
  BootMs expires_ = 0;
};

}  // namespace

std::unique_ptr<Machine> make_minting(const ClientConfig &config, const Credential &credential, provider::Subject subject) {
  return std::make_unique<Minting>(config, credential, std::move(subject));
}

Effect Machine::on_signature(SecretBytes /*signature*/, const Now & /*now*/) {
  return Failed{fail(Status::Internal, "the flow was given a signature that it did not ask for")};
}

}  // namespace fleetauth::flow
