#include "reconciler/plan/delete_budget.h"

#include <algorithm>
#include <cctype>

#include "reconciler/plan/fingerprint.h"
#include "schemas/sync_policy.h"

namespace steer {
namespace {

constexpr std::size_t kShortest = 12;
constexpr std::string_view kTrailer = "steersman-confirm-delete:";

/// Why losing this one object needs a yes of its own; empty when it does not.
std::string preciousness(const PlannedChange& c) {
  if (c.gvk.group.empty()) {
    if (c.gvk.kind == "Namespace") return "a namespace goes with everything in it";
    if (c.gvk.kind == "PersistentVolumeClaim" || c.gvk.kind == "PersistentVolume") return "it may hold data";
  }
  if (c.live) {
    using Deletion = SyncPolicy::Deletion;
    const auto policy = syncPolicyOf(c.live->json());
    if (policy.prune == Deletion::confirmed || policy.removal == Deletion::confirmed)
      return "it asks for that itself (" + policy.why + ")";
  }
  if (c.gvk.group == "steersman.dev" && c.gvk.kind == "Application" && c.live &&
      boolAt(c.live->spec(), {"prune"}, true))
    return "an application goes with everything that it owns";
  return "";
}

std::string lowered(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) text.remove_suffix(1);
  return text;
}

}  // namespace

DeleteVerdict checkDeletions(const Plan& plan, const DeleteBudget& budget) {
  DeleteVerdict out;
  std::size_t inventory = 0;
  std::string precious;
  Fingerprint print;
  std::vector<std::string> lines;
  for (const auto& c : plan.changes) {
    // What is there and ours; what this plan only adds does not make the share smaller.
    if (c.action != PlanAction::create && !c.adopts) ++inventory;
    if (c.action != PlanAction::remove) continue;
    out.deletions.push_back(c.text());
    lines.push_back(c.ref.text() + " " + (c.live ? c.live->uid() : ""));
    if (const auto why = preciousness(c); precious.empty() && !why.empty()) precious = c.text() + ": " + why;
  }
  if (out.deletions.empty()) return out;
  std::sort(lines.begin(), lines.end());
  for (const auto& line : lines) print.add(line);
  out.deletionsDigest = print.hex();
  const std::size_t n = out.deletions.size();
  const std::size_t percent = n * 100 / std::max<std::size_t>(inventory, 1);
  const bool many = n > static_cast<std::size_t>(std::max(budget.count, 0)) &&
                    n * 100 > inventory * static_cast<std::size_t>(std::max(budget.percent, 0));
  out.needsConfirmation = many || !precious.empty();
  out.reason = std::to_string(n) + " of " + std::to_string(inventory) + " objects (" + std::to_string(percent) +
               " %) would be deleted";
  if (many)
    out.reason += ", more than the budget of " + std::to_string(budget.percent) + " % and " +
                  std::to_string(budget.count) + " objects";
  if (!precious.empty()) out.reason += "; " + precious;
  return out;
}

std::string confirmationTrailer(const DeleteVerdict& verdict) {
  return "Steersman-Confirm-Delete: " + verdict.deletionsDigest.substr(0, 16);
}

std::string confirmationText(const DeleteVerdict& verdict, std::string_view commit, TrailerSays says) {
  const std::string named(commit.empty() ? std::string_view("COMMIT") : commit.substr(0, 7));
  return "needs confirmation: " + verdict.reason +
         (says == TrailerSays::other ? "; the commit's trailer names other deletions than these" : "") +
         "; nothing of this commit is applied until `steer approve " + named + "`, or a commit that says `" +
         confirmationTrailer(verdict) + "` in its trailers";
}

std::string confirmedText(const DeleteVerdict& verdict) {
  return "confirmed by the commit's trailer: " + verdict.reason;
}

std::vector<std::string> confirmedDigests(std::string_view message) {
  message = trimmed(message);
  const auto paragraph = message.rfind("\n\n");
  if (paragraph == std::string_view::npos) return {};  // a subject alone has no trailers
  std::vector<std::string> out;
  std::string_view rest = message.substr(paragraph + 2);
  while (!rest.empty()) {
    const auto end = std::min(rest.find('\n'), rest.size());
    const auto line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const auto low = lowered(line);
    if (low.starts_with(kTrailer)) out.emplace_back(lowered(trimmed(line.substr(kTrailer.size()))));
  }
  return out;
}

bool confirms(const std::vector<std::string>& digests, std::string_view planDigest, const DeleteVerdict& verdict) {
  return std::any_of(digests.begin(), digests.end(), [&](const std::string& digest) {
    return digest.size() >= kShortest &&
           (planDigest.starts_with(digest) || std::string_view(verdict.deletionsDigest).starts_with(digest));
  });
}

TrailerSays trailerSays(const std::vector<std::string>& digests, const Plan& plan, const DeleteVerdict& verdict) {
  if (digests.empty()) return TrailerSays::nothing;
  return confirms(digests, plan.digest(), verdict) ? TrailerSays::yes : TrailerSays::other;
}

}  // namespace steer
