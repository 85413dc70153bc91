#include "nodeagent/dns/dns_message.h"
#include "schemas/protobuf.h"
#include "schemas/protobuf_encode.h"
#include "schemas/schema.h"
#include "tests/fuzz/target.h"

namespace steer::fuzz {
namespace {

/// What was decoded and encoded is decoded as the same.
bool protobuf(std::string_view bytes) {
  const auto& registry = SchemaRegistry::builtin();
  const auto object = decodeProtobuf(registry, bytes);
  if (!object.ok()) return !object.error().message.empty();
  const auto* kind = registry.find(Gvk::from(stringAt(*object, {"apiVersion"}), stringAt(*object, {"kind"})));
  if (kind == nullptr || !speaksProtobuf(*kind)) return true;
  const auto encoded = encodeProtobuf(*kind, *object);
  if (!encoded.ok()) return true;
  const auto again = decodeProtobuf(registry, *encoded);
  return again.ok() && jsonCanonical(*again) == jsonCanonical(*object);
}

/// A question gets an answer within its bound that has the same id, and can be read.
bool dnsQuestion(std::string_view bytes) {
  const auto query = parseQuery(bytes);
  if (!query) return true;
  DnsReply reply;
  reply.negativeZone = "cluster.local";
  for (const std::size_t limit : {512U, 1232U}) {
    const auto answer = encodeReply(*query, reply, limit);
    if (answer.size() > limit || answer.size() < 12 || answer.substr(0, 2) != bytes.substr(0, 2)) return false;
  }
  return true;
}

bool dnsAnswer(std::string_view bytes) {
  const auto records = parseRecords(bytes);
  return !records || records->size() <= bytes.size();
}

}  // namespace

std::vector<Target> wireTargets() {
  const std::string envelope("k8s\0", 4);
  const std::string pointer("\xc0\x0c", 2);
  return {
      {"protobuf",
       protobuf,
       {envelope, "v1", "Pod", "apps/v1", "Deployment", "\x0a", "\x12", "\x1a",
        "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "\x80", std::string(1, '\0')}},
      {"dns_question", dnsQuestion, {pointer, std::string("\0\1\0\1", 4), std::string("\0\x29", 2), "\3www", "\x3f"}},
      {"dns_answer", dnsAnswer, {pointer, std::string("\0\1\0\1", 4), std::string("\0\5\0\1", 4), "\3www", "\x3f"}},
  };
}

}  // namespace steer::fuzz
