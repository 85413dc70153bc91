#include "reconciler/apply/planner.h"

#include <algorithm>

#include "schemas/schema.h"

namespace steer {
namespace {

constexpr std::size_t kListFrom = 4;  ///< objects of a kind and namespace from which one list beats gets

bool has(const std::vector<std::string>& verbs, std::string_view verb) {
  return std::find(verbs.begin(), verbs.end(), verb) != verbs.end();
}

void label(json::object& body, const std::string& application) {
  ensureObject(ensureObject(body, "metadata"), "labels")[kApplicationLabel] = application;
}

Result<void> readOwned(Client& client, PlanInput& input) {
  ListOptions options;
  options.labelSelector = std::string(kApplicationLabel) + "=" + input.application;
  for (const auto& resource : ownableResources()) {
    const auto list = client.list(resource, options);
    if (!list.ok()) {
      if (list.error().code == Errc::notFound || list.error().code == Errc::methodNotAllowed) continue;
      return list.error();
    }
    for (const auto& object : list->items) {
      const ObjectRef ref{resource, object->ns(), object->name()};
      input.live.emplace(ref, object);
      if (ownedBy(*object, input.application)) input.owned.emplace(ref, object);
    }
  }
  return {};
}

/// Wanted objects that do not carry our label: absent, or to be adopted.
Result<void> readOthers(Client& client, PlanInput& input) {
  std::map<std::pair<std::string, std::string>, std::vector<const ObjectRef*>> missing;
  for (const auto& w : input.wanted)
    if (!input.live.contains(w.ref)) missing[{w.ref.resource, w.ref.ns}].push_back(&w.ref);
  for (const auto& [where, refs] : missing) {
    if (refs.size() < kListFrom) {
      for (const auto* ref : refs) {
        const auto object = client.get(*ref);
        if (object.ok()) input.live.emplace(*ref, *object);
        else if (object.error().code != Errc::notFound) return object.error();
      }
      continue;
    }
    ListOptions options;
    options.ns = where.second;
    const auto list = client.list(where.first, options);
    if (!list.ok()) return list.error();
    std::map<std::string, ObjectPtr> byName;
    for (const auto& object : list->items) byName.emplace(object->name(), object);
    for (const auto* ref : refs)
      if (const auto it = byName.find(ref->name); it != byName.end()) input.live.emplace(*ref, it->second);
  }
  return {};
}

/// The server's own refusal apart, a dry run fails only when the server cannot be asked.
bool serverGone(const Error& e) {
  return e.code == Errc::unavailable || e.code == Errc::timeout || e.code == Errc::unauthorized ||
         e.code == Errc::cancelled;
}

Result<void> predict(Client& client, PlanInput& input) {
  std::vector<Write> writes;
  writes.reserve(input.wanted.size());
  for (const auto& w : input.wanted) writes.push_back(Write::apply(w.ref.resource, w.body, kFieldManager, true));
  const BatchOptions dryRun{OnError::proceed, true};
  if (!writes.empty()) input.predicted = client.batch(std::move(writes), dryRun);
  if (input.predicted.size() != input.wanted.size())
    return makeError(Errc::internal, "the server answered a dry run with another number of results");
  std::vector<Write> renewals;
  std::vector<ObjectRef> renewed;
  for (std::size_t i = 0; i < input.wanted.size(); ++i) {
    if (input.predicted[i].ok()) continue;
    const Error& e = input.predicted[i].error();
    if (serverGone(e)) return e;
    const auto& w = input.wanted[i];
    if (!immutableField(e) || !input.live.contains(w.ref)) continue;
    DeleteOptions now;
    now.propagation = Propagation::background;
    now.gracePeriodSeconds = 0;
    renewals.push_back(Write::remove(w.ref, now));
    renewals.push_back(Write::apply(w.ref.resource, w.body, kFieldManager, true));
    renewed.push_back(w.ref);
  }
  if (renewals.empty()) return {};
  auto answers = client.batch(std::move(renewals), dryRun);
  for (std::size_t i = 0; i < renewed.size() && 2 * i + 1 < answers.size(); ++i)
    input.renewed.emplace(renewed[i], std::move(answers[2 * i + 1]));
  return {};
}

}  // namespace

std::vector<std::string> ownableResources() {
  std::vector<std::string> out;
  for (const auto* kind : SchemaRegistry::builtin().kinds()) {
    // Events are the server's diary; nobody declares them.
    if (kind->plural == "events" || !has(kind->verbs, "list") || !has(kind->verbs, "delete")) continue;
    if (std::find(out.begin(), out.end(), kind->resource()) == out.end()) out.push_back(kind->resource());
  }
  return out;
}

Result<Plan> makePlan(Client& client, std::vector<WantedObject> wanted, const PlanOptions& options) {
  PlanInput input;
  input.application = options.application;
  input.source = options.source;
  for (auto& w : wanted) label(w.body, options.application);
  // The batch runs in order: what others stand in (namespaces) comes first, as in the real thing.
  std::stable_sort(wanted.begin(), wanted.end(), [](const WantedObject& a, const WantedObject& b) {
    const auto wave = [](const WantedObject& w) {
      return waveOf(Gvk::from(stringAt(w.body, {"apiVersion"}), stringAt(w.body, {"kind"})));
    };
    return wave(a) < wave(b);
  });
  input.wanted = std::move(wanted);
  if (options.scope == PlanOptions::Scope::whole) STEER_CHECK(readOwned(client, input));
  STEER_CHECK(readOthers(client, input));
  STEER_CHECK(predict(client, input));
  if (options.prune == PlanOptions::Prune::no) input.owned.clear();
  return buildPlan(std::move(input));
}

}  // namespace steer
