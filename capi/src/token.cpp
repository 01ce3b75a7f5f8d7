#include "capi/gen/bodies.h"
#include "capi/src/handles.h"
#include "core/crypto/fingerprint.h"
#include "core/token/slabs.h"

#include <algorithm>

namespace fleetauth::capi {

namespace {

const flow::Header *header_at(const fleetauth_token &token, std::int32_t index) {
  const auto &headers = token.body.headers;
  return index < 0 || static_cast<std::size_t>(index) >= headers.size() ? nullptr : &headers[static_cast<std::size_t>(index)];
}

}  // namespace

Borrowed token_secret(fleetauth_token &token) {
  const SecretBytes &secret = token.body.secret();
  return {secret.c_str(), secret.size()};
}

std::int32_t token_kind(fleetauth_token &token) { return static_cast<std::int32_t>(token.body.kind); }

std::int64_t token_expires_at_ms(fleetauth_token &token) {
  const auto &body = token.body.token;
  return body == nullptr || body->expires == kNever ? -1 : body->expires_wall;
}

std::int64_t token_expires_in_ms(fleetauth_token &token) {
  const auto &body = token.body.token;
  if (body == nullptr || body->expires == kNever) return -1;
  return std::max<std::int64_t>(0, body->expires - token.body.clock->boot_ms());
}

Borrowed token_fingerprint(fleetauth_token &token) {
  std::call_once(token.named, [&token] { token.fingerprint = crypto::fingerprint(token.body.secret().view()); });
  return {token.fingerprint.c_str(), token.fingerprint.size()};
}

Borrowed token_scheme(fleetauth_token &token) { return {token.body.scheme.c_str(), token.body.scheme.size()}; }
std::int32_t token_from_cache(fleetauth_token &token) { return token.body.from_cache ? 1 : 0; }
std::int64_t token_slot(fleetauth_token &token) { return token.body.slot; }
std::int64_t token_generation(fleetauth_token &token) { return token.body.token == nullptr ? 0 : token.body.token->generation; }
std::int32_t token_word(fleetauth_token &token) { return token.body.word; }
std::int32_t token_header_count(fleetauth_token &token) { return static_cast<std::int32_t>(token.body.headers.size()); }

Borrowed token_header_name(fleetauth_token &token, std::int32_t index) {
  const flow::Header *header = header_at(token, index);
  return header == nullptr ? Borrowed{} : Borrowed{header->name.c_str(), header->name.size()};
}

Borrowed token_header_value(fleetauth_token &token, std::int32_t index) {
  const flow::Header *header = header_at(token, index);
  return header == nullptr ? Borrowed{} : Borrowed{header->value.c_str(), header->value.size()};
}

Borrowed slot_words(std::int64_t slab) {
  const std::int32_t *words = token::slab_words(slab);
  return {reinterpret_cast<const char *>(words), words == nullptr ? 0 : token::kSlotsPerSlab * sizeof(std::int32_t)};
}

}  // namespace fleetauth::capi
