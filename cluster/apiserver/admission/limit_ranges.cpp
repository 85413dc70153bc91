#include "cluster/apiserver/admission/limit_ranges.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <vector>

#include "core/object.h"
#include "core/quantity.h"

namespace steer {
namespace {

using Amounts = std::map<std::string, Quantity>;

Amounts amountsIn(const json::object& list) {
  Amounts out;
  for (const auto& [name, value] : list)
    if (const auto amount = Quantity::fromJson(value); amount.ok()) out[std::string(name)] = *amount;
  return out;
}

/// The items of one type of all limit ranges of a namespace.
std::vector<json::value> itemsOf(const Snapshot& view, const std::string& ns, std::string_view type) {
  std::vector<json::value> out;
  view.each("limitranges", ns, [&](const ObjectPtr& range) {
    for (const auto& item : arrayAt(range->spec(), {"limits"}))
      if (stringAt(item, {"type"}) == type) out.push_back(item);
  });
  return out;
}

/// What is said, or else what a larger statement of the same item implies.
json::object defaultsOf(const json::value& item, std::initializer_list<std::string_view> fields) {
  json::object out;
  for (const auto field : fields)
    for (const auto& [name, value] : objectAt(item, {field}))
      if (!out.contains(name)) out[name] = value;
  return out;
}

std::vector<std::string> fill(json::object& resources, std::string_view list, const json::object& defaults) {
  std::vector<std::string> set;
  for (const auto& [name, value] : defaults) {
    if (find(resources, {list, std::string_view(name)}) != nullptr) continue;
    ensureObject(resources, list)[name] = value;
    set.emplace_back(name);
  }
  std::sort(set.begin(), set.end());
  return set;
}

std::string listText(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

/// Judges one consumer's requests and limits by one item.
class Judge {
 public:
  Judge(const json::value& item, std::string type, Amounts requests, Amounts limits, std::vector<std::string>& out)
      : item_(item), type_(std::move(type)), requests_(std::move(requests)), limits_(std::move(limits)), out_(out) {}

  void all() {
    for (const auto& [name, bound] : amountsIn(objectAt(item_, {"min"}))) {
      if (!within("minimum", name, bound, true)) continue;
      if (const auto limit = limits_.find(name); limit != limits_.end() && limit->second < bound)
        say("minimum " + name + " usage per " + type_ + " is " + bound.text() + ", but limit is " +
            limit->second.text());
    }
    for (const auto& [name, bound] : amountsIn(objectAt(item_, {"max"}))) {
      const auto limit = limits_.find(name), request = requests_.find(name);
      if (limit == limits_.end())
        say("maximum " + name + " usage per " + type_ + " is " + bound.text() + ".  No limit is specified");
      else if (limit->second > bound)
        say("maximum " + name + " usage per " + type_ + " is " + bound.text() + ", but limit is " +
            limit->second.text());
      else if (request != requests_.end() && request->second > bound)
        say("maximum " + name + " usage per " + type_ + " is " + bound.text() + ", but request is " +
            request->second.text());
    }
    for (const auto& [name, bound] : amountsIn(objectAt(item_, {"maxLimitRequestRatio"}))) ratio(name, bound);
  }
  /// Of a claim: requests alone.
  void requestsAlone() {
    for (const auto& [name, bound] : amountsIn(objectAt(item_, {"min"}))) (void)within("minimum", name, bound, true);
    for (const auto& [name, bound] : amountsIn(objectAt(item_, {"max"}))) (void)within("maximum", name, bound, false);
  }

 private:
  bool within(const char* word, const std::string& name, const Quantity& bound, bool least) {
    const auto request = requests_.find(name);
    const std::string start = std::string(word) + " " + name + " usage per " + type_ + " is " + bound.text();
    if (request == requests_.end()) {
      say(start + ".  No request is specified");
      return false;
    }
    if (least ? request->second >= bound : request->second <= bound) return true;
    say(start + ", but request is " + request->second.text());
    return false;
  }
  void ratio(const std::string& name, const Quantity& bound) {
    const auto request = requests_.find(name), limit = limits_.find(name);
    const std::string start = name + " max limit to request ratio per " + type_ + " is " + bound.text();
    if (request == requests_.end() || request->second.isZero())
      return say(start + ", but no request is specified or request is 0");
    if (limit == limits_.end() || limit->second.isZero())
      return say(start + ", but no limit is specified or limit is 0");
    const double provided = static_cast<double>(limit->second.milli()) / static_cast<double>(request->second.milli());
    if (provided <= static_cast<double>(bound.milli()) / 1000.0) return;
    char text[64];
    std::snprintf(text, sizeof text, "%f", provided);
    say(start + ", but provided ratio is " + text);
  }
  void say(std::string text) { out_.push_back(std::move(text)); }

  const json::value& item_;
  std::string type_;
  Amounts requests_;
  Amounts limits_;
  std::vector<std::string>& out_;
};

Amounts amountsOf(const json::value& container, std::string_view list) {
  return amountsIn(objectAt(container, {"resources", list}));
}

/// The larger of the sum of what runs together and each init container.
Amounts ofPod(const json::object& pod, std::string_view list) {
  Amounts out;
  for (const auto& container : arrayAt(pod, {"spec", "containers"}))
    for (const auto& [name, amount] : amountsOf(container, list)) out[name] += amount;
  for (const auto& container : arrayAt(pod, {"spec", "initContainers"}))
    for (const auto& [name, amount] : amountsOf(container, list)) {
      if (stringAt(container, {"restartPolicy"}) == "Always") out[name] += amount;
      else if (out[name] < amount) out[name] = amount;
    }
  return out;
}

Result<void> answer(const std::string& what, const json::object& object, const std::vector<std::string>& wrong) {
  if (wrong.empty()) return {};
  const std::string text = wrong.size() == 1 ? wrong.front() : "[" + listText(wrong) + "]";
  return makeError(Errc::forbidden,
                   what + " \"" + std::string(stringAt(object, {"metadata", "name"})) + "\" is forbidden: " + text);
}

}  // namespace

void applyLimitDefaults(const Snapshot& view, const std::string& ns, json::object& pod) {
  const auto items = itemsOf(view, ns, "Container");
  if (items.empty()) return;
  std::vector<std::string> notes;
  auto& spec = ensureObject(pod, "spec");
  for (const char* list : {"containers", "initContainers"}) {
    auto* containers = spec.if_contains(list);
    if (containers == nullptr || !containers->is_array()) continue;
    for (auto& value : containers->get_array()) {
      auto* container = value.if_object();
      if (container == nullptr) continue;
      const std::string name(stringAt(value, {"name"}));
      for (const auto& item : items) {
        auto& resources = ensureObject(*container, "resources");
        const auto requests =
            fill(resources, "requests", defaultsOf(item, {"defaultRequest", "default", "max", "min"}));
        const auto limits = fill(resources, "limits", defaultsOf(item, {"default", "max"}));
        const std::string of =
            std::string(list == std::string_view("containers") ? "container " : "init container ") + name;
        if (!requests.empty()) notes.push_back(listText(requests) + " request for " + of);
        if (!limits.empty()) notes.push_back(listText(limits) + " limit for " + of);
      }
    }
  }
  if (notes.empty()) return;
  std::string text;
  for (const auto& note : notes) text += (text.empty() ? "" : "; ") + note;
  ensureObject(ensureObject(pod, "metadata"), "annotations")["kubernetes.io/limit-ranger"] =
      "LimitRanger plugin set: " + text;
}

Result<void> checkPodLimits(const Snapshot& view, const std::string& ns, const json::object& pod) {
  std::vector<std::string> wrong;
  for (const auto& item : itemsOf(view, ns, "Container"))
    for (const char* list : {"containers", "initContainers"})
      for (const auto& container : arrayAt(pod, {"spec", list}))
        Judge(item, "Container", amountsOf(container, "requests"), amountsOf(container, "limits"), wrong).all();
  for (const auto& item : itemsOf(view, ns, "Pod"))
    Judge(item, "Pod", ofPod(pod, "requests"), ofPod(pod, "limits"), wrong).all();
  return answer("pods", pod, wrong);
}

Result<void> checkClaimLimits(const Snapshot& view, const std::string& ns, const json::object& claim) {
  std::vector<std::string> wrong;
  for (const auto& item : itemsOf(view, ns, "PersistentVolumeClaim"))
    Judge(item, "PersistentVolumeClaim", amountsIn(objectAt(claim, {"spec", "resources", "requests"})), {}, wrong)
        .requestsAlone();
  return answer("persistentvolumeclaims", claim, wrong);
}

}  // namespace steer
