#include "replay.h"

#include <algorithm>
#include <fstream>
#include <set>

#include "cluster/apiserver/bootstrap.h"
#include "cluster/apiserver/write_planner.h"
#include "core/clock.h"
#include "core/random.h"
#include "schemas/validate.h"
#include "tests/unit/apiserver/fixture.h"

namespace steer {
namespace {

/// Puts the value at the path; what is missing on the way comes into being.
void put(json::value& root, const json::array& path, const json::value& value) {
  json::value* at = &root;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const bool last = i + 1 == path.size();
    const json::value empty =
        !last && path[i + 1].is_number() ? json::value(json::array{}) : json::value(json::object{});
    json::value* next = nullptr;
    if (auto* list = at->if_array()) {
      if (list->empty()) list->push_back(last ? value : empty);
      next = &list->front();
    } else {
      auto& member = at->get_object()[path[i].get_string()];
      if (!last && !member.is_structured()) member = empty;
      next = &member;
    }
    if (last) *next = value;
    at = next;
  }
}

json::value without(const json::value& value, const std::set<std::string>& names) {
  if (const auto* list = value.if_array()) {
    json::array out;
    for (const auto& item : *list) out.push_back(without(item, names));
    return out;
  }
  const auto* object = value.if_object();
  if (object == nullptr) return value;
  json::object out;
  for (const auto& [key, item] : *object)
    if (!names.contains(std::string(key))) out.emplace(key, without(item, names));
  return out;
}

/// Without the mounts that the admission of service accounts adds to pods.
void dropApiAccess(json::object& holder, const char* field) {
  auto* list = holder.if_contains(field);
  if (list == nullptr || !list->is_array()) return;
  json::array kept;
  for (const auto& item : list->get_array())
    if (!stringAt(item, {"name"}).starts_with("kube-api-access-")) kept.push_back(item);
  if (kept.empty()) holder.erase(field);
  else *list = std::move(kept);
}

/// Without what a server allots, and what the admission of service accounts adds to pods.
json::value tidy(const json::value& said, const std::string& kind) {
  json::value out = without(said, {"clusterIP", "clusterIPs", "nodePort", "healthCheckNodePort",
                                   "batch.kubernetes.io/controller-uid", "controller-uid"});
  auto* object = out.if_object();
  auto* spec = object == nullptr || !object->contains("spec") ? nullptr : (*object)["spec"].if_object();
  if (spec == nullptr) return out;
  if (kind == "Node") spec->erase("taints");
  if (kind != "Pod") return out;
  for (const auto* key : {"serviceAccount", "serviceAccountName"})
    if (stringAt(*spec, {key}) == "default") spec->erase(key);
  dropApiAccess(*spec, "volumes");
  for (const auto* group : {"containers", "initContainers"})
    if (auto* list = spec->if_contains(group); list != nullptr && list->is_array())
      for (auto& item : list->get_array())
        if (item.is_object()) dropApiAccess(item.get_object(), "volumeMounts");
  return out;
}

class Questioner {
 public:
  GivenAnswer ask(const json::object& base, const RecordedAnswer& row) {
    json::value body = base;
    const auto* kind = kindOf(row.url);
    if (kind == nullptr) return {404, {}, {}, "no such kind"};
    ObjectRef target{kind->resource(), kind->namespaced ? "default" : "", ""};
    if (row.name.empty()) {
      put(body, row.path, row.value);
      Write write;
      write.target = target;
      write.target.name = stringAt(body, {"metadata", "name"});
      write.body = std::move(body);
      return plan(server_.api.snapshot(), write);
    }
    body.get_object()["metadata"].get_object()["name"] = row.name;
    auto& live = live_[row.url + "/" + row.name];
    if (live == nullptr) live = make(target, std::move(body));
    if (live == nullptr) return {500, {}, {}, "the object itself is refused"};
    Snapshot view = server_.api.snapshot();
    view.put(target.resource, live);
    Write write;
    write.verb = Write::Verb::update;
    write.target = target;
    write.target.name = row.name;
    write.body = live->json();
    put(write.body, row.path, row.value);
    return plan(view, write);
  }

 private:
  static const KindSchema* kindOf(const std::string& url) {
    const bool core = url.starts_with("api/");
    std::vector<std::string> parts;
    std::string part;
    for (const char c : url + "/") {
      if (c != '/') part += c;
      else parts.push_back(std::exchange(part, {}));
    }
    return SchemaRegistry::builtin().findByPlural(core ? "" : parts[1], core ? parts[1] : parts[2], parts.back());
  }

  ObjectPtr make(const ObjectRef& target, json::value body) {
    Write write;
    write.target = target;
    write.target.name = stringAt(body, {"metadata", "name"});
    write.body = std::move(body);
    auto planned = planner_.plan(server_.api.snapshot(), write, settings_, server_.admin);
    if (!planned.ok() || planned->mutations.empty()) return nullptr;
    auto made = std::move(planned->mutations[0].body);
    if (target.resource == "pods") {  // recorded without the admission of service accounts
      json::value bare = tidy(made, "Pod");
      made = bare.get_object();
    }
    if (target.resource == "nodes")  // recorded with the taint that admission gives a new node
      ensureObject(made, "spec")["taints"] =
          json::array{json::object{{"key", "node.kubernetes.io/not-ready"}, {"effect", "NoSchedule"}}};
    ensureObject(made, "metadata")["resourceVersion"] = "7";
    return Object::make(std::move(made));
  }

  GivenAnswer plan(const Snapshot& view, const Write& write) {
    GivenAnswer out;
    auto planned = planner_.plan(view, write, settings_, server_.admin);
    if (!planned.ok()) {
      out.code = factsOf(planned.error().code).httpStatus;
      out.message = planned.error().message;
      std::set<std::pair<std::string, std::string>> causes;
      for (const auto& cause : planned.error().causes) causes.emplace(cause.reason, cause.field);
      out.causes.assign(causes.begin(), causes.end());
      return out;
    }
    out.code = write.verb == Write::Verb::create ? 201 : 200;
    json::object body = planned->mutations.empty() ? planned->object->json() : planned->mutations[0].body;
    for (const auto* key : {"metadata", "status", "apiVersion", "kind"}) body.erase(key);
    out.out = std::move(body);
    return out;
  }

  TestServer server_;
  BuiltinAuthorizer authorizer_;
  ApiServerOptions options_;
  AccountTokens tokens_{nullptr, server_.clock, server_.random};
  WritePlanner planner_{server_.clock, server_.random, options_, authorizer_, tokens_};
  WriteSettings settings_{FieldValidation::strict, true, {}};
  std::map<std::string, ObjectPtr> live_;
};

}  // namespace

Recording Recording::read(const std::string& file) {
  Recording out;
  std::ifstream in(file);
  std::string line;
  while (std::getline(in, line)) {
    const auto said = parseJson(line).value().get_object();
    if (const auto* bases = said.if_contains("bases")) {
      for (const auto& [url, base] : bases->get_object()) out.bases.emplace(url, base.get_object());
      continue;
    }
    RecordedAnswer row;
    row.url = stringAt(said, {"url"});
    row.name = stringAt(said, {"name"});
    row.path = arrayAt(said, {"path"});
    row.value = said.at("value");
    row.code = static_cast<int>(intAt(said, {"code"}));
    for (const auto& cause : arrayAt(said, {"causes"}))
      row.causes.emplace_back(std::string(cause.at(0).get_string()), std::string(cause.at(1).get_string()));
    if (const auto* result = said.if_contains("out")) row.out = *result;
    out.rows.push_back(std::move(row));
  }
  return out;
}

void Agreement::add(const RecordedAnswer& recorded, const GivenAnswer& given, const std::string& kind) {
  const auto good = [](int code) { return code >= 200 && code < 300; };
  ++asked;
  if (good(recorded.code) == good(given.code)) ++verdicts;
  else if (good(recorded.code)) ++falseRefusals;
  else ++accepted;
  if (!good(recorded.code) && !recorded.causes.empty()) {
    ++withCauses;
    if (!good(given.code) && given.causes == recorded.causes) ++causes;
  }
  if (good(recorded.code) && good(given.code) && !recorded.out.is_null()) {
    ++withResult;
    if (jsonCanonical(tidy(given.out, kind)) == jsonCanonical(tidy(recorded.out, kind))) ++results;
  }
}

std::vector<GivenAnswer> askAll(const Recording& recording) {
  Questioner questioner;
  std::vector<GivenAnswer> out;
  out.reserve(recording.rows.size());
  for (const auto& row : recording.rows) out.push_back(questioner.ask(recording.bases.at(row.url), row));
  return out;
}

}  // namespace steer
