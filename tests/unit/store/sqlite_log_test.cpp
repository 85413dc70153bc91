#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <thread>

#include "cluster/store/store.h"
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
