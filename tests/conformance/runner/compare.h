#pragma once

#include <string>

#include "tests/conformance/runner/play.h"

/// Each throws Mismatch, with `where` in its text, unless what came is what was expected.
namespace conformance {

void compare_request(const std::string &where, const Json &expected, const Request &actual);
void compare_token(const std::string &where, const Json &expected, const Token &actual);
/// Names and values, in any order.
void compare_pairs(const std::string &where, const Json &expected, const Pairs &actual);
void compare_accounts(const std::string &where, const Json &expected, const Pairs &ids_and_names);
void compare_to_sign(const std::string &where, const Json &expected, const ToSign &actual);
void compare_failure(const std::string &where, const Json &expected, const Failure &actual);

/// Milliseconds since 1970 of `2026-01-01T00:00:00Z` or `2026-01-01T00:00:00.000Z`.
std::int64_t parse_instant(const std::string &text);

std::string decode_base64(const std::string &text);

/// The answer to give, from its description in a vector.
Answer make_answer(const Json &description);
Call make_call(const Json &description);
Options make_options(const Json &description);

/// True for names that are equal but for the case of ASCII letters.
bool same_name(const std::string &a, const std::string &b);

}  // namespace conformance
