#include "reconciler/loop/applications_loop.h"

#include <algorithm>
#include <atomic>

#include "core/barrier.h"
#include "core/log.h"
#include "core/rfc3339.h"
#include "core/source_address.h"
#include "reconciler/git/remote_url.h"
#include "reconciler/loop/application_child.h"
#include "reconciler/loop/included.h"
#include "reconciler/plan/application_policy.h"
#include "reconciler/plan/application_source.h"
#include "reconciler/plan/fingerprint.h"

namespace steer {
namespace {

constexpr const char* kApplications = "applications.steersman.dev";
constexpr const char* kRepositories = "gitrepositories.steersman.dev";
constexpr const char* kFinalizer = kApplicationFinalizer;
constexpr Duration kSecretsInterval = seconds(30);
constexpr Duration kAgain = seconds(1);
constexpr int kDeepest = 16;  ///< applications that declare applications

std::vector<Informer::Source> sources() { return {{kApplications, {}}, {kRepositories, {}}}; }

/// What makes another clone or another renderer: such a change needs a new loop.
std::string identityOf(const ApplicationSpec& spec, const std::string& key, const RemoteCredentials& credentials) {
  const auto& s = spec.source;
  Fingerprint print;
  print.add(key);
  for (const auto& text : {s.url, s.revision, s.semver, s.path, credentials.caFile, spec.targetNamespace,
                           credentials.sshKeyFile, credentials.sshKeyPassphrase, credentials.knownHostsFile,
                           credentials.username, credentials.passwordFile, std::to_string(s.interval.count()),
                           std::to_string(s.timeout.count()), std::string(spec.sourceSuspended ? "suspended" : ""),
                           std::string(credentials.reach == Reach::network ? "network" : "")})
    print.add(text);
  for (const auto& path : spec.include) print.add(path);
  return print.hex();
}

/// Where an older version kept a clone for this application alone.
std::string formerCloneOf(const std::string& dataDir, const std::string& label, const std::string& url) {
  const auto parsed = RemoteUrl::parse(url);
  return dataDir + "/git/" + label + "-" + Fingerprint().add(parsed.ok() ? parsed->url : url).hex().substr(0, 8);
}

/// Whether more than the status, which we write ourselves, is another one.
bool asksOtherwise(const ObjectPtr& before, const ObjectPtr& after) {
  if (!before || !after) return true;
  return before->uid() != after->uid() || before->spec() != after->spec() ||
         before->annotations() != after->annotations() || before->finalizers() != after->finalizers() ||
         before->deleting() != after->deleting();
}

}  // namespace

ApplicationsLoop::ApplicationsLoop(ApplicationsOptions options, RendererFactory renderers, Client& client,
                                   Executor& executor)
    : options_(std::move(options)),
      renderers_(std::move(renderers)),
      client_(client),
      executor_(executor),
      credentials_(options_.dataDir + "/credentials"),
      deletionHooks_(options_.dataDir + "/deletion-hooks"),
      informer_(client, sources(), wakerForMe()),
      rights_(client, wakerForMe()),
      plain_(executor),
      repositories_(options_.dataDir + "/git", executor, options_.transfers != nullptr ? *options_.transfers : plain_,
                    wakerForMe()) {}

ApplicationsLoop::~ApplicationsLoop() = default;

bool ApplicationsLoop::settled() const {
  return informer_.synced() && std::all_of(children_.begin(), children_.end(), [](const auto& entry) {
           return entry.second->loop && !entry.second->dirty && entry.second->loop->settled();
         });
}

Loop::Next ApplicationsLoop::step(Time now) {
  std::optional<Time> next;
  const auto want = [&](std::optional<Time> at) {
    if (at && (!next || *at < *next)) next = at;
  };
  if (informer_.pump(now, [this](const std::string&, const ObjectPtr& before, const ObjectPtr& after) {
        changed_ = changed_ || asksOtherwise(before, after);
      }))
    want(now);
  want(informer_.retryAt());
  if (!informer_.synced()) return Next{next};
  if (std::exchange(changed_, false)) takeObjects(now);
  watchRights(now);
  want(rights_.retryAt());
  if (now >= secretsDue_) {
    for (auto& [label, child] : children_) child->dirty = true;
    secretsDue_ = now + kSecretsInterval;
  }
  for (const auto& key : repositories_.dropUnused()) credentials_.remove(key);
  want(repositories_.step(now));
  for (auto it = children_.begin(); it != children_.end();) {
    Child& child = *it->second;
    if (!child.object) {
      barrier::forget("application " + child.label);
      barrier::forget("the restart of application " + child.label);
      deletionHooks_.forget(child.label);
      it = children_.erase(it);
      changed_ = true;
      want(now);
      continue;
    }
    ++it;
    const bool due = child.woken->exchange(false) || child.dirty || (child.next && now >= *child.next);
    if (due) child.next = stepGuarded(child, now);
  }
  (void)barrier::run("contests of applications", [&] { noteContests(now); });
  for (auto& [label, child] : children_) want(child->woken->load() ? std::optional(now) : child->next);
  if (repositories_.asked()) want(now);
  (void)barrier::run("the status of repositories", [&] { showRepositories(now); });
  if (!children_.empty()) want(secretsDue_);
  return Next{next};
}

void ApplicationsLoop::takeObjects(Time now) {
  std::set<std::string> there;
  for (const auto& object : informer_.snapshot().list(kApplications)) {
    there.insert(applicationLabel(object->ns(), object->name()));
    takeObject(object, now);
  }
  for (auto& [label, child] : children_) {
    if (there.contains(label)) continue;
    // Without our finalizer it went at once: its objects stay.
    log::info("application is gone", {{"app", label}});
    child->object.reset();
  }
  noteCycles(now);
}

void ApplicationsLoop::takeObject(const ObjectPtr& object, Time) {
  const auto label = applicationLabel(object->ns(), object->name());
  auto& child = children_[label];
  // A namesake that was made anew starts afresh.
  if (!child || child->object->uid() != object->uid()) child = std::make_unique<Child>(client_, label, object);
  child->object = object;
  child->dirty = true;
}

/// An account whose rights changed is asked what it still may at once, and nobody else.
void ApplicationsLoop::watchRights(Time now) {
  std::set<std::string> accounts;
  for (const auto& [label, child] : children_)
    if (child->object)
      if (auto account = accountOf(child->object->spec(), child->object->ns()); !account.empty())
        accounts.insert(std::move(account));
  const auto changed = rights_.pump(accounts, now);
  for (auto& [label, child] : children_) {
    if (!child->object || !child->loop) continue;
    if (!changed.contains(accountOf(child->object->spec(), child->object->ns()))) continue;
    child->loop->askRights();
    child->woken->store(true);
  }
}

void ApplicationsLoop::noteCycles(Time now) {
  ApplicationGraph graph;
  for (const auto& [label, child] : children_)
    if (child->object) graph[label] = dependenciesOf(child->object->spec(), child->object->ns());
  cycleOf_.clear();
  for (const auto& cycle : dependencyCycles(graph))
    for (const auto& member : cycle) cycleOf_[member] = cycle;
  for (auto& [label, child] : children_) {
    if (!child->object) continue;
    auto& status = child->loop ? child->loop->status() : child->status;
    if (const auto it = cycleOf_.find(label); it != cycleOf_.end())
      status.setCondition("DependenciesReady", false, "Cycle", cycleText(it->second), now);
    else status.dropCondition("DependenciesReady");
    child->woken->store(true);
  }
}

ObjectPtr ApplicationsLoop::repositoryOf(const Object& application) const {
  const auto name = stringAt(application.spec(), {"source", "repositoryRef", "name"});
  return name.empty() ? nullptr : informer_.snapshot().get(kRepositories, application.ns(), name);
}

ApplicationSpec ApplicationsLoop::specOf(const Child& child, int depth) const {
  const auto& object = *child.object;
  const std::string above(object.label(kApplicationLabel));
  const Child* parent = above == child.label ? nullptr : childOf(above);
  if (parent == nullptr || depth >= kDeepest || !namesNoRepository(object) || !ownedBy(object, above))
    return readApplicationSpec(object, repositoryOf(object));
  const auto spec = specOf(*parent, depth + 1);
  auto out = readApplicationSpec(object, repositoryOf(object), &spec);
  out.sourceOf = spec.sourceOf.empty() ? above : spec.sourceOf;
  return out;
}

RemoteCredentials ApplicationsLoop::baseOf(const Child& child, const ApplicationSpec& spec) const {
  const bool root = child.label == "root" || spec.sourceOf == "root";
  const bool same = options_.rootUrl.empty() || sameRepository(options_.rootUrl, spec.source.url);
  RemoteCredentials out = root && same ? options_.rootCredentials : RemoteCredentials{};
  out.reach = reachOf(spec);
  return out;
}

/// An address that says by itself that it is of this machine was judged when it was written: by who wrote it.
Reach ApplicationsLoop::reachOf(const ApplicationSpec& spec) const {
  const auto& url = spec.source.url;
  const bool free = spec.settings.account.empty() || namesThisMachine(url) || anyCovers(options_.allowedSources, url);
  return free ? Reach::anywhere : Reach::network;
}

Result<RemoteCredentials> ApplicationsLoop::credentialsOf(const ApplicationSpec& spec, const std::string& key,
                                                          RemoteCredentials base) {
  ObjectPtr secret;
  if (!spec.credentials.secretName.empty()) {
    auto got = client_.get({"secrets", spec.credentials.secretNamespace, spec.credentials.secretName});
    if (!got.ok()) return got.error();
    secret = std::move(*got);
  }
  return credentials_.write(key, spec.credentials, secret, std::move(base));
}

void ApplicationsLoop::noteProblems(Child&, ApplicationStatus& status, const ApplicationSpec& spec, Time now) {
  if (spec.problems.empty()) return status.dropCondition("SpecValid");
  std::string all;
  for (const auto& problem : spec.problems) all += (all.empty() ? "" : "; ") + problem;
  status.setCondition("SpecValid", false, "Findings", all, now);
}

/// Reads the spec and brings the loop in line with it.
void ApplicationsLoop::configure(Child& child, Time now) {
  child.dirty = false;
  auto spec = specOf(child);
  std::string problem = spec.unusable;
  RemoteCredentials credentials = baseOf(child, spec);
  const auto key = repositoryKey(spec, credentials);
  if (problem.empty()) {
    auto read = credentialsOf(spec, key, credentials);
    if (read.ok()) credentials = std::move(*read);
    else problem = "the credentials cannot be read: " + read.error().message;
  }
  const auto identity = problem.empty() ? identityOf(spec, key, credentials) : "";
  const bool another = problem.empty() && identity != child.identity;
  if (another && child.loop && !child.loop->quiet()) {
    child.restart = child.dirty = true;
    return;
  }
  child.restart = false;
  if (another) {
    startLoop(child, spec, key, std::move(credentials), now);
    child.identity = identity;
  }
  auto& status = child.loop ? child.loop->status() : child.status;
  status.setObservedGeneration(child.object->generation());
  noteProblems(child, status, spec, now);
  if (problem.empty()) {
    status.dropCondition("SourceKnown");
  } else {
    // A loop that runs already goes on as it is: the cluster is kept as it was last asked for.
    status.setCondition("SourceKnown", false, "NotFound", problem, now);
    if (!child.loop) status.setPhase("Failed", problem);
  }
  const auto text = jsonText(child.object->spec());
  if (child.loop && text != child.configured) {
    child.loop->configure(std::move(spec.settings));
    child.configured = text;
  }
  if (child.loop) child.loop->observe(*child.object);
}

void ApplicationsLoop::startLoop(Child& child, const ApplicationSpec& spec, const std::string& key,
                                 RemoteCredentials credentials, Time now) {
  child.loop.reset();
  credentials_.remove(child.label);  // of an older version
  ApplicationOptions options;
  options.name = child.label;
  options.ns = child.object->ns();
  options.objectName = child.object->name();
  options.source = spec.source;
  options.source.credentials = std::move(credentials);
  options.repository = repositories_.open(key, options.source);
  options.formerClone = formerCloneOf(options_.dataDir, child.label, spec.source.url);
  options.settings = spec.settings;
  options.source.suspended = spec.sourceSuspended;
  options.resync = options_.resync;
  options.neighbours = this;
  options.declaredClaims = [spec, label = child.label, renderers = renderers_, client = &client_](
                               const std::string& cloneDir, const std::string& commit,
                               const std::vector<WantedObject>& wanted) {
    return readDeclaredClaims({label, spec}, cloneDir, commit, wanted, renderers, *client);
  };
  options.keepDeletionHooks = [this, label = child.label](const auto& wanted) { deletionHooks_.keep(label, wanted); };
  const RenderTarget target{child.label, spec.source.path, spec.targetNamespace};
  auto renderer = onlyIncluded(renderers_(target), spec.include);
  options.anotherRenderer = [renderers = renderers_, target, include = spec.include] {
    return onlyIncluded(renderers(target), include);
  };
  child.loop = std::make_unique<ApplicationLoop>(std::move(options), std::move(renderer), client_, executor_);
  child.loop->setWaker([woken = child.woken, wake = wakerForMe()] {
    woken->store(true);
    wake();
  });
  child.configured = jsonText(child.object->spec());
  if (const auto it = cycleOf_.find(child.label); it != cycleOf_.end())
    child.loop->status().setCondition("DependenciesReady", false, "Cycle", cycleText(it->second), now);
}

/// A fault while one application is stepped is its own: it starts anew, as after a restart of the program, and the
/// others go on.
std::optional<Time> ApplicationsLoop::stepGuarded(Child& child, Time now) {
  std::optional<Time> next;
  const std::string place = "application " + child.label;
  // What a fault left behind is not stepped again: not before the restart went through.
  if (!child.fault || restartAfterFault(child, now)) {
    const auto fault = barrier::run(place, [&] { next = stepChild(child, now); });
    if (!fault) {
      if (std::exchange(child.faults, 0) > 0) noteFault(child, nullptr, now);
      return next;
    }
    child.fault = fault;
    (void)restartAfterFault(child, now);
  }
  child.faults = std::min(child.faults + 1, 7);
  return now + std::min<Duration>(seconds(1) * (1 << (child.faults - 1)), seconds(60));
}

/// Whether everything of the application is ready to begin anew.
bool ApplicationsLoop::restartAfterFault(Child& child, Time now) {
  const auto fault = barrier::run("the restart of application " + child.label, [&] {
    child.loop.reset();
    child.removal.reset();
    child.identity.clear();
    child.dirty = true;
    child.lastFault = now;
    noteFault(child, &*child.fault, now);
    child.status.setPhase("Failed", barrier::faultText("application " + child.label, *child.fault));
    (void)child.status.flush(now);
  });
  if (!fault) child.fault.reset();
  return !fault;
}

void ApplicationsLoop::noteFault(Child& child, const Fault* fault, Time now) {
  auto& status = child.loop ? child.loop->status() : child.status;
  if (fault != nullptr) {
    status.setCondition("Faultless", false, "Fault", barrier::faultText("application " + child.label, *fault), now);
  } else {
    status.setCondition("Faultless", true, "Recovered", "the last fault was at " + formatTime(*child.lastFault), now);
    child.woken->store(true);
  }
}

std::optional<Time> ApplicationsLoop::stepChild(Child& child, Time now) {
  if (child.object->deleting()) return stepRemoval(child, now);
  if (const auto set = setFinalizer(*child.object, boolAt(child.object->spec(), {"prune"}, true)); !set.ok())
    return now + kAgain;  // the answer to a write that clashed is on its way
  if (child.dirty) configure(child, now);
  if (!child.loop) return child.status.flush(now);
  const auto next = child.loop->step(now);
  const auto shown = child.loop->whyNotReady() + "|" + (child.loop->commit() ? child.loop->commit()->id : "");
  if (shown != child.shown) {
    child.shown = shown;
    wakeOthers(child);
  }
  // A loop that is to be replaced is looked at until its clone is free.
  if (child.restart) return now + milliseconds(10);
  return next.at;
}

std::optional<Time> ApplicationsLoop::stepRemoval(Child& child, Time now) {
  auto& status = child.loop ? child.loop->status() : child.status;
  if (boolAt(child.object->spec(), {"prune"}, true)) {
    if (!child.removal)
      child.removal = std::make_unique<ApplicationRemoval>(
          client_, deletionHooks_,
          ApplicationRemoval::Options{child.label, accountOf(child.object->spec(), child.object->ns()),
                                      "deletion/" + child.object->uid()});
    const auto next = child.removal->step(now, [&] { return claimedByOthers(child.label); });
    if (!child.removal->finished()) {
      status.setPhase("Deleting", child.removal->message());
      (void)status.flush(now);
      return next;
    }
  }
  if (!setFinalizer(*child.object, false).ok()) return now + kAgain;
  return std::nullopt;
}

Result<void> ApplicationsLoop::setFinalizer(const Object& known, bool present) {
  const auto newest = informer_.snapshot().get(kApplications, known.ns(), known.name());
  const Object& object = newest ? *newest : known;
  auto all = object.finalizers();
  const auto ours = std::find(all.begin(), all.end(), kFinalizer);
  if ((ours != all.end()) == present) return {};
  if (present) all.emplace_back(kFinalizer);
  else all.erase(ours);
  json::array list;
  for (const auto& finalizer : all) list.emplace_back(finalizer);
  const auto done = client_.write(Write::patch(
      {kApplications, object.ns(), object.name()}, PatchType::merge,
      json::object{{"metadata", {{"resourceVersion", std::to_string(object.revision())}, {"finalizers", list}}}}));
  if (!done.ok() && done.error().code != Errc::notFound) return done.error();
  return {};
}

void ApplicationsLoop::showRepositories(Time now) {
  for (const auto& repository : informer_.snapshot().list(kRepositories)) {
    const ObjectRef ref{kRepositories, repository->ns(), repository->name()};
    const ApplicationLoop* user = nullptr;
    for (const auto& [label, child] : children_)
      if (child->object && child->loop && user == nullptr && repositoryOf(*child->object) == repository)
        user = child->loop.get();
    const std::string commit = user != nullptr && user->commit() ? user->commit()->id : "";
    const auto& problem = user == nullptr ? std::string("no application uses it") : user->sourceProblem();
    const std::string text = commit + "|" + problem + "|" + std::to_string(repository->generation());
    if (shownRepositories_[ref] == text) continue;
    const bool ready = !commit.empty() && problem.empty();
    json::object condition{{"type", "Ready"},
                           {"status", ready             ? "True"
                                      : user == nullptr ? "Unknown"
                                                        : "False"},
                           {"reason", ready             ? "Fetched"
                                      : user == nullptr ? "NotUsed"
                                                        : "NotFetched"},
                           {"message", ready ? "at " + commit : problem},
                           {"lastTransitionTime", formatTime(now)}};
    json::object status{{"commit", commit},
                        {"message", problem},
                        {"observedGeneration", repository->generation()},
                        {"conditions", json::array{std::move(condition)}}};
    if (client_.write(Write::patch(ref, PatchType::merge, json::object{{"status", std::move(status)}}, "status")).ok())
      shownRepositories_[ref] = text;
  }
}

void ApplicationsLoop::wakeOthers(const Child& changed) {
  for (auto& [label, child] : children_)
    if (child.get() != &changed) child->woken->store(true);
}

const ApplicationsLoop::Child* ApplicationsLoop::childOf(const std::string& application) const {
  const auto it = children_.find(application);
  return it == children_.end() || !it->second->object ? nullptr : it->second.get();
}

std::string ApplicationsLoop::dependencyWait(const std::string& application) {
  const Child* self = childOf(application);
  if (self == nullptr) return "";
  if (const auto it = cycleOf_.find(application); it != cycleOf_.end())
    return "the dependencies run in a circle: " + cycleText(it->second);
  for (const auto& name : dependenciesOf(self->object->spec(), self->object->ns())) {
    const Child* other = childOf(name);
    if (other == nullptr) return "waiting for application " + name + ", which does not exist";
    if (!other->loop) return "waiting for application " + name + ", which cannot run: " + other->status.message();
    // What both read from the same place is one change: the other one must have seen it, too.
    const auto& mine = self->loop->source();
    const auto& its = other->loop->source();
    if (mine.url == its.url && mine.revision == its.revision && !self->loop->tip().empty() &&
        !other->loop->tip().empty() && other->loop->followsSource() && self->loop->tip() != other->loop->tip()) {
      other->loop->lookSoon();
      other->woken->store(true);
      return "waiting for application " + name + ", which has not read commit " + self->loop->tip().substr(0, 12) +
             " yet";
    }
    if (const auto why = other->loop->whyNotReady(); !why.empty())
      return "waiting for application " + name + ", which " + why;
  }
  return "";
}

std::set<ObjectRef> ApplicationsLoop::claimedByOthers(const std::string& application) {
  std::set<ObjectRef> out;
  for (const auto& [label, child] : children_)
    if (label != application && child->object && child->loop && !child->object->deleting())
      child->loop->addRightfulClaims(out);
  return out;
}

ContestedObjects ApplicationsLoop::contestedBy(const std::string& application) {
  ContestedObjects out;
  std::set<ObjectRef> mine;
  if (const Child* self = childOf(application); self != nullptr && self->loop) self->loop->addClaims(mine);
  for (const auto& [label, child] : children_) {
    if (label == application || !child->object || child->object->deleting()) continue;
    // Who has not read its source since the start keeps what it owns: it is not known whether it gave it up.
    const bool known = child->loop && child->loop->claimsKnown();
    std::set<ObjectRef> theirs;
    if (known) child->loop->addClaims(theirs);
    for (const auto& ref : mine)
      if (!known || theirs.contains(ref)) out[ref].insert(label);
  }
  return out;
}

/// Tells each application what others ask for, too, whenever that may have changed.
void ApplicationsLoop::noteContests(Time now) {
  std::map<std::string, std::uint64_t> claims;
  for (const auto& [label, child] : children_)
    if (child->object && child->loop && !child->object->deleting()) claims[label] = child->loop->claimsVersion();
  if (std::exchange(claimsSeen_, claims) == claims) return;
  ContestedObjects all;
  for (const auto& [label, version] : claims) {
    std::set<ObjectRef> theirs;
    children_.at(label)->loop->addClaims(theirs);
    for (const auto& ref : theirs) all[ref].insert(label);
  }
  std::map<std::string, ContestedObjects> found;
  for (const auto& [ref, who] : all)
    for (const auto& label : who)
      if (who.size() > 1) (found[label][ref] = who).erase(label);
  for (const auto& [label, version] : claims)
    if (children_.at(label)->loop->setContested(found[label], now)) children_.at(label)->woken->store(true);
}

/// An application that comes into being with a commit, or is pointed elsewhere by it, may take over what the commit
/// takes away from others.
std::string ApplicationsLoop::declaredUnsettled(const Child& declaring, const Child& asking) {
  const auto declared = declaring.loop->declares();
  if (declared.empty()) return "";
  if (&declaring != &asking && !declaring.loop->suspended() && !declaring.loop->carriedOut())
    return "application " + declaring.label + " declares applications and has not applied this commit yet";
  for (const auto& ref : declared) {
    const auto label = applicationLabel(ref.ns, ref.name);
    const Child* child = childOf(label);
    const auto live = client_.get(ref);
    if (live.ok() && (*live)->deleting()) continue;
    const std::string what = "application " + label + ", which " + declaring.label + " declares, ";
    if (!live.ok() || child == nullptr) return what + "does not exist yet";
    if (child->object->generation() != (*live)->generation() || child->dirty) return what + "is not looked at yet";
    if (child->loop) continue;
    const auto spec = specOf(*child);
    if (!spec.unusable.empty() || spec.source.url == asking.loop->source().url)
      return what + "cannot run yet: " + child->status.message();
  }
  return "";
}

std::string ApplicationsLoop::claimsUnsettled(const std::string& application) {
  const Child* self = childOf(application);
  if (self == nullptr || !self->loop || !self->loop->commit()) return "";
  if (auto why = declaredUnsettled(*self, *self); !why.empty()) return why;
  for (const auto* child : sameSource(*self))
    if (child->loop->tip() == self->loop->tip())
      if (auto why = declaredUnsettled(*child, *self); !why.empty()) return why;
  return sourceUnread(application);
}

std::string ApplicationsLoop::sourceUnread(const std::string& application) {
  const Child* self = childOf(application);
  if (self == nullptr || !self->loop || !self->loop->commit()) return "";
  for (auto* child : sameSource(*self)) {
    if (child->loop->tip() == self->loop->tip()) continue;
    child->loop->lookSoon();
    child->woken->store(true);
    return "application " + child->label + " has not read this commit yet, and may ask for what would be deleted";
  }
  return "";
}

/// The others that follow the same branch of the same repository.
std::vector<ApplicationsLoop::Child*> ApplicationsLoop::sameSource(const Child& self) const {
  std::vector<Child*> out;
  for (const auto& [label, child] : children_) {
    if (child.get() == &self || !child->object || !child->loop || child->object->deleting()) continue;
    const auto& mine = self.loop->source();
    const auto& its = child->loop->source();
    if (mine.url == its.url && mine.revision == its.revision && child->loop->followsSource())
      out.push_back(child.get());
  }
  return out;
}

Result<void> applyRootApplication(Client& client, const SourceOptions& source) {
  const auto ns = client.write(Write::create(
      "namespaces",
      {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", json::object{{"name", kSystemNamespace}}}}));
  if (!ns.ok() && ns.error().code != Errc::alreadyExists) return ns.error();
  STEER_TRY(const auto url, RemoteUrl::parse(source.url));
  json::object from{{"url", url.url}};
  if (!source.revision.empty()) from["branch"] = source.revision;
  if (!source.path.empty()) from["path"] = source.path;
  from["interval"] = std::to_string(std::chrono::duration_cast<seconds>(source.interval).count()) + "s";
  const auto done = client.write(Write::apply(kApplications,
                                              {{"apiVersion", "steersman.dev/v1"},
                                               {"kind", "Application"},
                                               {"metadata", {{"name", "root"}, {"namespace", kSystemNamespace}}},
                                               {"spec", {{"source", std::move(from)}}}},
                                              "steersman-up", true));
  if (!done.ok()) return done.error();
  return {};
}

}  // namespace steer
