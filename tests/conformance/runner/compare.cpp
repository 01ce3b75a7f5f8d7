#include "tests/conformance/runner/compare.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <ctime>
#include <functional>
#include <map>

namespace conformance {

namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

[[noreturn]] void differ(const std::string &where, const std::string &expected, const std::string &actual) {
  throw Mismatch(where + ": expected " + expected + ", got " + actual);
}

void compare_json(const std::string &where, const Json &expected, const Json &actual) {
  // Without the order of members; 1 and 1.0 are one number, 1 and "1" are not.
  if (nlohmann::json(expected) != nlohmann::json(actual)) differ(where, expected.dump(), actual.dump());
}

using Fields = std::map<std::string, std::function<void(const Json &, const std::string &)>>;

void compare_fields(const std::string &where, const Json &expected, const Fields &fields) {
  for (const auto &[name, value] : expected.items()) {
    const auto field = fields.find(name);
    if (field == fields.end()) throw Mismatch(where + ": the format has no member " + name);
    field->second(value, where + "." + name);
  }
}

/// A field whose value is compared as JSON.
std::function<void(const Json &, const std::string &)> is(Json actual) {
  return [actual = std::move(actual)](const Json &expected, const std::string &where) { compare_json(where, expected, actual); };
}

Json pairs_as_json(const Pairs &pairs) {
  Json list = Json::array();
  for (const auto &[name, value] : pairs) list.push_back({name, value});
  return list;
}

void compare_request_headers(const std::string &where, const Json &expected, const Pairs &actual) {
  Pairs wanted;
  for (const auto &[name, value] : expected.items()) wanted.emplace_back(lower(name), value.get<std::string>());
  Pairs found;
  for (const auto &[name, value] : actual) {
    if (!same_name(name, "user-agent")) found.emplace_back(lower(name), value);
  }
  std::sort(wanted.begin(), wanted.end());
  std::sort(found.begin(), found.end());
  if (wanted != found) differ(where, pairs_as_json(wanted).dump(), pairs_as_json(found).dump());
}

std::string decode_form(const std::string &text, const std::string &where) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      unsigned code = 0;
      if (std::sscanf(text.c_str() + i, "%%%2x", &code) != 1) throw Mismatch(where + ": a stray % in " + text);
      out.push_back(static_cast<char>(code));
      i += 2;
    } else {
      out.push_back(text[i] == '+' ? ' ' : text[i]);
    }
  }
  return out;
}

Json parse_form(const std::string &body, const std::string &where) {
  Json members = Json::array();
  for (std::size_t begin = 0; begin < body.size();) {
    const std::size_t end = std::min(body.find('&', begin), body.size());
    const std::string member = body.substr(begin, end - begin);
    const std::size_t equals = member.find('=');
    if (equals == std::string::npos) throw Mismatch(where + ": a member without a value in " + body);
    members.push_back({decode_form(member.substr(0, equals), where), decode_form(member.substr(equals + 1), where)});
    begin = end + 1;
  }
  return members;
}

void compare_form(const std::string &where, const Json &expected, const std::string &body) {
  Json wanted = Json::array();
  for (const auto &[name, value] : expected.items()) wanted.push_back({name, value});
  compare_json(where, wanted, parse_form(body, where));
}

Json optional_number(const std::optional<std::int64_t> &number) { return number ? Json(*number) : Json(nullptr); }

}  // namespace

bool same_name(const std::string &a, const std::string &b) { return lower(a) == lower(b); }

void compare_request(const std::string &where, const Json &expected, const Request &actual) {
  const auto body = [&](const Json &value, const std::string &at) { compare_json(at, value, actual.body); };
  const auto json = [&](const Json &value, const std::string &at) {
    const Json sent = Json::parse(actual.body, nullptr, false);
    if (sent.is_discarded()) differ(at, value.dump(), actual.body);
    compare_json(at, value, sent);
  };
  compare_fields(where, expected,
                 {{"method", is(actual.method)},
                  {"url", is(actual.url)},
                  {"headers", [&](const Json &value, const std::string &at) { compare_request_headers(at, value, actual.headers); }},
                  {"body", body},
                  {"json", json},
                  {"form", [&](const Json &value, const std::string &at) { compare_form(at, value, actual.body); }},
                  {"one_shot", is(actual.one_shot)}});
  const bool wants_body = expected.contains("body") || expected.contains("json") || expected.contains("form");
  if (!wants_body && !actual.body.empty()) differ(where, "no body", actual.body);
}

void compare_token(const std::string &where, const Json &expected, const Token &actual) {
  const auto expires_at = [&](const Json &value, const std::string &at) {
    compare_json(at, value.is_string() ? Json(parse_instant(value)) : value, optional_number(actual.expires_at_ms));
  };
  compare_fields(where, expected,
                 {{"secret", is(actual.secret)},
                  {"kind", is(actual.kind)},
                  {"scheme", is(actual.scheme)},
                  {"expires_in_ms", is(optional_number(actual.expires_in_ms))},
                  {"expires_at", expires_at},
                  {"from_cache", is(actual.from_cache)}});
}

void compare_pairs(const std::string &where, const Json &expected, const Pairs &actual) {
  Pairs wanted;
  for (const auto &[name, value] : expected.items()) wanted.emplace_back(name, value.get<std::string>());
  Pairs found = actual;
  std::sort(wanted.begin(), wanted.end());
  std::sort(found.begin(), found.end());
  if (wanted != found) differ(where, pairs_as_json(wanted).dump(), pairs_as_json(found).dump());
}

void compare_accounts(const std::string &where, const Json &expected, const Pairs &ids_and_names) {
  Json found = Json::array();
  for (const auto &[id, name] : ids_and_names) found.push_back({{"id", id}, {"name", name}});
  compare_json(where, expected, found);
}

void compare_to_sign(const std::string &where, const Json &expected, const ToSign &actual) {
  compare_fields(where, expected, {{"algorithm", is(actual.algorithm)}, {"key_id", is(actual.key_id)}, {"data", is(actual.data)}});
  if (!expected.contains("key_id") && !actual.key_id.empty()) differ(where, "no key_id", actual.key_id);
}

void compare_failure(const std::string &where, const Json &expected, const Failure &actual) {
  const auto message = [&](const Json &value, const std::string &at) {
    for (const Json &part : value) {
      if (actual.message.find(part.get<std::string>()) == std::string::npos) differ(at, "a text with " + part.dump(), actual.message);
    }
  };
  try {
    compare_fields(where, expected,
                   {{"status", is(actual.status)},
                    {"http_status", is(actual.http_status)},
                    {"provider_code", is(actual.provider_code)},
                    {"retryable", is(actual.retryable)},
                    {"retry_after_ms", is(actual.retry_after_ms)},
                    {"in_doubt", is(actual.in_doubt)},
                    {"provider", is(actual.provider)},
                    {"message", message}});
  } catch (const Mismatch &mismatch) {
    throw Mismatch(std::string(mismatch.what()) + " (" + actual.status + ": " + actual.message + ")");
  }
}

std::int64_t parse_instant(const std::string &text) {
  std::tm parts{};
  int ms = 0;
  int end = 0;
  const char *rest = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest != nullptr && *rest == '.' && std::sscanf(rest, ".%3d%n", &ms, &end) == 1) rest += end;
  if (rest == nullptr || std::string(rest) != "Z") throw Mismatch("not an instant of the form 2026-01-01T00:00:00Z: " + text);
  return static_cast<std::int64_t>(timegm(&parts)) * 1000 + ms;
}

std::string decode_base64(const std::string &text) {
  static const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  unsigned bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '=') break;
    const std::size_t value = alphabet.find(c);
    if (value == std::string::npos) throw Mismatch("not base64: " + text);
    bits = bits << 6U | static_cast<unsigned>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out.push_back(static_cast<char>(bits >> static_cast<unsigned>(count) & 0xFFU));
  }
  return out;
}

Answer make_answer(const Json &description) {
  Answer answer;
  bool typed = false;
  for (const auto &[name, value] : description.items()) {
    if (name == "status") {
      answer.status = value.get<std::int32_t>();
    } else if (name == "headers") {
      for (const auto &[header, text] : value.items()) {
        typed = typed || same_name(header, "content-type");
        for (const Json &one : text.is_array() ? text : Json::array({text})) {
          if (!one.is_null()) answer.headers.emplace_back(header, one.get<std::string>());
        }
      }
    } else if (name == "json") {
      answer.body = value.dump();
    } else if (name == "body") {
      answer.body = value.get<std::string>();
    } else if (name == "body_base64") {
      answer.body = decode_base64(value.get<std::string>());
    } else if (name == "body_repeat") {
      for (int i = value.at("times").get<int>(); i > 0; --i) answer.body += value.at("text").get<std::string>();
    } else {
      throw Mismatch("the format has no member " + name + " of an answer");
    }
  }
  if (!typed) answer.headers.emplace_back("Content-Type", "application/json");
  return answer;
}

Options make_options(const Json &description) {
  Options options;
  for (const auto &[name, value] : description.items()) {
    if (value.is_boolean()) {
      options.emplace_back(name, value.get<bool>());
    } else if (value.is_number_integer()) {
      options.emplace_back(name, value.get<std::int64_t>());
    } else {
      // Options that hold JSON are given its text.
      options.emplace_back(name, value.is_object() ? value.dump() : value.get<std::string>());
    }
  }
  return options;
}

Call make_call(const Json &description) {
  Call call;
  if (description.contains("url")) call.url = description["url"].get<std::string>();
  if (description.contains("method")) call.method = description["method"].get<std::string>();
  if (description.contains("request")) call.request = make_options(description["request"]);
  return call;
}

}  // namespace conformance
