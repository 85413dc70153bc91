// The child process of tests that talk to servers, as `steer` is of itself.
#include "reconciler/git/transfer.h"

int main() {
  if (const auto code = steer::answerPassphrase()) return *code;
  return steer::serveTransfer();
}
