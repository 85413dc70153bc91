#include "cluster/client/batch_codec.h"

#include <array>
#include <charconv>

namespace steer {
namespace {

struct PatchRow {
  PatchType type;
  std::string_view name;
  std::string_view contentType;
};
constexpr std::array<PatchRow, 4> kPatches{
    {{PatchType::json, "json", "application/json-patch+json"},
     {PatchType::merge, "merge", "application/merge-patch+json"},
     {PatchType::strategic, "strategic", "application/strategic-merge-patch+json"},
     {PatchType::apply, "apply", "application/apply-patch+yaml"}}};

struct VerbRow {
  Write::Verb verb;
  std::string_view name;
};
constexpr std::array<VerbRow, 4> kVerbs{{{Write::Verb::create, "create"},
                                         {Write::Verb::update, "update"},
                                         {Write::Verb::patch, "patch"},
                                         {Write::Verb::remove, "delete"}}};

struct PropagationRow {
  Propagation propagation;
  std::string_view name;
};
constexpr std::array<PropagationRow, 3> kPropagations{{{Propagation::background, "Background"},
                                                       {Propagation::foreground, "Foreground"},
                                                       {Propagation::orphan, "Orphan"}}};

void setText(json::object& o, std::string_view key, std::string_view text) {
  if (!text.empty()) o[jkey(key)] = jkey(text);
}

/// All but the body: bodies go into the text as they are, without a copy.
json::object encodeWrite(const Write& write) {
  json::object out;
  for (const auto& row : kVerbs)
    if (row.verb == write.verb) setText(out, "verb", row.name);
  setText(out, "resource", write.target.resource);
  setText(out, "namespace", write.target.ns);
  setText(out, "name", write.target.name);
  setText(out, "subresource", write.subresource);
  setText(out, "fieldManager", write.fieldManager);
  setText(out, "actAs", write.actAs);
  if (write.verb == Write::Verb::patch) setText(out, "patchType", patchTypeName(write.patchType));
  if (write.forceConflicts) out["force"] = true;
  if (write.verb == Write::Verb::remove) out["deleteOptions"] = encodeDeleteOptions(write.deleteOptions);
  return out;
}

Result<Write> decodeWrite(json::value& item) {
  Write out;
  const auto verb = stringAt(item, {"verb"});
  bool known = false;
  for (const auto& row : kVerbs)
    if (row.name == verb) out.verb = row.verb, known = true;
  if (!known)
    return makeError(Errc::badRequest, "verb \"" + std::string(verb) + "\" is not create, update, patch or delete");
  out.target = {std::string(stringAt(item, {"resource"})), std::string(stringAt(item, {"namespace"})),
                std::string(stringAt(item, {"name"}))};
  if (out.target.resource.empty()) return makeError(Errc::badRequest, "resource is missing");
  out.subresource = stringAt(item, {"subresource"});
  out.fieldManager = stringAt(item, {"fieldManager"});
  out.actAs = stringAt(item, {"actAs"});
  out.forceConflicts = boolAt(item, {"force"});
  if (item.is_object())
    if (auto* body = item.get_object().if_contains("body")) out.body = std::move(*body);
  if (const auto patch = stringAt(item, {"patchType"}); !patch.empty()) {
    known = false;
    for (const auto& row : kPatches)
      if (row.name == patch) out.patchType = row.type, known = true;
    if (!known) return makeError(Errc::badRequest, "patchType \"" + std::string(patch) + "\" is not known");
  }
  if (const auto* options = find(item, {"deleteOptions"})) {
    STEER_TRY(out.deleteOptions, decodeDeleteOptions(*options));
  }
  return out;
}

}  // namespace

std::string_view answerName(Answer answer) {
  return answer == Answer::full ? "" : answer == Answer::brief ? "brief" : "briefCreated";
}

Answer answerOf(std::string_view name) {
  return name == "brief" ? Answer::brief : name == "briefCreated" ? Answer::briefCreated : Answer::full;
}

ObjectPtr briefly(const Object& object) {
  json::object metadata;
  for (const char* key : {"name", "namespace", "uid", "resourceVersion", "generation", "deletionTimestamp"})
    if (const auto* value = object.metadata().if_contains(key)) metadata[key] = *value;
  json::object out;
  setText(out, "apiVersion", object.gvk().apiVersion());
  setText(out, "kind", object.kind());
  out["metadata"] = std::move(metadata);
  return Object::make(std::move(out));
}

std::string_view patchTypeName(PatchType type) { return kPatches[static_cast<std::size_t>(type)].name; }
std::string_view patchContentType(PatchType type) { return kPatches[static_cast<std::size_t>(type)].contentType; }

std::string encodeBatch(const std::vector<Write>& writes) {
  std::string out = "{\"writes\":[";
  for (const auto& write : writes) {
    if (&write != &writes.front()) out += ',';
    appendJson(out, encodeWrite(write));
    if (write.verb == Write::Verb::remove) continue;
    out.back() = ',';  // no write is an empty object
    out += "\"body\":";
    appendJson(out, write.body);
    out += '}';
  }
  return out += "]}";
}

Result<std::vector<Write>> decodeBatch(json::value body) {
  auto* writes = body.is_object() ? body.get_object().if_contains("writes") : nullptr;
  if (writes == nullptr || !writes->is_array()) return makeError(Errc::badRequest, "a batch needs an array \"writes\"");
  std::vector<Write> out;
  out.reserve(writes->get_array().size());
  for (auto& item : writes->get_array()) {
    auto write = decodeWrite(item);
    if (!write.ok())
      return makeError(Errc::badRequest, "writes[" + std::to_string(out.size()) + "]: " + write.error().message);
    out.push_back(std::move(*write));
  }
  return out;
}

std::string encodeResults(const std::vector<Result<ObjectPtr>>& results) {
  std::string out = "{\"results\":[";
  for (const auto& result : results) {
    if (&result != &results.front()) out += ',';
    out += result.ok() ? "{\"object\":" : "{\"status\":";
    if (!result.ok()) appendJson(out, encodeStatus(result.error()));
    else if (*result) appendJson(out, (*result)->json());
    else out += "null";
    out += '}';
  }
  return out += "]}";
}

Result<std::vector<Result<ObjectPtr>>> decodeResults(json::value body) {
  auto* results = body.is_object() ? body.get_object().if_contains("results") : nullptr;
  if (results == nullptr || !results->is_array())
    return makeError(Errc::internal, "the server answered a batch without \"results\"");
  std::vector<Result<ObjectPtr>> out;
  out.reserve(results->get_array().size());
  for (auto& item : results->get_array()) {
    auto* object = item.is_object() ? item.get_object().if_contains("object") : nullptr;
    if (const auto* status = find(item, {"status"})) out.emplace_back(decodeStatus(*status, 0));
    else if (object != nullptr && object->is_object()) out.emplace_back(Object::make(std::move(object->get_object())));
    else out.emplace_back(ObjectPtr{});
  }
  return out;
}

json::object encodeDeleteOptions(const DeleteOptions& options) {
  json::object out{{"kind", "DeleteOptions"}, {"apiVersion", "v1"}};
  if (options.gracePeriodSeconds) out["gracePeriodSeconds"] = *options.gracePeriodSeconds;
  if (options.propagation)
    setText(out, "propagationPolicy", kPropagations[static_cast<std::size_t>(*options.propagation)].name);
  json::object preconditions;
  setText(preconditions, "uid", options.uid);
  if (options.revision != 0) preconditions["resourceVersion"] = std::to_string(options.revision);
  if (!preconditions.empty()) out["preconditions"] = std::move(preconditions);
  return out;
}

Result<DeleteOptions> decodeDeleteOptions(const json::value& body) {
  DeleteOptions out;
  if (const auto* grace = find(body, {"gracePeriodSeconds"}); grace != nullptr && !grace->is_null()) {
    out.gracePeriodSeconds = asInt(*grace);
    if (!out.gracePeriodSeconds || *out.gracePeriodSeconds < 0)
      return makeError(Errc::badRequest, "gracePeriodSeconds is not a number of seconds");
  }
  if (const auto policy = stringAt(body, {"propagationPolicy"}); !policy.empty()) {
    for (const auto& row : kPropagations)
      if (row.name == policy) out.propagation = row.propagation;
    if (!out.propagation)
      return makeError(Errc::badRequest,
                       "propagationPolicy \"" + std::string(policy) + "\" is not Background, Foreground or Orphan");
  }
  out.uid = stringAt(body, {"preconditions", "uid"});
  if (const auto revision = stringAt(body, {"preconditions", "resourceVersion"}); !revision.empty()) {
    const auto [end, ec] = std::from_chars(revision.data(), revision.data() + revision.size(), out.revision);
    if (ec != std::errc{} || end != revision.data() + revision.size())
      return makeError(Errc::badRequest, "preconditions.resourceVersion is not a revision");
  }
  return out;
}

json::object encodeStatus(const Error& error) {
  const auto& facts = factsOf(error.code);
  json::object details;
  json::array causes;
  for (const auto& cause : error.causes) {
    json::object item;
    setText(item, "reason", cause.reason);
    setText(item, "message", cause.message);
    setText(item, "field", cause.field);
    causes.push_back(std::move(item));
  }
  if (!causes.empty()) details["causes"] = std::move(causes);
  if (error.retryAfterSeconds > 0) details["retryAfterSeconds"] = error.retryAfterSeconds;
  json::object out{{"kind", "Status"}, {"apiVersion", "v1"}, {"metadata", json::object{}}, {"status", "Failure"}};
  setText(out, "message", error.message);
  setText(out, "reason", facts.reason);
  if (!details.empty()) out["details"] = std::move(details);
  out["code"] = facts.httpStatus;
  return out;
}

Error decodeStatus(const json::value& body, int httpStatus) {
  const int code = httpStatus != 0 ? httpStatus : static_cast<int>(intAt(body, {"code"}, 500));
  Error out = makeError(errcFromHttp(code, stringAt(body, {"reason"})), std::string(stringAt(body, {"message"})));
  for (const auto& item : arrayAt(body, {"details", "causes"}))
    out.causes.push_back({std::string(stringAt(item, {"reason"})), std::string(stringAt(item, {"field"})),
                          std::string(stringAt(item, {"message"}))});
  out.retryAfterSeconds = static_cast<int>(intAt(body, {"details", "retryAfterSeconds"}));
  if (out.message.empty()) out.message = "the server answered HTTP status " + std::to_string(code);
  return out;
}

}  // namespace steer
