#include <catch2/catch.hpp>

#include "fixture.h"

using namespace steer;

TEST_CASE("A created object has a uid, a creation time and a revision, and can be read back") {
  TestServer s;
  const auto made = s.client->write(Write::create("configmaps", configMap("a")));
  REQUIRE(made.ok());
  CHECK(!(*made)->uid().empty());
  CHECK((*made)->created() == s.clock.now());
  CHECK((*made)->revision() > 0);
  CHECK(*s.client->get({"configmaps", "default", "a"}) == *made);
}

TEST_CASE("Creating a name twice says that it already exists") {
  TestServer s;
  REQUIRE(s.client->write(Write::create("configmaps", configMap("a"))).ok());
  const auto again = s.client->write(Write::create("configmaps", configMap("a")));
  REQUIRE(!again.ok());
  CHECK(again.error().code == Errc::alreadyExists);
  CHECK(again.error().message == "configmaps \"a\" already exists");
}

TEST_CASE("A namespace that does not exist, or is going, takes no new objects") {
  TestServer s;
  auto body = configMap("a");
  body["metadata"].get_object()["namespace"] = "shop";
  CHECK(s.client->write(Write::create("configmaps", body)).error().message == "namespaces \"shop\" not found");
  REQUIRE(s.client->write(Write::create("namespaces", parsed(R"({"metadata":{"name":"shop"}})"))).ok());
  REQUIRE(s.client->write(Write::create("configmaps", body)).ok());
  const auto marked = s.client->write(Write::remove({"namespaces", "", "shop"}));
  REQUIRE(marked.ok());
  CHECK(stringAt((*marked)->status(), {"phase"}) == "Terminating");
  body["metadata"].get_object()["name"] = "b";
  const auto late = s.client->write(Write::create("configmaps", body));
  REQUIRE(!late.ok());
  CHECK(late.error().code == Errc::forbidden);
  CHECK(late.error().causes.at(0).reason == "NamespaceTerminating");
}

TEST_CASE("A namespace goes when its finalizers are taken away") {
  TestServer s;
  REQUIRE(s.client->write(Write::create("namespaces", parsed(R"({"metadata":{"name":"shop"}})"))).ok());
  auto marked = s.client->write(Write::remove({"namespaces", "", "shop"}));
  REQUIRE(marked.ok());
  json::object body = (*marked)->json();
  body["spec"].get_object()["finalizers"] = json::array{};
  REQUIRE(s.client->write(Write::update("namespaces", body, "finalize")).ok());
  CHECK(!s.client->get({"namespaces", "", "shop"}).ok());
}

TEST_CASE("A generated name has the prefix and five characters") {
  TestServer s;
  auto body = configMap("");
  body["metadata"] = {{"generateName", "web-"}, {"namespace", "default"}};
  const auto made = s.client->write(Write::create("configmaps", body));
  REQUIRE(made.ok());
  CHECK((*made)->name().starts_with("web-"));
  CHECK((*made)->name().size() == 9);
}

TEST_CASE("An update with an old revision conflicts, one without wins") {
  TestServer s;
  auto made = s.client->write(Write::create("configmaps", configMap("a")));
  REQUIRE(made.ok());
  const json::object old = (*made)->json();
  REQUIRE(s.client->write(Write::update("configmaps", configMap("a", "2"))).ok());
  const auto stale = s.client->write(Write::update("configmaps", old));
  REQUIRE(!stale.ok());
  CHECK(stale.error().code == Errc::conflict);
  CHECK(stale.error().message ==
        "Operation cannot be fulfilled on configmaps \"a\": the object has been modified; please apply your changes "
        "to the latest version and try again");
}

TEST_CASE("A write that changes nothing keeps the revision and sends no event") {
  TestServer s;
  auto made = s.client->write(Write::create("deployments.apps", deployment("web")));
  REQUIRE(made.ok());
  auto watch = s.client->watch("deployments.apps", {}, (*made)->revision(), {});
  REQUIRE(watch.ok());
  auto same = s.client->write(Write::update("deployments.apps", deployment("web")));
  REQUIRE(same.ok());
  CHECK((*same)->revision() == (*made)->revision());
  CHECK(!(*watch)->poll().has_value());
}

TEST_CASE("Generation counts changes of the spec, not of labels or status") {
  TestServer s;
  auto made = s.client->write(Write::create("deployments.apps", deployment("web")));
  REQUIRE(made.ok());
  CHECK((*made)->generation() == 1);
  const ObjectRef web{"deployments.apps", "default", "web"};
  auto labelled = s.client->write(Write::patch(web, PatchType::merge, parsed(R"({"metadata":{"labels":{"a":"b"}}})")));
  CHECK((*labelled)->generation() == 1);
  auto scaled = s.client->write(Write::patch(web, PatchType::merge, parsed(R"({"spec":{"replicas":5}})")));
  CHECK((*scaled)->generation() == 2);
  json::object status = (*scaled)->json();
  status["status"] = {{"replicas", 3}};
  status["spec"].get_object()["replicas"] = 9;
  auto reported = s.client->write(Write::updateStatus("deployments.apps", status));
  REQUIRE(reported.ok());
  CHECK((*reported)->generation() == 2);
  CHECK(intAt((*reported)->spec(), {"replicas"}) == 5);
  CHECK(intAt((*reported)->status(), {"replicas"}) == 3);
  auto main = s.client->write(
      Write::patch(web, PatchType::merge, parsed(R"({"status":{"replicas":77},"metadata":{"labels":{"c":"d"}}})")));
  CHECK(intAt((*main)->status(), {"replicas"}) == 3);
}

TEST_CASE("The scale of a deployment is read and written as a Scale") {
  TestServer s;
  REQUIRE(s.client->write(Write::create("deployments.apps", deployment("web"))).ok());
  const ObjectRef web{"deployments.apps", "default", "web"};
  auto scale = s.client->write(Write::patch(web, PatchType::merge, parsed(R"({"spec":{"replicas":4}})"), "scale"));
  REQUIRE(scale.ok());
  CHECK((*scale)->kind() == "Scale");
  CHECK(stringAt((*scale)->status(), {"selector"}) == "app=web");
  CHECK(intAt((*s.client->get(web))->spec(), {"replicas"}) == 4);
  const auto read = s.call("GET", "/apis/apps/v1/namespaces/default/deployments/web/scale");
  CHECK(intAt(s.object(read), {"spec", "replicas"}) == 4);
}

TEST_CASE("A binding names the node once") {
  TestServer s;
  REQUIRE(s.client->write(Write::create("pods", pod("a"))).ok());
  auto bound = s.client->write(Write::bind("default", "a", "", "n1"));
  REQUIRE(bound.ok());
  CHECK(stringAt((*bound)->spec(), {"nodeName"}) == "n1");
  CHECK(stringAt(arrayAt((*bound)->status(), {"conditions"}).at(0), {"type"}) == "PodScheduled");
  CHECK(s.client->write(Write::bind("default", "a", "", "n2")).error().code == Errc::conflict);
}

TEST_CASE("A bound pod is marked and waits for its grace period; an unbound one goes at once") {
  TestServer s;
  REQUIRE(s.client->write(Write::create("pods", pod("free"))).ok());
  REQUIRE(s.client->write(Write::create("pods", pod("bound"))).ok());
  REQUIRE(s.client->write(Write::bind("default", "bound", "", "n1")).ok());
  REQUIRE(s.client->write(Write::remove({"pods", "default", "free"})).ok());
  CHECK(!s.client->get({"pods", "default", "free"}).ok());
  auto marked = s.client->write(Write::remove({"pods", "default", "bound"}));
  REQUIRE(marked.ok());
  CHECK((*marked)->deletionTime() == s.clock.now() + seconds(30));
  DeleteOptions longer;
  longer.gracePeriodSeconds = 90;
  CHECK((*s.client->write(Write::remove({"pods", "default", "bound"}, longer)))->deletionTime() ==
        s.clock.now() + seconds(30));
  DeleteOptions now;
  now.gracePeriodSeconds = 0;
  REQUIRE(s.client->write(Write::remove({"pods", "default", "bound"}, now)).ok());
  CHECK(!s.client->get({"pods", "default", "bound"}).ok());
}

TEST_CASE("A finalizer holds a deleted object until it is taken away, and none may be added") {
  TestServer s;
  auto body = configMap("a");
  body["metadata"].get_object()["finalizers"] = json::array{"example.com/hold"};
  REQUIRE(s.client->write(Write::create("configmaps", body)).ok());
  const ObjectRef a{"configmaps", "default", "a"};
  auto marked = s.client->write(Write::remove(a));
  REQUIRE(marked.ok());
  CHECK((*marked)->deleting());
  const auto added = s.client->write(
      Write::patch(a, PatchType::merge, parsed(R"({"metadata":{"finalizers":["example.com/hold","example.com/b"]}})")));
  CHECK(added.error().code == Errc::invalid);
  REQUIRE(s.client->write(Write::patch(a, PatchType::merge, parsed(R"({"metadata":{"finalizers":null}})"))).ok());
  CHECK(!s.client->get(a).ok());
}

TEST_CASE("Foreground and orphan deletion leave a finalizer for the garbage collector") {
  TestServer s;
  REQUIRE(s.client->write(Write::create("deployments.apps", deployment("web"))).ok());
  DeleteOptions foreground;
  foreground.propagation = Propagation::foreground;
  auto marked = s.client->write(Write::remove({"deployments.apps", "default", "web"}, foreground));
  REQUIRE(marked.ok());
  CHECK((*marked)->finalizers() == std::vector<std::string>{"foregroundDeletion"});
}

TEST_CASE("A deletion that names another uid is refused") {
  TestServer s;
  REQUIRE(s.client->write(Write::create("configmaps", configMap("a"))).ok());
  DeleteOptions other;
  other.uid = "someone-else";
  CHECK(s.client->write(Write::remove({"configmaps", "default", "a"}, other)).error().code == Errc::conflict);
  CHECK(s.client->get({"configmaps", "default", "a"}).ok());
}

TEST_CASE("Immutable fields stay: the selector of a deployment") {
  TestServer s;
  REQUIRE(s.client->write(Write::create("deployments.apps", deployment("web"))).ok());
  auto other = deployment("web");
  other["spec"].get_object()["selector"] = {{"matchLabels", {{"app", "x"}}}};
  other["spec"].get_object()["template"].get_object()["metadata"] = {{"labels", {{"app", "x"}}}};
  const auto refused = s.client->write(Write::update("deployments.apps", other));
  REQUIRE(!refused.ok());
  CHECK(refused.error().code == Errc::invalid);
  CHECK(refused.error().message.find("field is immutable") != std::string::npos);
}

TEST_CASE("Labels that do not match the selector are named in the causes") {
  TestServer s;
  auto body = deployment("web");
  body["spec"].get_object()["selector"] = {{"matchLabels", {{"app", "other"}}}};
  const auto refused = s.client->write(Write::create("deployments.apps", body));
  REQUIRE(!refused.ok());
  CHECK(refused.error().causes.at(0).field == "spec.template.metadata.labels");
}

TEST_CASE("Apply creates, changes nothing the second time, and takes back what is no longer sent") {
  TestServer s;
  auto body = configMap("a");
  body["data"].get_object()["extra"] = "x";
  auto first = s.client->write(Write::apply("configmaps", body, "steersman", false));
  REQUIRE(first.ok());
  s.clock.advance(seconds(5));
  auto again = s.client->write(Write::apply("configmaps", body, "steersman", false));
  REQUIRE(again.ok());
  CHECK((*again)->revision() == (*first)->revision());
  auto less = s.client->write(Write::apply("configmaps", configMap("a"), "steersman", false));
  REQUIRE(less.ok());
  CHECK(find((*less)->json(), {"data", "extra"}) == nullptr);
  const auto other = s.client->write(Write::apply("configmaps", configMap("a", "2"), "someone", false));
  REQUIRE(!other.ok());
  CHECK(other.error().code == Errc::conflict);
  CHECK(other.error().causes.at(0).reason == "FieldManagerConflict");
}

TEST_CASE("A copy of an applied object made by a person carries no ownership") {
  TestServer s;
  auto made = s.client->write(Write::apply("configmaps", configMap("a"), "steersman", false));
  REQUIRE(made.ok());
  json::object copy = (*made)->json();
  auto& meta = copy["metadata"].get_object();
  meta["name"] = "b";
  meta.erase("resourceVersion");
  meta.erase("uid");
  auto copied = s.client->write(Write::create("configmaps", copy));
  REQUIRE(copied.ok());
  CHECK(!(*copied)->metadata().contains("managedFields"));
}

TEST_CASE("The namespaces that every cluster stands on are never deleted") {
  TestServer s;
  for (const std::string name : {"default", "kube-system", "kube-public"}) {
    const auto refused = s.client->write(Write::remove({"namespaces", "", name}));
    REQUIRE(!refused.ok());
    CHECK(refused.error().code == Errc::forbidden);
    CHECK(refused.error().message == "namespaces \"" + name + "\" is forbidden: this namespace may not be deleted");
    CHECK_FALSE((*s.client->get({"namespaces", "", name}))->deleting());
  }
}
