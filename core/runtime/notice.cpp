#include "core/runtime/notice.h"

#include "core/base/json.h"

namespace fleetauth::runtime {
namespace {

constexpr std::array<std::string_view, kNoticeKinds> kNames{
    "login", "refresh", "mint", "failure", "request", "repeat", "rejected", "logout", "breaker_opened", "breaker_closed", "dropped",
};

class Members {
 public:
  void text(const char *name, std::string_view value) {
    if (value.empty()) return;
    json::Value &member = add(name, json::Type::String);
    member.text = value;
  }
  void number(const char *name, std::int64_t value) { add(name, json::Type::Integer).integer = value; }
  void flag(const char *name, bool value) { add(name, json::Type::Boolean).boolean = value; }
  [[nodiscard]] std::string json() const { return json::to_text(object_); }

 private:
  json::Value &add(const char *name, json::Type type) {
    object_.type = json::Type::Object;
    json::Value &member = object_.members.emplace_back(name, json::Value{}).second;
    member.type = type;
    return member;
  }

  json::Value object_;
};

void add_error(Members &members, const Error &error) {
  members.text("status", status_name(error.status));
  members.text("message", error.message);
  if (error.http_status != 0) members.number("http_status", error.http_status);
  members.text("provider_code", error.provider_code);
  members.flag("retryable", error.is_retryable());
  members.flag("in_doubt", error.in_doubt);
  if (error.retry_after_ms >= 0) members.number("retry_after_ms", error.retry_after_ms);
}

}  // namespace

std::string to_json(const Notice &notice, WallMs now) {
  Members members;
  members.text("event", kNames.at(static_cast<std::size_t>(notice.kind)));
  members.number("time_ms", now);
  members.text("provider", notice.provider);
  members.text("credential", notice.credential);
  members.text("account", notice.account);
  members.text("step", notice.step);
  members.text("origin", notice.origin);
  if (notice.attempt != 0) members.number("attempt", notice.attempt);
  if (notice.error != nullptr) add_error(members, *notice.error);
  if (notice.http_status != 0) members.number("http_status", notice.http_status);
  members.text("advice", notice.advice);
  if (notice.wait_ms >= 0) members.number("wait_ms", notice.wait_ms);
  if (notice.generation != 0) members.number("generation", notice.generation);
  if (notice.expires_in_ms >= 0 && notice.expires_in_ms != kNever) members.number("expires_in_ms", notice.expires_in_ms);
  return members.json();
}

std::string to_json(const Counters &counters) {
  Members members;
  for (std::size_t i = 0; i < counters.size(); ++i) members.number(kNames.at(i).data(), counters.at(i));
  return members.json();
}

}  // namespace fleetauth::runtime
