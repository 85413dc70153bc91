// The bodies in tests/golden/schemas/protobuf were sent by kubectl 1.33: create deployment web --image=nginx:1.25
// --replicas=3 --port=80, create configmap, create namespace, create secret generic.
#include "schemas/protobuf.h"

#include <fstream>
#include <limits>

#include "schema_test.h"
#include "tests/source_path.h"

using namespace steer;
using namespace steer::test;

namespace {

std::string recorded(const std::string& name) {
  std::ifstream file(sourcePath("tests/golden/schemas/protobuf/") + name + ".hex");
  std::string hex;
  file >> hex;
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    out += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return out;
}

std::string decoded(const std::string& name) {
  const auto object = decodeProtobuf(SchemaRegistry::builtin(), recorded(name));
  REQUIRE(object.ok());
  CHECK(validateObject(kindOf(object.value()), object.value()).empty());
  return jsonCanonical(object.value());
}

std::string canonical(std::string_view text) { return jsonCanonical(parse(text)); }

}  // namespace

TEST_CASE("The Deployment that kubectl creates is read whole") {
  CHECK(decoded("create_deployment") == canonical(R"({
    "apiVersion": "apps/v1", "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "shop", "labels": {"app": "web"}},
    "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "web"}},
      "template": {"metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "nginx", "image": "nginx:1.25", "ports": [{"containerPort": 80}]}]}}}})"));
}

TEST_CASE("Config maps, secrets and namespaces of kubectl are read whole") {
  CHECK(decoded("create_configmap") == canonical(R"({"apiVersion": "v1", "kind": "ConfigMap",
    "metadata": {"name": "settings", "namespace": "shop"}, "data": {"mode": "fast", "url": "http://a/b"}})"));
  CHECK(decoded("create_namespace") ==
        canonical(R"({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})"));
  CHECK(decoded("create_secret") == canonical(R"({"apiVersion": "v1", "kind": "Secret",
    "metadata": {"name": "login", "namespace": "shop"}, "data": {"user": "dGVzdGVy"}})"));
}

TEST_CASE("A body cut anywhere is refused or reads as less, and never crashes") {
  const auto body = recorded("create_deployment");
  std::size_t refused = 0;
  for (std::size_t n = 0; n < body.size(); ++n)
    if (!decodeProtobuf(SchemaRegistry::builtin(), std::string_view(body).substr(0, n)).ok()) ++refused;
  CHECK(refused > body.size() / 2);
  for (std::size_t n = 4; n < body.size(); ++n) {
    auto broken = body;
    broken[n] = static_cast<char>(broken[n] ^ 0x55);
    (void)decodeProtobuf(SchemaRegistry::builtin(), broken).ok();
  }
}

TEST_CASE("Messages that JSON shows inline, times, quantities and numbers-or-texts are read by their own forms") {
  // A Pod: spec.volumes[0] = {name: v, emptyDir {sizeLimit: 1Gi}} (source inlined at 2), container port of a probe.
  const auto message = [](int number, const std::string& content) {
    return std::string{static_cast<char>(number << 3 | 2), static_cast<char>(content.size())} + content;
  };
  const auto quantity = message(1, "1Gi");
  const auto emptyDir = message(2, message(2, quantity));             // VolumeSource.emptyDir.sizeLimit
  const auto volume = message(1, "v") + message(2, emptyDir);         // name, VolumeSource
  const auto port = std::string("\x08\x01", 2) + message(3, "http");  // type=1, strVal
  const auto httpGet = message(1, "/ok") + message(2, port);
  const auto probe = message(1, message(2, httpGet)) + std::string("\x18\x05", 2);  // handler inlined, timeoutSeconds
  const auto container = message(1, "c") + message(10, probe);
  const auto created = message(8, std::string("\x08\x80\xa0\xa9\xa9\x06", 6));
  const auto pod = message(1, message(1, "p") + created) + message(2, message(1, volume) + message(2, container));
  const auto body = std::string("k8s\0", 4) + message(1, message(1, "v1") + message(2, "Pod")) + message(2, pod);
  const auto object = decodeProtobuf(SchemaRegistry::builtin(), body);
  REQUIRE(object.ok());
  CHECK(jsonCanonical(object.value()) == canonical(R"({"apiVersion": "v1", "kind": "Pod",
    "metadata": {"name": "p", "creationTimestamp": "2023-10-14T08:23:28Z"},
    "spec": {"volumes": [{"name": "v", "emptyDir": {"sizeLimit": "1Gi"}}],
      "containers": [{"name": "c", "livenessProbe": {"httpGet": {"path": "/ok", "port": "http"}, "timeoutSeconds": 5}}]}})"));
}

TEST_CASE("An unknown kind is refused by name") {
  const std::string meta = std::string(
      "\x0a\x02v1\x12\x03"
      "Foo",
      9);
  const auto object = decodeProtobuf(SchemaRegistry::builtin(), std::string("k8s\0\x0a\x09", 6) + meta);
  REQUIRE_FALSE(object.ok());
  CHECK(object.error().message == "no kind \"Foo\" is registered for version \"v1\"");
}

TEST_CASE("Times of all years that JSON can show are read, and no others") {
  const auto number = [](std::uint64_t n) {
    std::string out;
    for (; n >= 0x80; n >>= 7) out += static_cast<char>(n | 0x80);
    return out + static_cast<char>(n);
  };
  const auto message = [](int field, const std::string& content) {
    return std::string{static_cast<char>(field << 3 | 2), static_cast<char>(content.size())} + content;
  };
  const auto renewed = [&](std::int64_t seconds, std::int64_t nanos) {
    const auto time =
        "\x08" + number(static_cast<std::uint64_t>(seconds)) + "\x10" + number(static_cast<std::uint64_t>(nanos));
    const auto lease = message(2, message(4, time));
    const auto body = std::string("k8s\0", 4) + message(1, message(1, "coordination.k8s.io/v1") + message(2, "Lease")) +
                      message(2, lease);
    const auto object = decodeProtobuf(SchemaRegistry::builtin(), body);
    return object.ok() ? std::string(stringAt(*object, {"spec", "renewTime"})) : "refused";
  };
  CHECK(renewed(253402300799, 999999999) == "9999-12-31T23:59:59.999999Z");
  CHECK(renewed(10000000000, 1000) == "2286-11-20T17:46:40.000001Z");
  CHECK(renewed(-62135596800, 0) == "0001-01-01T00:00:00.000000Z");
  CHECK(renewed(-9223372037, 0) == "1677-09-21T00:12:43.000000Z");
  CHECK(renewed(0, -1000) == "1969-12-31T23:59:59.999999Z");
  CHECK(renewed(0, 1500000000) == "1970-01-01T00:00:01.500000Z");
  CHECK(renewed(253402300799, 1000000000) == "refused");
  CHECK(renewed(253402300800, 0) == "refused");
  CHECK(renewed(-62135596801, 0) == "refused");
  CHECK(renewed(std::numeric_limits<std::int64_t>::max(), 0) == "refused");
  CHECK(renewed(std::numeric_limits<std::int64_t>::min(), -1) == "refused");
}
