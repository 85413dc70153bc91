#include "cluster/apiserver/shaped_answer.h"

#include <semaphore>
#include <utility>

#include "cluster/apiserver/list_stream.h"
#include "schemas/protobuf.h"
#include "schemas/protobuf_encode.h"

namespace steer {
namespace {

constexpr const char* kMeta = "meta.k8s.io/v1";

json::object listMeta(const Page& page) {
  json::object meta{{"resourceVersion", std::to_string(page.revision)}};
  if (!page.continueToken.empty()) meta["continue"] = page.continueToken;
  if (page.remaining) meta["remainingItemCount"] = *page.remaining;
  return meta;
}

/// Lists of these forms are made as a whole. Making one is work for a processor, and takes several times its size.
constexpr int kMadeAtOnce = 8;
/// A longer list is written while it is sent.
constexpr std::size_t kWhole = std::size_t{1024} * 1024;

std::counting_semaphore<kMadeAtOnce>& makers() {
  static std::counting_semaphore<kMadeAtOnce> instance(kMadeAtOnce);
  return instance;
}

struct Maker {
  Maker() { makers().acquire(); }
  ~Maker() { makers().release(); }
  Maker(const Maker&) = delete;
  Maker& operator=(const Maker&) = delete;
};

/// Without a copy of the objects.
std::unique_ptr<ListStream> plainList(const KindSchema& kind, const Page& page) {
  std::string head = "{\"kind\":\"" + kind.gvk.kind + "List\",\"apiVersion\":\"" + kind.gvk.apiVersion() +
                     "\",\"metadata\":" + jsonText(listMeta(page)) + ",\"items\":[";
  return std::make_unique<ListStream>(std::move(head), page.items, "]}\n");
}

/// All of it: YAML is made from the whole.
Response yamlList(const KindSchema& kind, const Page& page, const Wanted& wanted) {
  Response out;
  out.body = *plainList(kind, page)->whole(std::string::npos);
  const auto parsed = parseJson(out.body);
  return parsed.ok() ? jsonAnswer(*parsed, wanted) : std::move(out);
}

Response protobufAnswer(Result<std::string> body, int status) {
  if (!body.ok()) return errorAnswer(body.error());
  Response out;
  out.status = status;
  out.contentType = std::string(kProtobufType);
  out.body = std::move(*body);
  return out;
}

Result<std::string> protobufPage(const KindSchema& kind, Wanted::Form form, const Page& page) {
  const auto& registry = SchemaRegistry::builtin();
  const bool partial = form == Wanted::Form::partial;
  std::vector<std::string> items;
  items.reserve(page.items.size());
  for (const auto& object : page.items) {
    STEER_TRY(auto item,
              partial ? protobufMetadata(registry, object->metadata()) : protobufMessage(kind, object->json()));
    items.push_back(std::move(item));
  }
  return partial ? protobufList(registry, kMeta, "PartialObjectMetadataList", listMeta(page), items)
                 : protobufList(registry, kind.gvk.apiVersion(), kind.gvk.kind + "List", listMeta(page), items);
}

}  // namespace

Result<std::string> protobufEvent(const KindSchema& kind, Wanted::Form form, const json::object& object) {
  if (form != Wanted::Form::partial) return encodeProtobuf(kind, object);
  STEER_TRY(const auto message, protobufMetadata(SchemaRegistry::builtin(), objectAt(object, {"metadata"})));
  return protobufEnvelope(kMeta, "PartialObjectMetadata", message);
}

Response objectAnswer(const Shaping& shaping, const ObjectPtr& object, int status) {
  const auto& wanted = shaping.wanted;
  if (wanted.coding == Wanted::Coding::protobuf)
    return protobufAnswer(protobufEvent(shaping.kind, wanted.form, object->json()), status);
  if (wanted.form == Wanted::Form::table)
    return jsonAnswer(tableOf(shaping.kind, {object}, {{"resourceVersion", std::to_string(object->revision())}},
                              shaping.include, shaping.now),
                      wanted, status);
  if (wanted.form == Wanted::Form::partial) return jsonAnswer(partialOf(*object), wanted, status);
  return jsonAnswer(object->json(), wanted, status);
}

Response listAnswer(const Shaping& shaping, const Page& page) {
  const auto& [kind, wanted, include, now] = shaping;
  if (wanted.form == Wanted::Form::object && wanted.coding == Wanted::Coding::json) {
    auto list = plainList(kind, page);
    Response out;
    if (auto whole = list->whole(kWhole)) out.body = std::move(*whole);
    else out.stream = std::move(list);
    return out;
  }
  const Maker maker;
  if (wanted.coding == Wanted::Coding::protobuf) return protobufAnswer(protobufPage(kind, wanted.form, page), 200);
  if (wanted.form == Wanted::Form::table)
    return jsonAnswer(tableOf(kind, page.items, listMeta(page), include, now), wanted);
  if (wanted.form == Wanted::Form::partial) {
    json::array items;
    for (const auto& object : page.items) items.push_back(partialOf(*object));
    return jsonAnswer(json::object{{"kind", "PartialObjectMetadataList"},
                                   {"apiVersion", kMeta},
                                   {"metadata", listMeta(page)},
                                   {"items", std::move(items)}},
                      wanted);
  }
  return yamlList(kind, page, wanted);
}

Response bodyAnswer(const KindSchema& kind, const json::object& body, const Wanted& wanted, int status) {
  if (wanted.coding == Wanted::Coding::protobuf) return protobufAnswer(encodeProtobuf(kind, body), status);
  return jsonAnswer(body, wanted, status);
}

Response statusAnswer(const json::object& body, const Wanted& wanted, int status) {
  const auto* kind = SchemaRegistry::builtin().find({"", "v1", "Status"});
  if (kind == nullptr || wanted.coding != Wanted::Coding::protobuf) return jsonAnswer(body, {}, status);
  return bodyAnswer(*kind, body, wanted, status);
}

Response errorAnswer(const Error& error, const StatusSubject& subject, const Wanted& wanted) {
  Response plain = errorAnswer(error, subject);
  if (wanted.coding != Wanted::Coding::protobuf) return plain;
  const auto body = parseJson(plain.body);
  if (!body.ok() || !body->is_object()) return plain;
  Response out = statusAnswer(body->get_object(), wanted, plain.status);
  out.headers = std::move(plain.headers);
  return out;
}

}  // namespace steer
