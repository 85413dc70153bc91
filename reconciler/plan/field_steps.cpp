#include "reconciler/plan/field_steps.h"

#include "core/json.h"

namespace steer {
namespace {

std::string unescaped(std::string_view token) {
  std::string out;
  for (std::size_t i = 0; i < token.size(); ++i) {
    if (token[i] == '~' && i + 1 < token.size() && (token[i + 1] == '0' || token[i + 1] == '1'))
      out += token[++i] == '0' ? '~' : '/';
    else out += token[i];
  }
  return out;
}

std::vector<std::string> pointerSteps(std::string_view pointer) {
  std::vector<std::string> out;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    const auto end = std::min(pointer.find('/'), pointer.size());
    out.push_back(unescaped(pointer.substr(0, end)));
    pointer.remove_prefix(end);
  }
  return out;
}

/// Length of the bracket at the start of the text, both signs included; 0 when it does not end.
std::size_t bracketLength(std::string_view text) {
  if (text.starts_with("['")) {
    const auto end = text.find("']");
    return end == std::string_view::npos ? 0 : end + 2;
  }
  const auto end = text.find(']');
  return end == std::string_view::npos ? 0 : end + 1;
}

void collect(const FieldSet& fields, std::vector<std::string>& steps, std::vector<std::string>& out) {
  for (const auto& [step, below] : fields.children()) {
    steps.push_back(stepText(step));
    if (below.children().empty()) out.push_back(pathText(steps));
    else collect(below, steps, out);
    steps.pop_back();
  }
}

}  // namespace

std::optional<std::vector<std::string>> parsePathPattern(std::string_view pattern) {
  if (pattern.starts_with("/")) return pointerSteps(pattern);
  if (pattern.starts_with(".")) pattern.remove_prefix(1);
  std::vector<std::string> out;
  bool wantsName = true;
  while (!pattern.empty()) {
    if (pattern.front() == '[') {
      const auto length = bracketLength(pattern);
      if (length == 0 || out.empty()) return std::nullopt;
      const auto all = pattern.substr(0, length);
      out.emplace_back(all.starts_with("['") ? all.substr(2, length - 4) : all);
      pattern.remove_prefix(length);
      wantsName = false;
      continue;
    }
    if (pattern.front() == '.') {
      if (wantsName) return std::nullopt;
      pattern.remove_prefix(1);
      wantsName = true;
      continue;
    }
    const auto end = std::min(pattern.find_first_of(".["), pattern.size());
    if (!wantsName) return std::nullopt;
    out.emplace_back(pattern.substr(0, end));
    pattern.remove_prefix(end);
    wantsName = false;
  }
  if (out.empty() || wantsName) return std::nullopt;
  return out;
}

std::string pathText(const std::vector<std::string>& steps) {
  std::string out;
  for (const auto& step : steps) {
    if (step.starts_with("[")) out += step;
    else if (step.find_first_of("./[]") != std::string::npos) out += "['" + step + "']";
    else out += (out.empty() ? "" : ".") + step;
  }
  return out;
}

bool covers(const std::vector<std::string>& pattern, const std::vector<std::string>& place) {
  if (pattern.size() > place.size()) return false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == place[i] || pattern[i] == "*") continue;
    if (pattern[i] == "[*]" && place[i].starts_with("[")) continue;
    return false;
  }
  return true;
}

std::string stepText(std::string_view step) {
  if (step.starts_with("f:")) return std::string(step.substr(2));
  if (!step.starts_with("k:")) return "[]";
  const auto keys = parseJson(step.substr(2));
  if (!keys.ok() || !keys->is_object()) return "[]";
  std::string out;
  for (const auto& key : keys->get_object())
    out += (out.empty() ? "[" : ",") + std::string(key.key()) + "=" +
           (key.value().is_string() ? std::string(view(key.value().get_string())) : jsonText(key.value()));
  return out + "]";
}

std::vector<std::string> leafPaths(const FieldSet& fields) {
  std::vector<std::string> out;
  std::vector<std::string> steps;
  collect(fields, steps, out);
  return out;
}

}  // namespace steer
