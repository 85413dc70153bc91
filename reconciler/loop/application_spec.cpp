#include "reconciler/loop/application_spec.h"

#include <algorithm>

#include "core/duration.h"
#include "reconciler/loop/included.h"
#include "reconciler/loop/sync_window.h"
#include "reconciler/plan/application_graph.h"
#include "reconciler/plan/application_policy.h"

namespace steer {
namespace {

constexpr Duration kShortestInterval = seconds(1);
/// Of silence in a conversation with a remote; all of it may take ten times as long.
constexpr Duration kLongestTimeout = minutes(5);

/// Reads members of one object and collects what is wrong with them.
class SpecReader {
 public:
  SpecReader(const json::object& from, std::string at, std::vector<std::string>& problems)
      : from_(from), at_(std::move(at)), problems_(problems) {}

  std::string text(std::string_view field) const { return std::string(stringAt(from_, {field})); }

  void duration(std::string_view field, Duration& into, Duration least = Duration::zero(),
                Duration most = Duration::max()) {
    const auto written = text(field);
    if (written.empty()) return;
    const auto parsed = parseDuration(written);
    if (!parsed) return note(field, "\"" + written + "\" is no duration such as 30s, 5m or 1h30m");
    if (*parsed > most)
      note(field, "\"" + written + "\" is longer than the most, " +
                      std::to_string(std::chrono::duration_cast<seconds>(most).count()) + "s, which is taken instead");
    into = std::min(std::max(*parsed, least), most);
  }

  void number(std::string_view field, int& into, int least, int most) {
    const auto* value = find(from_, {field});
    const auto parsed = value == nullptr ? std::nullopt : asInt(*value);
    if (!parsed) return;
    if (*parsed < least || *parsed > most)
      return note(field, "must be from " + std::to_string(least) + " to " + std::to_string(most));
    into = static_cast<int>(*parsed);
  }

  void note(std::string_view field, const std::string& problem) {
    problems_.push_back(at_ + "." + std::string(field) + ": " + problem);
  }

 private:
  const json::object& from_;
  std::string at_;
  std::vector<std::string>& problems_;
};

/// The fields that an Application's source and a GitRepository's spec share.
void readRemote(const json::object& from, const std::string& at, const std::string& ns, ApplicationSpec& out) {
  SpecReader reader(from, at, out.problems);
  if (const auto url = reader.text("url"); !url.empty()) out.source.url = url;
  const auto commit = reader.text("commit");
  const auto tag = reader.text("tag");
  const auto branch = reader.text("branch");
  // One of these goes before whatever was said further up.
  if (!(commit + tag + branch + reader.text("semver")).empty()) {
    out.source.revision.clear();
    out.source.semver.clear();
  }
  if (!commit.empty()) out.source.revision = commit;
  else if (const auto semver = reader.text("semver"); !semver.empty()) out.source.semver = semver;
  else if (!tag.empty()) out.source.revision = tag.starts_with("refs/") ? tag : "refs/tags/" + tag;
  else if (!branch.empty()) out.source.revision = branch;
  reader.duration("interval", out.source.interval, kShortestInterval);
  reader.duration("timeout", out.source.timeout, kShortestInterval, kLongestTimeout);
  if (const auto secret = stringAt(from, {"secretRef", "name"}); !secret.empty()) {
    out.credentials.secretNamespace = ns;
    out.credentials.secretName = std::string(secret);
  }
  if (const auto hosts = reader.text("knownHosts"); !hosts.empty()) out.credentials.knownHosts = hosts;
  if (const auto& include = arrayAt(from, {"include"}); !include.empty()) {
    out.include.clear();
    for (std::size_t i = 0; i < include.size(); ++i) {
      if (!include[i].is_string()) continue;
      out.include.emplace_back(view(include[i].get_string()));
      if (const auto problem = includeProblem(out.include.back()); !problem.empty())
        reader.note("include[" + std::to_string(i) + "]", "\"" + out.include.back() + "\" " + problem);
    }
  }
}

void inherit(const ApplicationSpec& above, ApplicationSpec& out) {
  out.source = above.source;
  out.include = above.include;
  out.credentials = above.credentials;
  out.sourceSuspended = above.sourceSuspended;
  out.unusable = above.unusable;
}

void readSource(const Object& application, const ObjectPtr& repository, const ApplicationSpec* above,
                ApplicationSpec& out) {
  const auto& source = objectAt(application.spec(), {"source"});
  if (above != nullptr && namesNoRepository(application)) inherit(*above, out);
  out.source.path = std::string(stringAt(source, {"path"}));
  const auto named = stringAt(source, {"repositoryRef", "name"});
  if (!named.empty() && !repository) {
    out.unusable = "there is no GitRepository " + application.ns() + "/" + std::string(named);
    return;
  }
  if (!named.empty()) {
    readRemote(repository->spec(), "GitRepository " + repository->name() + ": spec", repository->ns(), out);
    out.sourceSuspended = boolAt(repository->spec(), {"suspend"});
  }
  // What the application says itself goes before what the repository says.
  readRemote(source, "spec.source", application.ns(), out);
  // A pattern that cannot be read names nothing, and what nothing names would be deleted.
  for (const auto& pattern : out.include)
    if (const auto problem = includeProblem(pattern); !problem.empty() && out.unusable.empty())
      out.unusable = "which files belong to it cannot be read: include \"" + pattern + "\" " + problem;
  if (out.source.url.empty() && out.unusable.empty())
    out.unusable = "spec.source names neither a url nor a repositoryRef, and no application declares it";
}

DriftMode driftOf(SpecReader& reader) {
  const auto mode = reader.text("drift");
  if (mode == "report") return DriftMode::report;
  if (mode == "ignore") return DriftMode::ignore;
  if (!mode.empty() && mode != "heal") reader.note("drift", "\"" + mode + "\" is none of heal, report, ignore");
  return DriftMode::heal;
}

void readWindows(const json::object& spec, ApplicationSpec& out) {
  const auto& windows = arrayAt(spec, {"syncWindows"});
  for (std::size_t i = 0; i < windows.size(); ++i) {
    const std::string at = "spec.syncWindows[" + std::to_string(i) + "]";
    if (!windows[i].is_object()) continue;
    SpecReader reader(windows[i].get_object(), at, out.problems);
    SyncWindowSpec window;
    const auto kind = reader.text("kind");
    window.deny = kind == "deny";
    window.schedule = reader.text("schedule");
    window.timeZone = reader.text("timeZone");
    reader.duration("duration", window.duration);
    if (kind != "deny" && kind != "allow") reader.note("kind", "\"" + kind + "\" is neither allow nor deny");
    // A window that cannot be read is kept: the gate treats it as the cautious side.
    if (auto problem = syncWindowProblem(window); !problem.empty()) out.problems.push_back(at + "." + problem);
    out.settings.windows.push_back(std::move(window));
  }
}

}  // namespace

Duration retryDelay(const RetryPolicy& policy, int attempt) {
  Duration delay = policy.initialDelay;
  for (int i = 1; i < attempt && delay < policy.maxDelay; ++i) delay *= policy.factor;
  return std::min(delay, policy.maxDelay);
}

bool namesNoRepository(const Object& application) {
  const auto& source = objectAt(application.spec(), {"source"});
  return stringAt(source, {"url"}).empty() && stringAt(source, {"repositoryRef", "name"}).empty();
}

ApplicationSpec readApplicationSpec(const Object& application, const ObjectPtr& repository,
                                    const ApplicationSpec* above) {
  ApplicationSpec out;
  const json::object& spec = application.spec();
  readSource(application, repository, above, out);
  SpecReader reader(spec, "spec", out.problems);
  auto& s = out.settings;
  out.targetNamespace = reader.text("targetNamespace");
  s.dependsOn = dependenciesOf(spec, application.ns());
  s.suspend = boolAt(spec, {"suspend"});
  s.prune = boolAt(spec, {"prune"}, true);
  s.autoRollback = boolAt(spec, {"autoRollback"});
  s.drift = driftOf(reader);
  s.policy = policyOf(spec);
  for (const auto& [path, problem] : policyProblems(spec)) out.problems.push_back(path + ": " + problem);
  reader.duration("healthTimeout", s.healthTimeout, seconds(1));
  SpecReader retry(objectAt(spec, {"retry"}), "spec.retry", out.problems);
  retry.number("limit", s.retry.limit, 0, 1000);
  retry.number("factor", s.retry.factor, 1, 100);
  retry.duration("initialDelay", s.retry.initialDelay, milliseconds(100));
  retry.duration("maxDelay", s.retry.maxDelay, milliseconds(100));
  SpecReader budget(objectAt(spec, {"deleteBudget"}), "spec.deleteBudget", out.problems);
  budget.number("percent", s.deleteBudget.percent, 0, 100);
  budget.number("count", s.deleteBudget.count, 0, 1'000'000);
  readWindows(spec, out);
  s.account = accountOf(spec, application.ns());
  return out;
}

}  // namespace steer
