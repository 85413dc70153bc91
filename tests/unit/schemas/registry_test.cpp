#include <catch2/catch.hpp>
#include <chrono>
#include <functional>
#include <set>

#include "schemas/loader.h"
#include "schemas/schema.h"

using namespace steer;

TEST_CASE("A Deployment is found by its identity, its URL, its resource key and every word people type") {
  const auto& registry = SchemaRegistry::builtin();
  const auto* kind = registry.find(Gvk{"apps", "v1", "Deployment"});
  REQUIRE(kind != nullptr);
  CHECK(kind->resource() == "deployments.apps");
  CHECK(kind->served);
  CHECK(kind->namespaced);
  CHECK(registry.findByPlural("apps", "v1", "deployments") == kind);
  CHECK(registry.findByPlural("", "v1", "deployments") == nullptr);
  CHECK(registry.findByResource("deployments.apps") == kind);
  for (const auto* word : {"deploy", "deployment", "Deployments", "deployments.apps", "deployment.v1.apps"})
    CHECK(registry.findByWord(word) == kind);
  REQUIRE(kind->subresource("scale") != nullptr);
  CHECK(kind->subresource("scale")->gvk == Gvk{"autoscaling", "v1", "Scale"});
  CHECK(kind->subresource("log") == nullptr);
}

TEST_CASE("The word events means the core kind and ev its short name") {
  const auto& registry = SchemaRegistry::builtin();
  CHECK(registry.findByWord("events")->gvk.apiVersion() == "v1");
  CHECK(registry.findByWord("ev")->gvk.apiVersion() == "v1");
  CHECK(registry.findByWord("events.events.k8s.io")->gvk.apiVersion() == "events.k8s.io/v1");
  CHECK(registry.findByWord("app")->gvk == Gvk{"steersman.dev", "v1", "Application"});
  CHECK(registry.findByWord("nonsense") == nullptr);
}

TEST_CASE("Fields carry type, list keys, merge keys, enums and protobuf numbers") {
  const auto* type = SchemaRegistry::builtin().type("core/v1.Container");
  REQUIRE(type != nullptr);
  const auto* env = type->field("env");
  REQUIRE(env != nullptr);
  CHECK(env->shape == Shape::list);
  CHECK(env->type == SchemaRegistry::builtin().type("core/v1.EnvVar"));
  CHECK(env->listType == ListType::map);
  CHECK(env->listKeys == std::vector<std::string>{"name"});
  CHECK(env->mergeList);
  CHECK(env->mergeKey == "name");
  CHECK(env->protobufNumber == 7);
  CHECK(type->field("imagePullPolicy")->enumValues == std::vector<std::string>{"Always", "Never", "IfNotPresent"});
  CHECK(type->field("livenessProbe")->pointer);
  CHECK(type->field("nothing") == nullptr);
  const auto* probe = SchemaRegistry::builtin().type("core/v1.Probe");
  CHECK(probe->field("httpGet")->inlined == "ProbeHandler");
  CHECK(probe->inlinedNumbers.at("ProbeHandler") == 1);
}

TEST_CASE("A granular field overrides its atomic type") {
  const auto& registry = SchemaRegistry::builtin();
  CHECK_FALSE(registry.type("core/v1.PersistentVolumeSpec")->field("claimRef")->mapAtomic);
  CHECK(registry.type("apps/v1.DeploymentSpec")->field("selector")->mapAtomic);
  CHECK(registry.type("core/v1.ServiceSpec")->field("selector")->mapAtomic);
}

TEST_CASE("Kinds that only exist in requests are found by identity and have no resource") {
  const auto& registry = SchemaRegistry::builtin();
  const auto* options = registry.find(Gvk{"", "v1", "DeleteOptions"});
  REQUIRE(options != nullptr);
  CHECK(options->request);
  CHECK(registry.find(Gvk{"apps", "v1", "DeleteOptions"}) == options);
  CHECK(registry.find(Gvk{"nobody.example", "v1", "DeleteOptions"}) == nullptr);
  for (const auto* kind : registry.kinds()) CHECK_FALSE(kind->plural.empty());
}

TEST_CASE("Known kinds that are not served say so") {
  const auto& registry = SchemaRegistry::builtin();
  REQUIRE(registry.find(Gvk{"networking.k8s.io", "v1", "Ingress"}) != nullptr);
  CHECK_FALSE(registry.find(Gvk{"networking.k8s.io", "v1", "Ingress"})->served);
}

TEST_CASE("A misspelt kind or a wrong apiVersion leads to the right one") {
  const auto& registry = SchemaRegistry::builtin();
  REQUIRE_FALSE(registry.nearest(Gvk{"apps", "v1", "Deploymnet"}).empty());
  CHECK(registry.nearest(Gvk{"apps", "v1", "Deploymnet"}).front() == Gvk{"apps", "v1", "Deployment"});
  CHECK(registry.nearest(Gvk{"extensions", "v1beta1", "Deployment"}).front() == Gvk{"apps", "v1", "Deployment"});
  CHECK(registry.nearest(Gvk{"", "v1", "Bananas"}).empty());
}

TEST_CASE("Every merge key and list key is a field of the list's items") {
  const auto& registry = SchemaRegistry::builtin();
  std::size_t lists = 0;
  const std::function<void(const TypeSchema&, std::set<const TypeSchema*>&)> visit = [&](const TypeSchema& type,
                                                                                         auto& seen) {
    if (!seen.insert(&type).second) return;
    for (const auto& field : type.fields) {
      for (const auto& key : field.listKeys) {
        ++lists;
        INFO(type.name << "." << field.name);
        REQUIRE(field.type != nullptr);
        CHECK(field.type->field(key) != nullptr);
      }
      if (field.type != nullptr) visit(*field.type, seen);
    }
  };
  std::set<const TypeSchema*> seen;
  for (const auto* kind : registry.kinds()) visit(*kind->type, seen);
  CHECK(lists > 30);
  CHECK(seen.size() > 350);
}

TEST_CASE("A document with an unknown word is refused by name") {
  const std::vector<SchemaDocument> bad{{"x.json", R"({"types": {"a/v1.T": {"fields": {"f": "string reqired"}}}})"}};
  const auto loaded = SchemaLoader::load(bad);
  REQUIRE_FALSE(loaded.ok());
  CHECK(loaded.error().message.find("reqired") != std::string::npos);
}

TEST_CASE("The built-in registry is read within a blink") {
  const auto start = std::chrono::steady_clock::now();
  const auto loaded = SchemaLoader::load(SchemaLoader::embedded());
  const auto took = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  REQUIRE(loaded.ok());
  WARN("registry of " << loaded.value()->kinds().size() << " kinds read in " << took << " ms");
  CHECK(took < 500);  // generous: debug builds with sanitizers on busy machines
}
