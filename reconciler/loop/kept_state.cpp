#include "reconciler/loop/kept_state.h"

#include <unordered_map>
#include <utility>

#include "schemas/sync_policy.h"

namespace steer {

void KeptState::settle(std::string commit) {
  known_ = true;
  commit_ = std::move(commit);
  differing_.clear();
}

void KeptState::change(const ObjectRef& ref, WantedObject* before) {
  if (!known_ || differing_.contains(ref)) return;                // what was noted first is what is applied
  const bool state = before != nullptr && isState(before->body);  // a hook, or what is made once, is no state
  if (!state) return void(differing_.emplace(ref, std::nullopt));
  differing_.emplace(ref, WantedObject{before->ref, std::move(before->body), before->source});
}

void KeptState::replace(std::vector<WantedObject>& before, const std::vector<WantedObject>& after) {
  if (!known_) return;
  std::map<ObjectRef, const WantedObject*> now;
  for (const auto& w : after) now.emplace(w.ref, &w);
  for (auto& w : before) {
    const auto it = now.find(w.ref);
    const bool same = it != now.end() && it->second->body == w.body;
    if (it != now.end()) now.erase(it);
    if (!same) change(w.ref, &w);
  }
  for (const auto& [ref, w] : now) change(ref, nullptr);
}

void KeptState::read(std::string commit, std::vector<WantedObject> applied, const std::vector<WantedObject>& wanted) {
  settle(std::move(commit));
  replace(applied, wanted);
}

}  // namespace steer
