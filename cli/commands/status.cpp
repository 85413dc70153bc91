#include "cli/commands/status.h"

#include <iostream>
#include <memory>

#include "cli/connection.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "core/address_credentials.h"
#include "reconciler/plan/application_graph.h"
#include "reconciler/plan/report.h"

namespace steer::cli {
namespace {

struct Flags {
  std::string kubeconfig;
  std::string output = "text";
  std::string application;
};

std::string shortCommit(std::string_view commit) { return std::string(commit.substr(0, 7)); }

Colour colourOf(std::string_view phase) {
  if (phase == "Synced" || phase == "healthy" || phase == "True") return Colour::green;
  if (phase == "Progressing" || phase == "progressing") return Colour::yellow;
  return Colour::red;
}

std::string portsText(const Object& service) {
  std::string out;
  for (const auto& port : arrayAt(service.spec(), {"ports"})) {
    out += (out.empty() ? "" : ",") + std::to_string(intAt(port, {"port"}));
    if (const auto node = intAt(port, {"nodePort"}); node != 0) out += " (node port " + std::to_string(node) + ")";
  }
  return out;
}

/// What a person should look at: deletions that wait, drift, broken glass, a rollback.
void printMatters(const Object& app) {
  constexpr std::size_t most = 10;
  const auto& status = app.status();
  if (const auto& asked = objectAt(status, {"confirmation"}); !asked.empty()) {
    const auto& deletions = arrayAt(asked, {"deletions"});
    std::cout << paint(Colour::yellow, "  needs confirmation") << "  plan " << stringAt(asked, {"digest"}) << "\n";
    for (std::size_t i = 0; i < deletions.size() && i < most; ++i)
      if (deletions[i].is_string()) std::cout << "    would delete " << deletions[i].get_string().c_str() << "\n";
    if (const auto total = static_cast<std::size_t>(intAt(asked, {"total"})); total > most)
      std::cout << "    and " << total - most << " more\n";
    std::cout << "    say yes with: steer approve " << shortCommit(stringAt(asked, {"commit"})) << "\n";
  }
  for (const auto& drift : arrayAt(status, {"drift"}))
    std::cout << "  drift  " << stringAt(drift, {"object"}) << ": " << stringAt(drift, {"how"}) << " (since "
              << stringAt(drift, {"since"}) << ")\n";
  for (const auto& glass : arrayAt(status, {"breakGlass"}))
    std::cout << "  break-glass  " << stringAt(glass, {"object"}) << " is left alone until "
              << stringAt(glass, {"until"}) << "\n";
  if (const auto& rollback = objectAt(status, {"rollback"}); !rollback.empty())
    std::cout << "  rollback  " << stringAt(rollback, {"state"}) << " to " << shortCommit(stringAt(rollback, {"to"}))
              << ": " << stringAt(rollback, {"message"}) << "\n";
}

void printServices(Client& client, const std::string& application) {
  ListOptions options;
  options.labelSelector = "steersman.dev/application=" + application;
  const auto services = client.list("services", options);
  if (!services.ok()) return;
  for (const auto& service : services->items) {
    const auto ip = stringAt(service->spec(), {"clusterIP"});
    if (ip.empty() || ip == "None") continue;
    std::cout << "  service " << service->ns() << "/" << service->name() << "  " << ip << ":" << portsText(*service)
              << "\n";
  }
}

void printApplication(Client& client, const Object& app) {
  const auto& status = app.status();
  const auto phase = stringAt(status, {"phase"}, "Unknown");
  std::cout << paint(Colour::bold, applicationLabel(app.ns(), app.name())) << "  " << paint(colourOf(phase), phase);
  for (const auto& condition : arrayAt(status, {"conditions"}))
    if (stringAt(condition, {"type"}) == "SoleOwner" && stringAt(condition, {"status"}) == "False")
      std::cout << ", " << paint(Colour::red, "contested");
  if (const auto health = stringAt(status, {"health"}); !health.empty())
    std::cout << ", " << paint(colourOf(health), health);
  for (const auto& condition : arrayAt(status, {"conditions"}))
    if (stringAt(condition, {"type"}) == "SourceKnown" && stringAt(condition, {"status"}) == "False")
      std::cout << ", " << paint(Colour::red, "its spec cannot be followed");
  for (const auto& condition : arrayAt(status, {"conditions"}))
    if (stringAt(condition, {"type"}) == "SourceReady" && stringAt(condition, {"status"}) == "False")
      std::cout << ", " << paint(Colour::red, "its source cannot be read") << " (since "
                << stringAt(condition, {"lastTransitionTime"}) << "; what is shown is the last good state)";
  std::cout << "\n";
  const auto url = withoutCredentials(stringAt(app.spec(), {"source", "url"}));
  std::cout << "  source  " << url << " " << stringAt(app.spec(), {"source", "branch"}) << " "
            << stringAt(app.spec(), {"source", "path"}) << "\n";
  std::cout << "  commit  " << shortCommit(stringAt(status, {"commit"}));
  if (const auto applied = stringAt(status, {"lastAppliedCommit"}); applied != stringAt(status, {"commit"}))
    std::cout << " (last applied: " << (applied.empty() ? "none" : shortCommit(applied)) << ")";
  std::cout << "\n";
  if (const auto message = stringAt(status, {"message"}); !message.empty())
    std::cout << "  message " << visible(message) << "\n";
  for (const auto& condition : arrayAt(status, {"conditions"}))
    std::cout << "  " << stringAt(condition, {"type"}) << " " << stringAt(condition, {"status"}) << "  "
              << stringAt(condition, {"reason"}) << ": " << visible(stringAt(condition, {"message"})) << "\n";
  printMatters(app);
  printServices(client, applicationLabel(app.ns(), app.name()));
}

/// 0 = everything is synced and healthy, 1 = it is not or cannot be known.
int runStatus(const Flags& flags) {
  auto client = connect(flags.kubeconfig);
  if (!client.ok()) {
    printError(client.error().message);
    return 1;
  }
  const auto apps = (*client)->list("applications.steersman.dev", {});
  if (!apps.ok()) {
    printError(apps.error().message);
    return 1;
  }
  json::array documents;
  bool well = true;
  for (const auto& app : apps->items) {
    if (!flags.application.empty() && applicationLabel(app->ns(), app->name()) != flags.application) continue;
    documents.push_back(app->json());
    const auto phase = stringAt(app->status(), {"phase"});
    well = well && phase == "Synced";
    if (flags.output == "text") printApplication(**client, *app);
  }
  if (flags.output != "text") std::cout << documentText(documents, flags.output);
  else if (documents.empty()) std::cout << "No applications. Start the server with --repo, or use `steer apply`.\n";
  return well ? 0 : 1;
}

}  // namespace

void addStatusCommand(const CommandLine& app, ExitCode& exit) {
  auto flags = std::make_shared<Flags>();
  const auto command = app.command("status", "What is applied, and is it healthy?");
  command.footer("Exit code: 0 all applications are synced, 1 otherwise.\nExample: steer status -o yaml");
  command.option("application", flags->application, "Only this application");
  command.option("--kubeconfig", flags->kubeconfig, "Which cluster");
  command.option("-o,--output", flags->output, "text, json or yaml").oneOf({"text", "json", "yaml"});
  command.runs([flags, &exit] { exit.value = runStatus(*flags); });
}

}  // namespace steer::cli
