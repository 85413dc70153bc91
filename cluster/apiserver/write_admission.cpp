// The middle of the way of a write: system metadata, defaults, admission, validation, for new and
// for changed objects alike.
#include <algorithm>
#include <utility>

#include "cluster/apiserver/admission/limit_ranges.h"
#include "cluster/apiserver/deletion.h"
#include "cluster/apiserver/grant_rules.h"
#include "cluster/apiserver/plan_task.h"
#include "cluster/apiserver/pod_policies.h"
#include "cluster/apiserver/status_error.h"
#include "core/rfc3339.h"
#include "schemas/defaults.h"
#include "schemas/immutable.h"
#include "schemas/merge.h"

namespace steer {
namespace {

void copyMember(const json::object& from, json::object& to, std::string_view key) {
  if (const auto* value = from.if_contains(key)) to[key] = *value;
  else to.erase(key);
}

/// An object with the status of another one, which loses it.
json::object withStatus(const json::object& object, json::object& other) {
  auto* status = other.if_contains("status");
  json::object out;
  out.reserve(object.size() + 1);
  for (const auto& [key, value] : object) {
    if (key != "status") out.emplace(key, value);
    else if (status != nullptr) out.emplace(key, std::move(*status));
  }
  if (status != nullptr) out.emplace("status", std::move(*status));  // unless it has been put in its place
  return out;
}

/// A write through a status door: the status and what of the metadata the kind lets through are of the write, the rest
/// is as it lives. Nodes bring a status and nothing else.
json::object statusWrite(const KindSchema& kind, const Object& live, json::object& after, const Identity& who) {
  json::object out = withStatus(live.json(), after);
  const auto* door = kind.subresource("status");
  const bool isNode = std::find(who.groups.begin(), who.groups.end(), "system:nodes") != who.groups.end();
  if (door == nullptr || isNode) return out;
  const auto& said = objectAt(after, {"metadata"});
  auto& meta = ensureObject(out, "metadata");
  for (const char* key : {"labels", "annotations", "finalizers", "ownerReferences"})
    if (std::find(door->keeps.begin(), door->keeps.end(), key) == door->keeps.end()) copyMember(said, meta, key);
  return out;
}

/// What the server alone writes stays as it is.
void keepSystemMetadata(const Object& live, json::object& after) {
  auto& meta = ensureObject(after, "metadata");
  for (const char* key :
       {"uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds", "resourceVersion"})
    copyMember(live.metadata(), meta, key);
  meta.erase("selfLink");
  if (const auto* fields = meta.if_contains("managedFields");
      fields != nullptr && arrayAt(meta, {"managedFields"}).empty())
    meta.erase("managedFields");
}

bool sameBut(const json::value& a, const json::value& b, std::string_view key) {
  if (!a.is_object() || !b.is_object()) return false;
  json::object left = a.get_object();
  json::object right = b.get_object();
  left.erase(key);
  right.erase(key);
  return left == right;
}

/// An ownership entry that says the same as before keeps its time: no change, no new revision.
void keepTimes(const Object& live, json::object& after) {
  auto* meta = after["metadata"].if_object();
  auto* entries = meta == nullptr ? nullptr : meta->if_contains("managedFields");
  if (entries == nullptr || !entries->is_array()) return;
  for (auto& entry : entries->get_array())
    for (const auto& old : arrayAt(live.metadata(), {"managedFields"}))
      if (sameBut(entry, old, "time")) entry = old;
}

/// Once somebody has applied an object, it is kept who sets what; before, nobody asks.
bool hasOwners(const Object& live) { return !arrayAt(live.metadata(), {"managedFields"}).empty(); }

void checkFinalizers(const Object& live, const json::object& after, std::vector<Cause>& causes) {
  if (!live.deleting()) return;
  const auto before = live.finalizers();
  for (const auto& item : arrayAt(after, {"metadata", "finalizers"})) {
    const auto* text = item.if_string();
    if (text != nullptr && std::find(before.begin(), before.end(), view(*text)) == before.end())
      causes.push_back(forbiddenValue("metadata.finalizers",
                                      "no new finalizers can be added if the object is being deleted, found new "
                                      "finalizers []string{\"" +
                                          std::string(view(*text)) + "\"}"));
  }
}

bool sameMember(const json::object& a, const json::object& b, std::string_view key) {
  const auto* left = a.if_contains(key);
  const auto* right = b.if_contains(key);
  return left == nullptr || right == nullptr ? left == right : *left == *right;
}

/// What a write of a status or of finalizers leaves behind.
Result<void> checkStatusWrite(const KindSchema& kind, const KindStrategy& strategy, const std::string& subresource,
                              const json::object& after) {
  const std::string name(stringAt(after, {"metadata", "name"}));
  STEER_CHECK(checkStatus(kind, name, after));
  std::vector<Cause> wrong;
  if (subresource == "status") strategy.validateStatus(after, wrong);
  if (wrong.empty()) return {};
  return invalidError(kind, name, std::move(wrong));
}

}  // namespace

ApplyRequest WritePlanner::Task::updater() const {
  return {write.fieldManager.empty() ? "unknown" : write.fieldManager, write.subresource, false, formatTime(now)};
}

Result<void> WritePlanner::Task::settleIdentity(json::object& body) const {
  STEER_CHECK(settleKind(kind, body));
  auto& meta = ensureObject(body, "metadata");
  const auto ns = stringAt(meta, {"namespace"});
  if (!kind.namespaced) {
    meta.erase("namespace");
  } else if (ns.empty()) {
    meta["namespace"] = write.target.ns;
  } else if (ns != write.target.ns) {
    return makeError(Errc::badRequest,
                     "the namespace of the provided object does not match the namespace sent on the request");
  }
  const auto name = stringAt(meta, {"name"});
  if (write.target.name.empty()) return {};
  if (name.empty() && write.verb == Write::Verb::update && write.subresource.empty())
    return makeError(Errc::badRequest,
                     "the name of the object (based on URL) was undeterminable: name must be provided");
  if (name.empty()) meta["name"] = write.target.name;
  else if (name != write.target.name)
    return makeError(Errc::badRequest, "the name of the object (" + std::string(name) +
                                           ") does not match the name on the URL (" + write.target.name + ")");
  return {};
}

Result<void> WritePlanner::Task::checkRevision(const Object& live, const json::object& body) const {
  const auto revision = stringAt(body, {"metadata", "resourceVersion"});
  if (!revision.empty() && revision != "0" && revision != stringAt(live.metadata(), {"resourceVersion"}))
    return staleError(kind, live.name());
  if (const auto uid = stringAt(body, {"metadata", "uid"}); !uid.empty() && uid != live.uid())
    return conflictError(
        kind, live.name(),
        "Precondition failed: UID in precondition: " + std::string(uid) + ", UID in object meta: " + live.uid());
  if (revision.empty() && write.verb == Write::Verb::update && strategy.updateNeedsRevision() &&
      write.subresource.empty())
    return invalidError(kind, live.name(),
                        {invalidValue("metadata.resourceVersion", "0x0: must be specified for an update")});
  return {};
}

Result<void> WritePlanner::admitNamespace(const Task& task) const {
  if (!task.kind.namespaced) return {};
  const auto& name = task.write.target.ns;
  const ObjectPtr ns = task.view.get("namespaces", "", name);
  if (ns == nullptr) return makeError(Errc::notFound, "namespaces \"" + name + "\" not found");
  if (!ns->deleting()) return {};
  Error error = makeError(Errc::forbidden, task.kind.resource() + " \"" + task.write.target.name +
                                               "\" is forbidden: unable to create new content in namespace " + name +
                                               " because it is being terminated");
  error.causes.push_back({"NamespaceTerminating", "metadata.namespace", "namespace " + name + " is being terminated"});
  return error;
}

Result<void> WritePlanner::nameNew(Task& task, json::object& body) const {
  auto& meta = ensureObject(body, "metadata");
  if (const auto revision = stringAt(meta, {"resourceVersion"}); !revision.empty() && revision != "0")
    return makeError(Errc::badRequest, "resourceVersion should not be set on objects to be created");
  for (const char* key :
       {"resourceVersion", "uid", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds", "generation"})
    meta.erase(key);
  if (const auto prefix = stringAt(meta, {"generateName"}); !prefix.empty() && stringAt(meta, {"name"}).empty()) {
    constexpr std::size_t kLongest = 58;
    meta["name"] = std::string(prefix.substr(0, kLongest)) + random_.suffix();
  }
  meta["uid"] = random_.uuid();
  if (stringAt(meta, {"name"}).empty() && task.strategy.namesItself()) meta["name"] = random_.uuid();
  meta["creationTimestamp"] = formatTime(task.now);
  return {};
}

Result<PlannedWrite> WritePlanner::create(Task& task) const {
  if (!task.write.subresource.empty())
    return makeError(Errc::methodNotAllowed, "the server does not allow this method on the requested resource");
  if (!task.write.body.is_object()) return makeError(Errc::badRequest, "the body must be an object");
  json::object body = task.write.body.get_object();
  STEER_CHECK(task.settleIdentity(body));
  ensureObject(body, "metadata").erase("managedFields");
  return finishCreate(task, std::move(body));
}

Result<PlannedWrite> WritePlanner::finishCreate(Task& task, json::object body) const {
  STEER_CHECK(nameNew(task, body));
  const std::string name(stringAt(body, {"metadata", "name"}));
  if (task.kind.subresource("status") != nullptr) body.erase("status");
  STEER_CHECK(task.checkSentShape(body));
  applyDefaults(task.kind, body);
  STEER_CHECK(admitNamespace(task));
  if (task.view.get(task.kind.resource(), task.write.target.ns, name) != nullptr)
    return alreadyExistsError(task.kind, name);
  const auto context = contextOf(task);
  std::vector<Cause> causes;
  checkValues(task.kind, nullptr, body, causes);
  // Preparing may allot something, which a wrong object does not get; what it finds wrong itself counts too.
  auto prepared = task.strategy.prepareCreate(context, body);
  if (!prepared.ok() && causes.empty()) return std::move(prepared).error();
  if (prepared.ok()) task.strategy.validate(context, nullptr, body, causes);
  if (!causes.empty()) return invalidError(task.kind, name, std::move(causes));
  STEER_CHECK(admitGrant(authorizer_, task.identity, task.view, task.kind, nullptr, body, options_.allowedSources));
  if (!options_.disabledAdmission.has(AdmissionPlugin::podSecurity))
    STEER_CHECK(admitPodSecurity(task.view, task.kind, nullptr, body, options_.podSecurityDefault, task.warnings));
  if (task.kind.resource() == "persistentvolumeclaims" && !options_.disabledAdmission.has(AdmissionPlugin::limitRanger))
    STEER_CHECK(checkClaimLimits(task.view, task.write.target.ns, body));
  if (body.contains("spec") && task.strategy.countsGenerations() && task.kind.subresource("status") != nullptr)
    ensureObject(body, "metadata")["generation"] = 1;
  PlannedWrite out;
  out.mutations.push_back({Mutation::Kind::put,
                           {task.kind.resource(), task.kind.namespaced ? task.write.target.ns : "", name},
                           std::move(body),
                           0});
  out.answer = 0;
  out.created = true;
  for (auto& [resource, companion] : task.strategy.companions(out.mutations[0].body)) {
    const ObjectRef ref{resource, std::string(stringAt(companion, {"metadata", "namespace"})),
                        std::string(stringAt(companion, {"metadata", "name"}))};
    if (task.view.get(ref) != nullptr) continue;
    STEER_CHECK(nameNew(task, companion));
    out.mutations.push_back({Mutation::Kind::put, ref, std::move(companion), 0});
  }
  return out;
}

Result<PlannedWrite> WritePlanner::replaceWith(Task& task, const ObjectPtr& live, json::object after) const {
  const auto& sub = task.write.subresource;
  const bool tracked = task.write.verb == Write::Verb::patch && task.write.patchType == PatchType::apply;
  const bool hasStatus = task.kind.subresource("status") != nullptr;
  if (sub == "status" || sub == "finalize") {
    json::object kept = sub == "status" ? statusWrite(task.kind, *live, after, task.identity) : live->json();
    if (sub == "finalize") ensureObject(kept, "spec")["finalizers"] = arrayAt(after, {"spec", "finalizers"});
    if (tracked) copyMember(objectAt(after, {"metadata"}), ensureObject(kept, "metadata"), "managedFields");
    after = std::move(kept);
    STEER_CHECK(checkStatusWrite(task.kind, task.strategy, sub, after));
  } else {
    // The status is its controller's, byte for byte: it takes no part in what is checked and brought into form here.
    if (hasStatus) after.erase("status");
    keepSystemMetadata(*live, after);
    STEER_CHECK(task.checkSentShape(after));
    applyDefaults(task.kind, after);
    if (hasStatus) copyMember(live->json(), after, "status");
  }
  // Before admission: what that fills in is nobody's.
  if (tracked) keepTimes(*live, after);
  else if (hasOwners(*live)) trackUpdate(task.kind, &live->json(), after, task.updater());
  PlannedWrite out;
  out.object = live;
  // Nothing to check about an object that stays what it is.
  if (after == live->json() && !readyToGo(task.strategy, after)) return out;
  const auto context = contextOf(task);
  std::vector<Cause> causes;
  if (sub.empty() || sub == "scale") {
    auto prepared = task.strategy.prepareUpdate(context, live->json(), after);
    checkValues(task.kind, &live->json(), after, causes);
    if (!prepared.ok() && causes.empty()) return std::move(prepared).error();
    checkFinalizers(*live, after, causes);
    for (const auto& finding : checkImmutable(task.kind, live->json(), after)) causes.push_back(causeOf(finding));
    if (prepared.ok()) task.strategy.validate(context, &live->json(), after, causes);
  }
  if (sub == "status" && !sameMember(objectAt(after, {"metadata"}), live->metadata(), "labels"))
    checkMetadataValues(task.kind, after, causes);
  if (!causes.empty()) return invalidError(task.kind, live->name(), std::move(causes));
  STEER_CHECK(
      admitGrant(authorizer_, task.identity, task.view, task.kind, &live->json(), after, options_.allowedSources));
  if (sub.empty() && !options_.disabledAdmission.has(AdmissionPlugin::podSecurity))
    STEER_CHECK(
        admitPodSecurity(task.view, task.kind, &live->json(), after, options_.podSecurityDefault, task.warnings));
  if (after == live->json() && !readyToGo(task.strategy, after)) return out;
  if (live->generation() > 0 && sub != "status" && !sameMember(after, live->json(), "spec"))
    ensureObject(after, "metadata")["generation"] = live->generation() + 1;
  Mutation mutation{Mutation::Kind::put, task.targetOf(*live), {}, live->revision()};
  if (readyToGo(task.strategy, after)) {
    mutation.kind = Mutation::Kind::remove;
    out.removed = true;
  } else {
    mutation.body = std::move(after);
  }
  out.mutations.push_back(std::move(mutation));
  out.answer = 0;
  return out;
}

}  // namespace steer
