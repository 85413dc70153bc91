#include "cluster/store/store.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>
#include <vector>

#include "store_fixture.h"
#include "tests/fault/injection.h"

using namespace steer;
using namespace steer::storetest;

TEST_CASE("a commit gives each mutation its own consecutive revision and stamps it into the object") {
  auto store = memoryStore();
  const auto done = store->commit({put("a", "p1"), put("a", "p2"), removal("a", "p1")});
  REQUIRE(done.ok());
  REQUIRE(done->size() == 3);
  CHECK((*done)[0].revision == 1);
  CHECK((*done)[1].revision == 2);
  CHECK((*done)[2].revision == 3);
  CHECK((*done)[1].object->revision() == 2);
  CHECK((*done)[2].object->name() == "p1");
  CHECK((*done)[2].object->revision() == 3);
  CHECK(store->revision() == 3);
  CHECK(store->snapshot().revision() == 3);
  CHECK(store->snapshot().count("pods") == 1);
}

TEST_CASE("compare and swap lets exactly the writer through who saw the last revision") {
  auto store = memoryStore();
  REQUIRE(store->commit({put("a", "p", "one", 0)}).ok());
  CHECK(store->commit({put("a", "p", "again", 0)}).error().code == Errc::alreadyExists);
  REQUIRE(store->commit({put("a", "p", "two", 1)}).ok());
  CHECK(store->commit({put("a", "p", "three", 1)}).error().code == Errc::conflict);
  CHECK(store->commit({put("a", "none", "x", 7)}).error().code == Errc::conflict);
  CHECK(store->commit({removal("a", "p", 1)}).error().code == Errc::conflict);
  CHECK(store->commit({removal("a", "none")}).error().code == Errc::notFound);
  CHECK(store->snapshot().get("pods", "a", "p")->annotation("note") == "two");
  CHECK(store->commit({removal("a", "p", 2)}).ok());
  CHECK(store->snapshot().get("pods", "a", "p") == nullptr);
}

TEST_CASE("a transaction with one bad mutation changes nothing and uses no revision") {
  auto store = memoryStore();
  REQUIRE(store->commit({put("a", "p")}).ok());
  CHECK(store->commit({put("a", "q"), removal("a", "p"), put("a", "r", "", 99)}).error().code == Errc::conflict);
  CHECK(store->revision() == 1);
  CHECK(store->snapshot().count("pods") == 1);
  const auto next = store->commit({put("a", "s")});
  REQUIRE(next.ok());
  CHECK(next->front().revision == 2);
}

TEST_CASE("later mutations of a transaction see the earlier ones") {
  auto store = memoryStore();
  REQUIRE(
      store->commit({put("a", "p", "1", 0), put("a", "p", "2", 1), removal("a", "p", 2), put("a", "p", "3", 0)}).ok());
  CHECK(store->snapshot().get("pods", "a", "p")->annotation("note") == "3");
  CHECK(store->revision() == 4);
}

TEST_CASE("an object above 1.5 MB is refused as too large") {
  auto store = memoryStore();
  CHECK(store->commit({put("a", "p", std::string(1'600'000, 'x'))}).error().code == Errc::tooLarge);
  CHECK(store->commit({put("a", "p", std::string(1'400'000, 'x'))}).ok());
}

TEST_CASE("a body under another name than its target is refused") {
  auto store = memoryStore();
  Mutation wrong{Mutation::Kind::put, {"pods", "a", "p"}, pod("a", "q"), {}};
  CHECK(store->commit({wrong}).error().code == Errc::internal);
}

TEST_CASE("a failing disk acknowledges nothing, and later commits work when it does again") {
  auto disk = makeMemoryDisk();
  auto store = memoryStore(disk);
  REQUIRE(store->commit({put("a", "p", "kept")}).ok());
  failAppends(*disk, 0, 1);
  CHECK(store->commit({put("a", "p", "lost"), put("a", "q")}).error().code == Errc::io);
  CHECK(store->snapshot().get("pods", "a", "p")->annotation("note") == "kept");
  CHECK(store->revision() == 1);
  const auto next = store->commit({put("a", "q")});
  REQUIRE(next.ok());
  CHECK(next->front().revision == 2);
}

TEST_CASE("what was committed is there when the store is opened again") {
  auto disk = makeMemoryDisk();
  {
    auto store = memoryStore(disk);
    REQUIRE(store->commit({put("a", "p", "1"), put("a", "q", "1")}).ok());
    REQUIRE(store->commit({put("a", "p", "2"), removal("a", "q")}).ok());
  }
  auto store = memoryStore(disk);
  CHECK(store->revision() == 4);
  CHECK(store->snapshot().count("pods") == 1);
  const auto p = store->snapshot().get("pods", "a", "p");
  CHECK(p->annotation("note") == "2");
  CHECK(p->revision() == 3);
  CHECK(store->commit({put("a", "p", "3", 3)}).ok());
}

TEST_CASE("a fork starts as the snapshot and keeps nothing in the store it came from") {
  auto store = memoryStore();
  REQUIRE(store->commit({put("a", "p", "1")}).ok());
  auto fork = Store::fork(store->snapshot());
  REQUIRE(fork->commit({put("a", "p", "2", 1), put("a", "q")}).ok());
  CHECK(fork->revision() == 3);
  CHECK(fork->snapshot().count("pods") == 2);
  CHECK(store->snapshot().get("pods", "a", "p")->annotation("note") == "1");
  CHECK(store->revision() == 1);
}

TEST_CASE("the store compacts by itself and keeps the retained revisions watchable") {
  auto options = inlineOptions();
  options.retainRevisions = 40;
  options.eventWindow = 4;
  auto disk = makeMemoryDisk();
  auto store = memoryStore(disk, options);
  for (int i = 0; i < 200; ++i) REQUIRE(store->commit({put("a", "p" + std::to_string(i % 3))}).ok());
  CHECK(store->compactedRevision() >= 150);
  CHECK(store->compactedRevision() <= 160);
  CHECK(store->watch("pods", store->compactedRevision() - 1, nullptr).error().code == Errc::gone);
  auto watch = store->watch("pods", store->compactedRevision(), nullptr);
  REQUIRE(watch.ok());
  std::uint64_t next = store->compactedRevision() + 1;
  for (auto event = (*watch)->poll(); event.ok() && *event; event = (*watch)->poll())
    CHECK((*event)->revision == next++);
  CHECK(next == 201);
  auto again = memoryStore(disk, options);
  CHECK(again->revision() == 200);
  CHECK(again->snapshot().count("pods") == 3);
}

TEST_CASE("concurrent writers to one object are serialised: each success saw the one before") {
  auto disk = makeMemoryDisk();
  auto store = memoryStore(disk, StoreOptions{});
  REQUIRE(store->commit({put("a", "counter", "0")}).ok());
  constexpr int kThreads = 8, kEach = 50;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < kEach;) {
        const auto now = store->snapshot().get("pods", "a", "counter");
        const int value = std::stoi(std::string(now->annotation("note")));
        if (store->commit({put("a", "counter", std::to_string(value + 1), now->revision())}).ok()) ++i;
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK(store->snapshot().get("pods", "a", "counter")->annotation("note") == std::to_string(kThreads * kEach));
  CHECK(store->revision() == 1 + kThreads * kEach);
}

TEST_CASE("concurrent writers all learn of a failing disk, and what is acknowledged is in the log") {
  auto disk = makeMemoryDisk();
  auto store = memoryStore(disk, StoreOptions{});
  failAppends(*disk, 10, 20);
  std::atomic<int> ok{0}, failed{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 100; ++i) {
        auto done = store->commit({put("t" + std::to_string(t), "p" + std::to_string(i), "", 0)});
        if (done.ok()) ++ok;
        else if (done.error().code == Errc::io) ++failed;
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK(ok + failed == 800);
  CHECK(failed >= 20);
  CHECK(store->revision() == static_cast<std::uint64_t>(ok));
  store.reset();
  auto again = memoryStore(disk);
  CHECK(again->snapshot().count("pods") == static_cast<std::size_t>(ok));
}

TEST_CASE("a fault of the writer refuses what was on its way, and nothing else is lost or told") {
  for (const auto what : faulttest::kThrown) {
    auto store = memoryStore();
    auto watch = store->watch("pods", 0, [] {}, {});
    REQUIRE(watch.ok());
    REQUIRE(store->commit({put("a", "p1")}).ok());
    {
      const faulttest::Injection injected("the store's writer", what);
      const auto refused = store->commit({put("a", "p2")});
      REQUIRE(!refused.ok());
      CHECK(refused.error().message.find(faulttest::textOf(what)) != std::string::npos);
    }
    CHECK(store->revision() == 1);
    const auto done = store->commit({put("a", "p2", "", 0)});
    REQUIRE(done.ok());
    CHECK((*done)[0].revision == 2);
    CHECK((*(*watch)->poll())->revision == 1);
    CHECK((*(*watch)->poll())->revision == 2);
  }
}

TEST_CASE("what is durable is told to all watches, also when telling failed") {
  for (const auto what : faulttest::kThrown) {
    auto store = memoryStore();
    int woken = 0;
    auto watch = store->watch("pods", 0, [&] { ++woken; }, {});
    REQUIRE(watch.ok());
    {
      const faulttest::Injection injected("the news of the store", what);
      REQUIRE(store->commit({put("a", "p1")}).ok());
      CHECK(injected.done());
    }
    CHECK(woken == 1);
    REQUIRE(store->commit({removal("a", "p1")}).ok());
    CHECK((*(*watch)->poll())->type == StoreEvent::Type::added);
    CHECK((*(*watch)->poll())->type == StoreEvent::Type::deleted);
    CHECK(store->snapshot().count("pods") == 0);
  }
}

TEST_CASE("writers side by side all hear of a fault of the one that writes for them, and none waits for ever") {
  for (const auto what : faulttest::kThrown) {
    const TempDir dir;
    auto store = std::move(*Store::open(std::move(*openSqliteLog(dir.file("state.db"))), {}));
    const faulttest::Injection injected("the store's writer", what, 5);
    constexpr int kThreads = 6, kEach = 20;
    std::atomic<int> refused{0};
    std::vector<std::thread> writers;
    for (int t = 0; t < kThreads; ++t)
      writers.emplace_back([&, t] {
        for (int i = 0; i < kEach; ++i)
          if (!store->commit({put("a", "p" + std::to_string(t) + "-" + std::to_string(i))}).ok()) ++refused;
      });
    for (auto& writer : writers) writer.join();
    CHECK(injected.done());
    CHECK(refused >= 5);
    CHECK(store->snapshot().count("pods") == static_cast<std::size_t>(kThreads * kEach - refused));
    CHECK(store->revision() == static_cast<std::uint64_t>(kThreads * kEach - refused));
  }
}
