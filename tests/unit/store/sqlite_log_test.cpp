#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <map>
#include <thread>

#include "cluster/store/store.h"
#include "core/log.h"
#include "store_fixture.h"

using namespace steer;
using namespace steer::storetest;

namespace {

std::unique_ptr<Store> diskStore(const std::string& path, StoreOptions options = {}) {
  auto log = openSqliteLog(path);
  REQUIRE(log.ok());
  return std::move(Store::open(std::move(*log), options)).value();
}

}  // namespace

TEST_CASE("a store on disk comes back with its objects, revisions and history") {
  TempDir dir;
  const auto path = dir.file("state.db");
  {
    auto store = diskStore(path);
    REQUIRE(store->commit({put("a", "p", "\xc3\xa9 \"quoted\"\n"), put("a", "q")}).ok());
    REQUIRE(store->commit({removal("a", "q"), put("a", "p", "2")}).ok());
  }
  auto store = diskStore(path);
  CHECK(store->revision() == 4);
  CHECK(store->snapshot().count("pods") == 1);
  CHECK(store->snapshot().get("pods", "a", "p")->revision() == 4);
  auto watch = store->watch("pods", 0, nullptr);
  REQUIRE(watch.ok());
  auto first = (*watch)->poll();
  REQUIRE(first.ok());
  CHECK((**first).after->annotation("note") == "\xc3\xa9 \"quoted\"\n");
  std::size_t more = 0;
  for (auto event = (*watch)->poll(); event.ok() && *event; event = (*watch)->poll()) ++more;
  CHECK(more == 3);
}

TEST_CASE("compaction forgets replaced states and removals, keeps live ones and the last revision") {
  TempDir dir;
  const auto path = dir.file("state.db");
  {
    auto store = diskStore(path);
    for (int i = 0; i < 900; ++i) REQUIRE(store->commit({put("a", "p" + std::to_string(i % 5))}).ok());
    for (int i = 0; i < 5; ++i) REQUIRE(store->commit({removal("a", "p" + std::to_string(i))}).ok());
    REQUIRE(store->commit({put("a", "live"), put("a", "dead"), removal("a", "dead")}).ok());
    REQUIRE(store->compact(908).ok());
  }
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &db) == SQLITE_OK);
  sqlite3_stmt* count = nullptr;
  REQUIRE(sqlite3_prepare_v2(db, "SELECT count(*) FROM log", -1, &count, nullptr) == SQLITE_OK);
  REQUIRE(sqlite3_step(count) == SQLITE_ROW);
  CHECK(sqlite3_column_int(count, 0) == 1);
  sqlite3_finalize(count);
  sqlite3_close(db);
  auto store = diskStore(path);
  CHECK(store->revision() == 908);
  CHECK(store->compactedRevision() == 908);
  CHECK(store->snapshot().count("pods") == 1);
  CHECK(store->commit({put("a", "next")})->front().revision == 909);
}

TEST_CASE("a second opening of the same file is refused and names the process that has it") {
  TempDir dir;
  const auto path = dir.file("state.db");
  auto store = diskStore(path);
  auto second = openSqliteLog(path);
  REQUIRE(!second.ok());
  CHECK(second.error().code == Errc::unavailable);
  CHECK(second.error().message.find(std::to_string(::getpid())) != std::string::npos);
  store.reset();
  CHECK(openSqliteLog(path).ok());
}

TEST_CASE("a file that is no database is called damaged") {
  TempDir dir;
  const auto path = dir.file("state.db");
  std::ofstream(path) << std::string(8192, 'z');
  auto log = openSqliteLog(path);
  REQUIRE(!log.ok());
  CHECK(log.error().code == Errc::io);
  CHECK(log.error().message.find("damaged") != std::string::npos);
  CHECK(openSqliteLog(dir.file("no/such/dir/state.db")).error().message.find("no/such/dir") != std::string::npos);
}

TEST_CASE(
    "a block of which parts were replaced, removed or compacted comes back with what lives, and with its history") {
  TempDir dir;
  const auto path = dir.file("state.db");
  const std::string filler(600, 'f');  // so that a transaction of 40 is kept compressed
  {
    auto store = diskStore(path);
    std::vector<Mutation> first, second;
    for (int i = 0; i < 40; ++i) first.push_back(put("a", "p" + std::to_string(i), filler + std::to_string(i)));
    REQUIRE(store->commit(std::move(first)).ok());  // revisions 1 to 40
    for (int i = 0; i < 10; ++i) second.push_back(put("a", "p" + std::to_string(i), "again"));
    for (int i = 10; i < 15; ++i) second.push_back(removal("a", "p" + std::to_string(i)));
    REQUIRE(store->commit(std::move(second)).ok());  // 41 to 55
    REQUIRE(store->compact(53).ok());                // in the middle of a transaction: p13 and p14 are history
    REQUIRE(store->commit({put("a", "p20", "third")}).ok());
  }
  auto store = diskStore(path);
  CHECK(store->revision() == 56);
  CHECK(store->snapshot().count("pods") == 35);
  CHECK(store->snapshot().get("pods", "a", "p9")->annotation("note") == "again");
  CHECK(store->snapshot().get("pods", "a", "p12") == nullptr);
  CHECK(store->snapshot().get("pods", "a", "p39")->annotation("note") == filler + "39");
  CHECK(store->snapshot().get("pods", "a", "p39")->revision() == 40);
  auto watch = store->watch("pods", 53, nullptr);
  REQUIRE(watch.ok());
  const auto removed = (*watch)->poll();
  REQUIRE(removed.ok());
  CHECK((**removed).type == StoreEvent::Type::deleted);
  CHECK((**removed).before->annotation("note") == filler + "13");
  REQUIRE((*watch)->poll().ok());
  const auto changed = (*watch)->poll();
  REQUIRE(changed.ok());
  CHECK((**changed).before->annotation("note") == filler + "20");
  REQUIRE(store->compact(56).ok());
}

TEST_CASE("an object that was removed stays removed while its old block is only partly forgotten") {
  TempDir dir;
  const auto path = dir.file("state.db");
  {
    auto store = diskStore(path);
    std::vector<Mutation> many;
    for (int i = 0; i < 9; ++i) many.push_back(put("a", "p" + std::to_string(i)));
    REQUIRE(store->commit(std::move(many)).ok());
    REQUIRE(store->commit({removal("a", "p3")}).ok());
    REQUIRE(store->commit({put("a", "later")}).ok());
    REQUIRE(store->compact(11).ok());  // the record of the removal is gone, the block of p3 is still there
  }
  for (int i = 0; i < 2; ++i) {
    auto store = diskStore(path);
    CHECK(store->snapshot().get("pods", "a", "p3") == nullptr);
    CHECK(store->snapshot().count("pods") == 9);
    CHECK(store->revision() == 11);
  }
}

TEST_CASE("a history of random transactions, compacted on the way, comes back as it was") {
  TempDir dir;
  const auto path = dir.file("state.db");
  std::map<std::string, std::string> model;
  std::uint32_t state = 7;
  const auto dice = [&](std::uint32_t sides) { return (state = state * 1664525 + 1013904223) / 65536 % sides; };
  for (int session = 0; session < 4; ++session) {
    auto store = diskStore(path);
    for (int i = 0; i < 60; ++i) {
      std::vector<Mutation> group;
      for (std::uint32_t n = 1 + dice(30); n > 0; --n) {
        const std::string name = "p" + std::to_string(dice(70));
        if (dice(4) == 0 && model.erase(name) > 0) group.push_back(removal("a", name));
        else group.push_back(put("a", name, model[name] = std::string(dice(300), 'n') + std::to_string(dice(1000))));
      }
      REQUIRE(store->commit(std::move(group)).ok());
      if (dice(5) == 0) REQUIRE(store->compact(store->revision() - dice(20)).ok());
    }
    store = nullptr;
    store = diskStore(path);
    std::map<std::string, std::string> found;
    for (const auto& pod : store->snapshot().list("pods")) found[pod->name()] = pod->annotation("note");
    REQUIRE(found == model);
  }
}

TEST_CASE("a log whose end is gone is refused by the mark beside it; accepted, it gives no number a second time") {
  log::setLevel(log::Level::off);
  TempDir dir;
  const auto path = dir.file("state.db");
  const auto older = dir.file("older");
  { REQUIRE(diskStore(path)->commit({put("a", "p")}).ok()); }
  std::filesystem::create_directory(older);
  for (const auto* name : {"state.db", "state.db-wal"}) std::filesystem::copy_file(dir.file(name), older + "/" + name);
  { REQUIRE(diskStore(path)->commit({put("a", "q"), put("a", "r")}).ok()); }
  {
    auto log = openSqliteLog(path);
    REQUIRE(log.ok());
    CHECK((*log)->acknowledged() == 3);
  }
  for (const auto* name : {"state.db", "state.db-wal"})
    std::filesystem::copy_file(older + "/" + name, dir.file(name), std::filesystem::copy_options::overwrite_existing);
  std::filesystem::remove(dir.file("state.db-shm"));
  {
    auto log = openSqliteLog(path);
    REQUIRE(log.ok());
    const auto refused = Store::open(std::move(*log), {});
    REQUIRE(!refused.ok());
    CHECK(refused.error().message.find("reaches revision 1, and 3 was acknowledged") != std::string::npos);
    CHECK(refused.error().message.find("--accept-loss") != std::string::npos);
  }
  {
    auto store = diskStore(path, {.lostEnd = StoreOptions::LostEnd::accept});
    CHECK(store->snapshot().count("pods") == 1);
    CHECK(store->revision() == 3);
    CHECK(store->commit({put("a", "s")})->front().revision == 4);
    auto watch = store->watch("pods", 1, nullptr);
    REQUIRE(watch.ok());
    CHECK((*watch)->poll().error().code == Errc::gone);  // what came in between is not known
  }
  auto store = diskStore(path);
  CHECK(store->revision() == 4);
  CHECK(store->snapshot().count("pods") == 2);
}

TEST_CASE("a mark that is damaged, missing or cannot be made tells nothing and keeps nothing from opening") {
  log::setLevel(log::Level::off);
  TempDir dir;
  const auto path = dir.file("state.db");
  { REQUIRE(diskStore(path)->commit({put("a", "p")}).ok()); }
  const auto mark = path + ".acknowledged";
  const auto reopened = [&] { return diskStore(path)->revision(); };
  std::ofstream(mark, std::ios::trunc) << "00000000000000000099 00000000000000000001\n";
  CHECK(reopened() == 1);
  std::ofstream(mark, std::ios::trunc) << "99";
  CHECK(reopened() == 1);
  std::filesystem::remove(mark);
  CHECK(reopened() == 1);
  std::filesystem::remove(mark);
  std::filesystem::create_directory(mark);
  CHECK(reopened() == 1);
  REQUIRE(diskStore(path)->commit({put("a", "q")}).ok());
}
