#include "cluster/apiserver/write_planner.h"

#include <algorithm>
#include <utility>

#include "cluster/apiserver/admission/quota.h"
#include "cluster/apiserver/deletion.h"
#include "cluster/apiserver/impersonation.h"
#include "cluster/apiserver/node_rights.h"
#include "cluster/apiserver/ownership_rules.h"
#include "cluster/apiserver/plan_task.h"
#include "cluster/apiserver/status_error.h"
#include "core/patch.h"
#include "core/rfc3339.h"
#include "core/selector.h"
#include "schemas/first_apply.h"
#include "schemas/merge.h"

namespace steer {

std::string_view verbOf(const Write& write) {
  switch (write.verb) {
    case Write::Verb::create:
      return "create";
    case Write::Verb::update:
      return "update";
    case Write::Verb::patch:
      return "patch";
    case Write::Verb::remove:
      return "delete";
  }
  return "";
}

namespace {

Result<const KindSchema*> kindOf(const Write& write, const WriteSettings& settings) {
  const auto& registry = SchemaRegistry::builtin();
  const auto& resource = write.target.resource;
  std::string apiVersion = settings.apiVersion;
  if (apiVersion.empty() && write.body.is_object() && write.subresource.empty())
    apiVersion = stringAt(write.body, {"apiVersion"});
  const KindSchema* kind = nullptr;
  if (!apiVersion.empty()) {
    const Gvk gvk = Gvk::from(apiVersion, "");
    kind = registry.findByPlural(gvk.group, gvk.version, resource.substr(0, resource.find('.')));
    if (kind != nullptr && kind->resource() != resource) kind = nullptr;
  }
  if (kind == nullptr) kind = registry.findByResource(resource);
  if (kind == nullptr) return makeError(Errc::notFound, "the server could not find the requested resource");
  return kind;
}

Result<json::value> patched(const KindSchema& kind, PatchType type, json::value document, const json::value& patch,
                            bool wholeObject) {
  switch (type) {
    case PatchType::json:
      return applyJsonPatch(std::move(document), patch);
    case PatchType::strategic:
      return applyStrategicMerge(wholeObject ? kind.type : nullptr, std::move(document), patch);
    default:
      if (!patch.is_object()) return makeError(Errc::badRequest, "a merge patch must be an object");
      return applyMergePatch(std::move(document), patch);
  }
}

/// What of an object a patch of its status can change or ask for.
json::object statusPart(const Object& live) {
  json::object out;
  for (const auto& [key, value] : live.json())
    if (key != "spec") out.emplace(key, value);
  return out;
}

/// A patch that was understood and leaves what the kind cannot hold is unacceptable, not unreadable.
Error unfitPatch(Error error) {
  if (error.code != Errc::badRequest) return error;
  error.code = Errc::invalid;
  error.causes.push_back(invalidValue("patch", error.message));
  error.message = " \"\" is invalid: patch: Invalid value: " + error.message;
  return error;
}

}  // namespace

Result<PlannedWrite> WritePlanner::plan(const Snapshot& view, const Write& write, const WriteSettings& settings,
                                        const Identity& identity) const {
  Identity acting = identity;
  if (!write.actAs.empty()) {
    STEER_TRY(acting, actAs(authorizer_, view, identity, {write.actAs, {}}));
  }
  // A rehearsal proves nothing to anybody, so it may be held under any name.
  if (!settings.dryRun) STEER_CHECK(admitManager(authorizer_, identity, view, write));
  STEER_TRY(auto planned, planAs(view, write, settings, acting));
  STEER_CHECK(admitNodeWrite(acting, view, planned));
  std::vector<Mutation> counts;
  if (!options_.disabledAdmission.has(AdmissionPlugin::resourceQuota)) {
    STEER_TRY(counts, countQuotas(view, planned.mutations));
  }
  for (auto& count : counts) {
    const auto same = std::find_if(planned.mutations.begin(), planned.mutations.end(),
                                   [&](const Mutation& m) { return m.target == count.target; });
    if (same != planned.mutations.end()) *same = std::move(count);
    else planned.mutations.push_back(std::move(count));
  }
  if (settings.dryRun) return planned;
  STEER_CHECK(admitOwnership(authorizer_, identity, view, write, planned));
  return planned;
}

Result<PlannedWrite> WritePlanner::planAs(const Snapshot& view, const Write& write, const WriteSettings& settings,
                                          const Identity& identity) const {
  STEER_TRY(const KindSchema* kind, kindOf(write, settings));
  if (kind->namespaced && write.target.ns.empty())
    return makeError(Errc::badRequest, "an empty namespace may not be set during " + std::string(verbOf(write)));
  const AccessQuestion question{std::string(verbOf(write)), kind->resource(), write.subresource, write.target.ns,
                                write.target.name};
  if (const auto answer = authorizer_.decide(identity, question, view); !answer.allowed)
    return refusal(identity, question, answer);
  Task task{view, write, settings, identity, *kind, StrategyRegistry::builtin().of(kind->resource()), clock_.now(), {}};
  auto result = [&]() -> Result<PlannedWrite> {
    if (write.verb == Write::Verb::create && write.subresource == "binding") return bind(task);
    if (write.verb == Write::Verb::create && write.subresource == "eviction") return evict(task);
    if (write.verb == Write::Verb::create && write.subresource == "token") return giveToken(task);
    switch (write.verb) {
      case Write::Verb::create:
        return create(task);
      case Write::Verb::update:
        return update(task);
      case Write::Verb::patch:
        return write.patchType == PatchType::apply ? apply(task) : patch(task);
      case Write::Verb::remove:
        return remove(task);
    }
    return makeError(Errc::methodNotAllowed, "the server does not allow this method on the requested resource");
  }();
  if (result.ok()) result->warnings = std::move(task.warnings);
  return result;
}

AdmissionContext WritePlanner::contextOf(const Task& task) const {
  return {task.view, task.now, random_, options_, task.identity};
}

Result<PlannedWrite> WritePlanner::update(Task& task) const {
  const ObjectPtr live = task.live();
  if (live == nullptr) return notFoundError(task.kind, task.write.target.name);
  if (!task.write.body.is_object()) return makeError(Errc::badRequest, "the body must be an object");
  json::object body = task.write.body.get_object();
  STEER_CHECK(task.checkRevision(*live, body));
  if (task.write.subresource == "scale") {
    const auto replicas = asInt(json::value(intAt(body, {"spec", "replicas"})));
    json::object after = live->json();
    ensureObject(after, "spec")["replicas"] = *replicas;
    return replaceWith(task, live, std::move(after));
  }
  STEER_CHECK(task.settleIdentity(body));
  // Who owns which field is the server's record; a replacement does not rewrite it.
  auto& meta = ensureObject(body, "metadata");
  meta.erase("managedFields");
  if (const auto* fields = live->metadata().if_contains("managedFields")) meta["managedFields"] = *fields;
  return replaceWith(task, live, std::move(body));
}

Result<PlannedWrite> WritePlanner::patch(Task& task) const {
  const ObjectPtr live = task.live();
  if (live == nullptr) return notFoundError(task.kind, task.write.target.name);
  const bool scale = task.write.subresource == "scale";
  const bool status = task.write.subresource == "status" && task.write.patchType == PatchType::merge;
  STEER_TRY(json::value after, patched(task.kind, task.write.patchType,
                                       scale    ? scaleOf(*live)
                                       : status ? statusPart(*live)
                                                : live->json(),
                                       task.write.body, !scale));
  if (!after.is_object()) return makeError(Errc::badRequest, "the patch does not leave an object");
  auto& body = after.get_object();
  STEER_CHECK(task.checkRevision(*live, body));
  if (scale) {
    json::object whole = live->json();
    const auto* replicas = find(body, {"spec", "replicas"});
    ensureObject(whole, "spec")["replicas"] = replicas != nullptr ? *replicas : json::value(0);
    return replaceWith(task, live, std::move(whole));
  }
  STEER_CHECK(task.settleIdentity(body));
  if (task.write.subresource.empty())
    if (auto shape = task.checkSentShape(body); !shape.ok()) return unfitPatch(std::move(shape).error());
  return replaceWith(task, live, std::move(body));
}

Result<PlannedWrite> WritePlanner::apply(Task& task) const {
  if (task.write.fieldManager.empty())
    return Error{Errc::invalid,
                 "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required "
                 "for apply patch",
                 {requiredValue("fieldManager", "is required for apply patch")},
                 0};
  if (!task.write.body.is_object()) return makeError(Errc::badRequest, "the body must be an object");
  json::object body = task.write.body.get_object();
  STEER_CHECK(task.settleIdentity(body));
  if (find(body, {"metadata", "managedFields"}) != nullptr)
    return makeError(Errc::badRequest, "metadata.managedFields must be nil");
  STEER_TRY(const bool healable, task.checkSentShape(body));
  (void)healable;
  const ObjectPtr live = task.live();
  const ApplyRequest request{task.write.fieldManager, task.write.subresource, task.write.forceConflicts,
                             formatTime(task.now)};
  if (live != nullptr) {
    STEER_CHECK(task.checkRevision(*live, body));
    // They were a condition; nobody owns them.
    for (const char* key : {"resourceVersion", "uid"}) ensureObject(body, "metadata").erase(key);
  } else if (const auto revision = stringAt(body, {"metadata", "resourceVersion"});
             !revision.empty() && revision != "0") {
    return staleError(task.kind, task.write.target.name);
  } else {
    ensureObject(body, "metadata").erase("uid");
  }
  STEER_TRY(json::object merged, applyFirstOrAgain(task.kind, live ? &live->json() : nullptr, body, request));
  if (live != nullptr) return replaceWith(task, live, std::move(merged));
  if (!task.write.subresource.empty()) return notFoundError(task.kind, task.write.target.name);
  const AccessQuestion question{"create", task.kind.resource(), "", task.write.target.ns, task.write.target.name};
  if (const auto answer = authorizer_.decide(task.identity, question, task.view); !answer.allowed)
    return refusal(task.identity, question, answer);
  return finishCreate(task, std::move(merged));
}

Result<PlannedWrite> WritePlanner::remove(Task& task) const {
  const ObjectPtr live = task.live();
  if (live == nullptr) return notFoundError(task.kind, task.write.target.name);
  STEER_TRY(Deletion deletion, decideDeletion(task.kind, task.strategy, *live, task.write.deleteOptions, task.now));
  PlannedWrite out;
  out.object = live;
  if (deletion.fate == Fate::unchanged) return out;
  Mutation mutation{Mutation::Kind::put, task.targetOf(*live), {}, live->revision()};
  if (deletion.fate == Fate::gone) {
    mutation.kind = Mutation::Kind::remove;
    out.removed = true;
  } else {
    mutation.body = std::move(deletion.body);
  }
  out.mutations.push_back(std::move(mutation));
  out.answer = 0;
  return out;
}

Result<PlannedWrite> WritePlanner::bind(Task& task) const {
  const ObjectPtr pod = task.live();
  if (pod == nullptr) return notFoundError(task.kind, task.write.target.name);
  const std::string node(stringAt(task.write.body, {"target", "name"}));
  if (node.empty()) return invalidError(task.kind, pod->name(), {requiredValue("target.name")});
  if (const auto uid = stringAt(task.write.body, {"metadata", "uid"}); !uid.empty() && uid != pod->uid())
    return conflictError(
        task.kind, pod->name(),
        "Precondition failed: UID in precondition: " + std::string(uid) + ", UID in object meta: " + pod->uid());
  if (pod->deleting())
    return conflictError(task.kind, pod->name(),
                         "pod " + pod->name() + " is being deleted, cannot be assigned to a host");
  if (const auto at = stringAt(pod->spec(), {"nodeName"}); !at.empty())
    return conflictError(task.kind, pod->name(),
                         "pod " + pod->name() + " is already assigned to node \"" + std::string(at) + "\"");
  if (!arrayAt(pod->spec(), {"schedulingGates"}).empty())
    return conflictError(task.kind, pod->name(), "pod " + pod->name() + " has non-empty .spec.schedulingGates");
  json::object body = pod->json();
  ensureObject(body, "spec")["nodeName"] = node;
  auto& conditions = ensureArray(ensureObject(body, "status"), "conditions");
  json::array kept;
  for (const auto& condition : conditions)
    if (stringAt(condition, {"type"}) != "PodScheduled") kept.push_back(condition);
  kept.push_back(json::object{{"type", "PodScheduled"},
                              {"status", "True"},
                              {"lastProbeTime", nullptr},
                              {"lastTransitionTime", formatTime(task.now)}});
  // Binding is no change that a node answers to: the generation stays.
  if (pod->generation() > 0) kept.back().as_object()["observedGeneration"] = pod->generation();
  conditions = std::move(kept);
  PlannedWrite out;
  out.mutations.push_back({Mutation::Kind::put, task.targetOf(*pod), std::move(body), pod->revision()});
  out.answer = 0;
  out.created = true;
  return out;
}

namespace {

/// Says of an evicted pod that it did not fail by itself: the pod failure policies of jobs ask for it.
void markDisrupted(json::object& pod, Time now) {
  json::object made{{"type", "DisruptionTarget"},        {"status", "True"},
                    {"lastProbeTime", nullptr},          {"lastTransitionTime", formatTime(now)},
                    {"reason", "EvictionByEvictionAPI"}, {"message", "Eviction API: evicting"}};
  if (const auto generation = intAt(pod, {"metadata", "generation"}); generation > 0)
    made["observedGeneration"] = generation;
  auto& conditions = ensureArray(ensureObject(pod, "status"), "conditions");
  for (auto& condition : conditions) {
    if (stringAt(condition, {"type"}) != "DisruptionTarget") continue;
    if (stringAt(condition, {"status"}) == "True")
      made["lastTransitionTime"] = stringAt(condition, {"lastTransitionTime"});
    condition = std::move(made);
    return;
  }
  conditions.push_back(std::move(made));
}

}  // namespace

Result<PlannedWrite> WritePlanner::evict(Task& task) const {
  Write removal = Write::remove(task.write.target, task.write.deleteOptions);
  const auto& options = objectAt(task.write.body, {"deleteOptions"});
  if (options.contains("gracePeriodSeconds"))
    removal.deleteOptions.gracePeriodSeconds = intAt(options, {"gracePeriodSeconds"});
  removal.deleteOptions.uid = stringAt(options, {"preconditions", "uid"});
  Task deletion{task.view, removal, task.settings, task.identity, task.kind, task.strategy, task.now, {}};
  STEER_TRY(auto out, remove(deletion));
  for (auto& mutation : out.mutations)
    if (mutation.kind == Mutation::Kind::put) markDisrupted(mutation.body, task.now);
  return out;
}

/// Nothing is stored: a token is its own record.
Result<PlannedWrite> WritePlanner::giveToken(const Task& task) const {
  if (task.settings.dryRun) return makeError(Errc::badRequest, "a token cannot be given in a dry run");
  if (!task.write.body.is_object()) return makeError(Errc::badRequest, "the body must be an object");
  STEER_TRY(json::object answer, tokens_.issue(task.view, task.write.target.ns, task.write.target.name,
                                               task.write.body.get_object(), task.identity));
  PlannedWrite out;
  out.object = Object::make(std::move(answer));
  out.created = true;
  return out;
}

json::object scaleOf(const Object& object) {
  json::object meta{{"name", object.name()},
                    {"namespace", object.ns()},
                    {"uid", object.uid()},
                    {"resourceVersion", std::to_string(object.revision())}};
  if (const auto* created = object.metadata().if_contains("creationTimestamp")) meta["creationTimestamp"] = *created;
  json::object spec;
  if (const auto replicas = intAt(object.spec(), {"replicas"}); replicas != 0) spec["replicas"] = replicas;
  json::object status{{"replicas", intAt(object.status(), {"replicas"})}};
  const auto* selector = find(object.spec(), {"selector"});
  if (selector != nullptr && selector->is_object()) {
    if (object.kind() == "ReplicationController") {
      status["selector"] = LabelSelector::fromMap(selector->get_object()).text();
    } else if (auto parsed = LabelSelector::fromObject(selector); parsed.ok()) {
      status["selector"] = parsed->text();
    }
  }
  return {{"kind", "Scale"},
          {"apiVersion", "autoscaling/v1"},
          {"metadata", std::move(meta)},
          {"spec", std::move(spec)},
          {"status", std::move(status)}};
}

}  // namespace steer
