#include "cluster/apiserver/negotiation.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "cluster/apiserver/answers.h"
#include "schemas/protobuf.h"

namespace steer {
namespace {

std::string_view trim(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}

std::string_view nextPart(std::string_view& rest, char separator) {
  const auto at = rest.find(separator);
  const auto part = rest.substr(0, at);
  rest = at == rest.npos ? std::string_view() : rest.substr(at + 1);
  return trim(part);
}

struct MediaRange {
  std::string_view type, as, group, version;
  double quality = 1;
};

double qualityOf(std::string_view text) {
  const std::string number(text);
  char* end = nullptr;
  const double out = std::strtod(number.c_str(), &end);
  return end == number.c_str() + number.size() && out >= 0 && out <= 1 ? out : 1;
}

MediaRange rangeOf(std::string_view text) {
  MediaRange out;
  out.type = nextPart(text, ';');
  while (!text.empty()) {
    auto parameter = nextPart(text, ';');
    const auto key = nextPart(parameter, '=');
    if (key == "as") out.as = parameter;
    if (key == "g") out.group = parameter;
    if (key == "v") out.version = parameter;
    if (key == "q") out.quality = qualityOf(parameter);
  }
  return out;
}

bool settleCoding(const MediaRange& range, const Offer& offer, Wanted& out) {
  if (range.type == "application/json" || range.type == "*/*" || range.type == "application/*")
    out.coding = Wanted::Coding::json;
  else if (range.type == "application/yaml" && offer.yaml) out.coding = Wanted::Coding::yaml;
  else if (range.type == kProtobufType && offer.protobuf) out.coding = Wanted::Coding::protobuf;
  else return false;
  return true;
}

bool settleForm(const MediaRange& range, const Offer& offer, Wanted& out) {
  if (range.as.empty()) return true;
  if (range.as == "APIGroupDiscoveryList" && offer.discovery && out.coding == Wanted::Coding::json &&
      (range.version == "v2" || range.version == "v2beta1")) {
    out.discoveryVersion = range.version;
    return true;
  }
  const bool meta = range.group == "meta.k8s.io" && (range.version == "v1" || range.version == "v1beta1");
  if (!meta || !offer.transforms) return false;
  if (range.as == "Table") out.form = Wanted::Form::table;
  else if (range.as == "PartialObjectMetadata" || range.as == "PartialObjectMetadataList")
    out.form = Wanted::Form::partial;
  else return false;
  // A table has no protobuf form.
  return out.form != Wanted::Form::table || out.coding != Wanted::Coding::protobuf;
}

}  // namespace

Wanted wantedOf(std::string_view accept, const Offer& offer) {
  if (trim(accept).empty()) return {};
  std::vector<MediaRange> ranges;
  while (!accept.empty()) ranges.push_back(rangeOf(nextPart(accept, ',')));
  std::stable_sort(ranges.begin(), ranges.end(),
                   [](const MediaRange& a, const MediaRange& b) { return a.quality > b.quality; });
  for (const auto& range : ranges) {
    Wanted out;
    if (range.quality > 0 && settleCoding(range, offer, out) && settleForm(range, offer, out)) return out;
  }
  Wanted none;
  none.acceptable = false;
  return none;
}

Response notAcceptable(const Offer& offer) {
  std::string types = "application/json";
  if (offer.yaml) types += ", application/yaml";
  if (offer.protobuf) types += ", " + std::string(kProtobufType);
  return jsonAnswer(json::object{{"kind", "Status"},
                                 {"apiVersion", "v1"},
                                 {"metadata", json::object{}},
                                 {"status", "Failure"},
                                 {"message", "only the following media types are accepted: " + types},
                                 {"reason", "NotAcceptable"},
                                 {"code", 406}},
                    {}, 406);
}

}  // namespace steer
