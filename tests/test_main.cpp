#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>

#include "core/log.h"

int main(int argc, char** argv) {
  steer::log::setLevel(steer::log::Level::error);
  return Catch::Session().run(argc, argv);
}
