// tests/golden/apiserver/applies.jsonl.zst holds sequences of applies, patches and updates by several managers on one
// object, a line each, with what kube-apiserver 1.35 answered: codes, conflicts, the object in the end, and who owns
// which of its fields. They are played on the server in this process.
#include <zstd.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include <catch2/catch.hpp>

#include "fixture.h"
#include "tests/source_path.h"

using namespace steer;

namespace {

std::string recorded() {
  std::ifstream file(sourcePath("tests/golden/apiserver/applies.jsonl.zst"), std::ios::binary);
  std::stringstream packed;
  packed << file.rdbuf();
  const std::string bytes = packed.str();
  const auto size = ZSTD_getFrameContentSize(bytes.data(), bytes.size());
  REQUIRE(size < 64 * 1024 * 1024);
  std::string out(size, '\0');
  REQUIRE(ZSTD_decompress(out.data(), out.size(), bytes.data(), bytes.size()) == size);
  return out;
}

std::string contentTypeOf(std::string_view verb) {
  if (verb == "apply") return "application/apply-patch+yaml";
  if (verb == "strategic") return "application/strategic-merge-patch+json";
  if (verb == "merge") return "application/merge-patch+json";
  return "application/json-patch+json";
}

/// The recorded form of an answer: its code and, of a conflict, the fields with their first manager.
json::object answerOf(const Response& response) {
  json::object out{{"code", response.status}};
  if (response.status != 409) return out;
  std::multiset<std::string> conflicts;
  const auto body = parseJson(response.body);
  for (const auto& cause : arrayAt(*body, {"details", "causes"})) {
    const auto message = stringAt(cause, {"message"});
    const auto quote = message.find('"');
    const auto name = message.substr(quote + 1, message.find('"', quote + 1) - quote - 1);
    conflicts.insert(jsonText(json::array{stringAt(cause, {"reason"}), stringAt(cause, {"field"}), {name}}));
  }
  auto& list = out["conflicts"].emplace_array();
  for (const auto& text : conflicts) list.push_back(*parseJson(text));
  return out;
}

/// The recorded form of the object in the end: without what differs from one server to the next.
json::object resultOf(const json::object& object) {
  const auto& meta = objectAt(object, {"metadata"});
  json::object body;
  for (const auto& [key, value] : object)
    if (key != "metadata" && key != "status" && key != "apiVersion" && key != "kind") body.emplace(key, value);
  for (const char* key : {"labels", "annotations"})
    body[key] = objectAt(meta, {key}).empty() ? json::value() : json::value(objectAt(meta, {key}));
  if (stringAt(object, {"kind"}) == "Service") {
    auto& spec = ensureObject(body, "spec");
    for (const char* key : {"clusterIP", "clusterIPs"}) spec.erase(key);
    for (auto& port : ensureArray(spec, "ports")) port.as_object().erase("nodePort");
  }
  json::object owned;
  for (const auto& entry : arrayAt(meta, {"managedFields"}))
    owned[std::string(stringAt(entry, {"manager"})) + "/" + std::string(stringAt(entry, {"operation"})) + "/" +
          std::string(stringAt(entry, {"subresource"}))] = objectAt(entry, {"fieldsV1"});
  return {{"object", std::move(body)}, {"owned", std::move(owned)}};
}

Response updateOf(TestServer& server, const std::string& path, const std::string& query, const json::object& changes) {
  auto seen = server.call("GET", path);
  if (seen.status != 200) return seen;
  auto live = server.object(seen);
  live["metadata"].as_object().erase("resourceVersion");
  for (const auto& [where, value] : changes) {
    std::string_view rest(where.data(), where.size());
    auto* target = &live;
    for (auto slash = rest.find('/'); slash != std::string_view::npos; slash = rest.find('/')) {
      target = &ensureObject(*target, rest.substr(0, slash));
      rest.remove_prefix(slash + 1);
    }
    (*target)[jkey(rest)] = value;
  }
  return server.call("PUT", path + query, json::serialize(live), "application/json");
}

json::object played(TestServer& server, const json::object& sequence) {
  const auto path = "/" + std::string(stringAt(sequence, {"url"})) + "/" + std::string(stringAt(sequence, {"name"}));
  json::array steps;
  for (const auto& step : arrayAt(sequence, {"steps"})) {
    const auto verb = stringAt(step, {"verb"});
    const auto query = "?fieldManager=" + std::string(stringAt(step, {"manager"})) +
                       (find(step, {"force"}) != nullptr && *find(step, {"force"}) == true ? "&force=true" : "");
    const auto& body = *find(step, {"body"});
    steps.push_back(answerOf(verb == "update"
                                 ? updateOf(server, path, query, body.get_object())
                                 : server.call("PATCH", path + query, json::serialize(body), contentTypeOf(verb))));
  }
  const auto last = server.call("GET", path);
  auto out = last.status == 200 ? resultOf(server.object(last)) : json::object();
  out["steps"] = std::move(steps);
  return out;
}

/// Empty labels and annotations are none.
json::object withoutNulls(json::object answers) {
  if (auto* object = answers.if_contains("object"); object != nullptr && object->is_object())
    for (const char* key : {"labels", "annotations"}) {
      auto& value = object->get_object()[key];
      if (value.is_object() && value.get_object().empty()) value = nullptr;
    }
  return answers;
}

}  // namespace

TEST_CASE("Applies, patches and updates by several managers end as on a Kubernetes server") {
  std::istringstream lines(recorded());
  TestServer server;
  std::size_t total = 0;
  std::size_t sameCodes = 0;
  std::size_t sameEnd = 0;
  std::string other;
  for (std::string line; std::getline(lines, line); ++total) {
    const auto sequence = parsed(line);
    const auto theirs = withoutNulls(objectAt(sequence, {"answers"}));
    const auto ours = played(server, sequence);
    const auto same = [&](std::string_view part) {
      const auto* a = theirs.if_contains(jkey(part));
      const auto* b = ours.if_contains(jkey(part));
      if ((a == nullptr) == (b == nullptr) && (a == nullptr || *a == *b)) return true;
      other += "sequence " + std::to_string(intAt(sequence, {"seed"})) + ": " + std::string(part) + " differ\n";
      return false;
    };
    if (!same("steps")) continue;
    ++sameCodes;
    if (same("object") && same("owned")) ++sameEnd;
  }
  REQUIRE(total >= 400);
  INFO(other);
  const auto share = [](std::size_t part, std::size_t whole) {
    return static_cast<double>(part) / static_cast<double>(whole);
  };
  CHECK(share(sameCodes, total) >= 0.99);
  CHECK(share(sameEnd, sameCodes) >= 0.995);
}
