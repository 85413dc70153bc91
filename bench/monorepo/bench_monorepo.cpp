// bench_monorepo [TEAMS [APPLICATIONS-PER-TEAM]]: a repository of 100,000 manifests (50 teams of 100
// applications of 20 objects): the first plan, the plan of a commit that changes one file, and the
// memory of both; then a cluster of 10,000 objects, kept by `steer up` with simulated nodes, and the time
// from a push of one line to its being applied.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <thread>

#include "cli/manifests.h"
#include "cluster/apiserver/api_server.h"
#include "cluster/apiserver/in_process_client.h"
#include "cluster/client/http_client.h"
#include "cluster/store/store.h"
#include "core/child.h"
#include "core/log.h"
#include "generated_repo.h"
#include "reconciler/apply/apply_run.h"
#include "reconciler/apply/planner.h"
#include "reconciler/git/git_tree_reader.h"

using namespace steer;

namespace {

using Clk = std::chrono::steady_clock;

double msSince(Clk::time_point start) { return std::chrono::duration<double, std::milli>(Clk::now() - start).count(); }

double statusMiB(const char* key, const std::string& pid = "self") {
  std::ifstream in("/proc/" + pid + "/status");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(key)) return std::strtod(line.c_str() + std::string(key).size(), nullptr) / 1024.0;
  return 0;
}

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::_Exit(1);
}

template <class T>
T must(Result<T> result, const char* what) {
  if (!result.ok()) fail(std::string(what) + ": " + result.error().message);
  return std::move(result).value();
}

struct Cluster {
  std::unique_ptr<Store> store;
  SystemClock clock;
  Random random;
  std::unique_ptr<ApiServer> api;
  std::unique_ptr<Client> client;

  explicit Cluster(const std::string& dir) {
    store = must(Store::open(must(openSqliteLog(dir + "/state.db"), "store"), {}), "store");
    api = std::make_unique<ApiServer>(*store, clock, random, ApiServerOptions{});
    client = makeInProcessClient(*api, systemIdentity());
  }
};

void row(const char* what, double ms, const char* goal) { std::printf("| %-52s | %10.1f | %9s |\n", what, ms, goal); }

PlanOptions planOptions(PlanOptions::Scope scope) {
  PlanOptions options;
  options.scope = scope;
  return options;
}

/// One look at the repository as the reconciler takes it: fetch, render and validate, plan.
struct Look {
  double fetch = 0, render = 0, plan = 0;
  std::size_t objects = 0;
  Plan result;
  double all() const { return fetch + render + plan; }
};

Look look(GitSource& source, const Renderer& renderer, Client& client) {
  Look out;
  auto start = Clk::now();
  const auto fetched = must(source.fetch(), "fetch");
  out.fetch = msSince(start);
  start = Clk::now();
  const auto reader = must(GitTreeReader::open(source.cloneDir()), "clone");
  auto rendered = renderer(*reader, fetched.commit.tree);
  if (rendered.findings.hasErrors()) fail("findings: " + rendered.findings.items().front().text());
  out.render = msSince(start);
  start = Clk::now();
  auto wanted = rendered.delta ? std::move(rendered.delta->changed) : std::move(rendered.objects);
  out.objects = wanted.size();
  const auto scope = rendered.delta ? PlanOptions::Scope::theseOnly : PlanOptions::Scope::whole;
  out.result = must(makePlan(client, std::move(wanted), planOptions(scope)), "plan");
  out.plan = msSince(start);
  for (const auto& change : out.result.changes)
    if (!change.refusal.empty()) fail(change.text() + " would be refused: " + change.refusal);
  return out;
}

/// Does what the plan says, so that the next plan compares with a cluster of that size.
double applyAll(Plan plan, Client& client, const Clock& clock) {
  const auto start = Clk::now();
  ApplyRun run(client, std::move(plan), {});
  while (run.step(clock.now())) {
  }
  if (run.failures() != 0) fail("not applied: " + std::to_string(run.failures()));
  return msSince(start);
}

void monorepo(const std::string& dir, int teams, int applications) {
  auto start = Clk::now();
  const auto repo = GeneratedRepo::make(dir + "/repo.git", teams, applications);
  std::printf("%d manifests in %d directories, generated in %.1f s\n\n", repo.manifests(), repo.directories(),
              msSince(start) / 1000);
  Cluster cluster(dir);
  auto source = must(GitSource::open({.url = repo.dir, .revision = "main", .path = ""}, dir + "/clone"), "source");
  const Renderer renderer = cli::makeRenderer(*cluster.client, {"root", "", ""});
  Look first = look(source, renderer, *cluster.client);
  std::printf("| %-52s | %10s | %9s |\n|%s|-----------:|----------:|\n", "step", "ms", "goal",
              std::string(54, '-').c_str());
  row("first fetch of everything", first.fetch, "");
  row("render and validate everything", first.render, "");
  row("plan everything", first.plan, "");
  row("first plan, altogether", first.all(), "30000");
  const double peak = statusMiB("VmHWM:");
  row("apply everything", applyAll(std::move(first.result), *cluster.client, cluster.clock), "");
  const double applied = statusMiB("VmHWM:");
  std::vector<Look> looks;
  for (int i = 1; i <= 11; ++i) {
    repo.changeOne(i % teams, i % applications, std::to_string(i));
    looks.push_back(look(source, renderer, *cluster.client));
    if (looks.back().objects != 1) fail("not one object was planned but " + std::to_string(looks.back().objects));
  }
  std::sort(looks.begin(), looks.end(), [](const Look& a, const Look& b) { return a.all() < b.all(); });
  const Look& middle = looks[looks.size() / 2];
  row("one file changed: fetch", middle.fetch, "");
  row("one file changed: render and validate", middle.render, "");
  row("one file changed: plan", middle.plan, "");
  row("one file changed, altogether (median of 11)", middle.all(), "100");
  row("one file changed, altogether (slowest of 11)", looks.back().all(), "100");
  std::printf(
      "\npeak resident memory, with the cluster in the same process: first plan %.0f MiB (goal: at most 1536), "
      "%.0f MiB with everything applied, %.0f MiB at the end\n",
      peak, applied, statusMiB("VmRSS:"));
  std::fflush(stdout);
}

/// `steer up` with simulated nodes, as users start it, and what is seen of it through its API.
class RunningCluster {
 public:
  RunningCluster(const std::string& dir, const std::string& repo)
      : child_(
            must(Child::start({.argv = {steerBinary(), "up", "--data-dir", dir + "/data", "--nodes", "2", "--runtime",
                                        "sim", "--repo", repo, "--branch", "main", "--listen", "127.0.0.1:0"},
                               .outFile = dir + "/up.log"}),
                 "steer up")) {
    const auto kubeconfig = dir + "/data/kubeconfig";
    await("the API", [&] {
      const auto options = readKubeconfig(kubeconfig);
      if (!options.ok()) return false;
      client_ = must(makeHttpClient(*options), "client");
      return client_->get({"namespaces", "", "default"}).ok();
    });
  }
  ~RunningCluster() {
    child_.signal(SIGTERM);
    if (!child_.wait(seconds(30))) child_.signal(SIGKILL);
    (void)child_.wait(seconds(5));
  }
  RunningCluster(const RunningCluster&) = delete;
  RunningCluster& operator=(const RunningCluster&) = delete;

  std::string text(const ObjectRef& ref, std::initializer_list<std::string_view> path) const {
    const auto object = client_->get(ref);
    return object.ok() ? std::string(stringAt((*object)->json(), path)) : std::string();
  }
  /// Milliseconds until it is so.
  template <class F>
  double await(const char* what, F&& ready) {
    const auto start = Clk::now();
    while (!ready()) {
      if (msSince(start) > 180'000 || child_.poll()) fail(std::string("gave up waiting for ") + what);
      std::this_thread::sleep_for(milliseconds(1));
    }
    return msSince(start);
  }
  double cpuMs() const {
    std::ifstream in("/proc/" + std::to_string(child_.pid()) + "/stat");
    std::string field;
    double ticks = 0;
    for (int i = 1; i <= 15 && in >> field; ++i)
      if (i >= 14) ticks += std::strtod(field.c_str(), nullptr);
    return ticks * 1000 / static_cast<double>(::sysconf(_SC_CLK_TCK));
  }
  double residentMiB() const { return statusMiB("VmRSS:", std::to_string(child_.pid())); }

 private:
  /// build/release/steer, seen from build/release/bench/monorepo/bench_monorepo.
  static std::string steerBinary() {
    return (std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path().parent_path() / "steer")
        .string();
  }

  Child child_;
  std::unique_ptr<Client> client_;
};

void keptCluster(const std::string& dir) {
  const auto repo = GeneratedRepo::make(dir + "/repo.git", 5, 100);
  const auto begun = Clk::now();
  RunningCluster cluster(dir, repo.dir);
  const ObjectRef application{"applications.steersman.dev", "steersman-system", "root"};
  cluster.await("the first sync", [&] {
    std::this_thread::sleep_for(milliseconds(100));
    return cluster.text(application, {"status", "phase"}) == "Synced";
  });
  std::printf("\n%d objects applied and healthy for the first time in %.1f s\n\n", repo.manifests(),
              msSince(begun) / 1000);
  const auto idle = [&] {
    std::this_thread::sleep_for(seconds(2));
    const double before = cluster.cpuMs();
    std::this_thread::sleep_for(seconds(5));
    return (cluster.cpuMs() - before) / 5;
  };
  const double idleCpu = idle();
  std::vector<double> times;
  const double before = cluster.cpuMs();
  const auto start = Clk::now();
  for (int i = 1; i <= 11; ++i) {
    std::this_thread::sleep_for(milliseconds(1500 + 37 * i));
    const std::string value = "changed-" + std::to_string(i);
    repo.changeOne(i % 5, i, value);
    char ns[32], name[32];
    std::snprintf(ns, sizeof ns, "team-%03d", i % 5);
    std::snprintf(name, sizeof name, "app-%03d-0", i);
    const ObjectRef changed{"configmaps", ns, name};
    times.push_back(cluster.await("a change", [&] { return cluster.text(changed, {"data", "value"}) == value; }));
  }
  const double spent = (cluster.cpuMs() - before - idleCpu * msSince(start) / 1000) / 11;
  std::sort(times.begin(), times.end());
  std::printf("| %-52s | %10s | %9s |\n|%s|-----------:|----------:|\n", "step", "ms", "goal",
              std::string(54, '-').c_str());
  row("push of one line to applied (median of 11)", times[times.size() / 2], "300");
  row("push of one line to applied (slowest of 11)", times.back(), "300");
  row("processor time of one such push, report included", spent, "");
  row("processor time of a second without any", idleCpu, "");
  std::printf("\n`steer up` holds %.0f MiB. A local repository is looked at every 150 ms; that wait is in it.\n",
              cluster.residentMiB());
  std::fflush(stdout);
}

/// In a process of its own, so that each has its own memory.
template <class F>
int apart(F work) {
  std::string folder = (std::filesystem::temp_directory_path() / "bench-monorepo-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) return 1;
  const pid_t pid = ::fork();
  if (pid == 0) {
    work(folder);
    std::_Exit(0);
  }
  int status = 1;
  ::waitpid(pid, &status, 0);
  std::filesystem::remove_all(folder);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const auto number = [&](int i, int fallback) { return argc > i ? std::atoi(argv[i]) : fallback; };
  const int teams = number(1, 50), applications = number(2, 100);
  log::setLevel(log::Level::warn);
  if (const int code = apart([&](const std::string& dir) { monorepo(dir, teams, applications); }); code != 0)
    return code;
  return apart(keptCluster);
}
