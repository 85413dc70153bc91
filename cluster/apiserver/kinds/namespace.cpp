// Namespaces: held by spec.finalizers until their content is gone.
#include "cluster/apiserver/kind_strategy.h"
#include "cluster/apiserver/row_text.h"
#include "cluster/apiserver/standing_accounts.h"
#include "cluster/apiserver/status_error.h"

namespace steer {
namespace {

constexpr const char* kNameLabel = "kubernetes.io/metadata.name";

void labelWithName(json::object& object) {
  auto& meta = ensureObject(object, "metadata");
  const std::string name(stringAt(meta, {"name"}));
  ensureObject(meta, "labels")[kNameLabel] = name;
}

class NamespaceStrategy final : public KindStrategy {
 public:
  bool countsGenerations() const override { return false; }
  bool heldBySpec(const json::object& object) const override {
    return !arrayAt(object, {"spec", "finalizers"}).empty();
  }
  void markDeleting(json::object& object) const override { ensureObject(object, "status")["phase"] = "Terminating"; }

  /// As upstream's NamespaceLifecycle. What every cluster stands on lives there.
  Result<void> checkDelete(const Object& live) const override {
    for (const char* name : {"default", "kube-system", "kube-public"})
      if (live.name() == name)
        return makeError(Errc::forbidden,
                         "namespaces \"" + live.name() + "\" is forbidden: this namespace may not be deleted");
    return {};
  }

  Result<void> prepareCreate(const AdmissionContext&, json::object& object) const override {
    auto& finalizers = ensureArray(ensureObject(object, "spec"), "finalizers");
    bool there = false;
    for (const auto& item : finalizers) there = there || item == "kubernetes";
    if (!there) finalizers.push_back("kubernetes");
    object["status"] = {{"phase", "Active"}};
    labelWithName(object);
    return {};
  }
  Result<void> prepareUpdate(const AdmissionContext&, const json::object& before, json::object& object) const override {
    // Only the finalize subresource changes what holds a namespace.
    ensureObject(object, "spec")["finalizers"] = arrayAt(before, {"spec", "finalizers"});
    labelWithName(object);
    return {};
  }

  /// Pods may follow at once, in the same batch as well, and every pod acts as an account.
  std::vector<std::pair<std::string, json::object>> companions(const json::object& object) const override {
    std::vector<std::pair<std::string, json::object>> out;
    out.emplace_back("serviceaccounts", defaultAccountOf(std::string(stringAt(object, {"metadata", "name"}))));
    return out;
  }

  void validate(const AdmissionContext& context, const json::object* before, const json::object& object,
                std::vector<Cause>& causes) const override {
    const auto& labels = objectAt(object, {"metadata", "labels"});
    if (before != nullptr && objectAt(*before, {"metadata", "labels"}) == labels) return;
    for (const auto& [label, problem] : podSecurityOf(labels, context.options.podSecurityDefault).problems)
      causes.push_back(invalidValue("metadata.labels[" + label + "]", problem));
  }

  std::vector<std::string_view> selectableFields() const override { return {"status.phase"}; }
  std::vector<TableColumn> columns() const override { return {{"Name", "string", "name"}, {"Status"}, {"Age"}}; }
  json::array row(const Object& object, Time now) const override {
    return {object.name(), stringAt(object.status(), {"phase"}), ageText(object, now)};
  }
};

}  // namespace

void register_namespace(StrategyRegistry& registry) {
  registry.add("namespaces", std::make_unique<NamespaceStrategy>());
}

}  // namespace steer
