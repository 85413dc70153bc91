#include "cluster/client/http_client.h"

#include <charconv>
#include <mutex>

#include "cluster/client/batch_codec.h"
#include "cluster/client/http_session.h"
#include "cluster/client/http_watches.h"
#include "cluster/client/resource_path.h"

namespace steer {
namespace {

constexpr std::string_view kBatchPath = "/apis/steersman.dev/v1/batch";
constexpr std::string_view kObservationPath = "/apis/steersman.dev/v1/observation";

std::string numberText(std::uint64_t number) { return number == 0 ? "" : std::to_string(number); }

class HttpClient final : public Client {
 public:
  explicit HttpClient(HttpClientOptions options) : session_(std::move(options)) {}

  Result<ObjectPtr> get(const ObjectRef& ref) override {
    STEER_TRY(auto path, resourcePath(ref));
    return object({"GET", std::move(path)});
  }

  Result<ObjectList> list(const std::string& resource, const ListOptions& options) override {
    STEER_TRY(auto path, resourcePath({resource, options.ns, ""}));
    path += queryText({{"labelSelector", options.labelSelector},
                       {"fieldSelector", options.fieldSelector},
                       {"limit", numberText(options.limit)},
                       {"continue", options.continueToken}});
    STEER_TRY(auto body, answer({"GET", std::move(path)}));
    ObjectList out;
    const auto revision = stringAt(body, {"metadata", "resourceVersion"});
    std::from_chars(revision.data(), revision.data() + revision.size(), out.revision);
    out.continueToken = stringAt(body, {"metadata", "continue"});
    std::string kind(stringAt(body, {"kind"}));
    if (kind.ends_with("List")) kind.resize(kind.size() - 4);
    const std::string apiVersion(stringAt(body, {"apiVersion"}));
    auto* items = body.is_object() ? body.get_object().if_contains("items") : nullptr;
    if (items == nullptr || !items->is_array()) return out;
    for (auto& item : items->get_array()) {
      if (!item.is_object()) continue;
      auto& o = item.get_object();
      if (!o.contains("kind")) o["kind"] = kind;
      if (!o.contains("apiVersion")) o["apiVersion"] = apiVersion;
      out.items.push_back(Object::make(std::move(o)));
    }
    return out;
  }

  Result<std::unique_ptr<Watch>> watch(const std::string& resource, const ListOptions& options,
                                       std::uint64_t fromRevision, Waker waker) override {
    STEER_TRY(auto path, resourcePath({resource, options.ns, ""}));
    path += queryText({{"watch", "1"},
                       {"allowWatchBookmarks", "true"},
                       {"resourceVersion", numberText(fromRevision)},
                       {"labelSelector", options.labelSelector},
                       {"fieldSelector", options.fieldSelector}});
    std::lock_guard lock(watchesMutex_);
    if (!watches_) watches_ = std::make_unique<HttpWatches>(session_);
    return watches_->open(path, std::move(waker));
  }

  Result<ObjectPtr> write(const Write& write) override {
    ObjectRef target = write.target;
    if (write.verb == Write::Verb::create && write.subresource.empty()) target.name.clear();
    STEER_TRY(auto path, resourcePath(target, write.subresource));
    if (write.verb != Write::Verb::remove)
      path += queryText({{"fieldManager", write.fieldManager}, {"force", write.forceConflicts ? "true" : ""}});
    HttpCall call;
    call.actAs = write.actAs;
    call.path = std::move(path);
    call.body = jsonText(write.verb == Write::Verb::remove ? json::value(encodeDeleteOptions(write.deleteOptions))
                                                           : write.body);
    switch (write.verb) {
      case Write::Verb::create:
        call.method = "POST";
        break;
      case Write::Verb::update:
        call.method = "PUT";
        break;
      case Write::Verb::patch:
        call.method = "PATCH";
        call.contentType = patchContentType(write.patchType);
        break;
      case Write::Verb::remove:
        call.method = "DELETE";
        break;
    }
    return object(std::move(call));
  }

  std::vector<Result<ObjectPtr>> batch(std::vector<Write> writes, const BatchOptions& options) override {
    HttpCall call;
    call.method = "POST";
    call.path = std::string(kBatchPath) + queryText({{"dryRun", options.dryRun ? "All" : ""},
                                                     {"onError", options.onError == OnError::stop   ? "stop"
                                                                 : options.onError == OnError::undo ? "undo"
                                                                                                    : ""},
                                                     {"answer", std::string(answerName(options.answer))}});
    call.body = encodeBatch(writes);
    auto all = [&](const Error& error) { return std::vector<Result<ObjectPtr>>(writes.size(), error); };
    auto body = answer(std::move(call));
    if (!body.ok()) return all(body.error());
    auto results = decodeResults(std::move(*body));
    if (!results.ok()) return all(results.error());
    if (results->size() != writes.size())
      return all(makeError(Errc::internal, "the server answered " + std::to_string(results->size()) + " of " +
                                               std::to_string(writes.size()) + " writes"));
    return std::move(*results);
  }

  Result<Observation> observe(const ObserveRequest& request) override {
    HttpCall call;
    call.method = "POST";
    call.path = kObservationPath;
    call.body = jsonText(encodeObserveRequest(request));
    STEER_TRY(auto body, answer(std::move(call)));
    return decodeObservation(std::move(body), request);
  }

 private:
  Result<json::value> answer(HttpCall call) {
    STEER_TRY(const auto got, session_.call(call));
    auto body = parseJson(got.body);
    if (got.status < 200 || got.status > 299) return decodeStatus(body.ok() ? *body : json::value{}, got.status);
    if (!body.ok())
      return makeError(Errc::internal, "the answer of " + session_.server() + " is " + body.error().message);
    return std::move(*body);
  }

  Result<ObjectPtr> object(HttpCall call) {
    STEER_TRY(auto body, answer(std::move(call)));
    if (!body.is_object() || stringAt(body, {"kind"}) == "Status") return ObjectPtr{};
    return Object::make(std::move(body.get_object()));
  }

  HttpSession session_;
  std::mutex watchesMutex_;
  std::unique_ptr<HttpWatches> watches_;  ///< made with the first watch
};

}  // namespace

Result<std::string> fetchPinnedCa(const std::string& server, const std::string& token) {
  HttpSession session({.server = server, .token = token, .silence = seconds(10)});
  STEER_CHECK(session.ensureTrust());
  return session.caPem();
}

Result<std::unique_ptr<Client>> makeHttpClient(HttpClientOptions options) {
  while (options.server.ends_with('/')) options.server.pop_back();
  if (!options.server.starts_with("https://"))
    return makeError(Errc::invalid, "\"" + options.server + "\" is not a server address like https://host:6443");
  return std::unique_ptr<Client>(std::make_unique<HttpClient>(std::move(options)));
}

}  // namespace steer
