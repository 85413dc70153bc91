// Which controllers run.
#include <algorithm>
#include <catch2/catch.hpp>

#include "cluster/controllers/all.h"

using namespace steer;

namespace {

std::vector<std::string> running(const std::string& list) {
  ControllerOptions options;
  options.selection = ControllerSelection::parse(list).value();
  std::vector<std::string> out;
  for (const auto& controller : makeControllers(options)) out.emplace_back(controller->name());
  return out;
}

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

TEST_CASE("All controllers run unless some are named; a minus takes one away") {
  const auto all = running("*");
  CHECK(has(all, "deployment-controller"));
  CHECK(has(all, "namespace-controller"));
  const auto fewer = running("*,-deployment,-namespace-controller");
  CHECK(fewer.size() + 2 == all.size());
  CHECK_FALSE(has(fewer, "deployment-controller"));
  CHECK_FALSE(has(fewer, "namespace-controller"));
  CHECK(running("job-controller,replicaset") == std::vector<std::string>{"replicaset-controller", "job-controller"});
  CHECK(running("-job").empty());
  CHECK(has(running("job,*,-job"), "job-controller"));  // the first word about it holds
}

TEST_CASE("What does not run can be told, and a name that no controller has is an error that names them") {
  CHECK(ControllerSelection::parse("*")->idle().empty());
  CHECK(ControllerSelection::parse("*,-job,-deployment")->idle() == "deployment-controller,job-controller");
  for (const auto* list : {"", "*,", "x", "-x", "*,-cronjob"}) {
    const auto parsed = ControllerSelection::parse(list);
    REQUIRE_FALSE(parsed.ok());
    CHECK(parsed.error().code == Errc::badRequest);
    CHECK(parsed.error().message.find("replicaset-controller") != std::string::npos);
  }
}

TEST_CASE("Every controller has one name of its own") {
  std::vector<std::string_view> seen;
  for (const auto& [name, shortName] : controllerNames())
    for (const auto word : {name, shortName}) {
      if (word.empty()) continue;
      CHECK(std::find(seen.begin(), seen.end(), word) == seen.end());
      seen.push_back(word);
    }
}
