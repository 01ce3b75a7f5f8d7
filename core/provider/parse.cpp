#include "core/provider/parse.h"

#include <algorithm>

#include "core/provider/syntax.h"

namespace fleetauth::provider::parse {

void check_name(const std::string &name, const lint::Place &place) {
  if (const auto complaint = syntax::check_name(name)) place.complain("bad name: " + *complaint);
}

std::string reference(const lint::Place &place, std::string_view what, const std::vector<std::string_view> &known) {
  std::string name = place.text();
  if (name.empty()) return {};
  if (std::find(known.begin(), known.end(), name) != known.end()) return name;
  std::string complaint = "there is no " + std::string(what) + " " + lint::quoted_with_hint(name, known);
  if (!known.empty()) complaint += "; expected " + lint::alternatives(known);
  place.complain(complaint);
  return {};
}

std::vector<std::string> references(const lint::Place &place, std::string_view what, const std::vector<std::string_view> &known,
                                    std::size_t max) {
  std::vector<std::string> out;
  for (const lint::Place &item : place.items(max)) {
    std::string name = reference(item, what, known);
    if (name.empty()) continue;
    if (std::find(out.begin(), out.end(), name) != out.end()) {
      item.complain("\"" + name + "\" occurs twice");
    } else {
      out.push_back(std::move(name));
    }
  }
  return out;
}

namespace {

std::string base_url(const lint::Place &place) {
  std::string url = place.text(512);
  if (!url.empty()) {
    if (const auto complaint = syntax::check_base_url(url, false)) place.complain(*complaint);
  }
  return url;
}

}  // namespace

void origins(const lint::Place &place, Descriptor &out) {
  for (const auto &[name, origin] : place.members(8)) {
    check_name(name, origin);
    Origin parsed;
    parsed.name = name;
    if (origin.value().type == json::Type::Object) {
      const lint::Fields fields(origin, {"url", "doc"});
      if (fields.has("url")) parsed.base_url = base_url(fields.at("url"));
      if (fields.require("doc")) parsed.doc = fields.at("doc").text(4096);
    } else {
      parsed.base_url = base_url(origin);
    }
    out.origins.push_back(std::move(parsed));
  }
  if (out.origins.empty()) place.complain("must name at least one origin");
}

std::vector<std::int32_t> statuses(const lint::Place &place, std::int64_t min, std::int64_t max) {
  std::vector<std::int32_t> out;
  for (const lint::Place &item : place.items(16)) {
    const auto status = static_cast<std::int32_t>(item.integer(min, max));
    if (std::find(out.begin(), out.end(), status) != out.end()) item.complain("occurs twice");
    out.push_back(status);
  }
  return out;
}

void life(const lint::Place &place, Descriptor &out) {
  constexpr std::int64_t kYear = 366LL * 24 * 3600;
  const lint::Fields fields(place, {"refresh_margin_s", "min_remaining_s", "default_lifetime_s", "max_lifetime_s"});
  if (fields.has("refresh_margin_s")) out.life.refresh_margin_ms = fields.at("refresh_margin_s").integer(0, kYear) * 1000;
  if (fields.has("min_remaining_s")) out.life.min_remaining_ms = fields.at("min_remaining_s").integer(0, kYear) * 1000;
  if (fields.has("default_lifetime_s")) out.life.default_lifetime_ms = fields.at("default_lifetime_s").integer(1, kYear) * 1000;
  if (fields.has("max_lifetime_s")) out.life.max_lifetime_ms = fields.at("max_lifetime_s").integer(1, 10 * kYear) * 1000;
}

}  // namespace fleetauth::provider::parse
