#include "cluster/manager/event_recorder.h"
#include "cluster/manager/key_queue.h"
#include "tests/unit/controllers/fixture.h"

using namespace steer;
using namespace steer::testing;

namespace {

const auto kAlways = [](const Barrier&) { return true; };
const auto kNever = [](const Barrier&) { return false; };

ObjectPtr pod() {
  return object(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"shop","uid":"u"}})");
}

}  // namespace

TEST_CASE("a key waits once however often it is named") {
  KeyQueue queue;
  const KeyQueue::Id id{0, {"shop", "web"}};
  queue.add(id);
  queue.add(id);
  CHECK(queue.take(kAlways) == id);
  CHECK_FALSE(queue.take(kAlways));
}

TEST_CASE("a failing key waits longer each time, at most 30 s, and a success forgives") {
  KeyQueue queue;
  const KeyQueue::Id id{0, {"shop", "web"}};
  Time now = kNow;
  Duration last{};
  for (int i = 0; i < 20; ++i) {
    queue.retry(id, now);
    const Duration wait = *queue.nextTimer() - now;
    CHECK((wait > last || wait == seconds(30)));
    last = wait;
    now = *queue.nextTimer();
    queue.release(now);
    CHECK(queue.take(kAlways) == id);
  }
  CHECK(last == seconds(30));
  queue.succeeded(id);
  queue.retry(id, now);
  CHECK(*queue.nextTimer() - now == milliseconds(5));
}

TEST_CASE("a key with unseen writes is held back and comes when they are seen") {
  KeyQueue queue;
  const KeyQueue::Id id{0, {"shop", "web"}};
  Barrier barrier;
  barrier.revisions["pods"] = 7;
  queue.setBarrier(id, barrier);
  queue.add(id);
  CHECK_FALSE(queue.take(kNever));
  CHECK(queue.hasBlocked());
  queue.unblock();
  CHECK(queue.take(kAlways) == id);
}

TEST_CASE("a key that never comes to rest waits up to a second between its decisions, until it rests") {
  KeyQueue queue;
  const KeyQueue::Id id{0, {"shop", "web"}};
  for (unsigned i = 0; i < KeyQueue::kRestless; ++i) {
    queue.again(id, kNow);
    REQUIRE(queue.take(kAlways) == id);
  }
  Time now = kNow;
  for (int i = 0; i < 20; ++i) {
    queue.again(id, now);
    queue.add(id);  // its own writes are seen
    REQUIRE_FALSE(queue.take(kAlways));
    CHECK(*queue.nextTimer() - now <= seconds(1));
    now = *queue.nextTimer();
    queue.release(now);
    REQUIRE(queue.take(kAlways) == id);
  }
  CHECK(now - kNow > seconds(10));
  queue.succeeded(id);
  queue.add(id);
  CHECK(queue.take(kAlways) == id);
}

TEST_CASE("what repeats becomes one event with a count, and one write per burst") {
  Random random(1);
  EventRecorder recorder("scheduler", random);
  for (int i = 0; i < 50; ++i) recorder.note({pod(), "Warning", "FailedScheduling", "no room", std::nullopt}, kNow);
  CHECK(recorder.flush(kNow, 100).empty());  // still gathering
  const auto first = recorder.flush(kNow + seconds(1), 100);
  REQUIRE(first.size() == 1);
  CHECK(intAt(first[0].body, {"count"}) == 50);
  CHECK(stringAt(first[0].body, {"involvedObject", "uid"}) == "u");
  recorder.note({pod(), "Warning", "FailedScheduling", "no room", std::nullopt}, kNow + seconds(5));
  const auto second = recorder.flush(kNow + seconds(6), 100);
  REQUIRE(second.size() == 1);
  CHECK(second[0].verb == Write::Verb::patch);
  CHECK(second[0].target.name == first[0].target.name);
  CHECK(intAt(second[0].body, {"count"}) == 51);
}

TEST_CASE("similar events beyond ten are combined") {
  Random random(1);
  EventRecorder recorder("replicaset-controller", random);
  for (int i = 0; i < 500; ++i)
    recorder.note({pod(), "Normal", "SuccessfulCreate", "Created pod: p" + std::to_string(i), std::nullopt}, kNow);
  const auto writes = recorder.flush(kNow + seconds(1), 1000);
  REQUIRE(writes.size() == 11);
  std::int64_t combined = 0;
  for (const auto& write : writes)
    if (stringAt(write.body, {"message"}).starts_with("(combined from similar events): "))
      combined += intAt(write.body, {"count"});
  CHECK(combined == 490);
}
