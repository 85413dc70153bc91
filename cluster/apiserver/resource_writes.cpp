// create, update, patch, delete.
#include <algorithm>
#include <charconv>

#include "cluster/apiserver/duplicate_fields.h"
#include "cluster/apiserver/resource_front.h"
#include "cluster/client/batch_codec.h"
#include "core/utf8.h"
#include "core/yaml.h"
#include "schemas/protobuf.h"
#include "schemas/served.h"

namespace steer {
namespace {

constexpr std::size_t kMostManager = 128;  ///< bytes, metav1.validation.FieldManagerMaxLength

std::string mediaType(const Request& request) {
  std::string type = request.header("content-type");
  type = type.substr(0, type.find(';'));
  while (!type.empty() && type.back() == ' ') type.pop_back();
  return type;
}

Result<json::value> yamlBody(const std::string& text) {
  Diagnostics findings;
  auto documents = parseYaml(text, "body", findings, {.quotes = YamlLimits::Quotes::never});
  if (findings.hasErrors()) {
    for (const auto& item : findings.items())
      if (item.severity == Severity::error)
        return makeError(Errc::badRequest,
                         "error decoding YAML: line " + std::to_string(item.pos.line) + ": " + item.message);
  }
  if (documents.size() != 1) return makeError(Errc::badRequest, "the body must be one YAML document");
  return std::move(documents.front().value);
}

std::string managerOf(const Request& request) {
  std::string manager = request.queryValue("fieldManager");
  if (!manager.empty()) return manager;
  // What a client calls itself is no field of the API: it is taken as far as it is text, as upstream does.
  const std::string agent = request.header("user-agent");
  std::string name = toUtf8(agent.substr(0, agent.find('/')));
  std::erase_if(name, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (name.size() > kMostManager) name = name.substr(0, kMostManager);
  while (!isUtf8(name)) name.pop_back();
  return name;
}

Result<PatchType> patchTypeOf(const Request& request) {
  const std::string type = mediaType(request);
  for (const auto candidate : {PatchType::json, PatchType::merge, PatchType::strategic, PatchType::apply})
    if (type == patchContentType(candidate)) return candidate;
  return makeError(Errc::unsupported,
                   "the body of the request was in an unknown format - accepted media types include: "
                   "application/json-patch+json, application/merge-patch+json, "
                   "application/strategic-merge-patch+json, application/apply-patch+yaml");
}

Result<DeleteOptions> deleteOptions(const Request& request, json::value& body) {
  if (!request.body.empty()) {
    STEER_TRY(body, decodeBody(request));
  }
  DeleteOptions out;
  if (body.is_object()) {
    STEER_TRY(out, decodeDeleteOptions(body));
  }
  if (request.hasQuery("gracePeriodSeconds")) {
    const std::string text = request.queryValue("gracePeriodSeconds");
    std::int64_t number = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (ec != std::errc{} || end != text.data() + text.size())
      return makeError(Errc::badRequest, "Invalid value for query parameter gracePeriodSeconds");
    out.gracePeriodSeconds = number;
  }
  if (const std::string policy = request.queryValue("propagationPolicy"); !policy.empty()) {
    if (policy == "Background") out.propagation = Propagation::background;
    else if (policy == "Foreground") out.propagation = Propagation::foreground;
    else if (policy == "Orphan") out.propagation = Propagation::orphan;
    else return makeError(Errc::badRequest, "invalid propagationPolicy: " + policy);
  }
  return out;
}

bool dryRunIn(const json::value& body) {
  for (const auto& item : arrayAt(body, {"dryRun"}))
    if (item == "All") return true;
  return false;
}

void addWarnings(Response& response, const std::vector<std::string>& warnings) {
  for (const auto& warning : warnings) {
    std::string quoted;
    for (const char c : warning) {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += c;
    }
    response.headers.emplace("Warning", "299 - \"" + quoted + "\"");
  }
}

/// Keys that stand twice: an error, a warning for each, or nothing, as fieldValidation says.
Result<std::vector<std::string>> checkDuplicates(const Request& request, FieldValidation validation) {
  const std::string type = mediaType(request);
  const bool isJson = type.empty() || type == "application/json" || type.ends_with("+json");
  std::vector<std::string> out;
  if (!isJson || validation == FieldValidation::ignore) return out;
  std::string all;
  for (const auto& path : duplicateFields(request.body)) {
    out.push_back("duplicate field \"" + path + "\"");
    all += (all.empty() ? "" : ", ") + out.back();
  }
  if (!out.empty() && validation == FieldValidation::strict)
    return makeError(Errc::badRequest, "strict decoding error: " + all);
  return out;
}

/// A dry run stores nothing: its answer names the revision that lives, or none where nothing does.
json::object asDryRun(const Object& object, const ObjectPtr& live) {
  json::object out = object.json();
  auto& metadata = ensureObject(out, "metadata");
  if (live == nullptr) metadata.stable_erase("resourceVersion");
  else metadata["resourceVersion"] = std::to_string(live->revision());
  return out;
}

/// Whom a refused write concerns: what the URL does not name stands in the body.
void nameSubject(const Request& request, const Error& error, StatusSubject& subject) {
  const bool named = error.code == Errc::invalid || error.code == Errc::alreadyExists;
  if (!subject.name.empty() || request.method != "POST" || !named) return;
  if (const auto body = decodeBody(request); body.ok()) subject.name = stringAt(*body, {"metadata", "name"});
}

}  // namespace

StatusSubject subjectOf(const Route& route) { return {route.name, route.kind->gvk.group, route.kind->plural}; }

Result<json::value> decodeBody(const Request& request) {
  const std::string type = mediaType(request);
  if (type == "application/vnd.kubernetes.protobuf") {
    STEER_TRY(json::object decoded, decodeProtobuf(SchemaRegistry::builtin(), request.body));
    return json::value(std::move(decoded));
  }
  if (type == "application/yaml" || type == "application/apply-patch+yaml") return yamlBody(request.body);
  if (type.empty() || type == "application/json" || type.ends_with("+json")) {
    auto parsed = parseJson(request.body);
    if (!parsed.ok()) return makeError(Errc::badRequest, "error decoding the body: " + parsed.error().message);
    return parsed;
  }
  return makeError(Errc::unsupported,
                   "the body of the request was in an unknown format - accepted media types "
                   "include: application/json, application/yaml, "
                   "application/vnd.kubernetes.protobuf");
}

Result<WriteSettings> writeSettings(const Request& request, const Route& route) {
  WriteSettings out;
  out.apiVersion = route.apiVersion;
  const std::string validation = request.queryValue("fieldValidation", "Warn");
  if (validation == "Strict") out.fieldValidation = FieldValidation::strict;
  else if (validation == "Ignore") out.fieldValidation = FieldValidation::ignore;
  else if (validation == "Warn" || validation.empty()) out.fieldValidation = FieldValidation::warn;
  else
    return makeError(Errc::invalid, "fieldValidation: Unsupported value: \"" + validation +
                                        "\": supported values: \"Ignore\", \"Warn\", \"Strict\"");
  if (request.hasQuery("dryRun")) {
    if (request.queryValue("dryRun") != "All")
      return makeError(Errc::invalid, "dryRun: Unsupported value: \"" + request.queryValue("dryRun") +
                                          "\": supported values: \"All\"");
    out.dryRun = true;
  }
  return out;
}

Result<Response> ResourceFront::write(const Request& request, const Route& route) {
  STEER_TRY(WriteSettings settings, writeSettings(request, route));
  Write write;
  write.target = {route.kind->resource(), route.ns, route.name};
  write.subresource = route.subresource;
  write.fieldManager = managerOf(request);
  if (request.method == "PATCH") {
    write.verb = Write::Verb::patch;
    STEER_TRY(write.patchType, patchTypeOf(request));
    write.forceConflicts = request.queryBool("force");
    if (write.patchType == PatchType::apply) write.fieldManager = request.queryValue("fieldManager");
  } else {
    write.verb = request.method == "PUT" ? Write::Verb::update : Write::Verb::create;
  }
  STEER_TRY(write.body, decodeBody(request));
  STEER_TRY(const std::vector<std::string> duplicates, checkDuplicates(request, settings.fieldValidation));
  settings.dryRun = settings.dryRun || (write.subresource == "eviction" && dryRunIn(write.body));
  const ObjectPtr live = settings.dryRun ? parts_.store.snapshot().get(write.target) : nullptr;
  STEER_TRY(const WriteOutcome outcome, parts_.executor.run(write, settings, request.identity));
  const Wanted wanted = wantedOf(request.header("accept"));
  Response out;
  if (route.subresource == "binding" || route.subresource == "eviction") {
    out = jsonAnswer(successStatus({}, "", 201), {}, 201);
  } else if (route.subresource == "scale") {
    out = jsonAnswer(scaleOf(*outcome.object), wanted);
  } else {
    const int status = outcome.created ? 201 : 200;
    out = settings.dryRun ? jsonAnswer(asDryRun(*outcome.object, live), wanted, status)
                          : jsonAnswer(outcome.object->json(), wanted, status);
  }
  addWarnings(out, duplicates);
  addWarnings(out, outcome.warnings);
  if (auto unserved = unservedText(*route.kind); !unserved.empty()) addWarnings(out, {std::move(unserved)});
  return out;
}

Result<Response> ResourceFront::removeOne(const Request& request, const Route& route) {
  STEER_TRY(WriteSettings settings, writeSettings(request, route));
  json::value body;
  Write write;
  write.verb = Write::Verb::remove;
  write.target = {route.kind->resource(), route.ns, route.name};
  STEER_TRY(write.deleteOptions, deleteOptions(request, body));
  settings.dryRun = settings.dryRun || dryRunIn(body);
  STEER_TRY(const WriteOutcome outcome, parts_.executor.run(write, settings, request.identity));
  // A pod that goes at once is answered as itself, as Kubernetes does.
  if (outcome.removed && route.kind->gvk.kind != "Pod")
    return jsonAnswer(successStatus(subjectOf(route), outcome.object->uid()));
  return jsonAnswer(outcome.object->json(), wantedOf(request.header("accept")));
}

Result<Response> ResourceFront::removeMany(const Request& request, const Route& route) {
  STEER_TRY(WriteSettings settings, writeSettings(request, route));
  json::value body;
  STEER_TRY(const DeleteOptions options, deleteOptions(request, body));
  settings.dryRun = settings.dryRun || dryRunIn(body);
  STEER_TRY(const Selection selection,
            Selection::make(route.kind->resource(), route.ns, request.queryValue("labelSelector"),
                            request.queryValue("fieldSelector")));
  const Snapshot view = parts_.store.snapshot();
  STEER_CHECK(parts_.authorize(request.identity, {"deletecollection", route.kind->resource(), "", route.ns, ""}, view));
  std::vector<Write> writes;
  selection.each(view, "", [&](const ObjectPtr& object) {
    writes.push_back(Write::remove({route.kind->resource(), object->ns(), object->name()}, options));
    return true;
  });
  Page page;
  for (auto& outcome : parts_.executor.runAll(writes, settings, OnError::proceed, request.identity)) {
    // Gone in the meantime is what was asked for.
    if (!outcome.ok() && outcome.error().code == Errc::notFound) continue;
    if (!outcome.ok()) return std::move(outcome).error();
    page.items.push_back(outcome->object);
  }
  json::array items;
  for (const auto& object : page.items) items.push_back(object->json());
  return jsonAnswer(json::object{{"kind", route.kind->gvk.kind + "List"},
                                 {"apiVersion", route.kind->gvk.apiVersion()},
                                 {"metadata", {{"resourceVersion", std::to_string(parts_.store.revision())}}},
                                 {"items", std::move(items)}});
}

Response ResourceFront::answer(const Request& request, const Route& route) {
  const auto run = [&]() -> Result<Response> {
    const auto& method = request.method;
    const bool known = route.subresource.empty() || route.kind->subresource(route.subresource) != nullptr;
    if (!known) return makeError(Errc::notFound, "the server could not find the requested resource");
    if (!wantedOf(request.header("accept")).acceptable && method == "GET" && route.subresource != "log")
      return makeError(Errc::unsupported,
                       "only the following media types are accepted: application/json, "
                       "application/yaml");
    const bool one = !route.name.empty();
    if (method == "GET" && route.subresource == "log") return logs(request, route);
    if (method == "GET" && request.queryBool("watch") && route.subresource.empty()) return watch(request, route);
    if (method == "GET") return one ? get(request, route) : list(request, route);
    if ((method == "POST" && (!one || !route.subresource.empty())) || (one && (method == "PUT" || method == "PATCH")))
      return write(request, route);
    if (method == "DELETE" && route.subresource.empty())
      return one ? removeOne(request, route) : removeMany(request, route);
    return makeError(Errc::methodNotAllowed, "the server does not allow this method on the requested resource");
  };
  auto result = run();
  if (result.ok()) return std::move(*result);
  auto subject = subjectOf(route);
  nameSubject(request, result.error(), subject);
  if (result.error().code == Errc::invalid) {
    subject.kind = route.kind->gvk.kind;
    // kubectl prints causes if a kind is named, and the message only if none is.
    if (result.error().causes.empty()) subject = {};
  }
  return errorAnswer(result.error(), subject);
}

}  // namespace steer
