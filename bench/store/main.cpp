// bench_store [DIR] [SECONDS]: commits per second and their latency, in one run on one disk: the
// disk's own floor, etcd, and the store. Then the time to open a store with 200,000 objects.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "cluster/store/store.h"
#include "core/log.h"
#include "etcd_peer.h"
#include "measure.h"

using namespace steer;
using namespace steer::bench;

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kKeys = 10'000;
constexpr std::size_t kRestartObjects = 200'000;

Mutation benchPut(const json::object& pod) {
  return {Mutation::Kind::put, {"pods", "shop", std::string(stringAt(pod, {"metadata", "name"}))}, pod, {}};
}

Measured measureStore(Store& store, const Load& load, const std::vector<json::object>& pods) {
  Measured out;
  out.name = "steersman";
  std::atomic<std::size_t> next{0};
  std::vector<std::vector<float>> latencies(load.writers);
  std::atomic<bool> failed{false};
  const auto start = Clock::now();
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < load.writers; ++t)
    threads.emplace_back([&, t] {
      for (;;) {
        std::vector<Mutation> mutations;
        mutations.reserve(load.objectsPerCommit);
        const std::size_t at = next.fetch_add(load.objectsPerCommit);
        for (std::size_t i = 0; i < load.objectsPerCommit; ++i)
          mutations.push_back(benchPut(pods[(at + i) % pods.size()]));
        const auto began = Clock::now();  // the caller's bodies are its own affair, as etcd's are
        if (began - start > load.duration) return;
        if (!store.commit(std::move(mutations)).ok()) failed = true;
        const auto ended = Clock::now();
        if (ended - start <= load.duration)
          latencies[t].push_back(std::chrono::duration<float, std::micro>(ended - began).count());
      }
    });
  for (auto& thread : threads) thread.join();
  for (auto& part : latencies) out.micros.insert(out.micros.end(), part.begin(), part.end());
  out.seconds = std::chrono::duration<double>(load.duration).count();
  out.commits = out.micros.size();
  out.objects = out.commits * load.objectsPerCommit;
  if (failed) out.failure = "a commit failed";
  return out;
}

void printRow(const Load& load, const Measured& m, double floorP50, const Measured* etcd) {
  if (!m.failure.empty()) return void(std::printf("| %s | - | - | %s |\n", m.name.c_str(), m.failure.c_str()));
  std::printf("| %-16s | %5zu | %4zu | %9.0f | %10.0f | %9.0f | %9.0f |", m.name.c_str(), load.writers,
              load.objectsPerCommit, m.commitsPerSecond(), m.objectsPerSecond(), m.percentile(0.5), m.percentile(0.99));
  if (floorP50 > 0) std::printf(" %8.2f |", m.percentile(0.5) / floorP50);
  else std::printf("        - |");
  if (etcd != nullptr && etcd->failure.empty())
    std::printf(" %8.1f |\n", m.objectsPerSecond() / etcd->objectsPerSecond());
  else std::printf("        - |\n");
  std::fflush(stdout);
}

Result<std::unique_ptr<Store>> openStore(const std::string& path) {
  STEER_TRY(auto log, openSqliteLog(path));
  return Store::open(std::move(log), StoreOptions{});
}

int measureRestart(const std::string& dir) {
  const std::string path = dir + "/restart.db";
  {
    auto store = openStore(path);
    if (!store.ok()) return 1;
    for (std::size_t i = 0; i < kRestartObjects;) {
      std::vector<Mutation> mutations;
      for (std::size_t n = 0; n < 1000; ++n, ++i) mutations.push_back(benchPut(benchPod(i)));
      if (!(*store)->commit(std::move(mutations)).ok()) return 1;
    }
    // And history on top, as a running cluster has it.
    for (std::size_t i = 0; i < 50'000;) {
      std::vector<Mutation> mutations;
      for (std::size_t n = 0; n < 1000; ++n, ++i) mutations.push_back(benchPut(benchPod(i * 3)));
      if (!(*store)->commit(std::move(mutations)).ok()) return 1;
    }
  }
  const auto start = Clock::now();
  auto store = openStore(path);
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  if (!store.ok() || (*store)->snapshot().count("pods") != kRestartObjects) return 1;
  std::printf("\nrestart with %zu objects and 50000 older revisions: %.2f s (goal 3 s)\n", kRestartObjects, seconds);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  log::setLevel(log::Level::error);
  const std::filesystem::path base = argc > 1 ? argv[1] : std::filesystem::temp_directory_path().string();
  const int secondsEach = argc > 2 ? std::atoi(argv[2]) : 3;
  std::string dir = (base / "steer-bench-store-XXXXXX").string();
  if (::mkdtemp(dir.data()) == nullptr) {
    std::fprintf(stderr, "cannot make a directory under %s\n", base.c_str());
    return 1;
  }
  std::vector<json::object> pods;
  std::vector<std::string> keys, values;
  for (std::size_t i = 0; i < kKeys; ++i) {
    pods.push_back(benchPod(i));
    keys.push_back("/registry/pods/shop/" + std::string(stringAt(pods.back(), {"metadata", "name"})));
    values.push_back(jsonText(pods.back()));
  }
  auto etcd = EtcdPeer::start(dir);
  if (!etcd.ok()) std::printf("etcd: %s\n", etcd.error().message.c_str());
  auto store = openStore(dir + "/state.db");
  if (!store.ok()) return 1;
  std::printf("objects of %zu bytes, %d s each; latency in microseconds\n\n", values.front().size(), secondsEach);
  std::printf("| %-16s | %5s | %4s | %9s | %10s | %9s | %9s | %8s | %8s |\n", "", "width", "objs", "commits/s",
              "objects/s", "p50", "p99", "x floor", "x etcd");
  std::printf(
      "|------------------|-------|------|-----------|------------|-----------|-----------|----------|----------|\n");
  for (const auto& [writers, objects] :
       {std::pair<std::size_t, std::size_t>{1, 1}, {64, 1}, {1024, 1}, {1, 100}, {16, 100}}) {
    const Load load{writers, objects, std::chrono::milliseconds(secondsEach * 1000)};
    double floorP50 = 0;
    if (writers == 1) {
      for (const auto growth : {FileGrowth::appended, FileGrowth::overwritten}) {
        Measured floor = measureFloor(dir, values.front().size() * objects, growth, load.duration / 2);
        floor.objects = floor.commits * objects;
        floorP50 = floorP50 == 0 ? floor.percentile(0.5) : std::min(floorP50, floor.percentile(0.5));
        printRow({1, objects}, floor, floorP50, nullptr);
      }
    }
    Measured peer;
    if (etcd.ok()) printRow(load, peer = (*etcd)->run(load, keys, values), floorP50, nullptr);
    else peer.failure = "not there";
    printRow(load, measureStore(**store, load, pods), floorP50, &peer);
  }
  etcd = makeError(Errc::cancelled, "done");
  store = makeError(Errc::cancelled, "done");
  const int rc = measureRestart(dir);
  std::filesystem::remove_all(dir);
  return rc;
}
