#include "simulator/rehearsal.h"

#include <algorithm>
#include <memory>

#include "cluster/apiserver/api_server.h"
#include "cluster/apiserver/in_process_client.h"
#include "cluster/manager/manager.h"
#include "cluster/store/store.h"
#include "core/random.h"
#include "reconciler/apply/apply_run.h"
#include "simulator/driver.h"
#include "simulator/pod_delays.h"
#include "simulator/rehearsal_record.h"
#include "simulator/sim_fleet.h"

namespace steer {
namespace {

/// Longer than any rehearsal: nobody renews leases in it.
constexpr Duration kForever = std::chrono::hours(24 * 365);
constexpr Duration kStep = seconds(1);

/// Executes the plans one after the other.
class ApplyLoop final : public Loop {
 public:
  ApplyLoop(Client& client, const PlanSet& plans, Store& store) : client_(client), plans_(plans), store_(store) {}
  std::string_view name() const override { return "apply"; }

  Next step(Time now) override {
    while (at_ < plans_.plans.size()) {
      if (!run_) run_ = std::make_unique<ApplyRun>(client_, plans_.plans[at_]);
      const Snapshot state = store_.snapshot();
      if (const auto next = run_->step(now, [&](const ObjectRef& ref) { return state.get(ref); })) return Next{next};
      if (!run_->finished() && !run_->stopped()) return Next{now};
      noteOutcome();
      run_.reset();
      ++at_;
    }
    return idle();
  }
  bool finished() const { return at_ == plans_.plans.size(); }
  const std::vector<std::string>& refused() const { return refused_; }

 private:
  void noteOutcome() {
    for (const auto& row : run_->rows())
      if (!row.done && row.error)
        refused_.push_back(run_->plan().changes[row.change].text() + ": " + row.error->message);
    if (run_->stopped()) refused_.push_back(run_->stopped()->reason);
  }

  Client& client_;
  const PlanSet& plans_;
  Store& store_;
  std::size_t at_ = 0;
  std::unique_ptr<ApplyRun> run_;
  std::vector<std::string> refused_;
};

bool isReady(const Object& node) {
  for (const auto& condition : arrayAt(node.status(), {"conditions"}))
    if (stringAt(condition, {"type"}) == "Ready") return stringAt(condition, {"status"}) == "True";
  return false;
}

std::string workloadText(const PlannedChange& change) {
  for (const char* kind : {"Deployment", "ReplicaSet", "ReplicationController", "Job", "Pod"})
    if (change.gvk.kind == kind) return change.text();
  return "";
}

/// A cluster of its own for one rehearsal.
struct Stage {
  ManualClock clock;
  Random random;
  std::unique_ptr<Store> store;
  std::unique_ptr<ApiServer> api;
  std::unique_ptr<Client> client;
  std::unique_ptr<Manager> manager;
  std::unique_ptr<SimFleet> fleet;
  Driver driver;

  Stage(const Snapshot& cluster, const RehearsalOptions& options, PodDelays& delays)
      : random(options.seed), driver(clock, options.seed) {
    clock.advanceTo(options.now);
    store = Store::fork(cluster);
    ApiServerOptions api_options;
    if (const auto facts = cluster.get("configmaps", "kube-system", "steersman-cluster"))
      if (const auto cidr = stringAt(facts->json(), {"data", "serviceCidr"}); !cidr.empty())
        api_options.serviceCidr = cidr;
    api = std::make_unique<ApiServer>(*store, clock, random, api_options);
    client = makeInProcessClient(*api, systemIdentity("rehearsal"));
    ManagerOptions managing;
    managing.podCidr.clear();
    managing.nodeGrace = kForever;
    managing.events = Events::drop;
    manager = std::make_unique<Manager>(*client, clock, random, managing);
    FleetOptions fleeting;
    std::vector<std::string> away;
    cluster.each("nodes", "", [&](const ObjectPtr& node) {
      fleeting.adopt.push_back(node->name());
      if (!isReady(*node)) away.push_back(node->name());
    });
    fleeting.nodes = 0;
    fleeting.delaysOf = [&delays](const Object& pod) { return delays.of(pod); };
    fleet = std::make_unique<SimFleet>(*client, std::move(fleeting));
    for (const auto& node : away) fleet->partitionNode(node);
    for (auto* loop : manager->loops()) driver.add(*loop);
    driver.add(*fleet);
  }
  ~Stage() {
    driver.remove(*fleet);
    for (auto* loop : manager->loops()) driver.remove(*loop);
  }
};

}  // namespace

Result<Snapshot> readCluster(Client& client) {
  Snapshot out;
  std::uint64_t revision = 1;
  for (const auto& resource : ownableResources()) {
    const auto list = client.list(resource, {});
    if (!list.ok()) {
      if (list.error().code == Errc::notFound || list.error().code == Errc::methodNotAllowed) continue;
      return list.error();
    }
    revision = std::max(revision, list->revision);
    for (const auto& object : list->items) out.put(resource, object);
  }
  out.setRevision(revision);
  return out;
}

namespace {

std::string secondsText(Duration time) {
  return std::to_string(std::chrono::duration_cast<seconds>(time).count()) + " seconds";
}

/// Lets the plans happen on the stage. Empty when everything came to rest, else why it was cut short.
Result<std::string> perform(Stage& stage, const ApplyLoop& apply, const RehearsalRecord& record,
                            const RehearsalOptions& options, const Deadline& deadline) {
  const Time start = stage.clock.now();
  bool settled = stage.driver.settle();
  while (settled && !(apply.finished() && record.atRest(stage.store->snapshot()))) {
    if (stage.clock.now() - start >= options.limit)
      return "not at rest after " + std::to_string(std::chrono::duration_cast<minutes>(options.limit).count()) +
             " minutes";
    settled = stage.driver.advance(kStep);
  }
  if (settled) return std::string();
  if (!deadline.passed())
    return makeError(Errc::internal, "the rehearsal does not come to rest: " + stage.driver.busy());
  return "the simulation itself took longer than " + secondsText(options.wallLimit) + ", and ended " +
         secondsText(stage.clock.now() - start) + " into the change";
}

}  // namespace

Result<Forecast> rehearse(const Snapshot& cluster, const PlanSet& plans, const RehearsalOptions& options) {
  const Deadline deadline(options.wallLimit);
  PodDelays delays(measureStartTimes(cluster), options);
  Stage stage(cluster, options, delays);
  stage.driver.setExpired([&] { return deadline.passed(); });
  RehearsalRecord record(
      *stage.client, cluster, [&] { return stage.store->snapshot(); }, stage.clock.now());
  stage.driver.add(record);
  // What is on its way already is not of this change; everyone reads the cluster first.
  if (!stage.driver.settle()) {
    const auto busy = stage.driver.busy();
    stage.driver.remove(record);
    if (deadline.passed())
      return makeError(Errc::timeout, "reading the cluster took longer than " + secondsText(options.wallLimit));
    return makeError(Errc::internal, "the rehearsal does not come to rest: " + busy);
  }
  ApplyLoop apply(*stage.client, plans, *stage.store);
  stage.driver.add(apply);
  for (const auto& plan : plans.plans)
    for (const auto& change : plan.changes)
      if (change.action != PlanAction::none && change.action != PlanAction::remove)
        if (const auto text = workloadText(change); !text.empty()) record.watch(text);
  auto cutShort = perform(stage, apply, record, options, deadline);
  stage.driver.remove(apply);
  stage.driver.remove(record);
  if (!cutShort.ok()) return cutShort.error();
  Forecast out = record.finish(stage.store->snapshot(), stage.clock.now());
  out.seed = options.seed;
  out.cutShort = std::move(*cutShort);
  out.refused = apply.refused();
  out.assumptions = delays.assumptions();
  return out;
}

}  // namespace steer
