#include "nodeagent/agent/agent.h"

#include "core/barrier.h"
#include "core/log.h"
#include "nodeagent/agent/agent_server.h"
#include "nodeagent/agent/agent_state.h"

namespace steer {

namespace {

constexpr seconds kRetry{2};

std::vector<Informer::Source> sourcesOf(const AgentOptions& options) {
  ListOptions pods;
  pods.fieldSelector = "spec.nodeName=" + options.nodeName;
  ListOptions node;
  node.fieldSelector = "metadata.name=" + options.nodeName;
  return {{"pods", pods}, {"nodes", node}};
}

}  // namespace

Agent::State::State(AgentOptions given, Client& client, PodRuntime& runtime, Executor& executor, const Clock& clock,
                    Waker waker)
    : options(std::move(given)),
      client_(client),
      runtime_(runtime),
      clock_(clock),
      waker_(waker),
      references_(client, clock, options.referencePeriod),
      volumes_(options.rootDir, options.shielded),
      events_(options.nodeName),
      facts_(machineFacts(options)),
      node_{options, runtime_,           references_,        volumes_,        events_,
            clock_,  facts_.allocatable, facts_.memoryBytes, facts_.resolver, Cgroups::ofMachine()},
      runner_(node_),
      images_(options.imageCollection),
      informer_(client, sourcesOf(options), waker, &executor),
      jobs_(executor, waker) {
  networkReady = options.simulated;
  if (!options.simulated) {
    // Without it pods run all the same, but for those whose mounts must pass to others.
    if (const auto shared = volumes_.share(); !shared.ok())
      log::warn("mounts cannot pass between containers and the node", {{"error", shared.error().message}});
  }
  node_.dnsAddress.with([&](std::string& dns) { dns = options.dnsAddress; });
  runtime_.setWaker([changed = runtimeChanged_, waker] {
    *changed = true;
    waker();
  });
}

Agent::State::~State() {
  runtime_.setWaker(nullptr);
  runtime_.interrupt();
  jobs_.settle();
}

/// One duty that fails holds up none of the others: a node whose pods cannot be told of still renews its lease.
void Agent::State::duty(std::string_view what, void (State::*work)(Time), Time now) {
  if (barrier::run("the agent's " + std::string(what), [&] { (this->*work)(now); })) at(now + kRetry);
}

Loop::Next Agent::State::step(Time now) {
  next_.reset();
  node_.networkReady = networkReady.load();
  if (!options.simulated && options.serverPort >= 0 && !options.caPem.empty() && !serverTried_) startServer();
  if (const auto change = runtime_.nextChange(); change && *change <= now) *runtimeChanged_ = true;
  const bool more =
      informer_.pump(now, [&](const std::string& resource, const ObjectPtr& before, const ObjectPtr& after) {
        if (resource == "pods") takePod(before, after, now);
        if (resource == "nodes") nodeAt_ = {};
      });
  if (const auto retry = informer_.retryAt()) at(*retry);
  takeMissed(now);
  // Work that ended makes new decisions due; each round either starts work or ends the step.
  constexpr int kRounds = 20;
  for (int round = 0; round < kRounds; ++round) {
    duty("look at the runtime", &State::sweepRuntime, now);
    duty("pods", &State::stepWorkers, now);
    duty("reports of pods", &State::flush, now);
    duty("report of the node", &State::stepNode, now);
    duty("lease", &State::stepLease, now);
    if (!jobs_.drain()) break;
    if (round + 1 == kRounds) at(now);
  }
  duty("housekeeping", &State::housekeeping, now);
  if (const auto change = runtime_.nextChange()) at(*change);
  if (more) return {now};
  return {next_};
}

Agent::Agent(AgentOptions options, Client& client, PodRuntime& runtime, Executor& executor, const Clock& clock)
    : state_(std::make_shared<State>(std::move(options), client, runtime, executor, clock, wakerForMe())) {}

Agent::~Agent() = default;

Loop::Next Agent::step(Time now) { return state_->step(now); }
bool Agent::ready() const { return state_->ready; }
std::string Agent::podCidr() const { return state_->podCidr(); }
int Agent::serverPort() const { return state_->serverPort; }

void Agent::setNetworkReady(bool ready, std::string message) {
  state_->networkMessage.with([&](std::string& m) { m = std::move(message); });
  state_->networkReady = ready;
  wake();
}

}  // namespace steer
