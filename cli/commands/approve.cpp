#include "cli/commands/approve.h"

#include <iostream>
#include <memory>

#include "cli/applications.h"
#include "cli/connection.h"
#include "cli/terminal.h"
#include "reconciler/loop/application_requests.h"

namespace steer::cli {
namespace {

constexpr std::size_t kShown = 20;
constexpr std::size_t kShortest = 7;

struct Flags {
  std::string kubeconfig;
  std::string commit;
  std::string application;
};

void printDeletions(const Object& app, const json::object& asked) {
  std::cout << paint(Colour::bold, app.name()) << " at " << stringAt(asked, {"commit"}).substr(0, kShortest) << ": "
            << stringAt(asked, {"reason"}) << "\n";
  const auto& deletions = arrayAt(asked, {"deletions"});
  for (std::size_t i = 0; i < deletions.size() && i < kShown; ++i)
    if (deletions[i].is_string())
      std::cout << paint(Colour::red, "  - " + std::string(deletions[i].get_string())) << "\n";
  if (const auto total = intAt(asked, {"total"}); total > static_cast<std::int64_t>(kShown))
    std::cout << "  and " << total - static_cast<std::int64_t>(kShown) << " more\n";
}

Result<int> approve(Client& client, const Flags& flags) {
  if (flags.commit.size() < kShortest)
    return makeError(Errc::badRequest, "name the commit with its first seven digits at least");
  STEER_TRY(const auto apps, client.list("applications.steersman.dev", {}));
  int approved = 0;
  for (const auto& app : apps.items) {
    const ObjectRef ref{"applications.steersman.dev", app->ns(), app->name()};
    if (!flags.application.empty() && ref != applicationNamed(flags.application)) continue;
    const auto& asked = objectAt(app->status(), {"confirmation"});
    const std::string commit(stringAt(asked, {"commit"}));
    if (commit.empty() || !commit.starts_with(flags.commit)) continue;
    printDeletions(*app, asked);
    const DeleteApproval approval{commit, std::string(stringAt(asked, {"digest"})),
                                  std::string(stringAt(asked, {"deletionsDigest"})), "", ""};
    STEER_TRY(const auto written, annotate(client, ref, kApprovalAnnotation, textOf(approval), "steer-approve"));
    // The server wrote down who this is.
    const auto recorded = readRequests(*written).approval;
    std::cout << "approved by " << (recorded ? recorded->by : "nobody") << "\n";
    ++approved;
  }
  return approved;
}

int runApprove(const Flags& flags) {
  auto client = connect(flags.kubeconfig);
  if (!client.ok()) {
    printError(client.error().message);
    return 1;
  }
  const auto approved = approve(**client, flags);
  if (!approved.ok()) printError(approved.error().message);
  else if (*approved == 0) printError("nothing waits for a confirmation of commit " + flags.commit);
  return approved.ok() && *approved > 0 ? 0 : 1;
}

}  // namespace

void addApproveCommand(const CommandLine& app, ExitCode& exit) {
  auto flags = std::make_shared<Flags>();
  const auto command = app.command("approve", "Say yes to the deletions that a commit waits with");
  command.footer(
      "`steer status` shows what waits. The approval holds for this commit and these deletions only, and is recorded.\n"
      "Example: steer approve 4f2a91c --application web");
  command.option("commit", flags->commit, "The commit, or its first seven digits at least").required();
  command.option("--application", flags->application, "Only for this application (NAME or NAMESPACE.NAME)");
  command.option("--kubeconfig", flags->kubeconfig, "Which cluster");
  command.runs([flags, &exit] { exit.value = runApprove(*flags); });
}

}  // namespace steer::cli
