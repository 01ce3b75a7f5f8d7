#include "tests/conformance/runner/play.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "tests/conformance/runner/compare.h"

namespace conformance {

namespace {

class Player {
 public:
  Player(const Json &vector, Subject &subject) : vector_(vector), subject_(subject) {}

  void run() {
    check_members("the vector", vector_, {"name", "note", "rows", "client", "wall", "secrets", "steps", "client_error"});
    const auto failure = subject_.make_client(client_spec());
    if (failure) see(*failure);
    if (vector_.contains("client_error")) {
      if (!failure) throw Mismatch("client_error: the client could be made");
      return compare_failure("client_error", vector_["client_error"], *failure);
    }
    if (failure) throw Mismatch("the client could not be made: " + failure->status + ": " + failure->message);
    int number = 0;
    for (const Json &step : vector_.at("steps")) {
      where_ = "step " + std::to_string(++number);
      carry_out(step);
    }
    where_ = "at the end";
    expect_nothing();
    for (const auto &[label, operation] : operations_) {
      if (!operation.asked) throw Mismatch(where_ + ": nobody asked for the outcome of " + label);
    }
  }

 private:
  struct Operation {
    std::int64_t tag = 0;
    std::optional<Outcome> outcome;
    bool asked = false;
  };

  static void check_members(const std::string &where, const Json &object, const std::set<std::string> &known) {
    for (const auto &[name, value] : object.items()) {
      if (known.count(name) == 0) throw Mismatch(where + ": the format has no member " + name);
    }
  }

  [[nodiscard]] ClientSpec client_spec() const {
    const Json &client = vector_.at("client");
    check_members("client", client, {"provider", "descriptor", "options"});
    ClientSpec spec;
    spec.provider = client.value("provider", "");
    if (client.contains("descriptor")) spec.descriptor = client["descriptor"].dump();
    if (client.contains("options")) spec.options = make_options(client["options"]);
    spec.wall_ms = parse_instant(vector_.value("wall", "2026-01-01T00:00:00Z"));
    return spec;
  }

  void carry_out(const Json &step) {
    const auto is = [&](const char *kind, std::set<std::string> more) {
      if (!step.contains(kind)) return false;
      more.insert(kind);
      more.insert("note");
      check_members(where_, step, more);
      return true;
    };
    if (is("start", {"url", "method", "request"})) return start(step);
    if (is("expect_request", {"answer", "fail"})) return expect_request(step);
    if (is("expect_sign", {"signature_base64", "fail"})) return expect_sign(step);
    if (is("inquire", {"what", "request"})) return inquire(step);
    if (is("answer_challenge", {"of", "code", "sealed"})) return answer_challenge(step);
    if (is("log_out", {})) return log_out(step);
    if (is("done", {"token", "headers", "identity", "accounts", "error"})) return done(step);
    if (is("peek", {"token", "headers", "error"})) return peek(step);
    if (is("reject", {"http_status", "date", "advice"})) return reject(step);
    if (is("advance_ms", {})) return subject_.advance(step["advance_ms"].get<std::int64_t>());
    if (is("step_wall_ms", {})) return subject_.step_wall(step["step_wall_ms"].get<std::int64_t>());
    if (is("answer", {})) return subject_.answer(unanswered_, make_answer(step["answer"]));
    if (is("cancel", {})) return subject_.cancel(operation(step["cancel"]).tag);
    if (is("close", {})) return subject_.close_client();
    if (is("expect_cancel", {})) return expect_cancel();
    if (is("expect_nothing", {})) return expect_nothing();
    throw Mismatch(where_ + ": the format has no step " + step.dump());
  }

  // ---- steps

  template <class Begin>
  void begin(const std::string &label, Begin begin) {
    if (operations_.count(label) != 0) throw Mismatch(where_ + ": there is an operation " + label + " already");
    Operation &operation = operations_[label];
    operation.tag = static_cast<std::int64_t>(operations_.size());
    if (auto refused = begin(operation.tag)) operation.outcome = std::move(*refused);
  }

  void start(const Json &step) {
    begin(step["start"], [&](std::int64_t tag) { return subject_.start(tag, make_call(step)); });
  }

  void inquire(const Json &step) {
    const std::string what = step.at("what");
    if (what != "identity" && what != "accounts") throw Mismatch(where_ + ": nobody can be asked for " + what);
    begin(step["inquire"], [&](std::int64_t tag) { return subject_.inquire(tag, what == "accounts", make_call(step)); });
  }

  void answer_challenge(const Json &step) {
    const Operation &asked = operation(step.at("of"));
    const Failure *failure = asked.outcome ? std::get_if<Failure>(&*asked.outcome) : nullptr;
    if (failure == nullptr || failure->challenge == nullptr) throw Mismatch(where_ + ": the operation has no challenge");
    begin(step["answer_challenge"],
          [&](std::int64_t tag) { return subject_.answer_challenge(tag, *failure, step.at("code"), step.value("sealed", false)); });
  }

  void log_out(const Json &step) {
    begin(step["log_out"], [&](std::int64_t tag) { return subject_.log_out(tag); });
  }

  void expect_request(const Json &step) {
    if (!wait_for([this] { return !offered_.empty(); })) throw Mismatch(where_ + ": no request was sent");
    const Offered offered = std::move(offered_.front());
    offered_.pop_front();
    compare_request(where_ + ".expect_request", step["expect_request"], offered.request);
    if (step.contains("answer")) {
      subject_.answer(offered.id, make_answer(step["answer"]));
    } else if (step.contains("fail")) {
      subject_.fail(offered.id, step["fail"].at("status"), step["fail"].value("message", ""));
    } else {
      unanswered_ = offered.id;
    }
  }

  void expect_sign(const Json &step) {
    if (!wait_for([this] { return !to_sign_.empty(); })) throw Mismatch(where_ + ": nothing was to be signed");
    const ToSign call = std::move(to_sign_.front());
    to_sign_.pop_front();
    compare_to_sign(where_ + ".expect_sign", step["expect_sign"], call);
    if (step.contains("signature_base64")) {
      subject_.sign(call.id, decode_base64(step["signature_base64"]));
    } else if (step.contains("fail")) {
      subject_.fail_to_sign(call.id, step["fail"].at("status"), step["fail"].value("message", ""));
    } else {
      unanswered_ = call.id;
    }
  }

  void expect_cancel() {
    if (!wait_for([this] { return withdrawn_.count(unanswered_) != 0; })) throw Mismatch(where_ + ": the call was not withdrawn");
  }

  void expect_nothing() {
    while (take(subject_.next(0))) {
    }
    if (!offered_.empty()) throw Mismatch(where_ + ": there is a request to " + offered_.front().request.url);
    if (!to_sign_.empty()) throw Mismatch(where_ + ": there is something to sign: " + to_sign_.front().data);
    for (const auto &[label, operation] : operations_) {
      if (operation.outcome && !operation.asked) throw Mismatch(where_ + ": " + label + " has completed");
    }
  }

  void done(const Json &step) {
    Operation &operation = this->operation(step["done"]);
    if (operation.asked) throw Mismatch(where_ + ": asked for the same outcome again");
    operation.asked = true;
    if (!wait_for([&] { return operation.outcome.has_value(); })) throw Mismatch(where_ + ": the operation did not complete");
    compare_outcome(step, *operation.outcome);
  }

  void peek(const Json &step) { compare_outcome(step, subject_.peek(make_call(step["peek"]))); }

  void reject(const Json &step) {
    const Operation &operation = this->operation(step["reject"]);
    const Token *token = operation.outcome ? std::get_if<Token>(&*operation.outcome) : nullptr;
    if (token == nullptr) throw Mismatch(where_ + ": the operation has no token to report");
    const auto date = step.contains("date") ? std::optional<std::string>(step["date"]) : std::nullopt;
    const std::string advice = subject_.report_rejected(*token, step.value("http_status", 401), date);
    if (step.at("advice") != advice) throw Mismatch(where_ + ".advice: expected " + step["advice"].dump() + ", got " + advice);
  }

  // ---- what came

  void compare_outcome(const Json &step, const Outcome &outcome) {
    const auto *failure = std::get_if<Failure>(&outcome);
    if (failure != nullptr) see(*failure);
    if (step.contains("error")) {
      return compare_failure(where_ + ".error", step["error"], expected<Failure>("an error", outcome));
    }
    if (step.contains("token") || step.contains("headers")) return compare_token_and_headers(step, expected<Token>("a token", outcome));
    if (step.contains("identity")) {
      return compare_pairs(where_ + ".identity", step["identity"], expected<Identity>("an identity", outcome).fields);
    }
    if (step.contains("accounts")) {
      return compare_accounts(where_ + ".accounts", step["accounts"], expected<Accounts>("accounts", outcome).ids_and_names);
    }
    expected<LoggedOut>("nothing to hand over", outcome);
  }

  template <class T>
  const T &expected(const std::string &what, const Outcome &outcome) const {
    if (const T *value = std::get_if<T>(&outcome)) return *value;
    const auto *failure = std::get_if<Failure>(&outcome);
    throw Mismatch(where_ + ": expected " + what + ", got " +
                   (failure == nullptr ? "something else" : failure->status + ": " + failure->message));
  }

  void compare_token_and_headers(const Json &step, const Token &token) {
    see(token.fingerprint);
    if (step.contains("token")) compare_token(where_ + ".token", step["token"], token);
    if (step.contains("headers")) compare_pairs(where_ + ".headers", step["headers"], token.headers);
  }

  Operation &operation(const std::string &label) {
    const auto found = operations_.find(label);
    if (found == operations_.end()) throw Mismatch(where_ + ": there is no operation " + label);
    return found->second;
  }

  /// False for no event.
  bool take(Event event) {
    if (auto *completed = std::get_if<Completed>(&event)) {
      complete(std::move(*completed));
    } else if (auto *offered = std::get_if<Offered>(&event)) {
      offered_.push_back(std::move(*offered));
    } else if (auto *call = std::get_if<ToSign>(&event)) {
      to_sign_.push_back(std::move(*call));
    } else if (const auto *withdrawn = std::get_if<Withdrawn>(&event)) {
      withdrawn_.insert(withdrawn->id);
    } else {
      return false;
    }
    return true;
  }

  void complete(Completed completed) {
    for (auto &[label, operation] : operations_) {
      if (operation.tag != completed.tag) continue;
      if (operation.outcome) throw Mismatch(where_ + ": " + label + " completed twice");
      operation.outcome = std::move(completed.outcome);
      return;
    }
    throw Mismatch(where_ + ": an operation completed that was never started");
  }

  template <class Condition>
  bool wait_for(Condition condition) {
    while (!condition()) {
      if (!take(subject_.next(subject_.patience_ms()))) return false;
    }
    return true;
  }

  // ---- what is printed

  void see(const Failure &failure) const {
    for (const std::string &text : {failure.message, failure.provider, failure.provider_code}) see(text);
  }

  void see(const std::string &text) const {
    if (!vector_.contains("secrets")) return;
    for (const Json &secret : vector_["secrets"]) {
      if (text.find(secret.get<std::string>()) != std::string::npos) throw Mismatch(where_ + ": a secret is in the text: " + text);
    }
  }

  const Json &vector_;
  Subject &subject_;
  std::string where_ = "client";
  std::map<std::string, Operation> operations_;
  std::deque<Offered> offered_;
  std::deque<ToSign> to_sign_;
  std::set<std::int64_t> withdrawn_;
  std::int64_t unanswered_ = 0;
};

}  // namespace

void play(const Json &vector, Subject &subject) {
  try {
    Player(vector, subject).run();
  } catch (const nlohmann::json::exception &error) {
    throw Mismatch(std::string("not a vector: ") + error.what());
  }
}

}  // namespace conformance
