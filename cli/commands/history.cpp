#include "cli/commands/history.h"

#include <iostream>
#include <memory>

#include "cli/applications.h"
#include "cli/connection.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "reconciler/plan/report.h"

namespace steer::cli {
namespace {

struct Flags {
  std::string kubeconfig;
  std::string output = "text";
  std::string application = "root";
};

int runHistory(const Flags& flags) {
  auto client = connect(flags.kubeconfig);
  if (!client.ok()) {
    printError(client.error().message);
    return 1;
  }
  const auto app = (*client)->get(applicationNamed(flags.application));
  if (!app.ok()) {
    printError(app.error().message);
    return 1;
  }
  const auto& runs = arrayAt((*app)->status(), {"history"});
  if (flags.output != "text") {
    std::cout << documentText(runs, flags.output);
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& run : runs) {
    const auto firstLine = [&](const char* field) {
      const std::string text(stringAt(run, {field}));
      return visible(text.substr(0, text.find('\n')));
    };
    rows.push_back({std::string(stringAt(run, {"commit"}).substr(0, 7)), std::string(stringAt(run, {"result"})),
                    ageText(stringAt(run, {"finishedAt"}, stringAt(run, {"startedAt"}))), firstLine("author"),
                    firstLine("summary"), firstLine("message")});
  }
  std::cout << tableText({"COMMIT", "RESULT", "AGE", "AUTHOR", "COMMIT MESSAGE", "OUTCOME"}, rows);
  return 0;
}

}  // namespace

void addHistoryCommand(const CommandLine& app, ExitCode& exit) {
  auto flags = std::make_shared<Flags>();
  const auto command = app.command("history", "What became of each commit, newest first");
  command.footer("The whole history is in the repository: git log --notes=steersman\nExample: steer history -o json");
  command.option("application", flags->application, "Which application (default root)");
  command.option("--kubeconfig", flags->kubeconfig, "Which cluster");
  command.option("-o,--output", flags->output, "text, json or yaml").oneOf({"text", "json", "yaml"});
  command.runs([flags, &exit] { exit.value = runHistory(*flags); });
}

}  // namespace steer::cli
