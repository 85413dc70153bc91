#pragma once
// A simulated cluster that follows a Git repository: pushes become running pods in virtual time.
#include <memory>

#include "cli/manifests.h"
#include "reconciler/loop/applications_loop.h"
#include "tests/scenario/scenario.h"
#include "tests/unit/git/temp_repository.h"

namespace steer::scenario {

class Followed {
 public:
  explicit Followed(std::uint64_t seed, Duration healthTimeout = minutes(3))
      : cluster(SimulatorOptions{seedFor(seed), {.nodes = 2}, "10.244.0.0/16"}), healthTimeout_(healthTimeout) {
    restartReconciler();
  }
  ~Followed() {
    if (loop_) cluster.driver().remove(*loop_);
  }

  void restartReconciler() {
    if (loop_) cluster.driver().remove(*loop_);
    loop_.reset();
    SourceOptions source;
    source.url = repo.url();
    source.revision = "main";
    source.interval = seconds(1);
    (void)applyRootApplication(cluster.client(), source);
    const auto timeout = std::chrono::duration_cast<seconds>(healthTimeout_).count();
    (void)cluster.client().write(
        Write::patch({"applications.steersman.dev", kSystemNamespace, "root"}, PatchType::merge,
                     json::object{{"spec", json::object{{"healthTimeout", std::to_string(timeout) + "s"}}}}));
    ApplicationsOptions options;
    options.dataDir = dir.at("data");
    loop_ = std::make_unique<ApplicationsLoop>(
        options, [this](const RenderTarget& target) { return cli::makeRenderer(cluster.client(), target); },
        cluster.client(), executor_);
    cluster.add(*loop_);
  }

  /// Pushes these files beside what is there; the commit's id.
  std::string push(const std::map<std::string, std::string>& files) {
    for (const auto& [name, text] : files) repo.write(name, text);
    return repo.push("Commit " + std::to_string(++commits_));
  }
  bool exists(const std::string& resource, const std::string& name) const {
    return get(cluster, resource, name) != nullptr;
  }
  /// The note on a commit; empty while there is none.
  std::string note(const std::string& commit) const {
    try {
      return repo.remoteGit("notes --ref=steersman show " + commit);
    } catch (const std::runtime_error&) {
      return "";
    }
  }
  bool noted(const std::string& commit, std::string_view text) const {
    return note(commit).find(text) != std::string::npos;
  }
  json::object status() const {
    const auto app = cluster.state().get("applications.steersman.dev", kSystemNamespace, "root");
    return app ? app->status() : json::object{};
  }
  /// Advances until the condition holds.
  bool until(const std::function<bool()>& holds, Duration limit = minutes(2)) {
    return cluster.advanceUntil(holds, limit, milliseconds(500));
  }

  TempDir dir;
  TempRepository repo{dir};
  Simulator cluster;

 private:
  Duration healthTimeout_;
  InlineExecutor executor_;
  std::unique_ptr<ApplicationsLoop> loop_;
  int commits_ = 0;
};

}  // namespace steer::scenario
