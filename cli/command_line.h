#pragma once
// What `steer` takes on its command line: commands, their flags and what each runs. CLI11 does the work behind this
// header, so that one file pays for reading it. Thread rule: main thread. Handles are cheap to copy and live as long as
// the parser.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace steer::cli {

/// One flag or positional argument of a command.
class Flag {
 public:
  explicit Flag(CLI::Option* option) : option_(option) {}
  Flag required() const;
  /// Any other value is an error that names these.
  Flag oneOf(const std::vector<std::string>& values) const;
  Flag between(int least, int most) const;
  /// Of a list: each use of the flag takes one value; it may be repeated.
  Flag oneValueEach() const;
  Flag needs(const Flag& other) const;
  Flag excludes(const Flag& other) const;

 private:
  CLI::Option* option_;
};

/// The program or one of its commands. Values are written through the references given, which outlive parsing.
class CommandLine {
 public:
  explicit CommandLine(CLI::App* app) : app_(app) {}
  CommandLine command(const std::string& name, const std::string& description) const;
  /// Shown after the flags in --help: exit codes, examples.
  void footer(const std::string& text) const;
  Flag option(const std::string& names, std::string& value, const std::string& description) const;
  Flag option(const std::string& names, std::vector<std::string>& values, const std::string& description) const;
  Flag option(const std::string& names, int& value, const std::string& description) const;
  Flag option(const std::string& names, unsigned& value, const std::string& description) const;
  Flag option(const std::string& names, std::uint64_t& value, const std::string& description) const;
  Flag flag(const std::string& names, bool& value, const std::string& description) const;
  /// What the command does once the line is parsed.
  void runs(std::function<void()> work) const;

  std::string name() const;
  std::vector<CommandLine> commands() const;
  /// The long names of all flags, without dashes.
  std::vector<std::string> flagNames() const;

 private:
  CLI::App* app_;
};

/// Owns a parser. parse runs the command that the words name.
class CommandParser {
 public:
  CommandParser(const std::string& program, const std::string& description);
  ~CommandParser();
  CommandParser(const CommandParser&) = delete;
  CommandParser& operator=(const CommandParser&) = delete;
  CommandLine program() const;
  void version(const std::string& text) const;
  /// words: without the program's name. Returns 0, or the exit code of a wrong line or of --help and --version, whose
  /// texts go to standard error and output.
  int parse(std::vector<std::string> words) const;

 private:
  std::unique_ptr<CLI::App> app_;
};

}  // namespace steer::cli
