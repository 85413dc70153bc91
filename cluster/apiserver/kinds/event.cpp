// Events, in both API groups that know them.
#include "cluster/apiserver/kind_strategy.h"
#include "cluster/apiserver/row_text.h"
#include "core/rfc3339.h"

namespace steer {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

/// The first of the paths that holds a text.
std::string_view firstOf(const json::object& event,
                         std::initializer_list<std::initializer_list<std::string_view>> paths) {
  for (const auto& path : paths)
    if (const auto text = stringAt(event, path); !text.empty()) return text;
  return "";
}

class EventStrategy final : public KindStrategy {
 public:
  bool countsGenerations() const override { return false; }
  std::vector<std::string_view> selectableFields() const override {
    return {"involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "regarding.kind",
            "regarding.namespace",
            "regarding.name",
            "regarding.uid",
            "regarding.apiVersion",
            "regarding.resourceVersion",
            "regarding.fieldPath",
            "reason",
            "reportingComponent",
            "reportingController",
            "source",
            "source.component",
            "type"};
  }
  std::vector<TableColumn> columns() const override {
    return {{"Last Seen"},
            {"Type"},
            {"Reason"},
            {"Object"},
            {"Subobject", "string", "", 1},
            {"Source", "string", "", 1},
            {"Message"},
            {"First Seen", "string", "", 1},
            {"Count", "string", "", 1},
            {"Name", "string", "name", 1}};
  }
  json::array row(const Object& object, Time now) const override {
    const auto& event = object.json();
    const auto first = firstOf(event, {{"firstTimestamp"}, {"eventTime"}, {"metadata", "creationTimestamp"}});
    const auto last = firstOf(
        event, {{"series", "lastObservedTime"}, {"lastTimestamp"}, {"eventTime"}, {"metadata", "creationTimestamp"}});
    const auto& about =
        event.contains("regarding") ? objectAt(event, {"regarding"}) : objectAt(event, {"involvedObject"});
    std::string source(firstOf(event, {{"source", "component"}, {"reportingComponent"}, {"reportingController"}}));
    if (const auto host = stringAt(event, {"source", "host"}); !host.empty()) source += ", " + std::string(host);
    const auto count = std::max<std::int64_t>(1, intAt(event, {"series", "count"}, intAt(event, {"count"}, 1)));
    return {ageText(last, now),
            stringAt(event, {"type"}),
            stringAt(event, {"reason"}),
            lower(stringAt(about, {"kind"})) + "/" + std::string(stringAt(about, {"name"})),
            stringAt(about, {"fieldPath"}),
            source,
            firstOf(event, {{"message"}, {"note"}}),
            ageText(first, now),
            std::to_string(count),
            object.name()};
  }
};

}  // namespace

void register_event(StrategyRegistry& registry) {
  registry.add("events", std::make_unique<EventStrategy>());
  registry.add("events.events.k8s.io", std::make_unique<EventStrategy>());
}

}  // namespace steer
