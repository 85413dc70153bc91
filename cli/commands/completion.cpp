#include "cli/commands/completion.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

namespace steer::cli {
namespace {

std::vector<std::string> flagsOf(const CLI::App& command) {
  std::vector<std::string> out;
  for (const auto* option : command.get_options())
    for (const auto& name : option->get_lnames()) out.push_back("--" + name);
  return out;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

std::vector<const CLI::App*> commandsOf(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

std::string namesOf(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* command : commandsOf(app)) names.push_back(command->get_name());
  return joined(names);
}

std::string bashText(const CLI::App& app) {
  std::string out =
      "_steer() {\n"
      "  local cur=${COMP_WORDS[COMP_CWORD]} words\n"
      "  if [ \"$COMP_CWORD\" -eq 1 ]; then words='" +
      namesOf(app) +
      " --help --version'\n"
      "  else case ${COMP_WORDS[1]} in\n";
  for (const auto* command : commandsOf(app))
    out += "    " + command->get_name() + ") words='" + joined(flagsOf(*command)) + "';;\n";
  return out +
         "  esac; fi\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
         "  [[ $cur == -* || $COMP_CWORD -eq 1 ]] || COMPREPLY+=($(compgen -f -- \"$cur\"))\n"
         "}\n"
         "complete -o filenames -F _steer steer\n";
}

std::string fishText(const CLI::App& app) {
  std::string out = "complete -c steer -f\n";
  for (const auto* command : commandsOf(app)) {
    out += "complete -c steer -n __fish_use_subcommand -a " + command->get_name() + "\n";
    for (const auto* option : command->get_options())
      for (const auto& name : option->get_lnames())
        out += "complete -c steer -n '__fish_seen_subcommand_from " + command->get_name() + "' -l " + name + "\n";
  }
  return out;
}

}  // namespace

void addCompletionCommand(CLI::App& app, ExitCode&) {
  auto* command = app.add_subcommand("completion", "Print a completion script for a shell");
  command->footer("Example: steer completion bash > /etc/bash_completion.d/steer");
  auto shell = std::make_shared<std::string>("bash");
  command->add_option("shell", *shell, "bash, zsh or fish")->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->callback([&app, shell] {
    if (*shell == "fish") {
      std::cout << fishText(app);
    } else {
      if (*shell == "zsh") std::cout << "autoload -U +X bashcompinit && bashcompinit\n";
      std::cout << bashText(app);
    }
  });
}

}  // namespace steer::cli
