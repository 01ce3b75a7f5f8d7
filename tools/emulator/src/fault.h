// Scripted faults: which requests they meet, and what they do to the answer.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "http.h"

namespace fleetauth::emulator {

struct FaultAction {
  enum class Drop { no, before, after };
  enum class Garbage { no, body, status_line };

  // In place of the provider's answer.
  std::optional<int> status;
  std::optional<std::string> body;
  bool html = false;
  Garbage garbage = Garbage::no;

  // Changes to the answer, whoever made it.
  std::vector<Header> headers;
  std::optional<std::string> content_type;
  json set = json::object();
  std::vector<std::string> remove;
  bool wrong_type = false;
  std::optional<std::size_t> truncate;

  // When, and whether at all.
  std::string hold;
  std::chrono::milliseconds delay{0};
  Drop drop = Drop::no;
  bool reset = false;
  bool act = false;  // let the provider act although its answer is replaced

  bool replaces_answer() const { return status || body || html || garbage != Garbage::no; }
  bool lets_provider_act() const { return drop != Drop::before && (act || !replaces_answer()); }
};

struct Fault {
  std::uint64_t id = 0;
  // Empty: any.
  std::string provider;
  std::string path;  // whole path; a final '*' matches any rest
  std::string method;
  std::uint64_t skip = 0;              // matching requests to leave alone first
  std::optional<std::uint64_t> times;  // empty: always
  FaultAction action;
  json source;  // as it was given, for GET /faults
};

// The faults of POST /_emulator/faults: one object or an array. Throws ConfigError.
std::vector<Fault> parse_faults(const json &source);

// Turns the provider's answer (or an empty one) into the faulty answer.
void apply_fault(const FaultAction &action, Response &response);

class FaultList {
 public:
  // Answers the ids, in order.
  std::vector<std::uint64_t> add(std::vector<Fault> faults);
  // The first fault, in order of arrival, that meets the request and is not used up.
  std::optional<Fault> take(const std::string &provider, const std::string &path, const std::string &method);
  json list() const;
  void clear();

 private:
  mutable std::mutex mutex_;
  std::uint64_t next_id_ = 1;
  std::deque<Fault> faults_;
};

}  // namespace fleetauth::emulator
