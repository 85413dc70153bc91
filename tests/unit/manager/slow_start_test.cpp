// Pods are made in batches of 1, 2, 4, …: a batch with a failure is finished, and the last.
#include <catch2/catch.hpp>
#include <set>

#include "cluster/apiserver/api_server.h"
#include "cluster/apiserver/in_process_client.h"
#include "cluster/controllers/job.h"
#include "cluster/controllers/replica_set.h"
#include "cluster/manager/controller_loop.h"
#include "cluster/store/store.h"

using namespace steer;

namespace {

/// Refuses to make the pods whose turn (counted from 0) is named, and counts what it is asked.
class Refusing final : public Client {
 public:
  explicit Refusing(Client& inner) : inner_(inner) {}
  std::set<int> refused;
  int asked = 0;
  int batches = 0;  ///< that make pods

  Result<ObjectPtr> get(const ObjectRef& ref) override { return inner_.get(ref); }
  Result<ObjectList> list(const std::string& resource, const ListOptions& options) override {
    return inner_.list(resource, options);
  }
  Result<std::unique_ptr<Watch>> watch(const std::string& resource, const ListOptions& options, std::uint64_t from,
                                       Waker waker) override {
    return inner_.watch(resource, options, from, std::move(waker));
  }
  Result<ObjectPtr> write(const Write& write) override { return inner_.write(write); }
  Result<Observation> observe(const ObserveRequest& request) override { return inner_.observe(request); }
  std::vector<Result<ObjectPtr>> batch(std::vector<Write> writes, const BatchOptions& options) override {
    std::vector<Result<ObjectPtr>> out;
    bool stopped = false, pods = false;
    for (auto& write : writes) {
      const bool pod = write.verb == Write::Verb::create && write.target.resource == "pods";
      if (stopped) {
        out.emplace_back(makeError(Errc::cancelled, "an earlier write failed"));
        continue;
      }
      pods = pods || pod;
      if (pod && refused.contains(asked++)) out.emplace_back(makeError(Errc::forbidden, "exceeded quota"));
      else out.push_back(inner_.batch({write}, options).front());
      stopped = !out.back().ok() && options.onError == OnError::stop;
    }
    batches += pods ? 1 : 0;
    return out;
  }

 private:
  Client& inner_;
};

struct Cluster {
  std::unique_ptr<Store> store = std::move(*Store::open(openMemoryLog(makeMemoryDisk()), {.inlineCommit = true}));
  ManualClock clock;
  Random random{1};
  ApiServer api{*store, clock, random, {}};
  std::unique_ptr<Client> client = makeInProcessClient(api, systemIdentity());
  Refusing refusing{*client};
  std::unique_ptr<ControllerLoop> loop;

  explicit Cluster(std::unique_ptr<Controller> controller) {
    std::vector<std::unique_ptr<Controller>> all;
    all.push_back(std::move(controller));
    loop = std::make_unique<ControllerLoop>(refusing, random, std::move(all));
  }
  void make(const std::string& resource, const std::string& text) {
    const auto made = client->write(Write::create(resource, parseJson(text)->as_object()));
    INFO((made.ok() ? "" : made.error().message));
    REQUIRE(made.ok());
  }
  /// Until the first pods were asked for, and no further.
  void oneAttempt() {
    for (int i = 0; i < 50 && refusing.asked == 0; ++i) loop->step(clock.now());
  }
  std::size_t pods() const { return store->snapshot().list("pods").size(); }
  std::size_t told(const std::string& reason) const {
    std::size_t out = 0;
    for (const auto& event : store->snapshot().list("events"))
      if (stringAt(event->json(), {"reason"}) == reason)
        out += static_cast<std::size_t>(std::max<std::int64_t>(1, intAt(event->json(), {"count"})));
    return out;
  }
};

constexpr const char* kReplicaSet = R"({"apiVersion":"apps/v1","kind":"ReplicaSet","metadata":{"namespace":"default",
  "name":"web"},"spec":{"replicas":20,"selector":{"matchLabels":{"app":"web"}},"template":{"metadata":{"labels":
  {"app":"web"}},"spec":{"containers":[{"name":"c","image":"c:1"}]}}}})";

}  // namespace

TEST_CASE("Batches of 1, 2, 4 and so on, the last one as long as what is left") {
  const SlowStart run{3, 10};
  CHECK_FALSE(run.batchEnd(2));
  CHECK(run.batchEnd(3) == 4);
  CHECK(run.batchEnd(4) == 6);
  CHECK(run.batchEnd(5) == 6);
  CHECK(run.batchEnd(6) == 10);
  CHECK(run.batchEnd(9) == 10);
  CHECK(run.batchEnd(10) == 13);
  CHECK(run.batchEnd(12) == 13);
  CHECK_FALSE(run.batchEnd(13));
}

TEST_CASE("When nothing is refused, all pods are made at once") {
  Cluster c(makeReplicaSetController());
  c.make("replicasets.apps", kReplicaSet);
  c.oneAttempt();
  CHECK(c.pods() == 20);
  CHECK(c.refusing.batches == 1);
}

TEST_CASE("The batch with the first failure is finished, and nothing after it is tried") {
  Cluster c(makeReplicaSetController());
  c.make("replicasets.apps", kReplicaSet);
  c.refusing.refused = {4};  // the second of the four that come third
  c.oneAttempt();
  CHECK(c.refusing.asked == 7);
  CHECK(c.pods() == 6);
  c.clock.advanceTo(c.clock.now() + seconds(40));
  for (int i = 0; i < 50; ++i) c.loop->step(c.clock.now());
  CHECK(c.pods() == 20);
}

TEST_CASE("A first pod that is refused is the only one that is tried") {
  Cluster c(makeReplicaSetController());
  c.make("replicasets.apps", kReplicaSet);
  c.refusing.refused = {0};
  c.oneAttempt();
  CHECK(c.refusing.asked == 1);
  CHECK(c.pods() == 0);
  const auto set = c.client->get({"replicasets.apps", "default", "web"});
  REQUIRE(set.ok());
  CHECK(jsonText((*set)->status()).find("ReplicaFailure") != std::string::npos);
}

TEST_CASE("Each refusal of a batch is told, and each pod that was made in spite of it") {
  Cluster c(makeReplicaSetController());
  c.make("replicasets.apps", kReplicaSet);
  c.refusing.refused = {3, 5};
  c.oneAttempt();
  CHECK(c.pods() == 5);
  // Events are written a little later, all that came together at once.
  for (int i = 0; i < 50; ++i) {
    c.clock.advanceTo(c.clock.now() + seconds(1));
    c.loop->step(c.clock.now());
  }
  CHECK(c.told("SuccessfulCreate") >= 5);
  CHECK(c.told("FailedCreate") == 2);
}

TEST_CASE("The pods of a job start slowly, too") {
  Cluster c(makeJobController());
  c.make("jobs.batch", R"({"apiVersion":"batch/v1","kind":"Job","metadata":{"namespace":"default","name":"work"},"spec":
    {"parallelism":10,"completions":10,"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":
    "c:1"}]}}}})");
  c.refusing.refused = {1};
  c.oneAttempt();
  CHECK(c.refusing.asked == 3);
  CHECK(c.pods() == 2);
}

namespace {

/// Makes two config maps in a namespace, and then takes a finalizer from one that is there.
class MakesAndLetsGo final : public Controller {
 public:
  std::string_view name() const override { return "makes-and-lets-go"; }
  std::vector<std::string> resources() const override { return {"secrets"}; }
  std::vector<Key> keysFor(const Snapshot&, std::string_view, const ObjectPtr&, const ObjectPtr& after) const override {
    return after ? std::vector<Key>{{after->ns(), after->name()}} : std::vector<Key>{};
  }
  Decision decide(const Snapshot& snapshot, const Key& key, Time) const override {
    Decision out;
    const auto held = snapshot.get("secrets", key.ns, key.name);
    if (!held || held->finalizers().empty()) return out;
    for (const char* made : {"one", "two"})
      out.writes.push_back(Write::create(
          "configmaps",
          {{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"metadata", {{"namespace", key.ns}, {"name", made}}}}));
    out.writes.push_back(Write::patch({"secrets", key.ns, key.name}, PatchType::merge,
                                      json::object{{"metadata", {{"finalizers", nullptr}}}}));
    return out;
  }
  Decision refused(const Snapshot& snapshot, const Key& key, const Write&, const Error& error, Time) const override {
    Decision out;
    out.events.push_back({snapshot.get("secrets", key.ns, key.name), "Warning", "FailedCreate", error.message});
    return out;
  }
};

}  // namespace

TEST_CASE("what is refused because its namespace ends holds up nothing else that was decided, and is no failure") {
  Cluster c(std::make_unique<MakesAndLetsGo>());
  c.make("namespaces", R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop"}})");
  c.make("secrets", R"({"apiVersion":"v1","kind":"Secret","metadata":{"namespace":"shop","name":"held","finalizers":
    ["example.org/hold"]}})");
  REQUIRE(c.client->write(Write::remove({"namespaces", "", "shop"})).ok());
  for (int i = 0; i < 50; ++i) {
    c.clock.advanceTo(c.clock.now() + seconds(1));
    c.loop->step(c.clock.now());
  }
  const auto held = c.client->get({"secrets", "shop", "held"});
  REQUIRE(held.ok());
  CHECK((*held)->finalizers().empty());
  CHECK(c.store->snapshot().list("configmaps", "shop").empty());
  CHECK(c.told("FailedCreate") == 0);
}
