#include "cli/commands/rollback.h"

#include <condition_variable>
#include <iostream>
#include <memory>
#include <mutex>

#include "cli/applications.h"
#include "cli/connection.h"
#include "cli/terminal.h"
#include "core/clock.h"
#include "core/rfc3339.h"
#include "reconciler/loop/application_requests.h"

namespace steer::cli {
namespace {

struct Flags {
  std::string kubeconfig;
  std::string application;
  std::string to;
  int waitSeconds = 60;
};

/// Waits a moment; false after Ctrl-C.
bool pauseBriefly() {
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, milliseconds(200), [] { return interrupted(); });
  return !interrupted();
}

/// What became of the request; an empty state when there is no answer in time.
Result<json::object> awaitAnswer(Client& client, const ObjectRef& ref, const std::string& id, Duration most) {
  const Deadline deadline(most);
  while (!deadline.passed()) {
    STEER_TRY(const auto app, client.get(ref));
    const auto& answer = objectAt(app->status(), {"rollback"});
    if (stringAt(answer, {"request"}) == id && stringAt(answer, {"state"}) != "Running") return answer;
    if (!pauseBriefly()) break;
  }
  return json::object{};
}

Result<int> rollBack(Client& client, const Flags& flags) {
  const auto ref = applicationNamed(flags.application);
  STEER_TRY(const auto app, client.get(ref));
  const RollbackRequest request{formatMicroTime(SystemClock().now()), flags.to, whoAmI(client)};
  STEER_CHECK(annotate(client, ref, kRollbackAnnotation, textOf(request), "steer-rollback"));
  STEER_TRY(const auto answer, awaitAnswer(client, ref, request.id, seconds(flags.waitSeconds)));
  const std::string state(stringAt(answer, {"state"}));
  if (state.empty())
    return makeError(Errc::timeout, "asked for, but the server has not answered yet: see `steer status`");
  const std::string to(stringAt(answer, {"to"}).substr(0, 7));
  if (state == "Failed" || state == "Cancelled")
    return makeError(Errc::conflict, std::string(stringAt(answer, {"message"})));
  std::cout << app->name() << " goes back to " << to << ": " << stringAt(answer, {"message"}) << "\n";
  return 0;
}

int runRollback(const Flags& flags) {
  auto client = connect(flags.kubeconfig);
  if (!client.ok()) {
    printError(client.error().message);
    return 1;
  }
  const auto done = rollBack(**client, flags);
  if (!done.ok()) printError(done.error().message);
  return done.ok() ? *done : 1;
}

}  // namespace

void addRollbackCommand(const CommandLine& app, ExitCode& exit) {
  auto flags = std::make_shared<Flags>();
  const auto command = app.command("rollback", "Take an application back to an earlier commit, in Git");
  command.footer(
      "Writes a commit on the watched branch whose content under the application's path is the earlier one's; history\n"
      "stays. Where the branch cannot be written, the cluster goes back by itself until the branch changes.\n"
      "Example: steer rollback root --to 4f2a91c");
  command.option("application", flags->application, "NAME or NAMESPACE.NAME").required();
  command.option("--to", flags->to, "Commit to go back to (default: the last healthy one)");
  command.option("--timeout", flags->waitSeconds, "Seconds to wait for the server's answer").between(1, 3600);
  command.option("--kubeconfig", flags->kubeconfig, "Which cluster");
  command.runs([flags, &exit] { exit.value = runRollback(*flags); });
}

}  // namespace steer::cli
