// Applications: what people ask of them by annotation carries the name of who asked, and that name is the server's
// word, not the asker's.
#include "cluster/apiserver/kind_strategy.h"
#include "cluster/apiserver/row_text.h"
#include "core/address_credentials.h"
#include "core/rfc3339.h"
#include "schemas/application_state.h"

namespace steer {
namespace {

/// The annotations that reconciler/loop/application_requests.h reads.
constexpr const char* kRequests[] = {"steersman.dev/approve-delete", "steersman.dev/rollback"};

std::string_view annotation(const json::object& object, std::string_view key) {
  return stringAt(object, {"metadata", "annotations", key});
}

/// What is asked for, without who and when.
std::optional<json::object> askedIn(std::string_view text) {
  auto parsed = parseJson(text);
  if (!parsed.ok() || !parsed->is_object()) return std::nullopt;
  auto out = std::move(parsed->get_object());
  out.erase("by");
  out.erase("at");
  return out;
}

void stamp(const AdmissionContext& context, const json::object* before, json::object& object) {
  for (const auto* key : kRequests) {
    auto asked = askedIn(annotation(object, key));
    if (!asked) continue;
    auto& annotations = ensureObject(ensureObject(object, "metadata"), "annotations");
    const auto known = before == nullptr ? std::string_view() : annotation(*before, key);
    // The same request again is still the first asker's.
    if (!known.empty() && askedIn(known) == asked) {
      annotations[key] = json::string(known);
      continue;
    }
    (*asked)["by"] = context.who.user;
    (*asked)["at"] = formatTime(context.now);
    annotations[key] = jsonText(*asked);
  }
}

class ApplicationStrategy final : public KindStrategy {
 public:
  Result<void> prepareCreate(const AdmissionContext& context, json::object& object) const override {
    stamp(context, nullptr, object);
    return {};
  }
  Result<void> prepareUpdate(const AdmissionContext& context, const json::object& before,
                             json::object& object) const override {
    stamp(context, &before, object);
    return {};
  }

  std::vector<TableColumn> columns() const override {
    return {{"Name", "string", "name"},
            {"State"},
            {"Health"},
            {"Commit"},
            {"Age"},
            {"Source", "string", "", 1},
            {"Path", "string", "", 1},
            {"Message", "string", "", 1}};
  }
  json::array row(const Object& object, Time now) const override {
    const auto& status = object.status();
    const auto& source = objectAt(object.spec(), {"source"});
    return {object.name(),
            applicationState(object),
            stringAt(status, {"health"}),
            stringAt(status, {"commit"}).substr(0, 7),
            ageText(object, now),
            withoutCredentials(stringAt(source, {"url"}, stringAt(source, {"repositoryRef", "name"}))),
            stringAt(source, {"path"}),
            stringAt(status, {"message"})};
  }
};

}  // namespace

void register_application(StrategyRegistry& registry) {
  registry.add("applications.steersman.dev", std::make_unique<ApplicationStrategy>());
}

}  // namespace steer
