// A sample of what Kubernetes 1.35 answered, asked here: verdicts, causes (reason and field) and defaulted results.
// STEER_ANSWERS names another recording of the same form; STEER_ANSWERS_OUT a file for what was answered, line by line.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <iostream>

#include "replay.h"
#include "tests/source_path.h"

using namespace steer;

namespace {

void writeGiven(const char* file, const std::vector<GivenAnswer>& given) {
  std::ofstream out(file);
  for (const auto& answer : given) {
    json::array causes;
    for (const auto& [reason, field] : answer.causes) causes.push_back(json::array{reason, field});
    out << jsonText(json::object{
               {"code", answer.code}, {"causes", causes}, {"out", answer.out}, {"message", answer.message}})
        << "\n";
  }
}

void checkRecording(const std::string& file) {
  const auto recording = Recording::read(file);
  REQUIRE(!recording.rows.empty());
  const auto given = askAll(recording);
  if (const char* out = std::getenv("STEER_ANSWERS_OUT")) writeGiven(out, given);
  Agreement all;
  std::map<std::string, Agreement> byKind;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const auto& row = recording.rows[i];
    const std::string kind(stringAt(recording.bases.at(row.url), {"kind"}));
    byKind[kind].add(row, given[i], kind);
    all.add(row, given[i], kind);
  }
  for (const auto& [kind, one] : byKind)
    std::cout << kind << ": asked " << one.asked << ", verdicts " << one.verdicts << ", refused falsely "
              << one.falseRefusals << ", accepted falsely " << one.accepted << ", causes " << one.causes << "/"
              << one.withCauses << ", results " << one.results << "/" << one.withResult << "\n";
  std::cout << "ALL: verdicts " << Agreement::share(all.verdicts, all.asked) << " %, refused falsely "
            << all.falseRefusals << ", causes " << Agreement::share(all.causes, all.withCauses) << " %, results "
            << Agreement::share(all.results, all.withResult) << " %\n";
  CHECK(Agreement::share(all.verdicts, all.asked) >= 99.5);
  CHECK(all.falseRefusals == 0);
  CHECK(Agreement::share(all.causes, all.withCauses) >= 90);
  CHECK(Agreement::share(all.results, all.withResult) >= 99);
}

std::string fileOf(const char* name) {
  if (const char* other = std::getenv("STEER_ANSWERS")) return other;
  return sourcePath("tests/answers/") + name;
}

}  // namespace

TEST_CASE("creates are answered as Kubernetes answers them") { checkRecording(fileOf("creates.jsonl")); }

TEST_CASE("updates are answered as Kubernetes answers them") { checkRecording(fileOf("updates.jsonl")); }
