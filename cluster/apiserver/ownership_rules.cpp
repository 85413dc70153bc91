#include "cluster/apiserver/ownership_rules.h"

#include "schemas/managed_fields.h"
#include "schemas/ownership_proof.h"

namespace steer {
namespace {

constexpr const char* kApplications = "applications.steersman.dev";
constexpr std::string_view kSystem = "steersman-system";

/// Whether `sender` may write for the application that `label` names.
bool reconciles(const Authorizer& authorizer, const Identity& sender, const Snapshot& view, std::string_view label) {
  if (holdsEverything(authorizer, sender, view)) return true;
  if (label.empty()) return false;
  const auto dot = label.find('.');
  const bool system = dot == std::string_view::npos;
  return authorizer
      .decide(sender,
              {"reconcile", kApplications, "", std::string(system ? kSystem : label.substr(0, dot)),
               std::string(system ? label : label.substr(dot + 1))},
              view)
      .allowed;
}

Error refusedManager(const Write& write, const Identity& sender) {
  return makeError(Errc::forbidden, write.target.resource + " \"" + write.target.name + "\" is forbidden: user \"" +
                                        sender.user + "\" cannot write as field manager \"" + kReconcilerManager +
                                        "\": it proves what an application applied, and needs the verb \"reconcile\" "
                                        "on that application");
}

/// Whether `after` holds fields for the reconciler's manager that `before` does not.
bool gainsProof(const json::object* before, const json::object& after) {
  const auto had = before == nullptr ? std::vector<FieldOwner>{} : readOwners(*before);
  for (const auto& owner : readOwners(after)) {
    if (owner.manager != kReconcilerManager) continue;
    FieldSet more = owner.fields;
    for (const auto& old : had)
      if (old.manager == owner.manager && old.operation == owner.operation && old.subresource == owner.subresource)
        more = more.minus(old.fields);
    if (!more.empty()) return true;
  }
  return false;
}

bool namesNoRepository(const json::object& application) {
  return stringAt(application, {"spec", "source", "url"}).empty() &&
         stringAt(application, {"spec", "source", "repositoryRef", "name"}).empty();
}

/// An application without a repository of its own reads that of its parent, with its credentials: what it reads there
/// is what the parent rendered.
bool movesInheritedSource(const json::object* before, const json::object& after) {
  if (!namesNoRepository(after) || provenOwner(after).empty()) return false;
  return before == nullptr || objectAt(*before, {"spec", "source"}) != objectAt(after, {"spec", "source"});
}

}  // namespace

bool holdsEverything(const Authorizer& authorizer, const Identity& who, const Snapshot& view) {
  return isMember(who, "system:masters") || authorizer.decide(who, {"*", "*.*", "", "", ""}, view).allowed;
}

Result<void> admitManager(const Authorizer& authorizer, const Identity& sender, const Snapshot& view,
                          const Write& write) {
  if (write.fieldManager != kReconcilerManager || isMember(sender, "system:masters")) return {};
  const auto label = stringAt(write.body, {"metadata", "labels", kOwnerLabel});
  if (reconciles(authorizer, sender, view, label)) return {};
  return refusedManager(write, sender);
}

Result<void> admitOwnership(const Authorizer& authorizer, const Identity& sender, const Snapshot& view,
                            const Write& write, const PlannedWrite& planned) {
  if (isMember(sender, "system:masters")) return {};
  for (const auto& mutation : planned.mutations) {
    if (mutation.kind != Mutation::Kind::put) continue;
    const auto live = view.get(mutation.target);
    const json::object* before = live == nullptr ? nullptr : &live->json();
    // Who may use the name said so already, and for which application.
    if (write.fieldManager != kReconcilerManager && gainsProof(before, mutation.body))
      return refusedManager(write, sender);
    if (mutation.target.resource != kApplications || !movesInheritedSource(before, mutation.body)) continue;
    if (holdsEverything(authorizer, sender, view)) continue;
    return makeError(Errc::forbidden, std::string(kApplications) + " \"" + mutation.target.name +
                                          "\" is forbidden: spec.source: the application reads the source of \"" +
                                          provenOwner(mutation.body) +
                                          "\", and only what that renders decides what of it");
  }
  return {};
}

}  // namespace steer
