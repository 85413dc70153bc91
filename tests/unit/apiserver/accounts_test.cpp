// What a pod takes from its service account when it is made.
#include <catch2/catch.hpp>

#include "fixture.h"
#include "schemas/pod_admission.h"

using namespace steer;

namespace {

struct AccountServer : TestServer {
  Result<ObjectPtr> make(const std::string& resource, json::object body) {
    return client->write(Write::create(resource, std::move(body)));
  }
  ObjectPtr made(json::object body) {
    auto out = make("pods", std::move(body));
    INFO((out.ok() ? "" : out.error().message));
    REQUIRE(out.ok());
    return *out;
  }
  void account(const std::string& name, const std::string& rest) {
    const auto done = make("serviceaccounts", parsed(R"({"apiVersion":"v1","kind":"ServiceAccount","metadata":{
      "namespace":"default","name":")" + name + "\"}" +
                                                     rest + "}"));
    REQUIRE(done.ok());
  }
};

json::object podOf(const std::string& name, const std::string& spec = "") {
  return parsed(
      R"({"apiVersion":"v1","kind":"Pod","metadata":{"namespace":"default","name":")" + name +
      R"("},"spec":{"initContainers":[{"name":"i","image":"i:1"}],"containers":[{"name":"c","image":"c:1"}])" + spec +
      "}}");
}

std::string accessOf(const Object& pod) {
  for (const auto& volume : arrayAt(pod.spec(), {"volumes"}))
    if (stringAt(volume, {"name"}).starts_with(kApiAccessVolume)) return std::string(stringAt(volume, {"name"}));
  return "";
}

}  // namespace

TEST_CASE("A pod shows the volume with its account's token, mounted in each container that has nothing there") {
  AccountServer s;
  const auto pod = s.made(podOf("a"));
  CHECK(stringAt(pod->spec(), {"serviceAccountName"}) == "default");
  CHECK(stringAt(pod->spec(), {"serviceAccount"}) == "default");
  const auto name = accessOf(*pod);
  CHECK(name.size() == std::string("kube-api-access-").size() + 5);
  const auto& volume = arrayAt(pod->spec(), {"volumes"})[0];
  CHECK(
      jsonText(volume) ==
      R"({"name":")" + name +
          R"(","projected":{"defaultMode":420,"sources":[{"serviceAccountToken":{"expirationSeconds":3607,"path":"token"}},)"
          R"({"configMap":{"name":"kube-root-ca.crt","items":[{"key":"ca.crt","path":"ca.crt"}]}},{"downwardAPI":{"items":)"
          R"([{"path":"namespace","fieldRef":{"apiVersion":"v1","fieldPath":"metadata.namespace"}}]}}]}})");
  for (const char* list : {"containers", "initContainers"}) {
    const auto& mounts = arrayAt(arrayAt(pod->spec(), {list})[0], {"volumeMounts"});
    REQUIRE(mounts.size() == 1);
    CHECK(jsonText(mounts[0]) ==
          R"({"name":")" + name + R"(","readOnly":true,"mountPath":"/var/run/secrets/kubernetes.io/serviceaccount"})");
  }
  const auto own = s.made(parsed(R"({"apiVersion":"v1","kind":"Pod","metadata":{"namespace":"default","name":"own"},
    "spec":{"volumes":[{"name":"v","emptyDir":{}}],"containers":[{"name":"c","image":"c:1","volumeMounts":[
      {"name":"v","mountPath":"/var/run/secrets/kubernetes.io/serviceaccount"}]}]}})"));
  CHECK(accessOf(*own).empty());
}

TEST_CASE("The volume's name is the same in a rehearsal and avoids those of the pod") {
  AccountServer s;
  BatchOptions rehearsal;
  rehearsal.dryRun = true;
  const auto planned = s.client->batch({Write::create("pods", podOf("a"))}, rehearsal).front();
  REQUIRE(planned.ok());
  const auto name = accessOf(**planned);
  CHECK(accessOf(*s.made(podOf("a"))) == name);
  CHECK(accessOf(*s.made(podOf("b"))) != name);
  json::object taken = podOf("c");
  const auto wouldBe = apiAccessName(taken);
  taken["spec"].as_object()["volumes"] = json::array{json::object{{"name", wouldBe}, {"emptyDir", json::object{}}}};
  const auto pod = s.made(std::move(taken));
  CHECK(arrayAt(pod->spec(), {"volumes"}).size() == 2);
}

TEST_CASE("Neither a pod nor an account that declines gets the volume, and the pod has the last word") {
  AccountServer s;
  s.account("shy", R"(,"automountServiceAccountToken":false,"imagePullSecrets":[{"name":"pull"}])");
  CHECK(accessOf(*s.made(podOf("a", R"(,"automountServiceAccountToken":false)"))).empty());
  const auto shy = s.made(podOf("b", R"(,"serviceAccountName":"shy")"));
  CHECK(accessOf(*shy).empty());
  CHECK(jsonText(*shy->spec().if_contains("imagePullSecrets")) == R"([{"name":"pull"}])");
  const auto bold = s.made(podOf(
      "c", R"(,"serviceAccountName":"shy","automountServiceAccountToken":true,"imagePullSecrets":[{"name":"own"}])"));
  CHECK_FALSE(accessOf(*bold).empty());
  CHECK(jsonText(*bold->spec().if_contains("imagePullSecrets")) == R"([{"name":"own"}])");
}

TEST_CASE("A pod of an account that is not there is refused") {
  AccountServer s;
  const auto refused = s.make("pods", podOf("a", R"(,"serviceAccountName":"gone")"));
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == Errc::forbidden);
  CHECK(refused.error().message ==
        R"(pods "a" is forbidden: error looking up service account default/gone: serviceaccount "gone" not found)");
}

TEST_CASE("A namespace comes with its default account, also in one rehearsal with its pods") {
  AccountServer s;
  json::object pod = podOf("a");
  pod["metadata"].as_object()["namespace"] = "shop";
  const json::object ns = parsed(R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop"}})");
  BatchOptions rehearsal;
  rehearsal.dryRun = true;
  for (const auto& answer : s.client->batch({Write::create("namespaces", ns), Write::create("pods", pod)}, rehearsal)) {
    INFO((answer.ok() ? "" : answer.error().message));
    CHECK(answer.ok());
  }
  CHECK_FALSE(s.client->get({"serviceaccounts", "shop", "default"}).ok());
  REQUIRE(s.make("namespaces", ns).ok());
  const auto account = s.client->get({"serviceaccounts", "shop", "default"});
  REQUIRE(account.ok());
  CHECK_FALSE((*account)->uid().empty());
  for (const char* standing : {"default", "kube-system", "kube-public"})
    CHECK(s.client->get({"serviceaccounts", standing, "default"}).ok());
}
