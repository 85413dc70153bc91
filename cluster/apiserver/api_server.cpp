#include "cluster/apiserver/api_server.h"

#include <utility>

#include "cluster/apiserver/bootstrap.h"
#include "cluster/apiserver/head_rules.h"
#include "cluster/apiserver/http_front.h"
#include "cluster/apiserver/list_pages.h"
#include "cluster/apiserver/observing.h"
#include "cluster/apiserver/selected_watch.h"
#include "cluster/apiserver/server_parts.h"
#include "cluster/apiserver/status_error.h"
#include "core/barrier.h"

namespace steer {
namespace {

Result<const KindSchema*> kindOf(const std::string& resource) {
  const auto* kind = SchemaRegistry::builtin().findByResource(resource);
  if (kind == nullptr) return makeError(Errc::notFound, "the server could not find the requested resource");
  return kind;
}

Result<ObjectPtr> objectOf(Result<WriteOutcome> outcome, const Write& write) {
  if (!outcome.ok()) return std::move(outcome).error();
  if (write.subresource == "scale" && outcome->object != nullptr) return Object::make(scaleOf(*outcome->object));
  return std::move(outcome->object);
}

}  // namespace

struct ApiServer::Rooms {
  ServerParts parts;
  ListPages pages;
  HttpFront front;

  Rooms(Store& store, const Clock& clock, Random& random, ApiServerOptions options, NodeGateway* nodes)
      : parts(store, clock, random, std::move(options), nodes), pages(clock), front(parts, pages) {}
};

ApiServer::ApiServer(Store& store, const Clock& clock, Random& random, ApiServerOptions options, NodeGateway* nodes)
    : rooms_(std::make_unique<Rooms>(store, clock, random, std::move(options), nodes)) {
  // Whatever an older version stored, the server starts, and says what is wrong.
  (void)barrier::run("the standing objects", [&] { makeStandingObjects(rooms_->parts); });
}

ApiServer::~ApiServer() = default;

Response ApiServer::handle(const Request& request) {
  Response out;
  const auto fault = barrier::run("a request", [&] { out = rooms_->front.answer(request); });
  return fault ? errorAnswer(makeError(Errc::internal, barrier::faultText("a request", *fault))) : std::move(out);
}

HeadVerdict ApiServer::judge(const Request& head) { return judgeHead(rooms_->parts, head); }

Response ApiServer::refuse(const Error& error) { return errorAnswer(error); }

Result<ObjectPtr> ApiServer::execute(const Write& write, const Identity& identity) {
  return objectOf(rooms_->parts.executor.run(write, {}, identity), write);
}

std::vector<Result<ObjectPtr>> ApiServer::executeBatch(std::vector<Write> writes, const BatchOptions& options,
                                                       const Identity& identity) {
  WriteSettings settings;
  settings.dryRun = options.dryRun;
  auto outcomes = rooms_->parts.executor.runAll(writes, settings, options.onError, identity);
  std::vector<Result<ObjectPtr>> out;
  out.reserve(outcomes.size());
  for (std::size_t i = 0; i < outcomes.size(); ++i) out.push_back(objectOf(std::move(outcomes[i]), writes[i]));
  return out;
}

Result<ObjectPtr> ApiServer::get(const ObjectRef& ref, const Identity& identity) const {
  STEER_TRY(const KindSchema* kind, kindOf(ref.resource));
  const Snapshot view = rooms_->parts.store.snapshot();
  STEER_CHECK(rooms_->parts.authorize(identity, {"get", ref.resource, "", ref.ns, ref.name}, view));
  auto object = view.get(ref);
  if (object == nullptr) return notFoundError(*kind, ref.name);
  return object;
}

Result<ObjectList> ApiServer::list(const std::string& resource, const ListOptions& options, const Identity& identity) {
  STEER_TRY(const KindSchema* kind, kindOf(resource));
  (void)kind;
  STEER_TRY(Selection selection, Selection::make(resource, options.ns, options.labelSelector, options.fieldSelector));
  const Snapshot view = rooms_->parts.store.snapshot();
  STEER_CHECK(rooms_->parts.authorize(identity, selection.question("list"), view));
  STEER_TRY(Page page, rooms_->pages.read(view, selection, options.limit, options.continueToken));
  return ObjectList{std::move(page.items), page.revision, std::move(page.continueToken)};
}

Result<std::unique_ptr<Watch>> ApiServer::watch(const std::string& resource, const ListOptions& options,
                                                std::uint64_t fromRevision, Waker waker, const Identity& identity) {
  STEER_TRY(const KindSchema* kind, kindOf(resource));
  (void)kind;
  STEER_TRY(Selection selection, Selection::make(resource, options.ns, options.labelSelector, options.fieldSelector));
  const Snapshot view = rooms_->parts.store.snapshot();
  STEER_CHECK(rooms_->parts.authorize(identity, selection.question("watch"), view));
  std::deque<WatchEvent> initial;
  if (fromRevision == 0) {
    selection.each(view, "", [&](const ObjectPtr& object) {
      initial.push_back({WatchEvent::Type::added, object, object->revision()});
      return true;
    });
    fromRevision = view.revision();
  }
  STEER_TRY(auto source, rooms_->parts.store.watch(resource, fromRevision, std::move(waker), selection.filter()));
  return std::unique_ptr<Watch>(
      std::make_unique<SelectedWatch>(std::move(selection), std::move(source), std::move(initial)));
}

Result<Observation> ApiServer::observe(const ObserveRequest& request, const Identity& identity) const {
  return observeObjects(rooms_->parts, request, identity);
}

Result<Identity> ApiServer::identify(const std::string& token) const {
  STEER_TRY(auto holder, rooms_->parts.tokens.check(rooms_->parts.store.snapshot(), token));
  return std::move(holder.identity);
}

Snapshot ApiServer::snapshot() const { return rooms_->parts.store.snapshot(); }

}  // namespace steer
