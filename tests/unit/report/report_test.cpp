#include <catch2/catch.hpp>

#include "reconciler/report/apply_record.h"
#include "reconciler/report/status_page.h"

using namespace steer;

namespace {

ApplyRecord sample() {
  ApplyRecord r;
  r.commit = "1234567890123456789012345678901234567890";
  r.author = "Ada";
  r.summary = "Two more replicas";
  r.started = Time{seconds(1'800'000'000)};
  r.finished = r.started + milliseconds(1500);
  r.result = ApplyRecord::Result::healthy;
  r.updated = 1;
  r.unchanged = 4;
  r.objects.push_back({"Deployment shop/web", "web.yaml:1", "update", "done", "", "healthy", "", {"spec.replicas"}});
  return r;
}

}  // namespace

TEST_CASE("a record survives being written and read") {
  const auto r = sample();
  const auto back = recordFromJson(jsonText(toJson(r)));
  REQUIRE(back.ok());
  CHECK(jsonText(toJson(*back)) == jsonText(toJson(r)));
  CHECK(back->objects.at(0).fields == std::vector<std::string>{"spec.replicas"});
}

TEST_CASE("record paths are ordered by time and name the commit") {
  auto a = sample();
  auto b = sample();
  b.started += Duration(1);
  CHECK(a.path() < b.path());
  CHECK(a.path() == "records/2027-01/15/08/080000.000000Z-1234567890123456789012345678901234567890.json");
}

TEST_CASE("what is not a record is refused") {
  CHECK_FALSE(recordFromJson("{}").ok());
  CHECK_FALSE(recordFromJson("[1]").ok());
  CHECK_FALSE(recordFromJson("nonsense").ok());
}

TEST_CASE("the page cannot be made to carry markup from a repository") {
  auto r = sample();
  r.summary = "<script>alert(1)</script> | [x](javascript:y) @team\n# title `code`";
  r.objects[0].object = "ConfigMap a/<img src=x>";
  const auto page = statusPage({jsonText(toJson(r))});
  CHECK(page.find("<script>") == std::string::npos);
  CHECK(page.find("<img") == std::string::npos);
  CHECK(page.find("[x](") == std::string::npos);
  CHECK(page.find("@team") == std::string::npos);
  CHECK(page.find("\n# title") == std::string::npos);
}

TEST_CASE("the page shows the newest record and the history") {
  auto old = sample();
  old.result = ApplyRecord::Result::failed;
  old.summary = "Older";
  const auto page = statusPage({jsonText(toJson(sample())), jsonText(toJson(old)), "garbage"});
  CHECK(page.find("## Now: healthy") != std::string::npos);
  CHECK(page.find("| failed |") != std::string::npos);
  CHECK(page.find("Older") != std::string::npos);
}

TEST_CASE("a cut never splits a character") { CHECK(escapeMarkdown("ää", 3) == "ä…"); }

TEST_CASE("the note's line says what happened") {
  CHECK(sample().line() == "healthy: 1 updated (2027-01-15T08:00:01Z)");
}
