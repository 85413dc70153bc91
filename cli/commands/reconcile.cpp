#include "cli/commands/reconcile.h"

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

Result<int> reconcile(Client& client, const Flags& flags) {
  const auto ref = applicationNamed(flags.application);
  STEER_TRY(const auto app, client.get(ref));
  const auto id = formatMicroTime(SystemClock().now());
  STEER_CHECK(annotate(client, ref, kReconcileAnnotation, id, "steer-reconcile"));
  const Deadline deadline(seconds(flags.waitSeconds));
  while (!deadline.passed() && !interrupted()) {
    STEER_TRY(const auto now, client.get(ref));
    const auto& answer = objectAt(now->status(), {"reconcile"});
    if (stringAt(answer, {"request"}) == id) {
      if (const auto problem = stringAt(answer, {"problem"}); !problem.empty())
        return makeError(Errc::unavailable, std::string(problem));
      std::cout << app->name() << " has looked at commit " << stringAt(answer, {"commit"}).substr(0, 7) << "\n";
      return 0;
    }
    if (!pauseBriefly()) break;
  }
  return makeError(Errc::timeout, "asked for, but the source has not answered yet: see `steer status`");
}

int runReconcile(const Flags& flags) {
  auto client = connect(flags.kubeconfig);
  if (!client.ok()) {
    printError(client.error().message);
    return 1;
  }
  const auto done = reconcile(**client, flags);
  if (!done.ok()) printError(done.error().message);
  return done.ok() ? *done : 1;
}

}  // namespace

void addReconcileCommand(const CommandLine& app, ExitCode& exit) {
  auto flags = std::make_shared<Flags>();
  const auto command = app.command("reconcile", "Let an application look at its source and its objects at once");
  command.footer(
      "Ends every wait for the next look, also one that failures have made long, and a conversation with the remote\n"
      "that does not get on. Tells when the source was read.\n"
      "Example: steer reconcile root");
  command.option("application", flags->application, "NAME or NAMESPACE.NAME").required();
  command.option("--timeout", flags->waitSeconds, "Seconds to wait for the source's answer").between(1, 3600);
  command.option("--kubeconfig", flags->kubeconfig, "Which cluster");
  command.runs([flags, &exit] { exit.value = runReconcile(*flags); });
}

}  // namespace steer::cli
