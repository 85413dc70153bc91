#include "cluster/controllers/selection.h"

#include <algorithm>
#include <set>

#include "cluster/controllers/all.h"

namespace steer {
namespace {

bool isNameOf(std::string_view word, const ControllerName& controller) {
  return !word.empty() && (word == controller.name || word == controller.shortName);
}

}  // namespace

Result<ControllerSelection> ControllerSelection::parse(std::string_view list) {
  ControllerSelection out;
  out.words_.clear();
  const auto& known = controllerNames();
  while (true) {
    const auto comma = list.find(',');
    const auto word = list.substr(0, comma);
    const auto name = word.starts_with('-') ? word.substr(1) : word;
    const bool there = word == "*" || std::any_of(known.begin(), known.end(),
                                                  [&](const ControllerName& one) { return isNameOf(name, one); });
    if (!there) {
      std::string names;
      for (const auto& one : known) names += (names.empty() ? "" : ", ") + std::string(one.name);
      return makeError(Errc::badRequest, "no controller is named \"" + std::string(word) + "\"; there are " + names);
    }
    out.words_.emplace_back(word);
    if (comma == std::string_view::npos) return out;
    list.remove_prefix(comma + 1);
  }
}

bool ControllerSelection::runs(const ControllerName& controller) const {
  for (const auto& word : words_) {
    if (isNameOf(word, controller)) return true;
    if (word.starts_with('-') && isNameOf(std::string_view(word).substr(1), controller)) return false;
  }
  return std::find(words_.begin(), words_.end(), "*") != words_.end();
}

std::string ControllerSelection::idle() const {
  std::set<std::string_view> names;
  for (const auto& one : controllerNames())
    if (!runs(one)) names.insert(one.name);
  std::string out;
  for (const auto name : names) out += (out.empty() ? "" : ",") + std::string(name);
  return out;
}

}  // namespace steer
