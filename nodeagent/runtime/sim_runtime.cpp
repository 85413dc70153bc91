#include "nodeagent/runtime/sim_runtime.h"

#include <arpa/inet.h>

#include <algorithm>

#include "core/sync.h"
#include "nodeagent/pod/sim_wishes.h"

namespace steer {

namespace {

struct SimContainer {
  ContainerState state;
  Time runsAt{};
  std::optional<Time> endsAt{};
  int endCode = 0;
};

struct SimSandbox {
  SandboxState state;
  std::map<std::string, std::string> annotations;
};

struct World {
  std::map<std::string, SimSandbox> sandboxes;
  std::map<std::string, SimContainer> containers;
  std::uint64_t lastId = 0;
  std::uint32_t lastAddress = 0;
};

SimWishes wishesOf(const SimSandbox& sandbox) {
  json::object annotations;
  for (const auto& [name, text] : sandbox.annotations) annotations[name] = text;
  return simWishesOf(*Object::make({{"metadata", json::object{{"annotations", std::move(annotations)}}}}));
}

class SimRuntime final : public PodRuntime {
 public:
  SimRuntime(SimRuntimeOptions options, const Clock& clock) : options_(std::move(options)), clock_(clock) {}

  Result<RuntimeVersion> version() override { return RuntimeVersion{"simulated", "1", "v1"}; }
  Result<PodRuntimeState> list() override { return collect(nullptr); }
  Result<PodRuntimeState> observe(const std::string& podUid) override { return collect(&podUid); }

  Result<std::string> runSandbox(const SandboxConfig& config) override {
    return world_.with([&](World& w) {
      SimSandbox sandbox;
      sandbox.state = {"sim-s" + std::to_string(++w.lastId),
                       config.podName,
                       config.podNamespace,
                       config.podUid,
                       config.attempt,
                       true,
                       clock_.now(),
                       {}};
      if (!config.namespaces.hostNetwork) sandbox.state.ips = {nextAddress(w)};
      sandbox.annotations = config.annotations;
      const auto id = sandbox.state.id;
      w.sandboxes.emplace(id, std::move(sandbox));
      return Result<std::string>(id);
    });
  }
  Result<void> stopSandbox(const std::string& id) override {
    world_.with([&](World& w) {
      if (const auto found = w.sandboxes.find(id); found != w.sandboxes.end()) found->second.state.ready = false;
      for (auto& [cid, c] : w.containers)
        if (c.state.sandboxId == id) end(c, 137);
    });
    return {};
  }
  Result<void> removeSandbox(const std::string& id) override {
    world_.with([&](World& w) {
      w.sandboxes.erase(id);
      std::erase_if(w.containers, [&](const auto& c) { return c.second.state.sandboxId == id; });
    });
    return {};
  }
  Result<std::string> createContainer(const std::string& sandboxId, const ContainerConfig& config,
                                      const SandboxConfig& sandbox) override {
    return world_.with([&](World& w) {
      SimContainer c;
      c.state.id = "sim-c" + std::to_string(++w.lastId);
      c.state.sandboxId = sandboxId;
      c.state.podUid = sandbox.podUid;
      c.state.name = config.name;
      c.state.attempt = config.attempt;
      c.state.createdAt = clock_.now();
      c.state.annotations = config.annotations;
      const auto image = config.annotations.find(kImageAnnotation);
      c.state.image = image == config.annotations.end() ? config.image : image->second;
      c.state.imageId = config.image;
      const auto id = c.state.id;
      w.containers.emplace(id, std::move(c));
      return Result<std::string>(id);
    });
  }
  Result<void> startContainer(const std::string& id) override {
    return world_.with([&](World& w) -> Result<void> {
      const auto found = w.containers.find(id);
      if (found == w.containers.end()) return makeError(Errc::notFound, "no container " + id);
      auto& c = found->second;
      const auto sandbox = w.sandboxes.find(c.state.sandboxId);
      if (sandbox == w.sandboxes.end()) return makeError(Errc::notFound, "no sandbox " + c.state.sandboxId);
      const auto& s = sandbox->second;
      c.state.phase = ContainerPhase::starting;
      const auto wishes = wishesOf(s);
      c.runsAt = clock_.now() + wishes.start.value_or(Duration{});
      if (wishes.ready) c.state.readyAt = c.runsAt + *wishes.ready;
      if (wishes.neverReady) c.state.readyAt = Time::max();
      if (wishes.exit) {
        c.endsAt = c.runsAt + wishes.exit->after;
        c.endCode = wishes.exit->code;
      }
      return {};
    });
  }
  Result<void> stopContainer(const std::string& id, seconds grace) override {
    world_.with([&](World& w) {
      if (const auto found = w.containers.find(id); found != w.containers.end())
        end(found->second, grace == seconds{0} ? 137 : 143);
    });
    return {};
  }
  Result<void> removeContainer(const std::string& id) override {
    world_.with([&](World& w) { w.containers.erase(id); });
    return {};
  }
  Result<void> reopenLog(const std::string&) override { return {}; }
  Result<ExecResult> execSync(const std::string&, const std::vector<std::string>&, Duration) override {
    return ExecResult{};
  }
  CheckOutcome check(const CheckRequest& request) override {
    return world_.with([&](World& w) -> CheckOutcome {
      const auto found = w.containers.find(request.containerId);
      if (found == w.containers.end()) return {false, "the container is gone"};
      const auto& ready = found->second.state.readyAt;
      if (ready && clock_.now() < *ready) return {false, "not ready yet"};
      return {true, ""};
    });
  }
  Result<std::optional<ImageInfo>> imageStatus(const std::string& image) override {
    if (image.find("missing") != std::string::npos) return std::optional<ImageInfo>{};
    return std::optional<ImageInfo>{ImageInfo{image, {image}, {}, {}, "", 0}};
  }
  Result<std::string> pullImage(const std::string& image, const std::optional<ImageAuth>&) override {
    if (image.find("missing") != std::string::npos) return makeError(Errc::notFound, "no image " + image);
    return image;
  }
  Result<std::vector<ImageInfo>> listImages() override { return std::vector<ImageInfo>{}; }
  Result<std::set<std::string>> imageReferencesInUse() override { return std::set<std::string>{}; }
  Result<DiskUse> imageDisk() override { return DiskUse{}; }
  Result<void> removeImage(const std::string&) override { return {}; }
  /// Nothing happens behind the agent's back: nextChange() tells when to look again.
  void setWaker(Waker) override {}

  std::optional<Time> nextChange() const override {
    return world_.with([](const World& w) {
      std::optional<Time> next;
      const auto consider = [&](Time t) {
        if (!next || t < *next) next = t;
      };
      for (const auto& [id, c] : w.containers) {
        if (c.state.phase == ContainerPhase::starting) consider(c.runsAt);
        if (c.state.phase == ContainerPhase::running && c.endsAt) consider(*c.endsAt);
      }
      return next;
    });
  }

 private:
  Result<PodRuntimeState> collect(const std::string* podUid) {
    return world_.with([&](World& w) {
      PodRuntimeState out;
      for (const auto& [id, s] : w.sandboxes)
        if (!podUid || s.state.podUid == *podUid) out.sandboxes.push_back(s.state);
      for (auto& [id, c] : w.containers) {
        advance(c, clock_.now());
        if (!podUid || c.state.podUid == *podUid) out.containers.push_back(c.state);
      }
      return Result<PodRuntimeState>(std::move(out));
    });
  }
  static void advance(SimContainer& c, Time now) {
    if (c.state.phase == ContainerPhase::starting && c.runsAt <= now) {
      c.state.phase = ContainerPhase::running;
      c.state.startedAt = c.runsAt;
    }
    if (c.state.phase == ContainerPhase::running && c.endsAt && *c.endsAt <= now) finish(c, c.endCode, *c.endsAt);
  }
  static void finish(SimContainer& c, int code, Time at) {
    c.state.phase = ContainerPhase::exited;
    c.state.exitCode = code;
    c.state.reason = code == 0 ? "Completed" : "Error";
    c.state.finishedAt = at;
  }
  void end(SimContainer& c, int code) const {
    advance(c, clock_.now());
    if (c.state.phase == ContainerPhase::running || c.state.phase == ContainerPhase::starting)
      finish(c, code, clock_.now());
  }
  /// The first two addresses of the range are the network and its gateway.
  std::string nextAddress(World& w) const {
    in_addr base{};
    inet_pton(AF_INET, options_.podCidr.substr(0, options_.podCidr.find('/')).c_str(), &base);
    w.lastAddress = w.lastAddress >= 253 ? 1 : w.lastAddress + 1;
    in_addr address{};
    address.s_addr = htonl(ntohl(base.s_addr) + 1 + w.lastAddress);
    char text[INET_ADDRSTRLEN] = {};
    inet_ntop(AF_INET, &address, text, sizeof text);
    return text;
  }

  SimRuntimeOptions options_;
  const Clock& clock_;
  Sync<World> world_;
};

}  // namespace

std::unique_ptr<PodRuntime> makeSimRuntime(SimRuntimeOptions options, const Clock& clock) {
  return std::make_unique<SimRuntime>(std::move(options), clock);
}

}  // namespace steer
