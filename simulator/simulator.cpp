#include "simulator/simulator.h"

#include "cluster/apiserver/in_process_client.h"
#include "core/selector.h"
#include "core/yaml.h"
#include "schemas/schema.h"

namespace steer {
namespace {

Identity administrator() { return {"simulator", {"system:masters", "system:authenticated"}}; }

bool isReady(const Object& pod) {
  for (const auto& condition : arrayAt(pod.status(), {"conditions"}))
    if (stringAt(condition, {"type"}) == "Ready") return stringAt(condition, {"status"}) == "True";
  return false;
}

}  // namespace

Simulator::Simulator(SimulatorOptions options)
    : options_(std::move(options)), random_(options_.seed), disk_(makeMemoryDisk()), driver_(clock_, options_.seed) {
  fleet_ = std::make_unique<SimFleet>(fleetClient_, options_.fleet);
  driver_.add(*fleet_);
  startServer();
}

Simulator::~Simulator() {
  stopServer();
  driver_.remove(*fleet_);
}

void Simulator::startServer() {
  if (server_) return;
  auto server = std::make_unique<Server>();
  auto store = Store::open(openMemoryLog(disk_), {.inlineCommit = true});
  if (!store.ok()) return;  // the disk fails: as a process that cannot start; try again later
  server->store = std::move(store).value();
  server->api = std::make_unique<ApiServer>(*server->store, clock_, random_, ApiServerOptions{});
  server->client = makeInProcessClient(*server->api, administrator());
  ManagerOptions managerOptions;
  managerOptions.recordPodTimes = options_.recordPodTimes;
  managerOptions.reportFaults = options_.reportFaults;
  managerOptions.podCidr = options_.podCidr;
  server->manager = std::make_unique<Manager>(*server->client, clock_, random_, managerOptions);
  for (auto* loop : server->manager->loops()) driver_.add(*loop);
  client_.connect(makeInProcessClient(*server->api, administrator()));
  fleetClient_.connect(makeInProcessClient(*server->api, administrator()));
  server_ = std::move(server);
}

void Simulator::stopServer() {
  if (!server_) return;
  client_.connect(nullptr);
  fleetClient_.connect(nullptr);
  for (auto* loop : server_->manager->loops()) driver_.remove(*loop);
  server_->manager.reset();
  server_->client.reset();
  server_->api.reset();
  server_->store.reset();
  server_.reset();
}

Snapshot Simulator::state() const { return server_ ? server_->store->snapshot() : Snapshot{}; }

Result<void> Simulator::apply(const std::string& yaml) {
  Diagnostics findings;
  std::vector<Write> writes;
  for (const auto& document : parseYaml(yaml, "test.yaml", findings)) {
    const auto* body = document.value.if_object();
    if (body == nullptr) continue;
    const auto gvk = Gvk::from(stringAt(*body, {"apiVersion"}), stringAt(*body, {"kind"}));
    const auto* kind = SchemaRegistry::builtin().find(gvk);
    if (kind == nullptr) return makeError(Errc::badRequest, "unknown kind " + gvk.apiVersion() + " " + gvk.kind);
    json::object object = *body;
    auto& metadata = ensureObject(object, "metadata");
    if (kind->namespaced && !metadata.contains("namespace")) metadata["namespace"] = "default";
    writes.push_back(Write::apply(kind->resource(), std::move(object), "test", true));
  }
  if (findings.hasErrors()) return makeError(Errc::badRequest, findings.text());
  for (auto& result : client_.batch(std::move(writes), {}))
    if (!result.ok()) return std::move(result).error();
  return {};
}

Result<void> Simulator::smuggle(const std::string& resource, json::object body) {
  if (!server_) return makeError(Errc::unavailable, "the server is down");
  Mutation mutation;
  const auto object = Object::make(body);
  mutation.target = {resource, object->ns(), object->name()};
  mutation.body = std::move(body);
  STEER_CHECK(server_->store->commit({std::move(mutation)}));
  return {};
}

bool Simulator::advanceUntil(const std::function<bool()>& holds, Duration limit, Duration each) {
  const Time end = clock_.now() + limit;
  if (!settle()) return false;
  while (!holds()) {
    if (clock_.now() >= end) return false;
    if (!advance(each)) return false;
  }
  return true;
}

std::vector<ObjectPtr> Simulator::pods(const std::string& ns, const std::string& labelSelector) const {
  const auto selector = LabelSelector::parse(labelSelector);
  std::vector<ObjectPtr> out;
  state().each("pods", ns, [&](const ObjectPtr& pod) {
    if (selector.ok() && selector->matches(pod->labels())) out.push_back(pod);
  });
  return out;
}

std::size_t Simulator::running(const std::string& ns, const std::string& labelSelector) const {
  std::size_t n = 0;
  for (const auto& pod : pods(ns, labelSelector))
    if (!pod->deleting() && stringAt(pod->status(), {"phase"}) == "Running") ++n;
  return n;
}

std::size_t Simulator::ready(const std::string& ns, const std::string& labelSelector) const {
  std::size_t n = 0;
  for (const auto& pod : pods(ns, labelSelector))
    if (!pod->deleting() && isReady(*pod)) ++n;
  return n;
}

}  // namespace steer
