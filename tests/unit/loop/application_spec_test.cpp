#include <catch2/catch.hpp>

#include "core/rfc3339.h"
#include "reconciler/loop/application_spec.h"
#include "reconciler/loop/included.h"
#include "reconciler/loop/sync_window.h"

using namespace steer;

namespace {

ObjectPtr application(json::object spec) {
  return Object::make({{"apiVersion", "steersman.dev/v1"},
                       {"kind", "Application"},
                       {"metadata", {{"name", "web"}, {"namespace", "steersman-system"}}},
                       {"spec", std::move(spec)}});
}

json::object source() { return {{"url", "https://example.org/fleet.git"}, {"branch", "main"}, {"path", "web"}}; }

Time at(const char* text) { return *parseTime(text); }

}  // namespace

TEST_CASE("a spec is read into values, with defaults for what it leaves out") {
  const auto spec = readApplicationSpec(*application({{"source", source()}}), nullptr);
  CHECK(spec.problems.empty());
  CHECK(spec.unusable.empty());
  CHECK(spec.source.url == "https://example.org/fleet.git");
  CHECK(spec.source.revision == "main");
  CHECK(spec.source.path == "web");
  CHECK(spec.settings.prune);
  CHECK(spec.settings.drift == DriftMode::heal);
  CHECK(spec.settings.healthTimeout == minutes(10));
  CHECK(spec.settings.deleteBudget.percent == 20);
  CHECK(spec.settings.deleteBudget.count == 5);
}

TEST_CASE("every field that cannot be read is a problem of its own, and the rest still counts") {
  auto from = source();
  from["interval"] = "often";
  const auto spec = readApplicationSpec(*application({{"source", from},
                                                      {"healthTimeout", "99999999999999999999h"},
                                                      {"retry", {{"initialDelay", "1m"}, {"limit", -1}}},
                                                      {"drift", "repair"},
                                                      {"deleteBudget", {{"percent", 250}}}}),
                                        nullptr);
  REQUIRE(spec.problems.size() == 5);
  CHECK(spec.problems[0] == "spec.source.interval: \"often\" is no duration such as 30s, 5m or 1h30m");
  CHECK(spec.settings.retry.initialDelay == minutes(1));
  CHECK(spec.settings.retry.limit == 5);
  CHECK(spec.settings.healthTimeout == minutes(10));
  CHECK(spec.unusable.empty());
}

TEST_CASE("a GitRepository gives what the application does not say itself") {
  const auto repository = Object::make({{"metadata", {{"name", "fleet"}, {"namespace", "steersman-system"}}},
                                        {"spec",
                                         {{"url", "ssh://git@example.org/fleet"},
                                          {"tag", "v1"},
                                          {"interval", "2m"},
                                          {"suspend", true},
                                          {"secretRef", {{"name", "deploy-key"}}}}}});
  const auto app = application({{"source", {{"repositoryRef", {{"name", "fleet"}}}, {"path", "web"}}}});
  const auto spec = readApplicationSpec(*app, repository);
  CHECK(spec.source.url == "ssh://git@example.org/fleet");
  CHECK(spec.source.revision == "refs/tags/v1");
  CHECK(spec.source.interval == minutes(2));
  CHECK(spec.sourceSuspended);
  CHECK(spec.credentials.secretName == "deploy-key");
  CHECK(readApplicationSpec(*app, nullptr).unusable == "there is no GitRepository steersman-system/fleet");
}

TEST_CASE("a time-out has an upper bound, which is taken with a finding") {
  auto from = source();
  from["timeout"] = "24h";
  const auto spec = readApplicationSpec(*application({{"source", from}}), nullptr);
  REQUIRE(spec.problems.size() == 1);
  CHECK(spec.problems[0] == "spec.source.timeout: \"24h\" is longer than the most, 300s, which is taken instead");
  CHECK(spec.source.timeout == minutes(5));
  from["timeout"] = "5m";
  CHECK(readApplicationSpec(*application({{"source", from}}), nullptr).problems.empty());
}

TEST_CASE("the delay between attempts grows and has an end") {
  const RetryPolicy policy{9, seconds(5), 2, seconds(60)};
  CHECK(retryDelay(policy, 1) == seconds(5));
  CHECK(retryDelay(policy, 3) == seconds(20));
  CHECK(retryDelay(policy, 1000) == seconds(60));
}

TEST_CASE("include keeps the named directories and files") {
  CHECK(isIncluded("web/a.yaml", {"web"}));
  CHECK(isIncluded("web/a.yaml", {"./web/"}));
  CHECK_FALSE(isIncluded("website/a.yaml", {"web"}));
  CHECK(isIncluded("anything.yaml", {}));
}

TEST_CASE("include knows * and ? within a name, ** across directories, and ! to take away") {
  CHECK(isIncluded("apps/web/a.yaml", {"apps/*"}));
  CHECK(isIncluded("apps/web/a.yaml", {"apps/*/a.yaml"}));
  CHECK_FALSE(isIncluded("apps/web/sub/a.yaml", {"apps/*/a.yaml"}));
  CHECK(isIncluded("apps/web/sub/a.yaml", {"apps/**/a.yaml"}));
  CHECK(isIncluded("apps/a.yaml", {"apps/**/a.yaml"}));
  CHECK(isIncluded("deep/er/x.yaml", {"**/*.yaml"}));
  CHECK(isIncluded("x.yaml", {"**/*.yaml"}));
  CHECK_FALSE(isIncluded("x.yml", {"**/*.yaml"}));
  CHECK(isIncluded("a1.yaml", {"a?.yaml"}));
  CHECK_FALSE(isIncluded("a12.yaml", {"a?.yaml"}));
  CHECK_FALSE(isIncluded("apps/web/a.yaml", {"*.yaml"}));
  CHECK_FALSE(isIncluded("apps/test/a.yaml", {"!apps/test", "apps"}));
  CHECK(isIncluded("apps/web/a.yaml", {"apps", "!**/test"}));
  CHECK(isIncluded("other.yaml", {"!apps"}));
  CHECK_FALSE(isIncluded("apps/a.yaml", {"!apps"}));
  const std::string many(5000, 'a');
  CHECK_FALSE(isIncluded(many, {"*a*a*a*a*a*a*a*a*a*a*a*a*b"}));
}

TEST_CASE("an include that cannot be read is a finding, names nothing, and nothing is followed by it") {
  auto from = source();
  from["include"] = json::array{"web", "/etc", "../other", "a**b", "", "x\\y", "[ab].yaml", "!apps"};
  const auto spec = readApplicationSpec(*application({{"source", from}}), nullptr);
  REQUIRE(spec.problems.size() == 6);
  CHECK(spec.problems[0] ==
        "spec.source.include[1]: \"/etc\" must not begin with a slash: it is read from the root of the source");
  CHECK(spec.problems[1] == "spec.source.include[2]: \"../other\" leaves the source with ..");
  CHECK(spec.unusable.find("include \"/etc\" must not begin with a slash") != std::string::npos);
  CHECK(isIncluded("web/a.yaml", spec.include));
  CHECK_FALSE(isIncluded("etc/a.yaml", spec.include));
  CHECK_FALSE(isIncluded("anything.yaml", {"/etc"}));
}

TEST_CASE("an application without a repository reads that of the one which declares it, and may choose a branch") {
  ApplicationSpec above;
  above.source.url = "https://example.org/fleet.git";
  above.source.semver = "1.x";
  above.source.path = "root";
  above.source.interval = seconds(42);
  above.credentials = {"steersman-system", "fleet", ""};
  const auto spec = readApplicationSpec(*application({{"source", {{"path", "web"}}}}), nullptr, &above);
  CHECK(spec.unusable.empty());
  CHECK(spec.source.url == above.source.url);
  CHECK(spec.source.semver == "1.x");
  CHECK(spec.source.path == "web");
  CHECK(spec.source.interval == seconds(42));
  CHECK(spec.credentials.secretName == "fleet");
  const auto branch =
      readApplicationSpec(*application({{"source", {{"path", "web"}, {"branch", "next"}}}}), nullptr, &above);
  CHECK(branch.source.revision == "next");
  CHECK(branch.source.semver.empty());
  const auto own = readApplicationSpec(*application({{"source", source()}}), nullptr, &above);
  CHECK(own.source.revision == "main");
  CHECK(own.credentials.secretName.empty());
  CHECK_FALSE(readApplicationSpec(*application({{"source", {{"path", "web"}}}}), nullptr).unusable.empty());
}

TEST_CASE("an allow window opens by its schedule in its time zone") {
  const std::vector<SyncWindowSpec> windows{{false, "0 9 * * mon-fri", std::chrono::hours(8), "Europe/Berlin"}};
  // Berlin is one hour ahead in winter and two in summer.
  CHECK_FALSE(syncGate(windows, at("2026-03-02T07:59:00Z")).open);
  CHECK(syncGate(windows, at("2026-03-02T08:00:00Z")).open);
  CHECK(syncGate(windows, at("2026-07-06T07:00:00Z")).open);
  CHECK_FALSE(syncGate(windows, at("2026-07-06T15:00:00Z")).open);
  const auto saturday = syncGate(windows, at("2026-03-07T12:00:00Z"));
  CHECK_FALSE(saturday.open);
  CHECK(saturday.reason == "outside of every sync window; the next one opens at 2026-03-09T08:00:00Z");
  CHECK(saturday.changesAt == at("2026-03-09T08:00:00Z"));
}

TEST_CASE("a deny window goes before an allow window, and tells its end") {
  const std::vector<SyncWindowSpec> windows{{false, "* * * * *", minutes(1), ""},
                                            {true, "30 22 31 12 *", std::chrono::hours(3), ""}};
  CHECK(syncGate(windows, at("2026-12-31T22:29:00Z")).open);
  const auto night = syncGate(windows, at("2027-01-01T00:15:00Z"));
  CHECK_FALSE(night.open);
  CHECK(night.reason == "a deny window (30 22 31 12 *) is open until 2027-01-01T01:30:00Z");
  CHECK(syncGate(windows, at("2027-01-01T01:30:00Z")).open);
}

TEST_CASE("a window that cannot be read stands on the cautious side") {
  CHECK_FALSE(syncGate({{false, "sometimes", minutes(5), ""}}, at("2026-01-01T00:00:00Z")).open);
  CHECK_FALSE(syncGate({{true, "* * * *", minutes(5), ""}}, at("2026-01-01T00:00:00Z")).open);
  CHECK_FALSE(syncWindowProblem({false, "0 9 * * *", minutes(5), "../../etc/passwd"}).empty());
  CHECK(syncGate({}, at("2026-01-01T00:00:00Z")).open);
}
