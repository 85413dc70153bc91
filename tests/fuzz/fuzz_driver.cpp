// libFuzzer's door: STEER_FUZZ_TARGET names what is tried.
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "core/log.h"
#include "tests/fuzz/target.h"

namespace {

const steer::fuzz::Target& chosen() {
  static const auto targets = steer::fuzz::allTargets();
  const char* name = std::getenv("STEER_FUZZ_TARGET");
  for (const auto& target : targets)
    if (name != nullptr && target.name == name) return target;
  std::fprintf(stderr, "STEER_FUZZ_TARGET names none of:");
  for (const auto& target : targets) std::fprintf(stderr, " %s", target.name.c_str());
  std::fprintf(stderr, "\n");
  std::exit(2);
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  steer::log::setLevel(steer::log::Level::error);
  chosen();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto& target = chosen();
  if (!target.holds({reinterpret_cast<const char*>(data), size})) {
    std::fprintf(stderr, "a property of %s does not hold\n", target.name.c_str());
    std::abort();
  }
  return 0;
}
