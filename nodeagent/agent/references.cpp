#include "nodeagent/agent/references.h"

#include <memory>

#include "nodeagent/pod/container_spec.h"

namespace steer {

namespace {

constexpr seconds kAway{15};

void note(std::vector<ObjectRef>& out, const std::string& ns, const json::value& at, std::string_view member,
          const char* resource, std::string_view nameField = "name") {
  const auto name = stringAt(at, {member, nameField});
  if (!name.empty()) out.push_back({resource, ns, std::string(name)});
}

}  // namespace

std::vector<ObjectRef> referencesIn(const Object& pod) {
  std::vector<ObjectRef> out;
  const auto& ns = pod.ns();
  for (const auto& spec : containersOf(pod)) {
    for (const auto& from : arrayAt(*spec.json, {"envFrom"})) {
      note(out, ns, from, "configMapRef", "configmaps");
      note(out, ns, from, "secretRef", "secrets");
    }
    for (const auto& item : arrayAt(*spec.json, {"env"})) {
      const auto* from = find(item, {"valueFrom"});
      if (!from) continue;
      note(out, ns, *from, "configMapKeyRef", "configmaps");
      note(out, ns, *from, "secretKeyRef", "secrets");
    }
  }
  for (const auto& volume : arrayAt(pod.spec(), {"volumes"})) {
    note(out, ns, volume, "configMap", "configmaps");
    note(out, ns, volume, "secret", "secrets", "secretName");
    for (const auto& source : arrayAt(volume, {"projected", "sources"})) {
      note(out, ns, source, "configMap", "configmaps");
      note(out, ns, source, "secret", "secrets");
    }
  }
  return out;
}

void References::noteAnswer(const Error& error, Time now) {
  if (error.code == Errc::timeout || error.code == Errc::unavailable)
    awayUntil_.with([&](Time& until) { until = now + kAway; });
}

Result<ObjectPtr> References::get(const ObjectRef& ref) {
  const Time now = clock_.now();
  struct Known {
    ObjectPtr object;
    bool any = false;
    bool fresh = false;
  };
  const auto known = entries_.with([&](auto& entries) {
    const auto found = entries.find(ref);
    if (found == entries.end()) return Known{};
    found->second.used = true;
    return Known{found->second.object, true, now - found->second.readAt < maxAge_};
  });
  if (known.fresh || (known.any && serverAway(now))) return known.object;
  auto read = client_.get(ref);
  if (!read.ok() && read.error().code != Errc::notFound) {
    noteAnswer(read.error(), clock_.now());
    if (known.any) return known.object;
    return read.error();
  }
  ObjectPtr object = read.ok() ? *read : nullptr;
  entries_.with([&](auto& entries) { entries[ref] = {object, {}, now, true}; });
  return object;
}

Result<PodReferences> References::forPod(const Object& pod) {
  auto objects = std::make_shared<std::map<ObjectRef, ObjectPtr>>();
  for (const auto& ref : referencesIn(pod)) {
    STEER_TRY((*objects)[ref], get(ref));
  }
  const auto lookUp = [objects, ns = pod.ns()](const char* resource) {
    return [objects, ns, resource](const std::string& name) -> ObjectPtr {
      const auto found = objects->find({resource, ns, name});
      return found == objects->end() ? nullptr : found->second;
    };
  };
  PodReferences out;
  out.configMap = lookUp("configmaps");
  out.secret = lookUp("secrets");
  // Asked for by whoever writes one into a volume, and by nobody else.
  out.serviceAccountToken = [this, &pod](const TokenWish& wish) { return tokens_.tokenFor(pod, wish); };
  return out;
}

Result<std::vector<ObjectPtr>> References::pullSecrets(const Object& pod) {
  std::vector<ObjectPtr> out;
  for (const auto& item : arrayAt(pod.spec(), {"imagePullSecrets"})) {
    STEER_TRY(auto secret, get({"secrets", pod.ns(), std::string(stringAt(item, {"name"}))}));
    if (secret) out.push_back(std::move(secret));
  }
  return out;
}

Result<std::vector<ObjectPtr>> References::services(const std::string& ns) {
  const ObjectRef key{"services", ns, ""};
  const Time now = clock_.now();
  std::vector<ObjectPtr> list;
  bool any = false;
  const bool fresh = entries_.with([&](auto& entries) {
    const auto found = entries.find(key);
    if (found == entries.end()) return false;
    any = true;
    found->second.used = true;
    list = found->second.list;
    return now - found->second.readAt < maxAge_;
  });
  if (!fresh && !(any && serverAway(now))) {
    ListOptions options;
    options.ns = ns;
    auto read = client_.list("services", options);
    if (read.ok()) {
      list = std::move(read->items);
      entries_.with([&](auto& entries) { entries[key] = {nullptr, list, now, true}; });
    } else {
      noteAnswer(read.error(), clock_.now());
      if (!any) return read.error();
    }
  }
  if (ns == "default") return list;
  STEER_TRY(auto api, get({"services", "default", "kubernetes"}));
  if (api) list.push_back(std::move(api));
  return list;
}

void References::forgetUnused() {
  entries_.with([](auto& entries) {
    std::erase_if(entries, [](auto& entry) { return !entry.second.used; });
    for (auto& [ref, entry] : entries) entry.used = false;
  });
}

}  // namespace steer
