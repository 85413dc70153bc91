#include <algorithm>
#include <catch2/catch.hpp>
#include <thread>

#include "cluster/store/store.h"
#include "store_fixture.h"

using namespace steer;
using namespace steer::storetest;

namespace {

std::vector<StoreEvent> drain(StoreWatch& watch) {
  std::vector<StoreEvent> out;
  for (auto event = watch.poll(); event.ok() && *event; event = watch.poll()) out.push_back(**event);
  return out;
}

std::vector<std::uint64_t> revisions(const std::vector<StoreEvent>& events) {
  std::vector<std::uint64_t> out;
  for (const auto& event : events) out.push_back(event.revision);
  return out;
}

std::unique_ptr<StoreWatch> watch(Store& store, std::uint64_t from, WatchFilter filter = {}, Waker waker = nullptr) {
  return std::move(store.watch("pods", from, std::move(waker), std::move(filter))).value();
}

}  // namespace

TEST_CASE("a watch from the past gets what happened since and then what happens") {
  auto store = memoryStore();
  REQUIRE(store->commit({put("a", "p", "1"), put("a", "p", "2")}).ok());
  auto w = watch(*store, 1);
  REQUIRE(store->commit({removal("a", "p")}).ok());
  const auto events = drain(*w);
  REQUIRE(events.size() == 2);
  CHECK(events[0].type == StoreEvent::Type::modified);
  CHECK(events[0].before->annotation("note") == "1");
  CHECK(events[0].after->annotation("note") == "2");
  CHECK(events[1].type == StoreEvent::Type::deleted);
  CHECK(events[1].after->revision() == 3);
  CHECK(events[1].after->annotation("note") == "2");
  CHECK(w->progress() == 3);
}

TEST_CASE("events that left memory are read from the log, with the state before") {
  auto options = inlineOptions();
  options.eventWindow = 2;
  auto store = memoryStore(makeMemoryDisk(), options);
  for (int i = 1; i <= 20; ++i) REQUIRE(store->commit({put("a", "p", std::to_string(i))}).ok());
  REQUIRE(store->commit({removal("a", "p")}).ok());
  REQUIRE(store->commit({put("a", "q"), put("a", "q"), put("a", "q")}).ok());
  auto w = watch(*store, 0);
  const auto events = drain(*w);
  REQUIRE(events.size() == 24);
  CHECK(events[0].type == StoreEvent::Type::added);
  CHECK(events[0].before == nullptr);
  CHECK(events[7].before->annotation("note") == "7");
  CHECK(events[7].after->annotation("note") == "8");
  CHECK(events[20].type == StoreEvent::Type::deleted);
  CHECK(events[20].after->annotation("note") == "20");
  CHECK(events[20].after->revision() == 21);
  for (std::size_t i = 0; i < events.size(); ++i) CHECK(events[i].revision == i + 1);
}

TEST_CASE("a slow watch loses nothing although it fell out of memory") {
  auto options = inlineOptions();
  options.eventWindow = 8;
  auto store = memoryStore(makeMemoryDisk(), options);
  auto w = watch(*store, 0);
  for (int i = 1; i <= 3000; ++i) REQUIRE(store->commit({put("a", "p", std::to_string(i))}).ok());
  std::uint64_t next = 1;
  for (const auto& event : drain(*w)) CHECK(event.revision == next++);
  CHECK(next == 3001);
}

TEST_CASE("a watch that nobody reads holds few large objects, and loses none of them") {
  auto options = inlineOptions();
  options.eventWindowBytes = 1;
  auto store = memoryStore(makeMemoryDisk(), options);
  auto w = watch(*store, 0);
  std::vector<ObjectPtr> made;
  for (int i = 0; i < 60; ++i) {
    REQUIRE(store->commit({put("a", "p", std::string(100'000, 'x'))}).ok());
    made.push_back(store->snapshot().get("pods", "a", "p"));
  }
  const auto held =
      std::count_if(made.begin(), made.end(), [](const ObjectPtr& object) { return object.use_count() > 1; });
  CHECK(held <= 12);
  std::uint64_t next = 1;
  for (const auto& event : drain(*w)) CHECK(event.revision == next++);
  CHECK(next == 61);
}

TEST_CASE("a watch behind the compaction is told that its history is gone") {
  auto options = inlineOptions();
  options.eventWindow = 2;
  auto store = memoryStore(makeMemoryDisk(), options);
  for (int i = 0; i < 5; ++i) REQUIRE(store->commit({put("a", "p")}).ok());
  auto w = watch(*store, 1);
  REQUIRE(store->compact(4).ok());
  CHECK(w->poll().error().code == Errc::gone);
  CHECK(store->watch("pods", 3, nullptr).error().code == Errc::gone);
  CHECK(revisions(drain(*watch(*store, 4))) == std::vector<std::uint64_t>{5});
  CHECK(store->compact(9).error().code == Errc::invalid);
}

TEST_CASE("a filtered watch sees objects come and leave and is woken for nothing else") {
  auto store = memoryStore();
  int woken = 0;
  auto w = watch(*store, 0, {"", "", "n1"}, [&] { ++woken; });
  REQUIRE(store->commit({put("a", "p", "", {}, "")}).ok());
  REQUIRE(store->commit({put("a", "q", "", {}, "n2")}).ok());
  CHECK(woken == 0);
  CHECK(w->progress() == 2);
  REQUIRE(store->commit({put("a", "p", "", {}, "n1")}).ok());
  CHECK(woken == 1);
  CHECK(revisions(drain(*w)) == std::vector<std::uint64_t>{3});
  REQUIRE(store->commit({put("a", "p", "", {}, "n2")}).ok());
  CHECK(woken == 2);
  CHECK(revisions(drain(*w)) == std::vector<std::uint64_t>{4});
  REQUIRE(store->commit({removal("a", "p")}).ok());
  CHECK(woken == 2);
  CHECK(w->progress() == 5);
  CHECK(revisions(drain(*watch(*store, 0, {"a", "q", {}}))) == std::vector<std::uint64_t>{2});
  CHECK(drain(*watch(*store, 0, {"b", "", {}})).empty());
}

TEST_CASE("a watch of one resource does not see another") {
  auto store = memoryStore();
  auto w = watch(*store, 0);
  REQUIRE(store
              ->commit({{Mutation::Kind::put,
                         {"configmaps", "a", "c"},
                         {{"metadata", {{"namespace", "a"}, {"name", "c"}}}},
                         {}}})
              .ok());
  CHECK(drain(*w).empty());
  CHECK(w->progress() == 1);
}

TEST_CASE("a waker is called once until the watch is read empty") {
  auto store = memoryStore();
  int woken = 0;
  auto w = watch(*store, 0, {}, [&] { ++woken; });
  for (int i = 0; i < 5; ++i) REQUIRE(store->commit({put("a", "p")}).ok());
  CHECK(woken == 1);
  CHECK(drain(*w).size() == 5);
  REQUIRE(store->commit({put("a", "p")}).ok());
  CHECK(woken == 2);
  w.reset();
  REQUIRE(store->commit({put("a", "p")}).ok());
  CHECK(woken == 2);
}

TEST_CASE("watches follow concurrent writers without a gap or a duplicate") {
  StoreOptions options;
  options.eventWindow = 64;
  options.retainRevisions = 0;
  auto store = memoryStore(makeMemoryDisk(), options);
  constexpr int kWriters = 4, kEach = 1500;
  std::vector<std::thread> threads;
  for (int t = 0; t < kWriters; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i)
        if (!store->commit({put("t" + std::to_string(t), "p" + std::to_string(i % 7))}).ok()) std::abort();
    });
  std::atomic<int> broken{0};
  for (int r = 0; r < 3; ++r)
    threads.emplace_back([&, r] {
      auto w = watch(*store, 0);
      std::uint64_t next = 1;
      while (next <= kWriters * kEach) {
        auto event = w->poll();
        if (!event.ok()) return void(++broken);
        if (!*event) {
          std::this_thread::yield();
          continue;
        }
        if ((*event)->revision != next++) return void(++broken);
        if (r == 0 && next % 500 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK(broken == 0);
}
