#include "cluster/apiserver/http_front.h"

#include <utility>

#include "cluster/apiserver/acting_trace.h"
#include "cluster/apiserver/discovery.h"
#include "cluster/apiserver/impersonation.h"
#include "cluster/apiserver/observing.h"
#include "cluster/apiserver/own_paths.h"
#include "cluster/apiserver/reviews.h"
#include "cluster/apiserver/token_review.h"
#include "cluster/client/batch_codec.h"
#include "core/barrier.h"
#include "core/rfc3339.h"
#include "core/utf8.h"
#include "core/version.h"

namespace steer {
namespace {

Error noSuchThing() { return makeError(Errc::notFound, "the server could not find the requested resource"); }

const OpenApi& builtinOpenApi() {
  static const OpenApi made(SchemaRegistry::builtin());
  return made;
}

json::object versionInfo() {
  std::string_view version = kKubernetesVersion;
  version.remove_prefix(1);
  const auto dot = version.find('.');
  const auto minor = version.substr(dot + 1);
  return {{"major", jkey(version.substr(0, dot))},
          {"minor", jkey(minor.substr(0, minor.find('.')))},
          {"gitVersion", kKubernetesVersion},
          {"gitCommit", ""},
          {"gitTreeState", "clean"},
          {"buildDate", "1970-01-01T00:00:00Z"},
          {"goVersion", "none"},
          {"compiler", "gcc"},
          {"platform", "linux/amd64"},
          {"steersman", kVersion}};
}

std::string lowerVerb(const std::string& method) {
  if (method == "GET" || method == "HEAD") return "get";
  if (method == "POST") return "create";
  if (method == "PUT") return "update";
  return method == "PATCH" ? "patch" : "delete";
}

/// As upstream's verbose checks; what a barrier holds back is a check that fails, and the server serves all the same.
std::string healthText(const std::string& check) {
  std::string out = "[+]ping ok\n";
  for (const auto& [place, fault] : barrier::faults())
    out +=
        "[-]" + toUtf8(place) + " failed: " + toUtf8(fault.what) + ", " + std::to_string(fault.times) + " in a row\n";
  return out + check + " check passed\n";
}

/// Everything outside the body that may come to stand in an object, an answer or the log is text. (Bodies are read by
/// decoders that take nothing else.)
Result<void> checkTexts(const Request& request) {
  const auto refuse = [](const std::string& what) { return makeError(Errc::badRequest, what + " is not valid UTF-8"); };
  if (!isUtf8(request.path)) return refuse("the path of the request");
  for (const auto& [name, value] : request.query)
    if (!isUtf8(name) || !isUtf8(value)) return refuse("the query of the request");
  for (const auto& [name, value] : request.headers)
    if (name.starts_with("impersonate-") && (!isUtf8(name) || !isUtf8(value)))
      return refuse("the identity that the request asks for");
  return {};
}

}  // namespace

HttpFront::HttpFront(ServerParts& parts, ListPages& pages)
    : parts_(parts), resources_(parts, pages), openApi_(builtinOpenApi()) {}

Response HttpFront::answer(const Request& sent) {
  if (auto texts = checkTexts(sent); !texts.ok()) return errorAnswer(texts.error());
  auto acting = actingIdentity(parts_, sent);
  if (!acting.ok()) return errorAnswer(acting.error());
  if (acting->user == sent.identity.user) return answerAs(sent);
  Request request = sent;
  request.identity = std::move(*acting);
  Response out = answerAs(request);
  traceRequest(sent, request.identity, out.status < 400);
  return out;
}

Response HttpFront::answerAs(const Request& request) {
  if (request.path == kBatchPath) return batch(request);
  if (request.path == kObservationPath) return observation(request);
  if (const auto route = routeOf(SchemaRegistry::builtin(), request.path)) {
    if (isReview(*route)) return reviewAnswer(parts_, request, *route);
    return resources_.answer(request, *route);
  }
  const Snapshot view = parts_.store.snapshot();
  AccessQuestion question{lowerVerb(request.method), "", "", "", "", request.path};
  const auto unknown = unservedOf(request.path);
  if (unknown)
    question = {lowerVerb(request.method), resourceKey(unknown->group, unknown->plural), "", unknown->ns, ""};
  if (auto allowed = parts_.authorize(request.identity, question, view); !allowed.ok())
    return errorAnswer(allowed.error());
  // What is not there is not there for any method.
  if (unknown) return errorAnswer(noSuchThing());
  if (request.method != "GET" && request.method != "HEAD")
    return errorAnswer(
        makeError(Errc::methodNotAllowed, "the server does not allow this method on the requested resource"));
  return page(request);
}

Response HttpFront::page(const Request& request) {
  const std::string& path = request.path;
  if (path == "/healthz" || path == "/livez" || path == "/readyz")
    return textAnswer(request.hasQuery("verbose") ? healthText(path.substr(1)) : "ok");
  if (path == "/version" || path == "/version/") return jsonAnswer(versionInfo());
  if (path == "/cacert" && !parts_.options.caPem.empty()) {
    Response out = textAnswer(parts_.options.caPem);
    out.contentType = "application/x-pem-file";
    return out;
  }
  if (parts_.tokens.keys() != nullptr && path == "/openid/v1/jwks") {
    Response out = jsonAnswer(parts_.tokens.keys()->published());
    out.contentType = "application/jwk-set+json";
    return out;
  }
  if (parts_.tokens.keys() != nullptr && path == "/.well-known/openid-configuration")
    return jsonAnswer(issuerDocument(parts_.options));
  if (path.starts_with("/openapi/")) return openApi(request);
  if (path.starts_with("/api")) return discover(request);
  return errorAnswer(noSuchThing());
}

Response HttpFront::discover(const Request& request) {
  const auto& registry = SchemaRegistry::builtin();
  const auto parts = pathSegments(request.path);
  const bool core = parts[0] == "api";
  if (!core && parts[0] != "apis") return errorAnswer(noSuchThing());
  const Offer offer{.yaml = false, .discovery = true};
  const auto wanted = wantedOf(request.header("accept"), offer);
  if (!wanted.acceptable) return notAcceptable(offer);
  if (parts.size() == 1) {
    if (!wanted.discoveryVersion.empty()) {
      const auto& version = wanted.discoveryVersion;
      const auto body = aggregated(registry, core ? Groups::core : Groups::named, version);
      return taggedAnswer(request, jsonText(body),
                          "application/json;g=apidiscovery.k8s.io;v=" + version + ";as=APIGroupDiscoveryList");
    }
    return taggedAnswer(request, jsonText(core ? coreVersions() : groupList(registry)), "application/json");
  }
  json::object body;
  if (core && parts.size() == 2) body = resourceList(registry, "", parts[1]);
  if (!core && parts.size() == 2) body = groupOf(registry, parts[1]);
  if (!core && parts.size() == 3) body = resourceList(registry, parts[1], parts[2]);
  return body.empty() ? errorAnswer(noSuchThing()) : jsonAnswer(body);
}

Response HttpFront::openApi(const Request& request) {
  const std::string& path = request.path;
  if (path == "/openapi/v3") return taggedAnswer(request, openApi_.index(), "application/json");
  if (path == "/openapi/v2")
    return taggedAnswer(request, OpenApi::version2Protobuf(),
                        "application/com.github.proto-openapi.spec.v2.v1.0+protobuf");
  constexpr std::string_view kStart = "/openapi/v3/";
  const auto* document =
      path.starts_with(kStart) ? openApi_.document(std::string_view(path).substr(kStart.size())) : nullptr;
  if (document == nullptr) return errorAnswer(noSuchThing());
  Response out = taggedAnswer(request, *document, "application/json");
  if (request.queryValue("hash") == contentHash(*document)) {
    // Under this name the content can never be another one.
    out.headers.emplace("Cache-Control", "public, immutable");
    out.headers.emplace("Expires", "Fri, 01 Jan 2100 00:00:00 GMT");
  }
  return out;
}

Response HttpFront::observation(const Request& request) {
  if (request.method != "POST")
    return errorAnswer(
        makeError(Errc::methodNotAllowed, "the server does not allow this method on the requested resource"));
  auto body = decodeBody(request);
  if (!body.ok()) return errorAnswer(body.error());
  const auto question = decodeObserveRequest(*body);
  if (!question.ok()) return errorAnswer(question.error());
  const auto seen = observeObjects(parts_, *question, request.identity);
  return seen.ok() ? jsonAnswer(encodeObservation(*seen)) : errorAnswer(seen.error());
}

Response HttpFront::batch(const Request& request) {
  if (request.method != "POST")
    return errorAnswer(
        makeError(Errc::methodNotAllowed, "the server does not allow this method on the requested resource"));
  auto body = decodeBody(request);
  if (!body.ok()) return errorAnswer(body.error());
  auto writes = decodeBatch(std::move(*body));
  if (!writes.ok()) return errorAnswer(writes.error());
  WriteSettings settings;
  settings.dryRun = request.queryValue("dryRun") == "All";
  const auto asked = request.queryValue("onError");
  const auto onError = asked == "stop" ? OnError::stop : asked == "undo" ? OnError::undo : OnError::proceed;
  std::vector<Result<ObjectPtr>> results;
  const Answer answer = answerOf(request.queryValue("answer"));
  std::size_t index = 0;
  for (auto& outcome : parts_.executor.runAll(*writes, settings, onError, request.identity)) {
    const bool scale = (*writes)[index++].subresource == "scale";
    if (!outcome.ok()) results.emplace_back(std::move(outcome).error());
    else if (scale && outcome->object != nullptr) results.emplace_back(Object::make(scaleOf(*outcome->object)));
    else if (outcome->object && (answer == Answer::brief || (answer == Answer::briefCreated && outcome->created)))
      results.emplace_back(briefly(*outcome->object));
    else results.emplace_back(std::move(outcome->object));
  }
  Response out;
  out.body = encodeResults(results);
  out.body += '\n';
  return out;
}

}  // namespace steer
