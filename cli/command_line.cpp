#include "cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

namespace steer::cli {

Flag Flag::required() const {
  option_->required();
  return *this;
}

Flag Flag::oneOf(const std::vector<std::string>& values) const {
  option_->check(CLI::IsMember(values));
  return *this;
}

Flag Flag::between(int least, int most) const {
  option_->check(CLI::Range(least, most));
  return *this;
}

Flag Flag::oneValueEach() const {
  option_->allow_extra_args(false);
  return *this;
}

Flag Flag::needs(const Flag& other) const {
  option_->needs(other.option_);
  return *this;
}

Flag Flag::excludes(const Flag& other) const {
  option_->excludes(other.option_);
  return *this;
}

CommandLine CommandLine::command(const std::string& name, const std::string& description) const {
  return CommandLine(app_->add_subcommand(name, description));
}

void CommandLine::footer(const std::string& text) const { app_->footer(text); }

Flag CommandLine::option(const std::string& names, std::string& value, const std::string& description) const {
  return Flag(app_->add_option(names, value, description));
}

Flag CommandLine::option(const std::string& names, std::vector<std::string>& values,
                         const std::string& description) const {
  return Flag(app_->add_option(names, values, description));
}

Flag CommandLine::option(const std::string& names, int& value, const std::string& description) const {
  return Flag(app_->add_option(names, value, description));
}

Flag CommandLine::option(const std::string& names, unsigned& value, const std::string& description) const {
  return Flag(app_->add_option(names, value, description));
}

Flag CommandLine::option(const std::string& names, std::uint64_t& value, const std::string& description) const {
  return Flag(app_->add_option(names, value, description));
}

Flag CommandLine::flag(const std::string& names, bool& value, const std::string& description) const {
  return Flag(app_->add_flag(names, value, description));
}

void CommandLine::runs(std::function<void()> work) const { app_->callback(std::move(work)); }

std::string CommandLine::name() const { return app_->get_name(); }

std::vector<CommandLine> CommandLine::commands() const {
  std::vector<CommandLine> out;
  for (auto* command : app_->get_subcommands([](CLI::App*) { return true; })) out.emplace_back(command);
  return out;
}

std::vector<std::string> CommandLine::flagNames() const {
  std::vector<std::string> out;
  for (const auto* option : app_->get_options())
    for (const auto& name : option->get_lnames()) out.push_back(name);
  return out;
}

CommandParser::CommandParser(const std::string& program, const std::string& description)
    : app_(std::make_unique<CLI::App>(description, program)) {
  app_->require_subcommand(1);
  app_->fallthrough(false);
}

CommandParser::~CommandParser() = default;

CommandLine CommandParser::program() const { return CommandLine(app_.get()); }

void CommandParser::version(const std::string& text) const { app_->set_version_flag("--version", text); }

int CommandParser::parse(std::vector<std::string> words) const {
  std::reverse(words.begin(), words.end());  // as CLI11 wants them
  try {
    app_->parse(std::move(words));
    return 0;
  } catch (const CLI::ParseError& e) {
    return app_->exit(e, std::cout, std::cerr) == 0 ? 0 : 1;
  }
}

}  // namespace steer::cli
