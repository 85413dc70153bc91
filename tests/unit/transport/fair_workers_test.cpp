// Turns of users on few threads, targets of request lines, heads of answers.
#include <catch2/catch.hpp>
#include <condition_variable>

#include "net/http/answer_text.h"
#include "net/http/fair_workers.h"
#include "net/http/target.h"

using namespace steer;

namespace {

/// A gate that jobs wait at.
class Gate {
 public:
  void pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  }
  void open() {
    std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void awaitWaiting(int n) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_ >= n; });
  }
  int waiting() {
    std::lock_guard lock(mutex_);
    return waiting_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  bool open_ = false;
};

ServerLimits limitsOf(std::size_t threads, std::size_t perUser, std::size_t queued) {
  ServerLimits out;
  out.threads = threads;
  out.threadsPerUser = perUser;
  out.queued = queued;
  return out;
}

}  // namespace

TEST_CASE("one who asks a hundred times does not keep out one who asks once") {
  Gate greedy, modest;
  FairWorkers workers(limitsOf(4, 3, 1000));
  for (int i = 0; i < 100; ++i)
    CHECK(workers.submit("greedy", {[&] { greedy.pass(); }, [] {}}) == FairWorkers::Taken::yes);
  greedy.awaitWaiting(3);
  CHECK(workers.submit("modest", {[&] { modest.pass(); }, [] {}}) == FairWorkers::Taken::yes);
  modest.awaitWaiting(1);
  CHECK(greedy.waiting() == 3);
  modest.open();
  greedy.open();
  workers.stop();
}

TEST_CASE("a full queue refuses, and stopping drops what waits after what runs has ended") {
  Gate gate;
  std::atomic<int> dropped{0};
  FairWorkers workers(limitsOf(1, 1, 2));
  const auto job = [&] { return FairWorkers::Job{[&] { gate.pass(); }, [&] { ++dropped; }}; };
  CHECK(workers.submit("a", job()) == FairWorkers::Taken::yes);
  gate.awaitWaiting(1);
  CHECK(workers.submit("a", job()) == FairWorkers::Taken::yes);
  CHECK(workers.submit("b", job()) == FairWorkers::Taken::yes);
  CHECK(workers.submit("b", job()) == FairWorkers::Taken::full);
  std::thread stopper([&] { workers.stop(); });
  while (dropped < 2) std::this_thread::yield();
  gate.open();
  stopper.join();
  CHECK(gate.waiting() == 1);
  CHECK(workers.submit("a", job()) == FairWorkers::Taken::stopped);
}

TEST_CASE("targets are decoded as Go's servers decode them") {
  const auto target = parseTarget("/api/v1/na%20me+x?labelSelector=a%3Db%2Cc&flag&empty=&plus=a+b&bad=%zz&bad2=%4#end");
  REQUIRE(target.ok());
  CHECK(target->path == "/api/v1/na me+x");
  CHECK(target->query == std::multimap<std::string, std::string>{
                             {"labelSelector", "a=b,c"}, {"flag", ""}, {"empty", ""}, {"plus", "a b"}});
  CHECK(parseTarget("https://host:6443/version?x=1")->path == "/version");
  CHECK(parseTarget("https://host")->path == "/");
  CHECK(parseTarget("/a%2").error().code == Errc::badRequest);
  CHECK(parseTarget("/a%gg").error().code == Errc::badRequest);
  CHECK(parseTarget("/a%41")->path == "/aA");
}

TEST_CASE("the head of an answer cannot be broken by what stands in a value") {
  Response response;
  response.status = 404;
  response.headers.emplace("Warning", "299 - \"a\r\nSet-Cookie: b\"");
  const auto head = answerHead(response, 3, AfterAnswer::close);
  CHECK(head ==
        "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nWarning: 299 - \"a  Set-Cookie: b\"\r\n"
        "Content-Length: 3\r\nConnection: close\r\n\r\n");
  CHECK(chunkStart(255) == "ff\r\n");
  CHECK(!mayHaveBody("HEAD", 200));
  CHECK(!mayHaveBody("GET", 304));
}
