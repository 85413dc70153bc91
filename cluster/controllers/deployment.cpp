#include "cluster/controllers/deployment.h"

#include "cluster/controllers/ownership.h"
#include "cluster/controllers/rollout.h"

namespace steer {
namespace {

constexpr const char* kSets = "replicasets.apps";
constexpr const char* kDeployments = "deployments.apps";

LabelSelector selectorOf(const Object& deployment) {
  auto selector = LabelSelector::fromObject(find(deployment.spec(), {"selector"}));
  return selector ? std::move(selector).value() : LabelSelector::nothing();
}

bool anySet(const Object&) { return true; }

class DeploymentController final : public Controller {
 public:
  std::string_view name() const override { return "deployment-controller"; }
  std::vector<std::string> resources() const override { return {kDeployments, kSets, "pods"}; }

  std::vector<Key> keysFor(const Snapshot& snapshot, std::string_view resource, const ObjectPtr& before,
                           const ObjectPtr& after) const override {
    if (resource == kDeployments) {
      const auto& object = after ? after : before;
      return {{object->ns(), object->name()}};
    }
    if (resource == kSets) return ownerKeys(snapshot, kDeployments, "Deployment", before, after, &selectorOf);
    return after ? std::vector<Key>{} : keysForGonePod(snapshot, *before);
  }

  Decision decide(const Snapshot& snapshot, const Key& key, Time now) const override {
    Decision out;
    const auto deployment = snapshot.get(kDeployments, key.ns, key.name);
    if (!deployment) return out;
    const auto selector = selectorOf(*deployment);
    if (selector.matchesEverything()) {
      out.events.push_back({deployment, "Warning", "SelectingAll", "This deployment is selecting all pods."});
      return out;
    }
    if (!selector.matches(objectAt(deployment->spec(), {"template", "metadata", "labels"}))) {
      out.events.push_back({deployment, "Warning", "SelectorMismatch",
                            "The selector does not select the template's pods; sets would be created without end."});
      return out;
    }
    auto claim = claimOwned(snapshot, kSets, *deployment, selector, &anySet);
    if (!claim.writes.empty()) {  // decide over what they own once that is settled
      out.writes = std::move(claim.writes);
      return out;
    }
    return Rollout(snapshot, deployment, std::move(claim.owned), now).decide();
  }

 private:
  /// Recreate waits for the last old pod; that is the only reason to look at pods.
  static std::vector<Key> keysForGonePod(const Snapshot& snapshot, const Object& pod) {
    std::vector<Key> keys;
    const auto owner = pod.controllerOwner();
    if (!owner || owner->kind != "ReplicaSet") return keys;
    snapshot.each(kDeployments, pod.ns(), [&](const ObjectPtr& deployment) {
      if (stringAt(deployment->spec(), {"strategy", "type"}) == "Recreate" &&
          selectorOf(*deployment).matches(pod.labels()))
        keys.push_back({deployment->ns(), deployment->name()});
    });
    return keys;
  }
};

}  // namespace

std::unique_ptr<Controller> makeDeploymentController() { return std::make_unique<DeploymentController>(); }

std::string podTemplateHash(const json::object& podTemplate, std::int64_t collisionCount) {
  json::object plain = podTemplate;
  if (auto* metadata = plain.if_contains("metadata"); metadata != nullptr && metadata->is_object())
    if (auto* labels = metadata->get_object().if_contains("labels"); labels != nullptr && labels->is_object())
      labels->get_object().erase(jkey(kTemplateHash));
  std::uint32_t hash = 2166136261U;
  auto mix = [&](std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  };
  mix(jsonCanonical(plain));
  if (collisionCount > 0) mix("#" + std::to_string(collisionCount));
  // Kubernetes' safe alphabet: no vowels, so no words.
  constexpr std::string_view alphabet = "bcdfghjklmnpqrstvwxz2456789";
  std::string out = std::to_string(hash);
  for (char& c : out) c = alphabet[static_cast<unsigned char>(c) % alphabet.size()];
  return out;
}

}  // namespace steer
