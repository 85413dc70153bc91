// kill -9 under write load, fifty times: a child process of this very binary writes from several
// threads and tells of each acknowledged write through a pipe; it is killed; what it told of must be
// there, and the revisions must have no hole.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <filesystem>
#include <future>
#include <map>
#include <thread>

#include "cluster/store/store.h"
#include "core/random.h"

using namespace steer;

namespace {

constexpr int kRounds = 50;
constexpr int kThreads = 6;

/// One acknowledged write, small enough for an atomic write to the pipe.
struct Told {
  std::uint32_t thread = 0;
  std::uint32_t number = 0;
  std::uint64_t revision = 0;
  std::uint64_t removed = 0;
};

std::string nameOf(std::uint32_t thread, std::uint32_t number) {
  return "t" + std::to_string(thread) + "-p" + std::to_string(number % 20);
}

Mutation putNumber(std::uint32_t thread, std::uint32_t number) {
  const auto name = nameOf(thread, number);
  return {Mutation::Kind::put,
          {"pods", "load", name},
          {{"metadata", {{"namespace", "load"}, {"name", name}, {"annotations", {{"n", std::to_string(number)}}}}},
           {"padding", std::string(700, 'x')}},
          {}};
}

Result<std::unique_ptr<Store>> openAt(const std::string& path) {
  STEER_TRY(auto log, openSqliteLog(path));
  StoreOptions options;
  options.retainRevisions = 2000;
  return Store::open(std::move(log), options);
}

[[noreturn]] void writeUntilKilled(const std::string& path, int pipe, std::uint32_t first) {
  auto store = openAt(path);
  if (!store.ok()) ::_exit(3);
  std::vector<std::thread> threads;
  for (std::uint32_t t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      for (std::uint32_t n = first;; ++n) {
        const bool removal = n % 7 == 3;
        std::vector<Mutation> mutations{putNumber(t, n)};
        if (removal) mutations.push_back({Mutation::Kind::remove, {"pods", "load", nameOf(t, n)}, {}, {}});
        else if (n % 5 == 0) mutations.push_back(putNumber(t, n));
        auto done = (*store)->commit(std::move(mutations));
        if (!done.ok()) ::_exit(4);
        const Told told{t, n, done->back().revision, removal ? 1U : 0U};
        if (::write(pipe, &told, sizeof told) != sizeof told) ::_exit(5);
      }
    });
  for (auto& thread : threads) thread.join();
  ::_exit(6);
}

/// When the child's remaining time begins: at its start, which may be before it has opened the store, or at its first
/// acknowledgement, however long a busy machine takes to get there.
enum class LifeFrom { start, firstWrite };

/// Every write that the child told of before it was killed, the last per object.
std::map<std::string, Told> runAndKill(const std::string& path, std::uint32_t first, useconds_t life, LifeFrom from) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::close(ends[0]);
    const std::string pipe = std::to_string(ends[1]), number = std::to_string(first);
    ::setenv("STEER_FAULT_PATH", path.c_str(), 1);
    ::setenv("STEER_FAULT_PIPE", pipe.c_str(), 1);
    ::setenv("STEER_FAULT_FIRST", number.c_str(), 1);
    ::execl("/proc/self/exe", "test_fault_store", "the child that writes", nullptr);
    ::_exit(2);
  }
  ::close(ends[1]);
  std::map<std::string, Told> last;
  std::promise<void> begun;
  if (from == LifeFrom::start) begun.set_value();
  std::thread killer([&, go = begun.get_future()] {
    go.wait();
    ::usleep(life);
    ::kill(child, SIGKILL);
  });
  Told told;
  while (::read(ends[0], &told, sizeof told) == sizeof told) {
    if (last.empty() && from == LifeFrom::firstWrite) begun.set_value();
    auto& entry = last[nameOf(told.thread, told.number)];
    if (told.revision > entry.revision) entry = told;
  }
  if (last.empty() && from == LifeFrom::firstWrite) begun.set_value();
  ::close(ends[0]);
  killer.join();
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WIFSIGNALED(status));
  return last;
}

}  // namespace

TEST_CASE("the child that writes", "[.]") {
  const char* path = std::getenv("STEER_FAULT_PATH");
  if (path == nullptr) return;
  writeUntilKilled(path, std::atoi(std::getenv("STEER_FAULT_PIPE")),
                   static_cast<std::uint32_t>(std::atoi(std::getenv("STEER_FAULT_FIRST"))));
}

TEST_CASE("what was acknowledged before a kill -9 is there after it, fifty times over") {
  std::string dir = (std::filesystem::temp_directory_path() / "steer-kill-XXXXXX").string();
  REQUIRE(::mkdtemp(dir.data()) != nullptr);
  const std::string path = dir + "/state.db";
  Random random(20261121);
  std::map<std::string, Told> all;
  std::size_t acknowledged = 0;
  for (int round = 0; round < kRounds; ++round) {
    const auto life = static_cast<useconds_t>(20'000 + random.below(120'000));
    for (const auto& [name, told] : runAndKill(path, static_cast<std::uint32_t>(round) * 100'000, life,
                                               round % 4 == 0 ? LifeFrom::start : LifeFrom::firstWrite)) {
      all[name] = told;
      ++acknowledged;
    }
    auto store = openAt(path);
    REQUIRE(store.ok());
    const auto snapshot = (*store)->snapshot();
    for (const auto& [name, told] : all) {
      const auto object = snapshot.get("pods", "load", name);
      // A later write of the same object may have become durable without its acknowledgement being read.
      const std::uint64_t have = object ? object->revision() : 0;
      INFO("round " << round << ", " << name << " at revision " << told.revision << ", found " << have);
      if (object) CHECK((have >= told.revision || told.removed == 1));
      else CHECK((told.removed == 1 || (*store)->revision() > told.revision));
      if (!object && told.removed == 0) {
        // Then an unread removal must be in the history.
        auto watch = (*store)->watch("pods", told.revision, nullptr);
        bool removedLater = !watch.ok();
        while (watch.ok() && !removedLater) {
          auto event = (*watch)->poll();
          if (!event.ok() || !*event) break;
          removedLater = (*event)->type == StoreEvent::Type::deleted && (*event)->after->name() == name;
        }
        CHECK(removedLater);
      }
    }
    auto watch = (*store)->watch("pods", (*store)->compactedRevision(), nullptr);
    REQUIRE(watch.ok());
    std::uint64_t next = (*store)->compactedRevision() + 1;
    bool holes = false;
    for (auto event = (*watch)->poll(); event.ok() && *event; event = (*watch)->poll())
      holes = holes || (*event)->revision != next++;
    CHECK(!holes);
    CHECK(next == (*store)->revision() + 1);
    for (const auto& object : snapshot.list("pods")) CHECK(object->revision() <= (*store)->revision());
  }
  CHECK(acknowledged > 200);
  std::filesystem::remove_all(dir);
}
