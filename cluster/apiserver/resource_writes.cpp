// create, update, patch, delete.
#include <algorithm>
#include <charconv>

#include "cluster/apiserver/duplicate_fields.h"
#include "cluster/apiserver/request_verb.h"
#include "cluster/apiserver/resource_front.h"
#include "cluster/client/batch_codec.h"
#include "core/utf8.h"
#include "core/yaml.h"
#include "schemas/protobuf.h"
#include "schemas/protobuf_encode.h"
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
  const auto shaping = shapingOf(request, route);
  Response out;
  if (route.subresource == "binding" || route.subresource == "eviction") {
    out = statusAnswer(successStatus({}, "", 201), shaping.wanted, 201);
  } else if (route.subresource == "scale") {
    out = bodyAnswer(shaping.kind, scaleOf(*outcome.object), shaping.wanted);
  } else {
    const auto object = settings.dryRun ? Object::make(asDryRun(*outcome.object, live)) : outcome.object;
    out = objectAnswer(shaping, object, outcome.created ? 201 : 200);
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
    return statusAnswer(successStatus(subjectOf(route), outcome.object->uid()), shapingOf(request, route).wanted, 200);
  return objectAnswer(shapingOf(request, route), outcome.object);
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
  page.revision = parts_.store.revision();
  return listAnswer(shapingOf(request, route), page);
}

namespace {

bool has(const std::vector<std::string>& verbs, std::string_view verb) {
  return std::find(verbs.begin(), verbs.end(), verb) != verbs.end();
}

Offer offerOf(const Route& route, std::string_view verb, const KindSchema& kind) {
  const bool own = &kind == route.kind;
  return {.yaml = verb != "watch", .protobuf = speaksProtobuf(kind), .transforms = own};
}

/// Of which kind the answer is.
const KindSchema& answeredKind(const Route& route) {
  const auto* sub = route.kind->subresource(route.subresource);
  const auto* other = sub == nullptr ? nullptr : SchemaRegistry::builtin().find(sub->gvk);
  return other == nullptr || other->gvk == route.kind->gvk ? *route.kind : *other;
}

Response notThereYet(const Route& route) {
  const std::string what = route.subresource == "portforward" ? "port-forward" : route.subresource;
  return jsonAnswer(
      json::object{{"kind", "Status"},
                   {"apiVersion", "v1"},
                   {"metadata", json::object{}},
                   {"status", "Failure"},
                   {"message", what + " is not there yet: this server opens no connections to " + route.kind->plural},
                   {"reason", "NotImplemented"},
                   {"code", 501}},
      {}, 501);
}

}  // namespace

Shaping ResourceFront::shapingOf(const Request& request, const Route& route) const {
  const auto& kind = answeredKind(route);
  return {kind, wantedOf(request.header("accept"), offerOf(route, verbOf(request, route), kind)),
          includeObjectOf(request.queryValue("includeObject")), parts_.clock.now()};
}

/// exec, attach, port-forward and proxy: rights and the object are looked at as they will be.
Response ResourceFront::connect(const Request& request, const Route& route) {
  const Snapshot view = parts_.store.snapshot();
  const AccessQuestion question{verbOf(request, route), route.kind->resource(), route.subresource, route.ns,
                                route.name};
  if (const auto allowed = parts_.authorize(request.identity, question, view); !allowed.ok())
    return errorAnswer(allowed.error(), subjectOf(route));
  if (view.get(route.kind->resource(), route.ns, route.name) == nullptr)
    return errorAnswer(notFoundError(*route.kind, route.name), subjectOf(route));
  return notThereYet(route);
}

Result<Response> ResourceFront::answered(const Request& request, const Route& route) {
  const auto& method = request.method;
  const auto verb = verbOf(request, route);
  const bool one = !route.name.empty();
  if (method == "GET" && route.subresource == "log") return logs(request, route);
  const auto& verbs = route.subresource.empty() ? route.kind->verbs : route.kind->subresource(route.subresource)->verbs;
  const bool post = method == "POST" && one == route.subresource.empty();
  if (!has(verbs, verb) || post || (!one && (method == "PUT" || method == "PATCH"))) {
    // Who may not ask hears that first.
    STEER_CHECK(parts_.authorize(request.identity,
                                 {verb, route.kind->resource(), route.subresource, route.ns, route.name},
                                 parts_.store.snapshot()));
    return makeError(Errc::methodNotAllowed, "the server does not allow this method on the requested resource");
  }
  if (verb == "watch") return watch(request, route);
  if (verb == "get" || verb == "list") return one ? get(request, route) : list(request, route);
  if (verb == "delete") return removeOne(request, route);
  if (verb == "deletecollection") return removeMany(request, route);
  return write(request, route);
}

Response ResourceFront::answer(const Request& request, const Route& route) {
  auto subject = subjectOf(route);
  const auto* sub = route.kind->subresource(route.subresource);
  if (!route.subresource.empty() && (sub == nullptr || route.name.empty()))
    return errorAnswer(makeError(Errc::notFound, "the server could not find the requested resource"), subject);
  if (sub != nullptr && has(sub->verbs, "connect")) return connect(request, route);
  const auto wanted = shapingOf(request, route).wanted;
  if (!wanted.acceptable && route.subresource != "log")
    return notAcceptable(offerOf(route, verbOf(request, route), answeredKind(route)));
  auto result = answered(request, route);
  if (result.ok()) return std::move(*result);
  nameSubject(request, result.error(), subject);
  if (result.error().code == Errc::invalid) {
    subject.kind = route.kind->gvk.kind;
    // kubectl prints causes if a kind is named, and the message only if none is.
    if (result.error().causes.empty()) subject = {};
  }
  return errorAnswer(result.error(), subject, wanted);
}

}  // namespace steer
