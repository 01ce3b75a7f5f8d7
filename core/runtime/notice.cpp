#include "core/runtime/notice.h"

#include "core/base/json.h"

namespace fleetauth::runtime {
namespace {

constexpr const NoticeRow &row(NoticeKind kind) { return kNoticeTable.at(static_cast<std::size_t>(kind)); }
constexpr const NoticeMemberRow &row(NoticeMember member) { return kNoticeMembers.at(static_cast<std::size_t>(member)); }

/// Of a notice's JSON: no other than the table has.
class Members {
 public:
  void text(NoticeMember member, std::string_view value) {
    if (!value.empty()) add(member).text = value;
  }
  void number(NoticeMember member, std::int64_t value) { add(member).integer = value; }
  void flag(NoticeMember member, bool value) { add(member).boolean = value; }
  [[nodiscard]] std::string json() const { return json::to_text(object_); }

 private:
  json::Value &add(NoticeMember member) {
    object_.type = json::Type::Object;
    json::Value &value = object_.members.emplace_back(row(member).name, json::Value{}).second;
    value.type = row(member).type;
    return value;
  }

  json::Value object_;
};

void add_error(Members &members, const Error &error) {
  members.text(NoticeMember::StatusName, status_name(error.status));
  members.text(NoticeMember::Message, error.message);
  if (error.http_status != 0) members.number(NoticeMember::HttpStatus, error.http_status);
  members.text(NoticeMember::ProviderCode, error.provider_code);
  members.flag(NoticeMember::Retryable, error.is_retryable());
  members.flag(NoticeMember::InDoubt, error.in_doubt);
  if (error.retry_after_ms >= 0) members.number(NoticeMember::RetryAfterMs, error.retry_after_ms);
}

}  // namespace

std::string to_json(const Notice &notice, WallMs now) {
  Members members;
  members.text(NoticeMember::Event, row(notice.kind).name);
  members.number(NoticeMember::TimeMs, now);
  members.text(NoticeMember::Level, row(notice.kind).level);
  members.text(NoticeMember::Provider, notice.provider);
  members.text(NoticeMember::Credential, notice.credential);
  members.text(NoticeMember::Account, notice.account);
  members.text(NoticeMember::Step, notice.step);
  members.text(NoticeMember::Origin, notice.origin);
  if (notice.attempt != 0) members.number(NoticeMember::Attempt, notice.attempt);
  if (notice.error != nullptr) add_error(members, *notice.error);
  if (notice.http_status != 0) members.number(NoticeMember::HttpStatus, notice.http_status);
  members.text(NoticeMember::Advice, notice.advice);
  if (notice.wait_ms >= 0) members.number(NoticeMember::WaitMs, notice.wait_ms);
  if (notice.generation != 0) members.number(NoticeMember::Generation, notice.generation);
  if (notice.expires_in_ms >= 0 && notice.expires_in_ms != kNever) members.number(NoticeMember::ExpiresInMs, notice.expires_in_ms);
  return members.json();
}

std::string to_json(const Counters &counters) {
  json::Value object;
  object.type = json::Type::Object;
  for (std::size_t i = 0; i < counters.size(); ++i) {
    json::Value &count = object.members.emplace_back(kNoticeTable.at(i).name, json::Value{}).second;
    count.type = json::Type::Integer;
    count.integer = counters.at(i);
  }
  return json::to_text(object);
}

}  // namespace fleetauth::runtime
