#include "cluster/store/record_codec.h"

namespace steer {

void stampRevision(json::object& body, std::string_view revision) {
  ensureObject(body, "metadata")["resourceVersion"] = jkey(revision);
}

std::string recordText(json::object& body) {
  stampRevision(body, "");
  std::string out;
  out.reserve(1024);
  appendJson(out, body);
  return out;
}

Result<ObjectPtr> objectOfRecord(std::string_view text, std::uint64_t revision) {
  auto parsed = parseJson(text);
  if (!parsed.ok() || !parsed->is_object())
    return makeError(Errc::io, "the log record of revision " + std::to_string(revision) + " is damaged");
  auto& body = parsed->get_object();
  stampRevision(body, std::to_string(revision));
  return Object::make(std::move(body));
}

ObjectPtr atRevision(const Object& object, std::uint64_t revision) {
  json::object body = object.json();
  stampRevision(body, std::to_string(revision));
  return Object::make(std::move(body));
}

}  // namespace steer
