#pragma once

#include <string>
#include <vector>

#include "core/provider/descriptor.h"
#include "core/provider/lint.h"

/// The parts of parse_descriptor, each for one subject. They fill the descriptor and complain; what they refer to is parsed before.
namespace fleetauth::provider::parse {

void parameters(const lint::Place &place, Descriptor &out);
void claims(const lint::Place &place, Descriptor &out);
void origins(const lint::Place &place, Descriptor &out);
void steps(const lint::Place &place, Descriptor &out);
void credentials(const lint::Place &place, Descriptor &out);
void schemes(const lint::Place &place, Descriptor &out);
/// The text of a key is wiped once it is read, so that nothing else can use it.
void check_keys(const lint::Place &credentials, const Descriptor &descriptor);
void apis(const lint::Place &place, Descriptor &out);
void life(const lint::Place &place, Descriptor &out);

/// What a template may hold where it stands.
struct TemplateRules {
  const Descriptor *descriptor = nullptr;
  const std::vector<std::string> *needs = nullptr;  ///< of a step; null in schemes, which are only used when all is given
  std::vector<Input> inputs = {};                   ///< {"$token": true} and its like
  bool basic = false;                               ///< {"$basic": [user, password]}
  bool path = false;                                ///< {"$segments": parameter}
  bool header = false;                              ///< literals must be fit for a header
};
Template parse_template(const lint::Place &place, const TemplateRules &rules);
/// An object of header names and templates.
std::vector<NamedTemplate> parse_headers(const lint::Place &place, const TemplateRules &rules);
/// An object of query or form names and templates.
std::vector<NamedTemplate> parse_members(const lint::Place &place, const TemplateRules &rules);
/// Complains about everything in a JSON body that begins with '$' and is no leaf of the language.
void check_json_body(const lint::Place &place, const TemplateRules &rules);

/// A name that is given here; complains when it is not one.
void check_name(const std::string &name, const lint::Place &place);
/// A name that must be declared; `what` says of what kind. Returns it, empty when it is not there.
std::string reference(const lint::Place &place, std::string_view what, const std::vector<std::string_view> &known);
/// A list of references or words, each at most once.
std::vector<std::string> references(const lint::Place &place, std::string_view what, const std::vector<std::string_view> &known,
                                    std::size_t max);

/// A list of HTTP statuses.
std::vector<std::int32_t> statuses(const lint::Place &place, std::int64_t min, std::int64_t max);

template <class T>
std::vector<std::string_view> names(const std::vector<T> &things) {
  std::vector<std::string_view> out;
  out.reserve(things.size());
  for (const T &thing : things) out.push_back(thing.name);
  return out;
}

}  // namespace fleetauth::provider::parse
