// get, list, watch and logs.
#include <charconv>

#include "cluster/apiserver/resource_front.h"
#include "cluster/apiserver/selected_watch.h"
#include "cluster/apiserver/shaped_answer.h"
#include "cluster/apiserver/watch_stream.h"
#include "core/rfc3339.h"
#include "schemas/protobuf.h"

namespace steer {
namespace {

constexpr auto kDefaultWatch = minutes(45);

Result<std::uint64_t> numberIn(const Request& request, const std::string& key) {
  const std::string text = request.queryValue(key);
  if (text.empty()) return std::uint64_t{0};
  std::uint64_t out = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (ec != std::errc{} || end != text.data() + text.size())
    return makeError(Errc::badRequest, "Invalid value for query parameter " + key);
  return out;
}

Result<Selection> selectionOf(const Request& request, const Route& route) {
  std::string fields = request.queryValue("fieldSelector");
  if (!route.name.empty()) fields += (fields.empty() ? "" : ",") + ("metadata.name=" + route.name);
  return Selection::make(route.kind->resource(), route.ns, request.queryValue("labelSelector"), fields);
}

Error tooLarge(std::uint64_t asked, std::uint64_t now) {
  Error error = makeError(Errc::timeout,
                          "Too large resource version: " + std::to_string(asked) + ", current: " + std::to_string(now));
  error.causes.push_back({"ResourceVersionTooLarge", "", "Too large resource version"});
  error.retryAfterSeconds = 1;
  return error;
}

Result<LogQuery> logQuery(const Request& request, const Object& pod) {
  LogQuery out;
  out.ns = pod.ns();
  out.pod = pod.name();
  out.podUid = pod.uid();
  out.container = request.queryValue("container");
  out.follow = request.queryBool("follow");
  out.previous = request.queryBool("previous");
  out.timestamps = request.queryBool("timestamps");
  for (const auto& [key, into] : {std::pair{"tailLines", &out.tailLines}, std::pair{"sinceSeconds", &out.sinceSeconds},
                                  std::pair{"limitBytes", &out.limitBytes}}) {
    if (!request.hasQuery(key)) continue;
    STEER_TRY(const std::uint64_t number, numberIn(request, key));
    *into = static_cast<std::int64_t>(number);
  }
  if (request.hasQuery("sinceTime")) out.sinceTime = parseTime(request.queryValue("sinceTime"));
  return out;
}

/// The container asked for, or the only one. Errors: badRequest, in kubectl's words.
Result<std::string> containerOf(const Object& pod, const std::string& asked) {
  std::vector<std::string> names;
  for (const char* list : {"initContainers", "containers"})
    for (const auto& container : arrayAt(pod.spec(), {list})) names.emplace_back(stringAt(container, {"name"}));
  if (asked.empty()) {
    const auto& containers = arrayAt(pod.spec(), {"containers"});
    if (containers.size() == 1) return std::string(stringAt(containers[0], {"name"}));
    std::string all;
    for (const auto& name : names) all += (all.empty() ? "" : " ") + name;
    return makeError(Errc::badRequest,
                     "a container name must be specified for pod " + pod.name() + ", choose one of: [" + all + "]");
  }
  if (std::find(names.begin(), names.end(), asked) == names.end())
    return makeError(Errc::badRequest, "container " + asked + " is not valid for pod " + pod.name());
  return asked;
}

}  // namespace

Result<Response> ResourceFront::get(const Request& request, const Route& route) {
  const Snapshot view = parts_.store.snapshot();
  STEER_CHECK(parts_.authorize(request.identity,
                               {"get", route.kind->resource(), route.subresource, route.ns, route.name}, view));
  const auto object = view.get(route.kind->resource(), route.ns, route.name);
  if (object == nullptr) return notFoundError(*route.kind, route.name);
  const auto shaping = shapingOf(request, route);
  if (route.subresource == "scale") return bodyAnswer(shaping.kind, scaleOf(*object), shaping.wanted);
  return objectAnswer(shaping, object);
}

Result<Response> ResourceFront::list(const Request& request, const Route& route) {
  STEER_TRY(const Selection selection, selectionOf(request, route));
  STEER_TRY(const std::uint64_t limit, numberIn(request, "limit"));
  STEER_TRY(const std::uint64_t asked, numberIn(request, "resourceVersion"));
  Snapshot view = parts_.store.snapshot();
  STEER_CHECK(parts_.authorize(request.identity, selection.question("list"), view));
  const std::string token = request.queryValue("continue");
  if (asked > view.revision()) return tooLarge(asked, view.revision());
  if (request.queryValue("resourceVersionMatch") == "Exact" && asked != view.revision() && token.empty()) {
    auto old = pages_.at(asked);
    if (!old) return makeError(Errc::gone, "The resourceVersion for the provided list is too old.");
    view = std::move(*old);
  }
  STEER_TRY(const Page page, pages_.read(view, selection, limit, token));
  return listAnswer(shapingOf(request, route), page);
}

Result<Response> ResourceFront::watch(const Request& request, const Route& route) {
  STEER_TRY(const Selection selection, selectionOf(request, route));
  STEER_TRY(std::uint64_t from, numberIn(request, "resourceVersion"));
  STEER_TRY(const std::uint64_t timeout, numberIn(request, "timeoutSeconds"));
  const Snapshot view = parts_.store.snapshot();
  STEER_CHECK(parts_.authorize(request.identity, selection.question("watch"), view));
  if (from > view.revision()) return tooLarge(from, view.revision());
  WatchStreamOptions options;
  options.lines = lines_;
  options.kind = route.kind;
  options.wanted = shapingOf(request, route).wanted;
  options.include = includeObjectOf(request.queryValue("includeObject"));
  options.bookmarks = request.queryBool("allowWatchBookmarks");
  options.end = parts_.clock.now() + (timeout == 0 ? Duration(kDefaultWatch) : seconds(timeout));
  const bool initialAsked = request.queryBool("sendInitialEvents");
  options.markInitialEnd = initialAsked && options.bookmarks;
  std::deque<WatchEvent> initial;
  if (initialAsked || (from == 0 && !request.hasQuery("sendInitialEvents"))) {
    selection.each(view, "", [&](const ObjectPtr& object) {
      initial.push_back({WatchEvent::Type::added, object, object->revision()});
      return true;
    });
    from = view.revision();
  } else if (from == 0) {
    from = view.revision();
  }
  auto slot = std::make_shared<WakerSlot>();
  Response out;
  if (options.wanted.coding == Wanted::Coding::protobuf) out.contentType = std::string(kProtobufType) + ";stream=watch";
  auto source = parts_.store.watch(
      route.kind->resource(), from, [slot] { slot->wake(); }, selection.filter());
  if (!source.ok()) {
    if (source.error().code != Errc::gone) return source.error();
    out.stream = makeErrorStream(makeError(Errc::gone, "too old resource version: " + std::to_string(from) + " (" +
                                                           std::to_string(parts_.store.compactedRevision()) + ")"),
                                 options.wanted);
    return out;
  }
  out.stream =
      std::make_unique<WatchStream>(std::make_unique<SelectedWatch>(selection, std::move(*source), std::move(initial)),
                                    slot, parts_.clock, std::move(options));
  return out;
}

Result<Response> ResourceFront::logs(const Request& request, const Route& route) {
  const Snapshot view = parts_.store.snapshot();
  STEER_CHECK(parts_.authorize(request.identity, {"get", "pods", "log", route.ns, route.name}, view));
  const auto pod = view.get("pods", route.ns, route.name);
  if (pod == nullptr) return notFoundError(*route.kind, route.name);
  STEER_TRY(LogQuery query, logQuery(request, *pod));
  STEER_TRY(query.container, containerOf(*pod, query.container));
  const std::string node(stringAt(pod->spec(), {"nodeName"}));
  if (node.empty()) return makeError(Errc::badRequest, "pod " + pod->name() + " does not have a host assigned");
  if (parts_.nodes == nullptr) return makeError(Errc::unavailable, "this server cannot reach the agents of its nodes");
  Response out;
  STEER_TRY(out.stream, parts_.nodes->containerLogs(node, query));
  out.contentType = "text/plain";
  return out;
}

}  // namespace steer
