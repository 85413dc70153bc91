#include "schemas/cel/functions.h"

#include <array>
#include <map>
#include <string>

namespace steer {
namespace {

struct Row {
  std::string_view names;  ///< several that take and give the same; a dot before it: called on its first argument
  std::string_view takes;  ///< one list of types after the other, parted by "|"
  std::string_view gives;
};

constexpr std::array kRows{
    // Operators.
    Row{"_==_ _!=_", "A A", "bool"},
    Row{"_&&_ _||_", "bool bool", "bool"},
    Row{"!_", "bool", "bool"},
    Row{"_?_:_", "bool A A", "A"},
    Row{"@in", "A list(A)|A map(A,B)", "bool"},
    Row{"_<_ _<=_ _>_ _>=_",
        "bool bool|int int|uint uint|double double|string string|bytes bytes|timestamp timestamp|duration duration|int "
        "uint|int double|uint int|uint double|double int|double uint",
        "bool"},
    Row{"_+_ _-_ _*_ _/_ _%_", "int int", "int"},
    Row{"_+_ _-_ _*_ _/_ _%_", "uint uint", "uint"},
    Row{"_+_ _-_ _*_ _/_", "double double", "double"},
    Row{"_+_", "string string", "string"},
    Row{"_+_", "bytes bytes", "bytes"},
    Row{"_+_", "list(A) list(A)", "list(A)"},
    Row{"_+_", "duration duration", "duration"},
    Row{"_+_", "timestamp duration|duration timestamp", "timestamp"},
    Row{"_-_", "timestamp timestamp|duration duration", "duration"},
    Row{"_-_", "timestamp duration", "timestamp"},
    Row{"-_", "int", "int"},
    Row{"-_", "double", "double"},
    Row{"_[_]", "list(A) int", "A"},
    Row{"_[_]", "map(A,B) A", "B"},
    Row{"_[_]", "optional(list(A)) int", "optional(A)"},
    Row{"_[_]", "optional(map(A,B)) A", "optional(B)"},
    // The standard library.
    Row{"size", "string|bytes|list(A)|map(A,B)", "int"},
    Row{".size", "string|bytes|list(A)|map(A,B)", "int"},
    Row{"type", "A", "type"},
    Row{"dyn", "A", "dyn"},
    Row{"int", "int|uint|double|string|timestamp|duration", "int"},
    Row{"uint", "uint|int|double|string", "uint"},
    Row{"double", "double|int|uint|string", "double"},
    Row{"bool", "bool|string", "bool"},
    Row{"string", "string|bool|int|uint|double|bytes|timestamp|duration|IP|CIDR", "string"},
    Row{"bytes", "bytes|string", "bytes"},
    Row{"timestamp", "timestamp|string|int", "timestamp"},
    Row{"duration", "duration|string|int", "duration"},
    Row{".contains .startsWith .endsWith .matches matches", "string string", "bool"},
    Row{".getFullYear .getMonth .getDate .getDayOfMonth .getDayOfWeek .getDayOfYear", "timestamp|timestamp string",
        "int"},
    Row{".getHours .getMinutes .getSeconds .getMilliseconds", "timestamp|timestamp string|duration", "int"},
    // Texts.
    Row{".charAt", "string int", "string"},
    Row{".indexOf .lastIndexOf", "string string|string string int", "int"},
    Row{".join", "list(string)|list(string) string", "string"},
    Row{".lowerAscii .upperAscii .trim", "string", "string"},
    Row{".replace", "string string string|string string string int", "string"},
    Row{".split", "string string|string string int", "list(string)"},
    Row{".substring", "string int|string int int", "string"},
    Row{".format", "string list(dyn)", "string"},
    Row{"strings.quote", "string", "string"},
    Row{".find", "string string", "string"},
    Row{".findAll", "string string|string string int", "list(string)"},
    // Lists and sets.
    Row{".isSorted", "list(A)", "bool"},
    Row{".sum .min .max .first .last", "list(A)", "A"},
    Row{".indexOf .lastIndexOf", "list(A) A", "int"},
    Row{".flatten", "list(list(A))|list(list(A)) int", "list(A)"},
    Row{".flatten", "list(dyn)|list(dyn) int", "list(dyn)"},
    Row{".slice", "list(A) int int", "list(A)"},
    Row{".distinct .reverse .sort", "list(A)", "list(A)"},
    Row{"lists.range", "int", "list(int)"},
    Row{"sets.contains sets.equivalent sets.intersects", "list(A) list(A)", "bool"},
    // What may be missing.
    Row{"optional.of optional.ofNonZeroValue", "A", "optional(A)"},
    Row{"optional.none", "", "optional(A)"},
    Row{".hasValue", "optional(A)", "bool"},
    Row{".value", "optional(A)", "A"},
    Row{".orValue", "optional(A) A", "A"},
    Row{".or", "optional(A) optional(A)", "optional(A)"},
    Row{"optional.unwrap .unwrapOpt", "list(optional(A))", "list(A)"},
    // Kubernetes' libraries.
    Row{"url", "string|URL", "URL"},
    Row{"isURL isIP isCIDR isQuantity", "string", "bool"},
    Row{".getScheme .getHost .getHostname .getPort .getEscapedPath", "URL", "string"},
    Row{".getQuery", "URL", "map(string,list(string))"},
    Row{"ip", "string", "IP"},
    Row{"ip.isCanonical", "string", "bool"},
    Row{".family", "IP", "int"},
    Row{".isUnspecified .isLoopback .isLinkLocalMulticast .isLinkLocalUnicast .isGlobalUnicast", "IP", "bool"},
    Row{"cidr", "string", "CIDR"},
    Row{".containsIP", "CIDR IP|CIDR string", "bool"},
    Row{".containsCIDR", "CIDR CIDR|CIDR string", "bool"},
    Row{".ip", "CIDR", "IP"},
    Row{".masked", "CIDR", "CIDR"},
    Row{".prefixLength", "CIDR", "int"},
    Row{"quantity", "string", "Quantity"},
    Row{".isInteger", "Quantity", "bool"},
    Row{".asInteger", "Quantity", "int"},
    Row{".asApproximateFloat", "Quantity", "double"},
    Row{".isGreaterThan .isLessThan", "Quantity Quantity", "bool"},
    Row{".compareTo", "Quantity Quantity", "int"},
    Row{".add .sub", "Quantity Quantity|Quantity int", "Quantity"},
    Row{"semver", "string|string bool", "Semver"},
    Row{"isSemver", "string|string bool", "bool"},
    Row{".major .minor .patch", "Semver", "int"},
    Row{".isGreaterThan .isLessThan", "Semver Semver", "bool"},
    Row{".compareTo", "Semver Semver", "int"},
    Row{"format.named", "string", "optional(NamedFormat)"},
    Row{"format.dns1123Label format.dns1123Subdomain format.dns1035Label format.qualifiedName "
        "format.dns1123LabelPrefix "
        "format.dns1123SubdomainPrefix format.dns1035LabelPrefix format.labelValue format.uri format.uuid format.byte "
        "format.date format.datetime",
        "", "NamedFormat"},
    Row{".validate", "NamedFormat string", "optional(list(string))"},
    // Questions about rights.
    Row{".path", "Authorizer string", "PathCheck"},
    Row{".group", "Authorizer string", "GroupCheck"},
    Row{".serviceAccount", "Authorizer string string", "Authorizer"},
    Row{".resource", "GroupCheck string", "ResourceCheck"},
    Row{".subresource .namespace .name .fieldSelector .labelSelector", "ResourceCheck string", "ResourceCheck"},
    Row{".check", "PathCheck string|ResourceCheck string", "Decision"},
    Row{".allowed .errored", "Decision", "bool"},
    Row{".reason .error", "Decision", "string"},
};

std::vector<std::string_view> split(std::string_view text, char mark) {
  std::vector<std::string_view> out;
  while (true) {
    const auto end = text.find(mark);
    if (end != 0 && !text.empty()) out.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

using Table = std::map<std::string, std::vector<CelOverload>, std::less<>>;

Table readTable() {
  Table out;
  for (const auto& row : kRows)
    for (auto name : split(row.names, ' ')) {
      const bool onObject = name.starts_with('.');
      if (onObject) name.remove_prefix(1);
      auto& overloads = out[std::string(name)];
      auto lists = split(row.takes, '|');
      if (lists.empty()) lists.emplace_back();
      for (const auto list : lists) {
        CelOverload one{onObject, {}, CelType::named(row.gives)};
        for (const auto type : split(list, ' ')) one.takes.push_back(CelType::named(type));
        overloads.push_back(std::move(one));
      }
    }
  return out;
}

}  // namespace

const std::vector<CelOverload>& celOverloads(std::string_view name) {
  static const Table kTable = readTable();
  static const std::vector<CelOverload> kNone;
  const auto found = kTable.find(name);
  return found == kTable.end() ? kNone : found->second;
}

}  // namespace steer
