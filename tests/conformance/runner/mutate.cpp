#include "tests/conformance/runner/mutate.h"

namespace conformance {

namespace {

Json altered(const Json &leaf) {
  if (leaf.is_string()) return leaf.get<std::string>() + "~";
  if (leaf.is_boolean()) return !leaf.get<bool>();
  if (leaf.is_number_integer()) return leaf.get<std::int64_t>() + 1;
  if (leaf.is_number()) return leaf.get<double>() + 1;
  return 1;  // null, and empty objects and arrays
}

class Mutation {
 public:
  explicit Mutation(const Json &vector) : vector_(vector) {}

  void alter_all(const Json::json_pointer &at) {
    const Json &value = vector_.at(at);
    if (value.is_structured() && !value.empty()) {
      std::size_t index = 0;
      for (const auto &[name, member] : value.items()) alter_all(value.is_array() ? at / index++ : at / name);
    } else {
      add(at, altered(value));
      if (value.is_number()) add(at, value.dump());
    }
    const std::string last = at.back();
    if (last == "headers" || last == "form" || last == "identity") alter_members(at);
    if (last == "accounts") add(at / "-", {{"id", "x"}, {"name", "x"}});
  }

  std::vector<Mutant> take() { return std::move(mutants_); }

 private:
  void add(const Json::json_pointer &at, Json value) {
    Mutant mutant{at.to_string(), vector_};
    mutant.vector[at] = std::move(value);
    mutants_.push_back(std::move(mutant));
  }

  void alter_members(const Json::json_pointer &at) {
    add(at / "X-Not-There", "1");
    for (const auto &[name, member] : vector_.at(at).items()) {
      Mutant mutant{"without " + (at / name).to_string(), vector_};
      mutant.vector[at].erase(name);
      mutants_.push_back(std::move(mutant));
    }
  }

  const Json &vector_;
  std::vector<Mutant> mutants_;
};

}  // namespace

std::vector<Mutant> mutants(const Json &vector) {
  Mutation mutation(vector);
  if (vector.contains("client_error")) mutation.alter_all(Json::json_pointer("/client_error"));
  const Json steps = vector.value("steps", Json::array());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    for (const char *expectation : {"expect_request", "expect_sign", "token", "headers", "identity", "accounts", "error", "advice"}) {
      if (steps[i].contains(expectation)) mutation.alter_all(Json::json_pointer("/steps") / i / expectation);
    }
  }
  return mutation.take();
}

}  // namespace conformance
