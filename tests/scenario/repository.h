#pragma once
// A simulated cluster that follows a Git repository: pushes become running pods in virtual time.
#include <memory>

#include "cli/manifests.h"
#include "reconciler/loop/application_loop.h"
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
    ApplicationOptions options;
    options.source.url = repo.url();
    options.source.revision = "main";
    options.source.interval = seconds(1);
    options.dataDir = dir.at("data");
    options.healthTimeout = healthTimeout_;
    loop_ = std::make_unique<ApplicationLoop>(options, cli::makeRenderer(cluster.client(), "root", ""),
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
  std::unique_ptr<ApplicationLoop> loop_;
  int commits_ = 0;
};

}  // namespace steer::scenario
