// What the loop over all controllers does with decisions that go wrong.
#include "cluster/manager/controller_loop.h"

#include <catch2/catch.hpp>
#include <functional>
#include <stdexcept>

#include "cluster/apiserver/api_server.h"
#include "cluster/apiserver/in_process_client.h"
#include "cluster/store/store.h"

using namespace steer;

namespace {

/// One key per config map; what is decided about it is the test's.
class Scripted final : public Controller {
 public:
  using Script = std::function<Decision(const Key&, Time)>;
  explicit Scripted(Script script) : script_(std::move(script)) {}
  std::string_view name() const override { return "scripted"; }
  std::vector<std::string> resources() const override { return {"configmaps"}; }
  std::vector<Key> keysFor(const Snapshot&, std::string_view, const ObjectPtr& before,
                           const ObjectPtr& after) const override {
    const auto& object = after ? after : before;
    return {{object->ns(), object->name()}};
  }
  Decision decide(const Snapshot&, const Key& key, Time now) const override { return script_(key, now); }

 private:
  Script script_;
};

struct Looped {
  std::unique_ptr<Store> store = std::move(*Store::open(openMemoryLog(makeMemoryDisk()), {.inlineCommit = true}));
  ManualClock clock;
  Random random{1};
  ApiServer api{*store, clock, random, {}};
  std::unique_ptr<Client> client = makeInProcessClient(api, systemIdentity());
  std::unique_ptr<ControllerLoop> loop;

  explicit Looped(Scripted::Script script) {
    std::vector<std::unique_ptr<Controller>> all;
    all.push_back(std::make_unique<Scripted>(std::move(script)));
    loop = std::make_unique<ControllerLoop>(*client, random, std::move(all));
  }
  void make(const std::string& name) {
    REQUIRE(client
                ->write(Write::create("configmaps", {{"apiVersion", "v1"},
                                                     {"kind", "ConfigMap"},
                                                     {"metadata", {{"name", name}, {"namespace", "default"}}}}))
                .ok());
  }
  /// Steps for as long as there is something to do now, at most `most` times; returns until when it then waits.
  std::optional<Time> rest(Time now, int most) {
    for (int i = 0; i < most; ++i)
      if (const auto next = loop->step(now); !next.at || *next.at > now) return next.at;
    FAIL("it found no rest");
    return std::nullopt;
  }
};

}  // namespace

TEST_CASE("What a decision wants to look at again in the past it looks at a second later, not for ever at once") {
  int decided = 0;
  Looped world([&](const Controller::Key&, Time now) {
    ++decided;
    Decision out;
    out.recheck = now - seconds(3600);
    return out;
  });
  world.make("late");
  const Time now = world.clock.now();
  CHECK(world.rest(now, 50) == now + seconds(1));
  CHECK(decided == 1);
  CHECK(world.rest(now + seconds(1), 50) == now + seconds(2));
  CHECK(decided == 2);
}

TEST_CASE("A decision that throws holds up its own key and no other, and is tried again") {
  int good = 0, bad = 0;
  Looped world([&](const Controller::Key& key, Time) -> Decision {
    if (key.name != "bad") return ++good, Decision{};
    if (++bad < 3) throw std::out_of_range("no such field");
    return {};
  });
  world.make("bad");
  world.make("good");
  Time now = world.clock.now();
  auto next = world.rest(now, 50);
  CHECK(good == 1);
  CHECK(bad == 1);
  for (int i = 0; i < 5 && next; ++i) next = world.rest(now = *next, 50);
  CHECK(good == 1);
  CHECK(bad == 3);
}
