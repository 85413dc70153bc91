#include "core/child.h"

#include <catch2/catch.hpp>
#include <csignal>

using namespace steer;

TEST_CASE("a command gives back its output, its errors and its exit code") {
  const auto got = runCommand({{"sh", "-c", "cat; echo oops >&2; exit 3"}}, "hello");
  REQUIRE(got.ok());
  CHECK(got->out == "hello");
  CHECK(got->err == "oops\n");
  CHECK(got->code == 3);
}

TEST_CASE("more input and output than a pipe holds passes through") {
  const std::string big(1 << 20, 'x');
  const auto got = runCommand({{"cat"}}, big);
  REQUIRE(got.ok());
  CHECK(got->out == big);
}

TEST_CASE("a command that does not end in time is killed") {
  const auto got = runCommand({{"sleep", "60"}}, "", milliseconds{50});
  REQUIRE_FALSE(got.ok());
  CHECK(got.error().code == Errc::timeout);
}

TEST_CASE("a program that is not there is an error, not an exit code") {
  CHECK(runCommand({{"no-such-program-here"}}).error().code == Errc::notFound);
  CHECK_FALSE(Child::start({{"true"}, {}, "/run/netns/no-such-namespace"}).ok());
}

TEST_CASE("a child is seen to end, with 128 and the signal's number when it was killed") {
  auto child = Child::start({{"sleep", "60"}});
  REQUIRE(child.ok());
  CHECK_FALSE(child->poll());
  child->signal(SIGTERM);
  CHECK(child->wait(seconds{10}) == 128 + SIGTERM);
}
