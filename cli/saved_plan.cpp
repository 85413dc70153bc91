#include "cli/saved_plan.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "cli/terminal.h"
#include "core/clock.h"
#include "core/private_file.h"
#include "core/random.h"
#include "core/rfc3339.h"
#include "core/version.h"
#include "reconciler/git/remote_url.h"
#include "reconciler/plan/staleness.h"

namespace steer::cli {
namespace {

namespace fs = std::filesystem;
constexpr std::uintmax_t kMaxPlanBytes = 256UL * 1024 * 1024;

std::string absolute(const std::string& path) {
  std::error_code ec;
  const auto full = fs::canonical(path, ec);
  return ec ? path : full.string();
}

Result<json::object> requestOf(const Planned& planned, const PlanningFlags& flags) {
  json::object out{{"application", planned.application},
                   {"applicationAsked", !flags.application.empty()},
                   {"namespace", flags.ns},
                   {"prune", !flags.keepOthers},
                   {"force", !flags.noForce},
                   {"destroy", flags.destroy},
                   {"targets", json::value_from(flags.targets)},
                   {"excludes", json::value_from(flags.excludes)}};
  if (flags.destroy) return out;
  if (flags.source.repo.empty()) {
    json::array paths;
    for (const auto& path : flags.source.paths) paths.emplace_back(absolute(path));
    if (paths.empty()) paths.emplace_back(absolute("."));
    out["paths"] = std::move(paths);
    return out;
  }
  STEER_TRY(const auto url, RemoteUrl::parse(flags.source.repo));
  if (!url.password.empty())
    return makeError(Errc::badRequest, "the address of the repository holds a password, which a saved plan must not");
  out["repo"] = url.kind == RemoteUrl::Kind::local ? absolute(url.path) : flags.source.repo;
  out["path"] = flags.source.path;
  out["commit"] = planned.commit;
  return out;
}

std::vector<std::string> textsAt(const json::object& of, std::string_view member) {
  std::vector<std::string> out;
  for (const auto& text : arrayAt(of, {member}))
    if (text.is_string()) out.emplace_back(view(text.get_string()));
  return out;
}

PlanningFlags flagsOf(const json::object& request, const PlanningFlags& given) {
  PlanningFlags out;
  out.kubeconfig = given.kubeconfig;
  out.output = given.output;
  out.application = stringAt(request, {"application"});
  out.ns = stringAt(request, {"namespace"});
  out.keepOthers = !boolAt(request, {"prune"});
  out.noForce = !boolAt(request, {"force"});
  out.destroy = boolAt(request, {"destroy"});
  out.targets = textsAt(request, "targets");
  out.excludes = textsAt(request, "excludes");
  out.source.repo = stringAt(request, {"repo"});
  out.source.path = stringAt(request, {"path"});
  out.source.revision = stringAt(request, {"commit"});
  out.source.paths = textsAt(request, "paths");
  if (given.source.paths.size() > 1 && out.source.repo.empty())
    out.source.paths.assign(given.source.paths.begin() + 1, given.source.paths.end());
  return out;
}

Result<void> writePrivately(const std::string& file, const std::string& text) {
  std::error_code ec;
  if (const auto status = fs::symlink_status(file, ec); fs::exists(status) && !fs::is_regular_file(status))
    return makeError(Errc::io, file + ": is not a file");  // renaming would put one in the place of a device
  return writePrivateFile(file, text);
}

void printMoves(const char* what, const std::vector<std::string>& moves) {
  printError(what);
  for (const auto& move : moves) std::cerr << "  " << move << "\n";
}

}  // namespace

Result<void> writePlanFile(const std::string& file, const Planned& planned, const PlanningFlags& flags) {
  STEER_TRY(auto request, requestOf(planned, flags));
  Random random;
  const auto saved = savePlan(planned.plans, planned.wanted,
                              {std::string("steer ") + kVersion, planned.cluster, formatTime(SystemClock().now()),
                               std::move(request), random.uuid()});
  return writePrivately(file, planFileText(saved));
}

Result<std::shared_ptr<const SavedPlan>> findPlanFile(const PlanningFlags& flags) {
  const std::shared_ptr<const SavedPlan> none;
  if (flags.source.paths.empty()) return none;
  const auto& path = flags.source.paths.front();
  std::error_code ec;
  if (!fs::is_regular_file(path, ec) || fs::file_size(path, ec) > kMaxPlanBytes || ec) return none;
  std::ifstream in(path, std::ios::binary);
  if ((in >> std::ws).peek() != '{') return none;  // YAML, most likely
  std::ostringstream text;
  text << in.rdbuf();
  const auto document = parseJson(text.str());
  if (!document.ok()) {
    if (text.str().substr(0, 200).find("\"steersman-plan\"") == std::string::npos) return none;
    return makeError(Errc::invalid, path + ": the saved plan is damaged: " + document.error().message);
  }
  if (!looksLikePlanFile(*document)) return none;
  auto plan = readPlanFile(*document);
  if (!plan.ok()) return makeError(plan.error().code, path + ": " + plan.error().message);
  return std::shared_ptr<const SavedPlan>(std::make_shared<SavedPlan>(std::move(*plan)));
}

std::optional<Planned> planFromFile(const SavedPlan& saved, const PlanningFlags& flags) {
  const PlanningFlags plain;
  if (!flags.targets.empty() || !flags.excludes.empty() || flags.keepOthers || flags.noForce ||
      flags.application != plain.application || flags.ns != plain.ns) {
    printError("a saved plan says itself what is done: leave out --target, --exclude, --application and the like");
    return std::nullopt;
  }
  if (saved.tool != std::string("steer ") + kVersion) {
    printError("the plan was made by " + saved.tool + ", this is steer " + kVersion + "; plan again");
    return std::nullopt;
  }
  auto planned = planFrom(flagsOf(saved.request, flags), PlanOptions::Live::all);
  if (!planned) return std::nullopt;
  if (planned->cluster != saved.cluster) {
    printError("the plan was made for another cluster");
    return std::nullopt;
  }
  if (const auto moves = sourceMoves(saved, planned->wanted); !moves.empty()) {
    printMoves("the source is not what was planned; nothing was applied. Plan again.", moves);
    return std::nullopt;
  }
  if (const auto moves = liveMoves(saved, planned->plans); !moves.empty()) {
    printMoves("the cluster is not what was planned for; nothing was applied. Plan again.", moves);
    return std::nullopt;
  }
  planned->plans = asSaved(saved, std::move(planned->plans));
  return planned;
}

namespace {

/// What moved of that which is not done yet.
std::vector<std::string> movesOfRest(const SavedPlan& saved, const PlanSet& now,
                                     const std::set<std::pair<std::string, ObjectRef>>& done) {
  SavedPlan rest = saved;
  std::erase_if(rest.changes, [&](const SavedChange& c) {
    return c.action == PlanAction::remove || done.contains({c.application, c.ref});
  });
  return liveMoves(rest, now);
}

constexpr const char* kMoved =
    "the cluster moved while the plan was carried out; the rest was not applied. Plan again.";

}  // namespace

namespace {

/// As a shell reads it back.
std::string quoted(const std::string& word) {
  const bool plain = !word.empty() && word.find_first_not_of(
                                          "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                          "0123456789@%+=:,./-_") == std::string::npos;
  if (plain) return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace

std::string commandFor(const SavedPlan& saved) {
  const auto& request = saved.request;
  std::string out = "steer plan";
  const auto option = [&](const char* name, const std::string& value, const std::string& usual = "") {
    if (value != usual) out += std::string(" ") + name + " " + quoted(value);
  };
  for (const auto& path : textsAt(request, "paths")) out += " " + quoted(path);
  option("--repo", std::string(stringAt(request, {"repo"})));
  option("--rev", std::string(stringAt(request, {"commit"})));
  option("--path", std::string(stringAt(request, {"path"})));
  if (boolAt(request, {"applicationAsked"})) option("--application", std::string(stringAt(request, {"application"})));
  option("-n", std::string(stringAt(request, {"namespace"})), "default");
  for (const auto& target : textsAt(request, "targets")) option("--target", target);
  for (const auto& exclude : textsAt(request, "excludes")) option("--exclude", exclude);
  if (!boolAt(request, {"prune"})) out += " --no-prune";
  if (!boolAt(request, {"force"})) out += " --no-force";
  if (boolAt(request, {"destroy"})) out += " --destroy";
  return out + " --out PLAN && steer apply PLAN";
}

bool restIsFresh(const SavedPlan& saved, const Planned& planned,
                 const std::set<std::pair<std::string, ObjectRef>>& done) {
  const auto now = planned.again();
  if (!now.ok()) {
    printError(now.error().message);
    return false;
  }
  const auto moves = movesOfRest(saved, *now, done);
  if (!moves.empty()) printMoves(kMoved, moves);
  return moves.empty();
}

Result<ObjectPtr> lookAgain(const SavedPlan& saved, const Planned& planned,
                            const std::set<std::pair<std::string, ObjectRef>>& done, const std::string& application,
                            const ObjectRef& ref) {
  STEER_TRY(const auto now, planned.again());
  std::string moved;
  for (const auto& move : movesOfRest(saved, now, done)) moved += "\n  " + move;
  if (!moved.empty()) return makeError(Errc::conflict, kMoved + moved);
  for (const auto& plan : now.plans)
    for (const auto& change : plan.changes)
      if (plan.application == application && change.ref == ref) return change.live;
  return makeError(Errc::conflict, ref.text() + " is not planned any more");
}

}  // namespace steer::cli
