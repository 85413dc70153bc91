#include "cli/commands/completion.h"

#include <iostream>
#include <memory>

namespace steer::cli {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

std::vector<std::string> longFlags(const CommandLine& command) {
  auto out = command.flagNames();
  for (auto& name : out) name.insert(0, "--");
  return out;
}

std::string namesOf(const CommandLine& app) {
  std::vector<std::string> names;
  for (const auto& command : app.commands()) names.push_back(command.name());
  return joined(names);
}

std::string bashText(const CommandLine& app) {
  std::string out =
      "_steer() {\n"
      "  local cur=${COMP_WORDS[COMP_CWORD]} words\n"
      "  if [ \"$COMP_CWORD\" -eq 1 ]; then words='" +
      namesOf(app) +
      " --help --version'\n"
      "  else case ${COMP_WORDS[1]} in\n";
  for (const auto& command : app.commands())
    out += "    " + command.name() + ") words='" + joined(longFlags(command)) + "';;\n";
  return out +
         "  esac; fi\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
         "  [[ $cur == -* || $COMP_CWORD -eq 1 ]] || COMPREPLY+=($(compgen -f -- \"$cur\"))\n"
         "}\n"
         "complete -o filenames -F _steer steer\n";
}

std::string fishText(const CommandLine& app) {
  std::string out = "complete -c steer -f\n";
  for (const auto& command : app.commands()) {
    out += "complete -c steer -n __fish_use_subcommand -a " + command.name() + "\n";
    for (const auto& name : command.flagNames())
      out += "complete -c steer -n '__fish_seen_subcommand_from " + command.name() + "' -l " + name + "\n";
  }
  return out;
}

}  // namespace

void addCompletionCommand(const CommandLine& app, ExitCode&) {
  const auto command = app.command("completion", "Print a completion script for a shell");
  command.footer("Example: steer completion bash > /etc/bash_completion.d/steer");
  auto shell = std::make_shared<std::string>("bash");
  command.option("shell", *shell, "bash, zsh or fish").oneOf({"bash", "zsh", "fish"});
  command.runs([app, shell] {
    if (*shell == "fish") {
      std::cout << fishText(app);
    } else {
      if (*shell == "zsh") std::cout << "autoload -U +X bashcompinit && bashcompinit\n";
      std::cout << bashText(app);
    }
  });
}

}  // namespace steer::cli
