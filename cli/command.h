#pragma once
// A command of `steer`: a function that adds its flags to the command line and sets what runs. The
// exit code is 0 unless the command says otherwise. Thread rule: main thread.
#include "cli/command_line.h"

namespace steer::cli {

struct ExitCode {
  int value = 0;
};

/// Adds one subcommand; its callback does the work and stores the exit code. Both outlive parsing.
using AddCommand = void (*)(const CommandLine& app, ExitCode& exit);

/// Set by Ctrl-C or SIGTERM. Commands that wait poll it or wait on it.
bool interrupted();
/// SIGINT or SIGTERM, whichever came last; 0 before.
int interruptSignal();
/// Blocks until a signal or until wakeUp() is called.
void waitForInterrupt();
/// As if a signal had come.
void interrupt();

}  // namespace steer::cli
