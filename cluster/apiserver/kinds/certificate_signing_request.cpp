// Requests for certificates: who asks is the server's word.
#include "cluster/apiserver/kind_strategy.h"
#include "cluster/apiserver/row_text.h"

namespace steer {
namespace {

void nameRequestor(const Identity& who, json::object& spec) {
  spec["username"] = who.user;
  for (const char* key : {"uid", "groups", "extra"}) spec.erase(key);
  if (!who.uid.empty()) spec["uid"] = who.uid;
  json::array groups;
  for (const auto& group : who.groups) groups.push_back(json::string(group));
  if (!groups.empty()) spec["groups"] = std::move(groups);
  json::object extra;
  for (const auto& [key, values] : who.extra) {
    json::array list;
    for (const auto& value : values) list.push_back(json::string(value));
    extra[key] = std::move(list);
  }
  if (!extra.empty()) spec["extra"] = std::move(extra);
}

std::string conditionText(const Object& request) {
  std::string out;
  for (const auto& condition : arrayAt(request.status(), {"conditions"}))
    out += (out.empty() ? "" : ",") + std::string(stringAt(condition, {"type"}));
  if (out.empty()) out = "Pending";
  return stringAt(request.status(), {"certificate"}).empty() ? out : out + ",Issued";
}

class CertificateSigningRequestStrategy final : public KindStrategy {
 public:
  bool countsGenerations() const override { return false; }
  Result<void> prepareCreate(const AdmissionContext& context, json::object& object) const override {
    nameRequestor(context.who, ensureObject(object, "spec"));
    return {};
  }
  Result<void> prepareUpdate(const AdmissionContext&, const json::object& before, json::object& object) const override {
    object["spec"] = objectAt(before, {"spec"});
    return {};
  }
  std::vector<std::string_view> selectableFields() const override { return {"spec.signerName"}; }
  std::vector<TableColumn> columns() const override {
    return {{"Name", "string", "name"}, {"Age"}, {"SignerName"}, {"Requestor"}, {"Condition"}};
  }
  json::array row(const Object& request, Time now) const override {
    return {request.name(), ageText(request, now), stringAt(request.spec(), {"signerName"}),
            stringAt(request.spec(), {"username"}), conditionText(request)};
  }
};

}  // namespace

void register_certificate_signing_request(StrategyRegistry& registry) {
  registry.add("certificatesigningrequests.certificates.k8s.io", std::make_unique<CertificateSigningRequestStrategy>());
}

}  // namespace steer
