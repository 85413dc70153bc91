#include "schemas/field_set.h"

#include <algorithm>

namespace steer {
std::string pathTextOf(const std::string& step) {
  const std::string_view rest = std::string_view(step).substr(std::min<std::size_t>(2, step.size()));
  if (step.starts_with("f:")) return "." + std::string(rest);
  if (step.starts_with("v:")) return "[=" + std::string(rest) + "]";
  if (!step.starts_with("k:")) return "[" + std::string(rest) + "]";
  const auto keys = parseJson(rest);
  if (!keys || !keys.value().is_object()) return "[" + std::string(rest) + "]";
  std::string out = "[";
  for (const auto& [name, value] : keys.value().get_object())
    out += (out.size() == 1 ? "" : ",") + std::string(name.data(), name.size()) + "=" + jsonText(value);
  return out + "]";
}

FieldSet FieldSet::fromFieldsV1(const json::object& tree) {
  FieldSet out;
  for (const auto& [step, under] : tree) {
    if (step == ".") {
      out.self_ = true;
      continue;
    }
    const auto* o = under.if_object();
    auto node = o == nullptr ? FieldSet() : fromFieldsV1(*o);
    if (node.empty()) node.self_ = true;
    out.children_.emplace_back(std::string(step.data(), step.size()), std::move(node));
  }
  std::sort(out.children_.begin(), out.children_.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  return out;
}

FieldSet FieldSet::ofChildren(Children children) {
  // Stable, for what happens to a doubled step must not hang on the sort.
  std::stable_sort(children.begin(), children.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  FieldSet out;
  out.children_.reserve(children.size());
  for (auto& [step, node] : children) {
    if (node.empty()) continue;
    if (!out.children_.empty() && out.children_.back().first == step)
      out.children_.back().second = out.children_.back().second.unionWith(node);
    else out.children_.emplace_back(std::move(step), std::move(node));
  }
  return out;
}

json::object FieldSet::toFieldsV1() const {
  json::object out;
  if (self_ && !children_.empty()) out.emplace(".", json::object());
  for (const auto& [step, node] : children_) out.emplace(step, node.toFieldsV1());
  return out;
}

FieldSet& FieldSet::child(std::string step) {
  const auto at = std::lower_bound(children_.begin(), children_.end(), step,
                                   [](const auto& entry, const std::string& s) { return entry.first < s; });
  if (at != children_.end() && at->first == step) return at->second;
  return children_.emplace(at, std::move(step), FieldSet())->second;
}

const FieldSet* FieldSet::find(std::string_view step) const {
  const auto at = std::lower_bound(children_.begin(), children_.end(), step,
                                   [](const auto& entry, std::string_view s) { return entry.first < s; });
  return at != children_.end() && at->first == step ? &at->second : nullptr;
}

void FieldSet::erase(std::string_view step) {
  std::erase_if(children_, [&](const auto& entry) { return entry.first == step; });
}

std::size_t FieldSet::size() const {
  std::size_t n = self_ ? 1 : 0;
  for (const auto& [step, node] : children_) n += node.size();
  return n;
}

FieldSet FieldSet::unionWith(const FieldSet& other) const {
  FieldSet out;
  out.self_ = self_ || other.self_;
  out.children_.reserve(std::max(children_.size(), other.children_.size()));
  auto a = children_.begin();
  auto b = other.children_.begin();
  while (a != children_.end() || b != other.children_.end()) {
    if (b == other.children_.end() || (a != children_.end() && a->first < b->first)) {
      out.children_.push_back(*a++);
    } else if (a == children_.end() || b->first < a->first) {
      out.children_.push_back(*b++);
    } else {
      out.children_.emplace_back(a->first, a->second.unionWith(b->second));
      ++a;
      ++b;
    }
  }
  return out;
}

FieldSet FieldSet::intersect(const FieldSet& other) const {
  FieldSet out;
  out.self_ = self_ && other.self_;
  for (const auto& [step, node] : children_)
    if (const auto* theirs = other.find(step))
      if (auto both = node.intersect(*theirs); !both.empty()) out.children_.emplace_back(step, std::move(both));
  return out;
}

FieldSet FieldSet::minus(const FieldSet& other) const {
  FieldSet out;
  out.self_ = self_ && !other.self_;
  for (const auto& [step, node] : children_) {
    const auto* theirs = other.find(step);
    if (theirs == nullptr) {
      out.children_.emplace_back(step, node);
    } else if (auto rest = node.minus(*theirs); !rest.empty()) {
      out.children_.emplace_back(step, std::move(rest));
    }
  }
  return out;
}

void FieldSet::collectPaths(const std::string& prefix, std::vector<std::string>& out) const {
  if (self_) out.push_back(prefix);
  for (const auto& [step, node] : children_) node.collectPaths(prefix + pathTextOf(step), out);
}

std::vector<std::string> FieldSet::paths() const {
  std::vector<std::string> out;
  collectPaths("", out);
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace steer
