#include "core/crypto/pem.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/base/base64.h"

namespace fleetauth::crypto {
namespace {

constexpr std::size_t kLongestText = 16 * 1024;
constexpr std::string_view kSpace = " \t\r\n";
constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "-----END ";
constexpr std::string_view kDashes = "-----";
constexpr std::string_view kEncrypted = "is encrypted with a passphrase (decrypt it with \"openssl pkey -in KEY.pem -out PLAIN.pem\")";

std::string_view trim(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
  return text.substr(0, text.find_last_not_of(kSpace) + 1);
}

// What a PEM block with another label is.
std::string_view other_block(std::string_view label) {
  constexpr std::pair<std::string_view, std::string_view> kKnown[] = {
      {"ENCRYPTED PRIVATE KEY", kEncrypted},
      {"EC PRIVATE KEY", "is an elliptic-curve (EC) key"},
      {"EC PARAMETERS", "is an elliptic-curve (EC) key"},
      {"DSA PRIVATE KEY", "is a DSA key"},
      {"DSA PARAMETERS", "is a DSA key"},
      {"OPENSSH PRIVATE KEY", "is an OpenSSH key (convert it with \"ssh-keygen -p -m PKCS8 -f KEY\")"},
      {"PUBLIC KEY", "is a public key"},
      {"RSA PUBLIC KEY", "is a public key"},
      {"CERTIFICATE", "is a certificate"},
      {"X509 CERTIFICATE", "is a certificate"},
      {"TRUSTED CERTIFICATE", "is a certificate"},
      {"CERTIFICATE REQUEST", "is a certificate request"},
      {"NEW CERTIFICATE REQUEST", "is a certificate request"},
      {"PKCS7", "is a PKCS#7 container"},
  };
  for (const auto &[known, found] : kKnown) {
    if (label == known) return found;
  }
  return "is a PEM block of another kind";
}

// What a text without a PEM block at its beginning is.
std::string_view other_text(std::string_view text) {
  if (text.starts_with('{')) return "is a JSON text";
  if (text.find(kBegin) != std::string_view::npos) return "has other text before its BEGIN line (remove it)";
  if (text.starts_with('\x30')) return "is not PEM but looks like DER (convert it with \"openssl pkey -inform DER -in KEY -out KEY.pem\")";
  return "is not PEM: it has no BEGIN line";
}

struct Block {
  std::string_view label, body, rest;
};

// Takes the text apart at its BEGIN line and the first END line.
Result<Block> split(std::string_view text) {
  if (!text.starts_with(kBegin)) return refuse_key(other_text(text));
  if (text.find("\\n") != std::string_view::npos) return refuse_key("has \"\\n\" where its lines should break (put line breaks there)");
  text.remove_prefix(kBegin.size());
  const std::size_t label_end = text.find(kDashes);
  const std::size_t end = text.find(kEnd);
  if (label_end == std::string_view::npos || end == std::string_view::npos || end < label_end) {
    return refuse_key("is cut off: its END line is missing");
  }
  Block block;
  block.label = text.substr(0, label_end);
  block.body = text.substr(label_end + kDashes.size(), end - label_end - kDashes.size());
  block.rest = text.substr(end + kEnd.size());
  return block;
}

// The END line repeats the label, and nothing but white space follows.
ErrorPtr check_end(const Block &block) {
  std::string_view rest = block.rest;
  if (rest.find(kBegin) != std::string_view::npos) return refuse_key("is several PEM blocks (keep the private key alone)");
  if (!rest.starts_with(block.label)) return refuse_key("is damaged: its BEGIN and END lines differ");
  rest.remove_prefix(block.label.size());
  if (!rest.starts_with(kDashes)) return refuse_key("is damaged: its END line is malformed");
  if (!trim(rest.substr(kDashes.size())).empty()) return refuse_key("is followed by other text (remove it)");
  return nullptr;
}

Result<SecretBytes> decode_body(std::string_view body) {
  if (body.find("Proc-Type") != std::string_view::npos) return refuse_key(kEncrypted);
  if (body.find(':') != std::string_view::npos) return refuse_key("has headers after its BEGIN line (remove them)");
  SecretBytes letters;
  letters.reserve(body.size());
  while (!body.empty()) {
    const std::size_t stretch = std::min(body.find_first_of(kSpace), body.size());
    letters.append(body.substr(0, stretch));
    body.remove_prefix(std::min(stretch + 1, body.size()));
  }
  auto der = base64::decode(letters.view());
  if (letters.empty() || !der) return refuse_key("is damaged: what stands between BEGIN and END is not base64");
  return std::move(*der);
}

}  // namespace

ErrorPtr refuse_key(std::string_view found) {
  constexpr std::string_view kExpected =
      "; expected is the PEM text of one RSA private key (\"PRIVATE KEY\" or \"RSA PRIVATE KEY\") of 2048 to 16384 bits, not encrypted";
  return fail(Status::Key, "the signing key " + std::string(found) + std::string(kExpected));
}

Result<PemKey> read_pem_key(std::string_view text) {
  if (text.size() > kLongestText) return refuse_key("is longer than 16 KiB");
  text = trim(text);
  if (text.empty()) return refuse_key("is empty");
  const auto block = split(text);
  if (!block) return block.error();
  PemKey key;
  key.pkcs8 = block->label == "PRIVATE KEY";
  // Several blocks first: a certificate or parameters may precede the key.
  if (const ErrorPtr error = check_end(*block)) return error;
  if (!key.pkcs8 && block->label != "RSA PRIVATE KEY") return refuse_key(other_block(block->label));
  auto der = decode_body(block->body);
  if (!der) return der.error();
  key.der = std::move(*der);
  return key;
}

}  // namespace fleetauth::crypto
