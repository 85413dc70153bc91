#include "nodeagent/agent/log_reader.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <future>

#include "core/rfc3339.h"
#include "nodeagent/agent/log_files.h"
#include "tests/fault/injection.h"

using namespace steer;
namespace fs = std::filesystem;

namespace {

struct TempDir {
  TempDir() {
    std::string pattern = (fs::temp_directory_path() / "steer-log.XXXXXX").string();
    path = mkdtemp(pattern.data());
  }
  ~TempDir() { fs::remove_all(path); }
  fs::path path;
};

void put(const fs::path& file, const std::string& text) { std::ofstream(file, std::ios::app) << text; }

std::string line(int second, const std::string& text, const char* tag = "F") {
  return "2026-11-21T00:00:0" + std::to_string(second) + ".5Z stdout " + tag + " " + text + "\n";
}

std::string all(LogReader& reader) {
  std::string out;
  for (;;) {
    auto chunk = reader.poll();
    out += chunk.data;
    if (chunk.end) return out;
  }
}

}  // namespace

TEST_CASE("a log reads as plain text, parts joined, rotated files first") {
  TempDir dir;
  const auto log = dir.path / "0.log";
  put(log, line(1, "one") + line(2, "two ", "P") + line(2, "halves"));
  REQUIRE(rotateLog(log, {}).ok());
  put(log, line(3, "three"));
  LogReader reader(logFilesOf(dir.path, 0), {}, nullptr);
  CHECK(all(reader) == "one\ntwo halves\nthree\n");
}

TEST_CASE("tail, since, timestamps and the byte limit do what kubectl asks") {
  TempDir dir;
  const auto log = dir.path / "0.log";
  put(log, line(1, "one"));
  REQUIRE(rotateLog(log, {}).ok());
  put(log, line(2, "two ", "P") + line(2, "halves") + line(3, "three"));
  const auto files = logFilesOf(dir.path, 0);
  auto read = [&](LogReadOptions options) {
    LogReader reader(files, options, nullptr);
    return all(reader);
  };
  CHECK(read({.tailLines = 1}) == "three\n");
  CHECK(read({.tailLines = 2}) == "two halves\nthree\n");
  CHECK(read({.tailLines = 3}) == "one\ntwo halves\nthree\n");
  CHECK(read({.tailLines = 99}) == "one\ntwo halves\nthree\n");
  CHECK(read({.tailLines = 0}).empty());
  CHECK(read({.since = parseTime("2026-11-21T00:00:03Z")}) == "three\n");
  CHECK(read({.timestamps = true, .tailLines = 1}) == "2026-11-21T00:00:03.5Z three\n");
  CHECK(read({.limitBytes = 5}) == "one\nt");
}

TEST_CASE("a followed log goes on over a rotation and ends when the container has ended") {
  TempDir dir;
  const auto log = dir.path / "0.log";
  put(log, line(1, "one"));
  bool running = true;
  LogReader reader(logFilesOf(dir.path, 0), {.follow = true}, [&] { return running; });
  CHECK(reader.poll().data == "one\n");
  put(log, line(2, "two"));
  CHECK(reader.poll().data == "two\n");
  REQUIRE(rotateLog(log, {}).ok());
  put(log, line(3, "three"));
  CHECK(reader.poll().data == "three\n");
  put(log, line(4, "four"));
  running = false;
  const auto last = reader.poll();
  CHECK(last.data == "four\n");
  CHECK(last.end);
}

TEST_CASE("rotation keeps the newest files and only those") {
  TempDir dir;
  const auto log = dir.path / "3.log";
  for (int i = 0; i < 7; ++i) {
    put(log, line(1, std::to_string(i)));
    REQUIRE(rotateLog(log, {.maxBytes = 1, .keep = 2}).ok());
  }
  put(log, line(1, "now"));
  CHECK(logFilesOf(dir.path, 3).size() == 3);
  CHECK(logAttempts(dir.path) == std::vector<std::uint32_t>{3});
  CHECK(rotationDue(log, {.maxBytes = 1}));
}

TEST_CASE("a followed log is looked at again after a fault of its ticker") {
  for (const auto what : faulttest::kThrown) {
    TempDir dir;
    put(dir.path / "0.log", line(1, "one"));
    const faulttest::Injection injected("the ticker of a log", what);
    LogReadOptions options;
    options.follow = true;
    LogReader reader(logFilesOf(dir.path, 0), options, [] { return true; });
    std::promise<void> ticked;
    std::atomic<bool> told{false};
    reader.setWaker([&] {
      if (!told.exchange(true)) ticked.set_value();
    });
    CHECK(ticked.get_future().wait_for(std::chrono::seconds(30)) == std::future_status::ready);
    CHECK(injected.done());
    CHECK(reader.poll().data == "one\n");
  }
}
