// What is written as protobuf is read back as it was, and its bytes are those of Kubernetes' definitions.
#include "schemas/protobuf_encode.h"

#include <fstream>

#include "schema_test.h"
#include "schemas/protobuf.h"
#include "tests/source_path.h"

using namespace steer;
using namespace steer::test;

namespace {

json::object object(std::string_view text) { return parse(text); }

/// Encoded and decoded again.
std::string throughWire(const json::object& sent) {
  const auto& kind = kindOf(sent);
  REQUIRE(speaksProtobuf(kind));
  const auto bytes = encodeProtobuf(kind, sent);
  REQUIRE(bytes.ok());
  const auto back = decodeProtobuf(SchemaRegistry::builtin(), *bytes);
  INFO((back.ok() ? "" : back.error().message));
  REQUIRE(back.ok());
  return jsonCanonical(*back);
}

void checkSame(std::string_view text) { CHECK(throughWire(object(text)) == jsonCanonical(object(text))); }

}  // namespace

TEST_CASE("The bytes of a small object are those of its definition") {
  const auto map = object(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"k":"v"}})");
  const auto bytes = encodeProtobuf(kindOf(map), map);
  REQUIRE(bytes.ok());
  const std::string type = std::string("\x0a\x0f") + "\x0a\x02v1" + "\x12\x09" + "ConfigMap";
  const std::string data = std::string("\x12\x06") + "\x0a\x01k" + "\x12\x01v";
  const std::string metadata = std::string("\x0a\x03") + "\x0a\x01" + "a";
  const auto message = data + metadata;
  const auto expected = std::string("k8s\0", 4) + type + "\x12" + static_cast<char>(message.size()) + message +
                        std::string("\x1a\0\x22\0", 4);
  CHECK(*bytes == expected);
}

TEST_CASE("Bodies that kubectl sent read the same after they were written by us") {
  for (const auto* name : {"create_deployment", "create_configmap", "create_namespace", "create_secret"}) {
    std::ifstream file(sourcePath("tests/golden/schemas/protobuf/") + name + ".hex");
    std::string hex, body;
    file >> hex;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
      body += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    const auto sent = decodeProtobuf(SchemaRegistry::builtin(), body);
    REQUIRE(sent.ok());
    CHECK(throughWire(*sent) == jsonCanonical(*sent));
  }
}

TEST_CASE("Every form of value survives: inlined messages, maps, times, quantities, numbers-or-texts, explicit zeros") {
  checkSame(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"d","generation":3,
    "creationTimestamp":"2023-10-14T08:23:28Z","labels":{"a":"b","c":""},"annotations":{"x/y":"é"},
    "managedFields":[{"manager":"m","operation":"Apply","apiVersion":"v1","time":"2023-10-14T08:23:28Z",
      "fieldsType":"FieldsV1","fieldsV1":{"f:spec":{"f:x":{}}}}]},
    "spec":{"terminationGracePeriodSeconds":0,"hostNetwork":true,"nodeSelector":{"a":"b"},
      "securityContext":{"runAsUser":0,"fsGroup":-1,"supplementalGroups":[1,2]},
      "volumes":[{"name":"v","emptyDir":{}},{"name":"w","configMap":{"name":"m","defaultMode":420,"optional":false}}],
      "containers":[{"name":"c","image":"i","resources":{"limits":{"cpu":"100m","memory":"1Gi"}},
        "ports":[{"containerPort":80,"protocol":"TCP"}],"env":[{"name":"A","value":"1"}],
        "livenessProbe":{"httpGet":{"path":"/ok","port":"http"},"timeoutSeconds":5},
        "readinessProbe":{"tcpSocket":{"port":8080}},"lifecycle":{"preStop":{"exec":{"command":["a",""]}}}}]},
    "status":{"phase":"Running","observedGeneration":3,"startTime":"0001-01-01T00:00:00Z",
      "containerStatuses":[{"name":"c","started":false,"restartCount":2,"ready":true,"image":"i","imageID":"x",
        "state":{"running":{"startedAt":"9999-12-31T23:59:59Z"}}}]}})");
  checkSame(
      R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"},"data":{"a":"AAEC/w==","b":"Zg=="},"type":"Opaque"})");
  checkSame(R"({"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"l"},
    "spec":{"holderIdentity":"n","renewTime":"1677-01-01T00:00:00.000001Z","acquireTime":"2500-06-01T10:00:00.999999Z"}})");
  checkSame(R"({"apiVersion":"policy/v1","kind":"PodDisruptionBudget","metadata":{"name":"b"},
    "spec":{"minAvailable":"50%","maxUnavailable":0,"selector":{"matchLabels":{"a":"b"}}}})");
  checkSame(R"({"apiVersion":"apps/v1","kind":"ControllerRevision","metadata":{"name":"r"},"revision":7,
    "data":{"spec":{"x":[1,2.5,null,"t"]}}})");
}

TEST_CASE("Definitions keep their schemas, and the values of any form in them") {
  checkSame(R"({"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"x.y"},
    "spec":{"group":"y","scope":"Namespaced","names":{"plural":"x","kind":"X"},"versions":[{"name":"v1","served":true,
      "storage":true,"schema":{"openAPIV3Schema":{"type":"object","properties":{
        "a":{"type":"integer","default":0,"minimum":-1.5,"enum":[0,1,"two",null,{"k":[]}]},
        "b":{"type":"object","additionalProperties":{"type":"string"},"default":{}},
        "c":{"type":"object","additionalProperties":false},
        "d":{"type":"array","items":{"type":"object","additionalProperties":true},"example":[1]},
        "e":{"items":[{"type":"string"},{"type":"integer"}]},
        "f":{"dependencies":{"g":["h","i"],"j":{"type":"object"}}},
        "k":{"x-kubernetes-preserve-unknown-fields":true,"default":"text","nullable":true}}}}}]}})");
}

TEST_CASE("Lists and metadata alone have their own messages") {
  const auto& registry = SchemaRegistry::builtin();
  const auto map = object(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"k":"v"}})");
  const auto item = protobufMessage(kindOf(map), map);
  REQUIRE(item.ok());
  const auto list = protobufList(registry, "v1", "ConfigMapList", {{"resourceVersion", "7"}}, {*item, *item});
  REQUIRE(list.ok());
  CHECK(list->find(std::string("\x0a\x03\x12\x01") + "7") != std::string::npos);
  CHECK(list->find("\x12" + std::string(1, static_cast<char>(item->size())) + *item) != std::string::npos);
  const auto metadata = protobufMetadata(registry, {{"name", "a"}});
  REQUIRE(metadata.ok());
  CHECK(*metadata == std::string("\x0a\x03\x0a\x01") + "a");
}

TEST_CASE("A frame of a watch begins with its length") {
  const auto frame = protobufFrame("ADDED", "xyz");
  CHECK(frame == std::string("\0\0\0\x0e", 4) + "\x0a\x05" + "ADDED" + "\x12\x05" + "\x0a\x03" + "xyz");
}

TEST_CASE("A value of another type than its schema is left out, the rest is written") {
  auto pod = object(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"nodeName":"n"}})");
  pod["spec"].as_object()["containers"] = "none";
  pod["spec"].as_object()["hostNetwork"] = 3;
  CHECK(throughWire(pod) ==
        jsonCanonical(object(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"nodeName":"n"}})")));
}
