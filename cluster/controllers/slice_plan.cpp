#include "cluster/controllers/slice_plan.h"

#include <algorithm>

#include "cluster/controllers/ownership.h"

namespace steer {
namespace {

constexpr const char* kSlices = "endpointslices.discovery.k8s.io";

/// Which endpoint it is, whatever its conditions are.
std::string identityOf(const json::value& endpoint) {
  std::string out = jsonCanonical(json::value(arrayAt(endpoint, {"addresses"})));
  out += stringAt(endpoint, {"targetRef", "uid"});
  out += stringAt(endpoint, {"hostname"});
  return out;
}

std::string groupKey(std::string_view addressType, const json::array& ports) {
  std::vector<std::string> parts;
  for (const auto& port : ports) parts.push_back(jsonCanonical(port));
  std::sort(parts.begin(), parts.end());
  std::string out(addressType);
  for (const auto& part : parts) out += part;
  return out;
}

/// A slice while it is planned.
struct Draft {
  ObjectPtr existing;  ///< null = new
  json::array endpoints;
  bool changed = false;
};

json::object labelsOf(const SliceSet& wanted) {
  json::object labels = wanted.labels;
  labels[jkey(kServiceName)] = wanted.serviceName;
  labels[jkey(kSliceManagedBy)] = wanted.managedBy;
  return labels;
}

/// Keeps in place what is still wanted; `left` is what found no place yet.
std::vector<Draft> keepInPlace(const std::vector<ObjectPtr>& slices, json::array endpoints, json::array& left) {
  std::map<std::string, json::value> byIdentity;
  for (auto& endpoint : endpoints) {
    auto identity = identityOf(endpoint);
    byIdentity[std::move(identity)] = std::move(endpoint);
  }
  std::vector<Draft> drafts;
  for (const auto& slice : slices) {
    Draft draft{slice, {}, false};
    for (const auto& old : arrayAt(slice->json(), {"endpoints"})) {
      const auto found = byIdentity.find(identityOf(old));
      if (found == byIdentity.end()) {
        draft.changed = true;
        continue;
      }
      draft.changed = draft.changed || found->second != old;
      draft.endpoints.push_back(std::move(found->second));
      byIdentity.erase(found);
    }
    drafts.push_back(std::move(draft));
  }
  for (auto& [identity, endpoint] : byIdentity) left.push_back(std::move(endpoint));
  return drafts;
}

/// Slices that are rewritten anyway take new endpoints first, then others with room, then new ones.
void place(std::vector<Draft>& drafts, json::array left, std::size_t maxPerSlice) {
  std::size_t next = 0;
  auto fill = [&](Draft& draft) {
    while (next < left.size() && draft.endpoints.size() < maxPerSlice) {
      draft.endpoints.push_back(left[next++]);
      draft.changed = true;
    }
  };
  for (auto& draft : drafts)
    if (draft.changed) fill(draft);
  std::vector<Draft*> others;
  for (auto& draft : drafts)
    if (!draft.changed && draft.endpoints.size() < maxPerSlice) others.push_back(&draft);
  std::stable_sort(others.begin(), others.end(),
                   [](const Draft* a, const Draft* b) { return a->endpoints.size() > b->endpoints.size(); });
  // One rewrite that takes all that is left beats several; the fullest that suffices wins.
  for (auto* draft : others)
    if (next < left.size() && maxPerSlice - draft->endpoints.size() >= left.size() - next) fill(*draft);
  while (next < left.size()) {
    Draft fresh;
    fill(fresh);
    drafts.push_back(std::move(fresh));
  }
}

json::object newSlice(const SliceSet& wanted, const SliceGroup& group, json::array endpoints) {
  return {{"apiVersion", "discovery.k8s.io/v1"},
          {"kind", "EndpointSlice"},
          {"metadata",
           {{"generateName", wanted.serviceName + "-"},
            {"namespace", wanted.owner->ns()},
            {"labels", labelsOf(wanted)},
            {"ownerReferences", json::array{controllerRef(*wanted.owner)}}}},
          {"addressType", group.addressType},
          {"endpoints", std::move(endpoints)},
          {"ports", group.ports}};
}

Write removeSlice(const Object& slice) {
  DeleteOptions options;
  options.uid = slice.uid();
  return Write::remove({kSlices, slice.ns(), slice.name()}, std::move(options));
}

/// The writes of one group of equal ports.
void planGroup(const SliceSet& wanted, const SliceGroup& group, const std::vector<ObjectPtr>& existing,
               std::vector<Write>& out) {
  json::array left;
  auto drafts = keepInPlace(existing, group.endpoints, left);
  place(drafts, std::move(left), wanted.maxPerSlice);
  // A service without endpoints keeps one empty slice: readers see "none", not "unknown".
  if (drafts.empty()) drafts.push_back({});
  const json::object labels = labelsOf(wanted);
  bool placeholder = !group.endpoints.empty();
  for (auto& draft : drafts) {
    if (!draft.existing) {
      out.push_back(Write::create(kSlices, newSlice(wanted, group, std::move(draft.endpoints))));
      continue;
    }
    if (draft.endpoints.empty() && placeholder) {
      out.push_back(removeSlice(*draft.existing));
      continue;
    }
    placeholder = placeholder || draft.endpoints.empty();
    if (!draft.changed && draft.existing->labels() == labels) continue;
    json::object body = draft.existing->json();
    body["endpoints"] = std::move(draft.endpoints);
    ensureObject(body, "metadata")["labels"] = labels;
    out.push_back(Write::update(kSlices, std::move(body)));
  }
}

}  // namespace

std::vector<Write> planSlices(const SliceSet& wanted, const std::vector<ObjectPtr>& existing) {
  std::map<std::string, std::vector<ObjectPtr>> byGroup;
  std::vector<Write> out;
  for (const auto& slice : existing) {
    if (slice->label(kSliceManagedBy) != wanted.managedBy || slice->ns() != wanted.owner->ns() || slice->deleting())
      continue;
    byGroup[groupKey(stringAt(slice->json(), {"addressType"}), arrayAt(slice->json(), {"ports"}))].push_back(slice);
  }
  for (const auto& group : wanted.groups) {
    const auto key = groupKey(group.addressType, group.ports);
    planGroup(wanted, group, byGroup[key], out);
    byGroup.erase(key);
  }
  for (const auto& [key, slices] : byGroup)
    for (const auto& slice : slices) out.push_back(removeSlice(*slice));
  return out;
}

}  // namespace steer
