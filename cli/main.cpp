// steer: the one binary. Commands register themselves through the table in commands.cpp.
#include <algorithm>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string_view>

#include "cli/command.h"
#include "cli/commands.h"
#include "cli/terminal.h"
#include "core/log.h"
#include "core/version.h"
#include "reconciler/git/transfer.h"
#include "schemas/validate.h"

namespace {

constexpr const char* kTransfer = "git-transfer";

/// "there is no command aply; did you mean apply?"; empty when the first word is a command or an option.
std::string unknownCommand(const steer::cli::CommandLine& program, int argc, char** argv) {
  const std::string word = argc > 1 ? argv[1] : "";
  if (word.empty() || word.starts_with('-')) return "";
  std::vector<std::string> names;
  for (const auto& command : program.commands()) names.push_back(command.name());
  if (std::find(names.begin(), names.end(), word) != names.end()) return "";
  const auto near = steer::nearestName(word, names);
  return "there is no command " + word + (near.empty() ? "; steer --help lists them" : "; did you mean " + near + "?");
}

/// STEER_LOG_LEVEL=debug|info|warn|error: how much this process and those that it starts write of what they do.
void setLogLevel() {
  const char* asked = std::getenv("STEER_LOG_LEVEL");
  const std::string_view word = asked == nullptr ? "" : asked;
  using steer::log::Level;
  for (const auto& [name, level] :
       {std::pair{"debug", Level::debug}, {"info", Level::info}, {"warn", Level::warn}, {"error", Level::error}})
    if (word == name) return steer::log::setLevel(level);
  if (!word.empty())
    steer::cli::printError("STEER_LOG_LEVEL is " + std::string(word) + "; it can be debug, info, warn or error");
}

int run(int argc, char** argv) {
  const steer::cli::CommandParser parser("steer", "Steersman: a container orchestrator that takes its orders from Git");
  parser.version(std::string("steer ") + steer::kVersion + " (Kubernetes API " + steer::kKubernetesVersion + ")");
  const auto program = parser.program();
  program.footer(
      "Start a cluster:   steer up --repo https://example.org/fleet.git\n"
      "See what changes:  steer plan ./manifests");
  steer::cli::ExitCode exit;
  for (const auto add : steer::cli::allCommands()) add(program, exit);
  if (const auto unknown = unknownCommand(program, argc, argv); !unknown.empty()) {
    steer::cli::printError(unknown);
    return 1;
  }
  if (const int wrong = parser.parse({argv + 1, argv + argc}); wrong != 0) return wrong;
  return exit.value;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    // Conversations with Git remotes happen in a child: this program with one hidden argument.
    if (const auto code = steer::answerPassphrase()) return *code;
    if (argc == 2 && std::string_view(argv[1]) == kTransfer) return steer::serveTransfer();
    steer::useTransferProgram({"/proc/self/exe", kTransfer});
    setLogLevel();
    steer::cli::interrupted();  // signals from here on
    return run(argc, argv);
  } catch (const std::exception& e) {
    steer::cli::printError(e.what());
    return 1;
  }
}
