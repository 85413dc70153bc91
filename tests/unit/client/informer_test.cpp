#include "cluster/client/informer.h"

#include <catch2/catch.hpp>
#include <deque>
#include <map>

using namespace steer;

namespace {

/// A cluster of one resource whose failures are chosen by the test.
class FakeCluster final : public Client {
 public:
  struct Feed {
    std::deque<WatchEvent> events;
    bool closed = false;
  };
  class FeedWatch final : public Watch {
   public:
    explicit FeedWatch(std::shared_ptr<Feed> feed) : feed_(std::move(feed)) {}
    std::optional<WatchEvent> poll() override {
      if (feed_->events.empty()) return std::nullopt;
      auto event = std::move(feed_->events.front());
      feed_->events.pop_front();
      return event;
    }
    bool closed() const override { return feed_->closed && feed_->events.empty(); }

   private:
    std::shared_ptr<Feed> feed_;
  };

  static ObjectPtr pod(const std::string& name, std::uint64_t revision) {
    return Object::make({{"kind", "Pod"},
                         {"metadata",
                          {{"namespace", "a"},
                           {"name", name},
                           {"uid", "uid-" + name},
                           {"resourceVersion", std::to_string(revision)}}}});
  }

  Result<ObjectPtr> get(const ObjectRef&) override { return makeError(Errc::notFound, ""); }
  Result<ObjectList> list(const std::string&, const ListOptions& options) override {
    ++lists;
    if (down) return makeError(Errc::unavailable, "down");
    ObjectList out;
    out.revision = revision;
    for (const auto& [name, object] : objects) {
      if (!options.continueToken.empty() && name <= options.continueToken) continue;
      if (pageSize != 0 && out.items.size() == pageSize) {
        out.continueToken = out.items.back()->name();
        break;
      }
      out.items.push_back(object);
    }
    return out;
  }
  Result<std::unique_ptr<Watch>> watch(const std::string&, const ListOptions&, std::uint64_t from, Waker) override {
    watchedFrom = from;
    feed = std::make_shared<Feed>();
    return std::unique_ptr<Watch>(std::make_unique<FeedWatch>(feed));
  }
  Result<ObjectPtr> write(const Write&) override { return makeError(Errc::forbidden, ""); }
  std::vector<Result<ObjectPtr>> batch(std::vector<Write>, const BatchOptions&) override { return {}; }
  Result<Observation> observe(const ObserveRequest&) override { return makeError(Errc::forbidden, ""); }

  void put(const std::string& name) { objects[name] = pod(name, ++revision); }
  void send(WatchEvent::Type type, ObjectPtr object, std::uint64_t at) {
    feed->events.push_back({type, std::move(object), at, std::nullopt});
  }

  std::map<std::string, ObjectPtr> objects;
  std::uint64_t revision = 0;
  std::uint64_t watchedFrom = 0;
  std::shared_ptr<Feed> feed;
  std::size_t pageSize = 0;
  int lists = 0;
  bool down = false;
};

struct Seen {
  std::vector<std::string> lines;
  Informer::OnChange note() {
    return [this](const std::string&, const ObjectPtr& before, const ObjectPtr& after) {
      lines.push_back((!before ? "+" : !after ? "-" : "~") + (after ? after : before)->name());
    };
  }
};

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("an informer lists page by page, then follows the watch from the list's revision") {
  FakeCluster cluster;
  for (const auto* name : {"a", "b", "c"}) cluster.put(name);
  cluster.pageSize = 2;
  Informer informer(cluster, {{"pods", {}}}, nullptr);
  Seen seen;
  ManualClock clock;
  CHECK(!informer.synced());
  informer.pump(clock.now(), seen.note());
  CHECK(informer.synced());
  CHECK(seen.lines == Lines{"+a", "+b", "+c"});
  CHECK(cluster.watchedFrom == 3);
  CHECK(informer.seenRevision() == 3);
  cluster.send(WatchEvent::Type::modified, FakeCluster::pod("a", 4), 4);
  cluster.send(WatchEvent::Type::deleted, FakeCluster::pod("b", 5), 5);
  cluster.send(WatchEvent::Type::bookmark, nullptr, 9);
  informer.pump(clock.now(), seen.note());
  CHECK(seen.lines == Lines{"+a", "+b", "+c", "~a", "-b"});
  CHECK(informer.seenRevision() == 9);
  CHECK(informer.snapshot().revision() == 9);
  CHECK(informer.snapshot().count("pods") == 2);
}

TEST_CASE("after a compaction it lists again and tells of deletions that it missed") {
  FakeCluster cluster;
  for (const auto* name : {"a", "b", "c"}) cluster.put(name);
  Informer informer(cluster, {{"pods", {}}}, nullptr);
  Seen seen;
  ManualClock clock;
  informer.pump(clock.now(), seen.note());
  seen.lines.clear();
  cluster.objects.erase("b");
  cluster.put("c");
  cluster.put("d");
  cluster.feed->events.push_back({WatchEvent::Type::error, nullptr, 0, makeError(Errc::gone, "compacted")});
  informer.pump(clock.now(), seen.note());
  REQUIRE(informer.retryAt());
  clock.advanceTo(*informer.retryAt());
  informer.pump(clock.now(), seen.note());
  CHECK(seen.lines == Lines{"-b", "~c", "+d"});
  CHECK(informer.snapshot().count("pods") == 3);
  CHECK(informer.seenRevision() == 5);
}

TEST_CASE("failing lists are retried with a delay that doubles up to five seconds") {
  FakeCluster cluster;
  cluster.down = true;
  Informer informer(cluster, {{"pods", {}}}, nullptr);
  ManualClock clock;
  std::vector<std::int64_t> delays;
  for (int i = 0; i < 8; ++i) {
    informer.pump(clock.now(), nullptr);
    informer.pump(clock.now(), nullptr);
    REQUIRE(informer.retryAt());
    delays.push_back((*informer.retryAt() - clock.now()).count() / 1000);
    clock.advanceTo(*informer.retryAt());
  }
  CHECK(delays == std::vector<std::int64_t>{100, 200, 400, 800, 1600, 3200, 5000, 5000});
  CHECK(cluster.lists == 8);
  CHECK(!informer.synced());
  cluster.down = false;
  informer.pump(clock.now(), nullptr);
  CHECK(informer.synced());
  CHECK(!informer.retryAt());
}

TEST_CASE("a closed watch keeps what is known until the next list says otherwise") {
  FakeCluster cluster;
  cluster.put("a");
  Informer informer(cluster, {{"pods", {}}}, nullptr);
  Seen seen;
  ManualClock clock;
  informer.pump(clock.now(), seen.note());
  cluster.feed->closed = true;
  cluster.down = true;
  informer.pump(clock.now(), seen.note());
  clock.advance(seconds(1));
  informer.pump(clock.now(), seen.note());
  CHECK(informer.synced());
  CHECK(informer.snapshot().count("pods") == 1);
  CHECK(seen.lines == Lines{"+a"});
}

TEST_CASE("at most so many events are taken in at once, and more is said to wait") {
  FakeCluster cluster;
  Informer informer(cluster, {{"pods", {}}}, nullptr);
  ManualClock clock;
  informer.pump(clock.now(), nullptr);
  for (std::uint64_t i = 1; i <= 5; ++i)
    cluster.send(WatchEvent::Type::added, FakeCluster::pod("p" + std::to_string(i), i), i);
  CHECK(informer.pump(clock.now(), nullptr, 3));
  CHECK(informer.snapshot().count("pods") == 3);
  CHECK(!informer.pump(clock.now(), nullptr, 3));
  CHECK(informer.snapshot().count("pods") == 5);
}

namespace {

/// Jobs that run when the test says so: a server that lets one wait.
class Waiting final : public Executor {
 public:
  void submit(std::function<void()> job) override { jobs.push_back(std::move(job)); }
  void answer() {
    auto due = std::move(jobs);
    jobs.clear();
    for (auto& job : due) job();
  }
  std::vector<std::function<void()>> jobs;
};

}  // namespace

TEST_CASE("while a list is not answered the informer goes on, and takes it when it comes") {
  FakeCluster cluster;
  cluster.put("one");
  Waiting slow;
  int woken = 0;
  Informer informer(
      cluster, {{"pods"}}, [&] { ++woken; }, &slow);
  const Time now{seconds(1)};
  for (int i = 0; i < 5; ++i) CHECK_FALSE(informer.pump(now, nullptr));
  CHECK(slow.jobs.size() == 1);  // asked once, not again and again
  CHECK_FALSE(informer.synced());
  slow.answer();
  CHECK(woken == 1);
  informer.pump(now, nullptr);
  CHECK(informer.synced());
  CHECK(informer.snapshot().get("pods", "a", "one"));
  // The watch breaks and the server is away: what is known stays, the next question waits its time.
  cluster.feed->closed = true;
  cluster.down = true;
  informer.pump(now, nullptr);
  REQUIRE(informer.retryAt());
  informer.pump(*informer.retryAt(), nullptr);
  slow.answer();
  informer.pump(now + seconds(1), nullptr);
  CHECK(informer.retryAt());
  CHECK(informer.snapshot().get("pods", "a", "one"));
}

TEST_CASE("an informer that ends before its list was begun asks nobody") {
  FakeCluster cluster;
  Waiting slow;
  {
    Informer informer(cluster, {{"pods"}}, nullptr, &slow);
    informer.pump(Time{seconds(1)}, nullptr);
  }
  slow.answer();
  CHECK(cluster.lists == 0);
}
