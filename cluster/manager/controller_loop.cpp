#include "cluster/manager/controller_loop.h"

#include <algorithm>
#include <set>
#include <utility>

#include "core/barrier.h"
#include "core/log.h"

namespace steer {
namespace {

constexpr std::size_t kKeysPerStep = 512;
constexpr std::size_t kWritesPerStep = 1000;
constexpr std::size_t kEventsPerStep = 200;
constexpr Duration kBarrierLimit = seconds(5);

/// Nobody answered: sending the rest would only fail again.
bool serverAway(Errc code) {
  return code == Errc::unavailable || code == Errc::timeout || code == Errc::io || code == Errc::cancelled;
}

/// Nothing new is accepted in a namespace that is being deleted.
bool namespaceEnds(const Error& error) {
  return error.code == Errc::forbidden && std::any_of(error.causes.begin(), error.causes.end(), [](const Cause& cause) {
           return cause.reason == "NamespaceTerminating";
         });
}

std::vector<Informer::Source> sourcesOf(const std::vector<std::unique_ptr<Controller>>& controllers) {
  std::set<std::string> resources;
  for (const auto& controller : controllers)
    for (auto& resource : controller->resources()) resources.insert(std::move(resource));
  std::vector<Informer::Source> sources;
  for (const auto& resource : resources) sources.push_back({resource});
  return sources;
}

std::string controllerPlace(const Controller& controller, const Controller::Key& key) {
  return "the controller " + std::string(controller.name()) + " at " + (key.ns.empty() ? "" : key.ns + "/") + key.name;
}

}  // namespace

ControllerLoop::ControllerLoop(Client& client, Random& random, std::vector<std::unique_ptr<Controller>> controllers,
                               Events events)
    : client_(client), controllers_(std::move(controllers)) {
  for (std::size_t i = 0; i < controllers_.size(); ++i) {
    for (const auto& resource : controllers_[i]->resources()) {
      auto& list = byResource_[resource];
      if (std::find(list.begin(), list.end(), i) == list.end()) list.push_back(i);
    }
    recorders_.push_back(std::make_unique<EventRecorder>(std::string(controllers_[i]->name()), random, events));
  }
  informer_ = std::make_unique<Informer>(client_, sourcesOf(controllers_), wakerForMe());
}

ControllerLoop::~ControllerLoop() = default;

void ControllerLoop::takeIn(const std::string& resource, const ObjectPtr& before, const ObjectPtr& after) {
  if (after) {
    auto& newest = seen_[resource];
    newest = std::max(newest, after->revision());
  }
  const auto interested = byResource_.find(resource);
  if (interested == byResource_.end()) return;
  for (const auto index : interested->second) {
    show({index, resource, before, after});
  }
}

std::string ControllerLoop::placeOf(const Missed& change) const {
  const auto& object = change.after ? change.after : change.before;
  return controllerPlace(*controllers_[change.controller], {object->ns(), change.resource + "/" + object->name()});
}

void ControllerLoop::show(Missed change) {
  const auto fault = barrier::run(placeOf(change), [&] {
    for (auto& key :
         controllers_[change.controller]->keysFor(informer_->snapshot(), change.resource, change.before, change.after))
      queue_.add({change.controller, std::move(key)});
  });
  if (fault) missed_.push_back(std::move(change));
}

/// Changes whose keys a controller could not name are shown to it again; it alone waits for them.
void ControllerLoop::showMissed(Time now) {
  if (missed_.empty()) {
    missedDue_.reset();
    missedTimes_ = 0;
    return;
  }
  if (!missedDue_) missedDue_ = now + seconds(1) * (1 << std::min(missedTimes_++, 6));
  if (now < *missedDue_) return;
  missedDue_.reset();
  for (auto& missed : std::exchange(missed_, {})) show(std::move(missed));
  if (!missed_.empty()) missedDue_ = now + seconds(1) * (1 << std::min(missedTimes_++, 6));
}

bool ControllerLoop::passed(const Barrier& barrier, Time now) const {
  if (now >= barrier.giveUp) return true;
  for (const auto& [resource, revision] : barrier.revisions) {
    if (informer_->seenRevision() >= revision) continue;
    const auto newest = seen_.find(resource);
    if (newest == seen_.end() || newest->second < revision) return false;
  }
  for (const auto& [ref, uid] : barrier.removals) {
    const auto object = informer_->snapshot().get(ref);
    if (object && object->uid() == uid && !object->deleting()) return false;
  }
  return true;
}

std::vector<ControllerLoop::Made> ControllerLoop::decide(Time now) {
  std::vector<Made> round;
  std::size_t writes = 0;
  for (std::size_t n = 0; n < kKeysPerStep && writes < kWritesPerStep; ++n) {
    auto id = queue_.take([&](const Barrier& barrier) { return passed(barrier, now); });
    if (!id) break;
    Made made{*id, {}, 0};
    // Decisions read what others stored. Whatever it is, it holds up its own key and no other.
    const auto& controller = *controllers_[id->controller];
    if (barrier::run(controllerPlace(controller, id->key),
                     [&] { made.decision = controller.decide(informer_->snapshot(), id->key, now); })) {
      queue_.retry(*id, now);
      continue;
    }
    // What is due already belonged into this decision; asking again at once would never end.
    if (auto at = made.decision.recheck) queue_.addAt(*id, *at > now ? *at : now + seconds(1));
    if (made.decision.writes.empty()) {
      for (const auto& event : made.decision.events) recorders_[id->controller]->note(event, now);
      queue_.succeeded(*id);
      queue_.settle(*id);
      continue;
    }
    writes += made.decision.writes.size();
    round.push_back(std::move(made));
  }
  return round;
}

/// Whether the server confirms what the decision takes for granted.
bool ControllerLoop::provided(const Decision& decision) {
  return std::all_of(decision.provided.begin(), decision.provided.end(), [&](const Proviso& proviso) {
    const auto known = answers_.find(proviso);
    if (known != answers_.end()) return known->second;
    bool holds = false;
    if (proviso.absent.name.empty()) {
      ListOptions options;
      options.ns = proviso.absent.ns;
      options.limit = 1;
      const auto list = client_.list(proviso.absent.resource, options);
      holds = list.ok() ? list->items.empty() : list.error().code == Errc::notFound;
    } else {
      const auto object = client_.get(proviso.absent);
      holds = object.ok() ? *object && !proviso.uid.empty() && (*object)->uid() != proviso.uid
                          : object.error().code == Errc::notFound;
    }
    answers_.emplace(proviso, holds);
    return holds;
  });
}

void ControllerLoop::execute(std::vector<Made> round, Time now) {
  std::erase_if(round, [&](const Made& made) {
    if (made.decision.provided.empty() || provided(made.decision)) return false;
    queue_.retry(made.id, now);
    return true;
  });
  // Several decisions share one batch, which stops at the first failure: the decision that failed
  // ends there, or with the slow start that it was in; those after it are sent again.
  for (std::size_t begin = 0; begin < round.size();) {
    std::vector<Write> writes;
    for (std::size_t i = begin; i < round.size(); ++i) {
      round[i].first = writes.size();
      for (const auto& write : round[i].decision.writes) writes.push_back(write);
    }
    const auto results = client_.batch(std::move(writes), {.onError = OnError::stop, .dryRun = false});
    const auto failure = std::find_if(results.begin(), results.end(), [](const auto& r) { return !r.ok(); });
    const auto failed = static_cast<std::size_t>(failure - results.begin());
    std::size_t at = begin;
    const auto of = [&](const Made& made) {
      return std::span(results).subspan(made.first, made.decision.writes.size());
    };
    while (at < round.size() && round[at].first + round[at].decision.writes.size() <= failed) {
      finish(round[at], of(round[at]), now);
      ++at;
    }
    if (at >= round.size()) break;
    const bool away = failure == results.end() || serverAway(failure->error().code);
    if (away) {
      for (; at < round.size(); ++at) queue_.retry(round[at].id, now);
      break;
    }
    const auto its = of(round[at]);
    endAt(round[at], failed - round[at].first, {its.begin(), its.end()}, now);
    begin = at + 1;
  }
}

/// A write of the decision was refused. Within a slow start the rest of its batch is still tried.
void ControllerLoop::endAt(const Made& made, std::size_t failed, Results results, Time now) {
  const auto& writes = made.decision.writes;
  if (namespaceEnds(results[failed].error())) return carryOn(made, failed, std::move(results), now);
  const auto end = made.decision.slowStart.batchEnd(failed);
  if (end && *end > failed + 1) {
    const auto from = static_cast<std::ptrdiff_t>(failed + 1);
    auto rest = client_.batch({writes.begin() + from, writes.begin() + static_cast<std::ptrdiff_t>(*end)},
                              {.onError = OnError::proceed, .dryRun = false});
    for (std::size_t i = 0; i < rest.size() && failed + 1 + i < *end; ++i) results[failed + 1 + i] = std::move(rest[i]);
  }
  finish(made, results, now);
  for (std::size_t i = failed + 1; end && i < *end; ++i)
    if (!results[i].ok()) noteRefused(made, writes[i], results[i].error(), now);
  fail(made, writes[failed], results[failed].error(), now);
}

/// What the decision makes is refused because the namespace ends. That is no failure to tell of, and what else was
/// decided (finalizers dropped, deletions, status) must not wait for what never comes.
void ControllerLoop::carryOn(const Made& made, std::size_t failed, Results results, Time now) {
  const auto& writes = made.decision.writes;
  std::vector<std::size_t> rest;
  std::vector<Write> asked;
  for (std::size_t i = failed + 1; i < writes.size(); ++i) {
    if (writes[i].verb == Write::Verb::create && writes[i].target.ns == writes[failed].target.ns) continue;
    rest.push_back(i);
    asked.push_back(writes[i]);
  }
  if (!asked.empty()) {
    auto answers = client_.batch(std::move(asked), {.onError = OnError::proceed, .dryRun = false});
    for (std::size_t i = 0; i < rest.size() && i < answers.size(); ++i) results[rest[i]] = std::move(answers[i]);
  }
  finish(made, results, now);
  for (const auto i : rest)
    if (!results[i].ok() && !namespaceEnds(results[i].error())) noteRefused(made, writes[i], results[i].error(), now);
  queue_.retry(made.id, now);
  log::debug("nothing is made in a namespace that ends", {{"target", writes[failed].target.text()}});
}

/// Records what went through of a decision, as far as it did.
void ControllerLoop::finish(const Made& made, std::span<const Result<ObjectPtr>> results, Time now) {
  Barrier barrier;
  barrier.giveUp = now + kBarrierLimit;
  const auto& writes = made.decision.writes;
  std::size_t done = 0;
  for (std::size_t i = 0; i < writes.size(); ++i) {
    if (!results[i].ok()) continue;
    ++done;
    const auto& object = *results[i];
    if (!object) continue;
    const auto& resource = writes[i].target.resource;
    if (!byResource_.contains(resource)) continue;
    if (writes[i].verb == Write::Verb::remove) barrier.removals.emplace_back(writes[i].target, object->uid());
    else barrier.revisions[resource] = std::max(barrier.revisions[resource], object->revision());
  }
  for (const auto& event : made.decision.events) {
    if (!event.afterWrite) {
      recorders_[made.id.controller]->note(event, now);
      continue;
    }
    if (!results[*event.afterWrite].ok()) continue;
    EventNote note = event;
    const auto& object = *results[*event.afterWrite];
    if (const auto mark = note.message.find("{name}"); mark != std::string::npos && object)
      note.message.replace(mark, 6, object->name());
    recorders_[made.id.controller]->note(note, now);
  }
  queue_.setBarrier(made.id, std::move(barrier));
  if (done == writes.size()) {
    // The decision may have been cut short by a limit of its own: ask once more when it has been seen.
    queue_.again(made.id, now);
  }
}

/// Tells people of one more refusal of the same attempt; what follows from it follows from the first.
void ControllerLoop::noteRefused(const Made& made, const Write& write, const Error& error, Time now) {
  if (error.code == Errc::conflict || error.code == Errc::notFound) return;
  const auto index = made.id.controller;
  for (const auto& event : controllers_[index]->refused(informer_->snapshot(), made.id.key, write, error, now).events)
    recorders_[index]->note(event, now);
}

void ControllerLoop::fail(const Made& made, const Write& write, const Error& error, Time now) {
  queue_.retry(made.id, now);
  if (error.code == Errc::conflict || error.code == Errc::notFound) {  // the world moved: decide anew
    log::debug("controller write overtaken", {{"target", write.target.text()}, {"error", error.message}});
    return;
  }
  auto& controller = *controllers_[made.id.controller];
  log::warn(
      "controller write refused",
      {{"controller", std::string(controller.name())}, {"target", write.target.text()}, {"error", error.message}});
  auto answer = controller.refused(informer_->snapshot(), made.id.key, write, error, now);
  for (const auto& event : answer.events) recorders_[made.id.controller]->note(event, now);
  if (!answer.writes.empty())
    for (auto& result : client_.batch(std::move(answer.writes), {.onError = OnError::stop, .dryRun = false}))
      if (!result.ok()) break;  // the next attempt says it again
}

void ControllerLoop::flushEvents(Time now) {
  std::vector<Write> writes;
  for (auto& recorder : recorders_) {
    auto due = recorder->flush(now, kEventsPerStep);
    writes.insert(writes.end(), std::make_move_iterator(due.begin()), std::make_move_iterator(due.end()));
  }
  if (writes.empty()) return;
  // Events inform; one that is lost is not worth a retry.
  for (auto& result : client_.batch(std::move(writes), {.onError = OnError::proceed, .dryRun = false}))
    if (!result.ok() && serverAway(result.error().code)) break;
}

/// Keys may have been lost with the step: every object names its keys again.
void ControllerLoop::recover() {
  for (const auto& missed : std::exchange(missed_, {})) barrier::forget(placeOf(missed));
  for (const auto& [resource, interested] : byResource_)
    for (const auto& object : informer_->snapshot().list(resource)) takeIn(resource, nullptr, object);
}

Loop::Next ControllerLoop::step(Time now) {
  bool news = false;
  const bool more =
      informer_->pump(now, [&](const std::string& resource, const ObjectPtr& before, const ObjectPtr& after) {
        news = true;
        takeIn(resource, before, after);
      });
  if (!informer_->synced()) return more ? again(now) : informer_->retryAt() ? at(*informer_->retryAt()) : idle();
  if (news || queue_.hasBlocked()) queue_.unblock();
  queue_.release(now);
  answers_.clear();
  showMissed(now);
  if (auto round = decide(now); !round.empty()) execute(std::move(round), now);
  flushEvents(now);
  if (more || queue_.hasReady()) return again(now);
  std::optional<Time> next = queue_.nextTimer();
  auto sooner = [&](std::optional<Time> t) {
    if (t && (!next || *t < *next)) next = t;
  };
  sooner(informer_->retryAt());
  sooner(missedDue_);
  for (const auto& recorder : recorders_) sooner(recorder->due());
  if (queue_.hasBlocked()) sooner(now + milliseconds(500));
  return next ? at(*next) : idle();
}

}  // namespace steer
