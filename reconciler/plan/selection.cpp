#include "reconciler/plan/selection.h"

#include <algorithm>
#include <cctype>

#include "reconciler/plan/ownership_policy.h"
#include "schemas/schema.h"

namespace steer {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

}  // namespace

Result<ObjectPattern> ObjectPattern::parse(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find('/', begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  const bool empty = std::any_of(parts.begin(), parts.end(), [](const auto& p) { return p.empty(); });
  if (empty || parts.size() < 2 || parts.size() > 3)
    return makeError(Errc::badRequest, "\"" + text + "\" names no object: write KIND/NAME or KIND/NAMESPACE/NAME");
  ObjectPattern out;
  out.text_ = text;
  out.kind_ = lower(parts.front());
  if (const auto* kind = SchemaRegistry::builtin().findByWord(parts.front())) out.resource_ = kind->resource();
  else if (out.kind_.find_first_of("*?[") == std::string::npos)
    return makeError(Errc::badRequest, "\"" + parts.front() + "\" in \"" + text + "\" is no kind");
  if (parts.size() == 3) out.ns_ = parts[1];
  out.name_ = parts.back();
  return out;
}

bool ObjectPattern::matches(const Gvk& gvk, const ObjectRef& ref) const {
  if (resource_.empty() ? !globMatches(kind_, lower(gvk.kind)) && !globMatches(kind_, ref.resource)
                        : resource_ != ref.resource)
    return false;
  return (ns_.empty() || globMatches(ns_, ref.ns)) && globMatches(name_, ref.name);
}

bool ObjectSelection::contains(const Gvk& gvk, const ObjectRef& ref) const {
  const auto in = [&](const std::vector<ObjectPattern>& patterns) {
    return std::any_of(patterns.begin(), patterns.end(), [&](const auto& p) { return p.matches(gvk, ref); });
  };
  return (targets.empty() || in(targets)) && !in(excludes);
}

}  // namespace steer
