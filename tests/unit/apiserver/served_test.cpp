// One table says what is served: validation, the API's warnings and discovery tell the same of every kind. That the
// README does is asked in tests/unit/schemas.
#include <catch2/catch.hpp>
#include <set>

#include "fixture.h"
#include "render/blob_parser.h"
#include "schemas/served.h"

using namespace steer;

namespace {

bool hasCategory(const json::value& resource) {
  const auto& categories = arrayAt(resource, {"categories"});
  return std::find(categories.begin(), categories.end(), json::value(kUnservedCategory)) != categories.end();
}

/// "apps/v1 StatefulSet" of what the lists of resources mark.
std::set<std::string> markedInLists(TestServer& s) {
  std::set<std::string> out;
  for (const auto* kind : SchemaRegistry::builtin().kinds()) {
    const auto apiVersion = kind->gvk.apiVersion();
    const auto path = (kind->gvk.group.empty() ? "/api/" : "/apis/") + apiVersion;
    const auto answer = s.object(s.call("GET", path));
    for (const auto& resource : arrayAt(answer, {"resources"}))
      if (hasCategory(resource)) out.insert(apiVersion + " " + std::string(stringAt(resource, {"kind"})));
  }
  return out;
}

std::set<std::string> markedInAggregated(TestServer& s) {
  std::set<std::string> out;
  for (const auto* path : {"/api", "/apis"}) {
    const auto answer =
        s.object(s.call("GET", path, "", "", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"));
    for (const auto& group : arrayAt(answer, {"items"}))
      for (const auto& version : arrayAt(group, {"versions"}))
        for (const auto& resource : arrayAt(version, {"resources"}))
          if (hasCategory(resource))
            out.insert(Gvk{std::string(stringAt(resource, {"responseKind", "group"})),
                           std::string(stringAt(resource, {"responseKind", "version"})), ""}
                           .apiVersion() +
                       " " + std::string(stringAt(resource, {"responseKind", "kind"})));
  }
  return out;
}

/// Whether validation says of a manifest of this kind that nothing comes of it.
bool refusedByValidation(const KindSchema& kind) {
  const auto text = "apiVersion: " + kind.gvk.apiVersion() + "\nkind: " + kind.gvk.kind + "\nmetadata:\n  name: x\n";
  return parseBlob(text, &SchemaRegistry::builtin())->findings.text().find("is not served yet") != std::string::npos;
}

/// Whether the API warns of a write to an object of this kind; nothing when it refuses the write.
std::optional<bool> warned(TestServer& s, const KindSchema& kind) {
  const auto at = kind.gvk.group.empty() ? "/api/v1" : "/apis/" + kind.gvk.apiVersion();
  const auto path = at + (kind.namespaced ? "/namespaces/default/" : "/") + kind.plural;
  const json::object body{
      {"apiVersion", kind.gvk.apiVersion()}, {"kind", kind.gvk.kind}, {"metadata", {{"name", "x"}}}};
  const auto answer = s.call("POST", path + "?dryRun=All", jsonText(body), "application/json");
  if (answer.status >= 300) return std::nullopt;
  const auto header = answer.headers.find("Warning");
  return header != answer.headers.end() && header->second.find("is not served yet") != std::string::npos;
}

}  // namespace

TEST_CASE("validation, the API's warnings and discovery agree about what nothing serves") {
  TestServer s;
  std::set<std::string> unserved;
  int asked = 0;
  for (const auto* kind : SchemaRegistry::builtin().kinds()) {
    INFO(kind->gvk.apiVersion() << " " << kind->gvk.kind);
    if (!kind->served) unserved.insert(kind->gvk.apiVersion() + " " + kind->gvk.kind);
    CHECK(refusedByValidation(*kind) == !kind->served);
    const auto said = warned(s, *kind);
    if (!said) continue;
    ++asked;
    CHECK(*said == !kind->served);
  }
  CHECK(asked > 10);
  CHECK(unserved.contains("apps/v1 StatefulSet"));
  CHECK(markedInLists(s) == unserved);
  CHECK(markedInAggregated(s) == unserved);
}
