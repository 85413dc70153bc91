// Random transactions, disk failures, compactions, restarts and watchers against a model that is a
// plain map and a plain list of events. A failing seed is printed.
#include <catch2/catch.hpp>
#include <map>

#include "cluster/store/store.h"
#include "core/random.h"

using namespace steer;

namespace {

struct Model {
  std::map<std::string, std::pair<std::uint64_t, std::string>> objects;  // name → (revision, note)
  std::vector<std::pair<std::uint64_t, std::string>> events;             // (revision, "+name" or "-name")
  std::uint64_t revision = 0;

  /// Whether the transaction must succeed; applies it when it does.
  bool commit(const std::vector<Mutation>& mutations) {
    Model next = *this;
    for (const auto& m : mutations) {
      const auto it = next.objects.find(m.target.name);
      const std::uint64_t have = it == next.objects.end() ? 0 : it->second.first;
      if (m.ifRevision && *m.ifRevision != have) return false;
      if (m.kind == Mutation::Kind::remove && have == 0) return false;
      ++next.revision;
      if (m.kind == Mutation::Kind::remove) {
        next.objects.erase(m.target.name);
        next.events.emplace_back(next.revision, "-" + m.target.name);
      } else {
        next.objects[m.target.name] = {next.revision, std::string(stringAt(m.body, {"note"}))};
        next.events.emplace_back(next.revision, "+" + m.target.name);
      }
    }
    *this = std::move(next);
    return true;
  }
};

struct Follower {
  std::unique_ptr<StoreWatch> watch;
  std::uint64_t from = 0;
  std::string name;  // of the filter, empty = all
  std::vector<std::pair<std::uint64_t, std::string>> got;
  bool gone = false;

  void drain(std::size_t atMost) {
    for (std::size_t i = 0; i < atMost && !gone; ++i) {
      auto event = watch->poll();
      if (!event.ok()) gone = event.error().code == Errc::gone;
      if (!event.ok() || !*event) return;
      got.emplace_back((*event)->revision,
                       ((*event)->type == StoreEvent::Type::deleted ? "-" : "+") + (*event)->after->name());
    }
  }
  /// What was delivered is a prefix of what the model says; all of it when not gone and drained.
  void check(const Model& model, bool complete) const {
    std::vector<std::pair<std::uint64_t, std::string>> want;
    for (const auto& event : model.events)
      if (event.first > from && (name.empty() || event.second.substr(1) == name)) want.push_back(event);
    REQUIRE(got.size() <= want.size());
    CHECK(std::equal(got.begin(), got.end(), want.begin()));
    if (complete && !gone) CHECK(got.size() == want.size());
  }
};

Mutation randomMutation(Random& random, const Model& model) {
  Mutation m;
  m.target = {"pods", "a", "p" + std::to_string(random.below(6))};
  const auto it = model.objects.find(m.target.name);
  const std::uint64_t have = it == model.objects.end() ? 0 : it->second.first;
  if (random.below(4) == 0) m.kind = Mutation::Kind::remove;
  else m.body = {{"metadata", {{"namespace", "a"}, {"name", m.target.name}}}, {"note", std::to_string(random.next())}};
  const auto how = random.below(4);
  if (how == 0) m.ifRevision = have;
  if (how == 1) m.ifRevision = random.below(model.revision + 2);
  return m;
}

void runSeed(std::uint64_t seed) {
  INFO("seed " << seed);
  Random random(seed);
  StoreOptions options;
  options.inlineCommit = true;
  options.eventWindow = 1 + random.below(20);
  options.retainRevisions = random.below(2) == 0 ? 0 : 30;
  auto disk = makeMemoryDisk();
  auto store = std::move(Store::open(openMemoryLog(disk), options)).value();
  Model model;
  std::vector<Follower> followers;
  for (int step = 0; step < 400; ++step) {
    const auto dice = random.below(40);
    if (dice == 0) {
      for (auto& follower : followers) follower.drain(100'000), follower.check(model, true);
      followers.clear();
      store = std::move(Store::open(openMemoryLog(disk), options)).value();
    } else if (dice == 1 && model.revision > 0) {
      REQUIRE(store->compact(random.below(model.revision + 1)).ok());
    } else if (dice < 5) {
      const std::uint64_t from = random.below(model.revision + 1);
      WatchFilter filter;
      if (random.below(2) == 0) filter.name = "p" + std::to_string(random.below(6));
      auto watch = store->watch("pods", from, nullptr, filter);
      CHECK(watch.ok() == (from >= store->compactedRevision()));
      if (watch.ok()) followers.push_back({std::move(*watch), from, filter.name, {}, false});
    } else if (dice < 12 && !followers.empty()) {
      followers[random.below(followers.size())].drain(random.below(10));
    } else {
      std::vector<Mutation> mutations;
      for (std::uint64_t n = 1 + random.below(4); n > 0; --n) mutations.push_back(randomMutation(random, model));
      if (random.below(25) == 0) {
        failAppends(*disk, 0, 1);
        Model unused = model;
        const bool would = unused.commit(mutations);
        const auto done = store->commit(std::move(mutations));
        REQUIRE(!done.ok());
        CHECK((done.error().code == Errc::io) == would);
        failAppends(*disk, 0, 0);
      } else {
        const bool should = model.commit(mutations);
        CHECK(store->commit(std::move(mutations)).ok() == should);
      }
    }
    REQUIRE(store->revision() == model.revision);
  }
  for (auto& follower : followers) follower.drain(100'000), follower.check(model, true);
  const auto snapshot = store->snapshot();
  CHECK(snapshot.count("pods") == model.objects.size());
  for (const auto& [name, expected] : model.objects) {
    const auto object = snapshot.get("pods", "a", name);
    REQUIRE(object);
    CHECK(object->revision() == expected.first);
    CHECK(stringAt(object->json(), {"note"}) == expected.second);
  }
}

}  // namespace

TEST_CASE("the store does what a map and a list of events would do") {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) runSeed(seed);
}
