#pragma once
// A simulated cluster that follows a Git repository: pushes become running pods in virtual time.
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>

#include "cli/manifests.h"
#include "reconciler/loop/applications_loop.h"
#include "tests/scenario/scenario.h"
#include "tests/unit/git/temp_repository.h"

namespace steer::scenario {

/// Whether faults that barriers hold back stand in a condition of the cluster.
enum class Faults : bool { unseen, shown };

class Followed {
 public:
  explicit Followed(std::uint64_t seed, Duration healthTimeout = minutes(3), Faults faults = Faults::unseen)
      : cluster({.seed = seedFor(seed), .fleet = {.nodes = 2}, .reportFaults = faults == Faults::shown}),
        healthTimeout_(healthTimeout) {
    connectRemote();
    restartReconciler();
  }
  ~Followed() {
    if (loop_) cluster.driver().remove(*loop_);
  }

  void restartReconciler() {
    if (loop_) cluster.driver().remove(*loop_);
    loop_.reset();
    SourceOptions source;
    source.url = dir.at("remote.git");
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
  /// The newest commit leaves the branch, and another with the same content takes its place.
  std::string rewrite() {
    repo.git("commit -q --amend -m 'Rewritten " + std::to_string(++commits_) + "'");
    repo.git("push -q --force origin HEAD");
    return repo.git("rev-parse HEAD");
  }
  /// The cluster cannot reach the remote, where people go on pushing.
  void cutRemote() { std::filesystem::remove(dir.at("remote.git")); }
  void connectRemote() {
    cutRemote();
    std::filesystem::create_directory_symlink(repo.url(), dir.at("remote.git"));
  }
  /// The remote can be read, but takes no report: somebody holds the lock of its references.
  void refuseReports() {
    for (const auto* ref : kReportRefs) std::ofstream(lockOf(ref)).put('\n');
  }
  void acceptReports() {
    for (const auto* ref : kReportRefs) std::filesystem::remove(lockOf(ref));
  }
  bool exists(const std::string& resource, const std::string& name) const {
    return get(cluster, resource, name) != nullptr;
  }
  /// The note on a commit; empty while there is none.
  std::string note(const std::string& commit) const {
    std::string notes;
    std::getline(std::ifstream(repo.url() + "/refs/notes/steersman"), notes);
    auto& known = notes_[commit];  // asking git costs more than hours of a simulated cluster
    if (known.first == notes) return known.second;
    try {
      known = {notes, repo.remoteGit("notes --ref=steersman show " + commit)};
    } catch (const std::runtime_error&) {
      known = {notes, ""};
    }
    return known.second;
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
  static constexpr const char* kReportRefs[] = {"refs/heads/steersman/status", "refs/notes/steersman"};
  std::string lockOf(const std::string& ref) const {
    const std::string lock = repo.url() + "/" + ref + ".lock";
    std::filesystem::create_directories(std::filesystem::path(lock).parent_path());
    return lock;
  }

  Duration healthTimeout_;
  InlineExecutor executor_;
  std::unique_ptr<ApplicationsLoop> loop_;
  int commits_ = 0;
  mutable std::map<std::string, std::pair<std::string, std::string>> notes_;  ///< commit → its note at these notes
};

}  // namespace steer::scenario
