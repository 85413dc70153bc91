#include "cluster/store/record_codec.h"

#include <utility>

#include "cluster/store/record_check.h"
#include "core/utf8.h"

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

Result<ReadRecord> readRecord(const LogRecord& record) {
  ReadRecord out;
  Result<json::value> parsed = json::value();
  if (checkRecordText(record.body).ok()) {
    parsed = parseJson(record.body);
  } else {
    parsed = parseJson(repairRecordText(record.body));
    out.repaired = true;
  }
  if (!parsed.ok() || !parsed->is_object())
    return makeError(Errc::io, "the log record of revision " + std::to_string(record.revision) + " is damaged");
  auto& body = parsed->get_object();
  stampRevision(body, std::to_string(record.revision));
  auto& meta = body["metadata"].get_object();
  for (const auto& [field, says] : {std::pair{"name", &record.target.name}, {"namespace", &record.target.ns}}) {
    if (stringAt(meta, {field}) == *says && (!says->empty() || !meta.contains(field) || meta[field].is_string()))
      continue;
    out.repaired = true;
    if (says->empty()) meta.erase(field);
    else meta[field] = toUtf8(*says);
  }
  out.object = Object::make(std::move(body));
  return out;
}

ObjectPtr atRevision(const Object& object, std::uint64_t revision) {
  json::object body = object.json();
  stampRevision(body, std::to_string(revision));
  return Object::make(std::move(body));
}

}  // namespace steer
