#include <cmath>

#include "core/json.h"
#include "core/patch.h"
#include "core/quantity.h"
#include "core/rfc3339.h"
#include "core/yaml.h"
#include "render/blob_parser.h"
#include "schemas/merge.h"
#include "schemas/schema.h"
#include "tests/fuzz/target.h"

namespace steer::fuzz {
namespace {

/// The first line and the rest.
std::pair<std::string_view, std::string_view> halves(std::string_view text) {
  const auto end = std::min(text.find('\n'), text.size());
  return {text.substr(0, end), text.substr(std::min(end + 1, text.size()))};
}

/// What was read can be written and is read again as the same.
bool yaml(std::string_view text) {
  Diagnostics found;
  const auto documents = parseYaml(text, "f", found, YamlLimits{1 << 20, 100, 50'000});
  if (found.hasErrors()) return true;
  for (const auto& document : documents) {
    Diagnostics again;
    const auto reread = parseYaml(yamlText(document.value), "g", again);
    if (again.hasErrors() || reread.size() != 1 || !(reread[0].value == document.value)) return false;
  }
  return true;
}

bool manifest(std::string_view text) {
  const auto parsed = parseBlob(text, &SchemaRegistry::builtin());
  for (const auto& finding : parsed->findings.items())
    if (finding.message.empty()) return false;
  return true;
}

/// Equal, but for the last digit of a long fraction, which Boost.JSON 1.81 reads one too high or too low.
bool near(const json::value& a, const json::value& b) {
  if (a.is_double() && b.is_number()) {
    const double x = a.as_double(), y = b.to_number<double>();
    return std::abs(x - y) <= 1e-14 * std::abs(x) || std::abs(x) < 1e-300;
  }
  if (a.is_array() && b.is_array())
    return std::equal(a.as_array().begin(), a.as_array().end(), b.as_array().begin(), b.as_array().end(), near);
  if (!a.is_object() || !b.is_object()) return a == b;
  return a.as_object().size() == b.as_object().size() &&
         std::all_of(a.as_object().begin(), a.as_object().end(), [&](const auto& member) {
           const auto* other = b.as_object().if_contains(member.key());
           return other != nullptr && near(member.value(), *other);
         });
}

bool jsonText(std::string_view text) {
  const auto value = parseJson(text);
  if (!value.ok()) return !value.error().message.empty();
  const auto again = parseJson(jsonCanonical(*value));
  return again.ok() && near(*value, *again);
}

/// A document and a JSON patch: applied twice is the same, and the difference made of both leads there, too.
bool jsonPatch(std::string_view text) {
  const auto [left, right] = halves(text);
  const auto document = parseJson(left);
  const auto patch = parseJson(right);
  if (!document.ok() || !patch.ok()) return true;
  const auto once = applyJsonPatch(*document, *patch);
  const auto twice = applyJsonPatch(*document, *patch);
  if (once.ok() != twice.ok()) return false;
  if (!once.ok()) return true;
  const auto made = applyJsonPatch(*document, makeJsonPatch(*document, *once));
  return made.ok() && *made == *once;
}

/// A merge patch says how what it names shall be: a second time changes nothing.
bool mergePatch(std::string_view text) {
  const auto [left, right] = halves(text);
  const auto document = parseJson(left);
  const auto patch = parseJson(right);
  if (!document.ok() || !patch.ok()) return true;
  const auto once = applyMergePatch(*document, *patch);
  return applyMergePatch(once, *patch) == once;
}

/// On a Deployment, whose lists merge by keys. Directives may be refused; nothing breaks the document.
bool strategicPatch(std::string_view text) {
  static const auto* type = SchemaRegistry::builtin().find(Gvk::from("apps/v1", "Deployment"))->type;
  const auto [left, right] = halves(text);
  const auto document = parseJson(left);
  const auto patch = parseJson(right);
  if (!document.ok() || !patch.ok()) return true;
  const auto once = applyStrategicMerge(type, *document, *patch);
  return once.ok() || !once.error().message.empty();
}

/// Two managers apply one after the other; the same again by either changes nothing.
bool serverSideApply(std::string_view text) {
  static const auto* kind = SchemaRegistry::builtin().find(Gvk::from("apps/v1", "Deployment"));
  const auto [left, right] = halves(text);
  const auto first = parseJson(left);
  const auto second = parseJson(right);
  if (!first.ok() || !second.ok() || !first->is_object() || !second->is_object()) return true;
  ApplyRequest one{"one", "", true, "2026-01-01T00:00:00Z"};
  const auto made = applyServerSide(*kind, nullptr, first->as_object(), one);
  if (!made.ok()) return true;
  ApplyRequest two{"two", "", true, "2026-01-01T00:00:01Z"};
  const auto both = applyServerSide(*kind, &*made, second->as_object(), two);
  if (!both.ok()) return true;
  two.time = "2026-01-01T00:00:02Z";
  const auto again = applyServerSide(*kind, &*both, second->as_object(), two);
  return again.ok() && *again == *both;
}

bool quantity(std::string_view text) {
  const auto value = Quantity::parse(text);
  if (!value.ok()) return true;
  const auto again = Quantity::parse(value->text());
  return again.ok() && again->text() == value->text() && (value->units() >= 0) == !(*value < Quantity());
}

bool time(std::string_view text) {
  const auto value = parseTime(text);
  if (!value) return true;
  const auto again = parseTime(formatMicroTime(*value));
  return again.has_value() && formatMicroTime(*again) == formatMicroTime(*value);
}

}  // namespace

std::vector<Target> textTargets() {
  const std::vector<std::string> marks{"{", "}", "[", "]", ",", ":", "\"", "null", "\n", "\\u0000", "1e400", "-0"};
  auto words = [&](std::vector<std::string> more) {
    more.insert(more.end(), marks.begin(), marks.end());
    return more;
  };
  return {
      {"yaml", yaml, {"&x ",    "*x",    "<<: ",         "- ", ": ",  "\n  ", "[", "]",  "{", "}",
                      "!!int ", "---\n", "\"",           "'",  "|\n", ">",    "#", "\t", "%", "? ",
                      "yes",    "\xff",  "\xef\xbb\xbf", ",",  "*a",  "&a "}},
      {"manifest",
       manifest,
       {"spec:", "metadata:", "labels:", "null", "[]", "{}", "- ", "\n  ", ": ", "kind: Deployment\n",
        "apiVersion: apps/v1\n", "ports:", "-1", "1e99", "items:", "kind: List\n"}},
      {"json", jsonText, marks},
      {"json_patch", jsonPatch, words({"/", "/-", "~0", "~1", "\"op\":", "\"copy\"", "\"from\":\"\"", "/0", "/d"})},
      {"merge_patch", mergePatch, marks},
      {"strategic_patch", strategicPatch,
       words({"\"$patch\":\"delete\"", "\"$patch\":\"replace\"", "\"$retainKeys\":[]",
              "\"$setElementOrder/containers\":[]", "\"name\":\"a\"", "\"$deleteFromPrimitiveList/finalizers\":[]",
              "\"containers\":[]"})},
      {"server_side_apply", serverSideApply,
       words({"\"name\":\"a\"", "\"containers\":[]", "\"managedFields\":[{}]", "\"ports\":[]", "\"env\":[]"})},
      {"quantity", quantity, {"0", "9", ".", "e", "E", "-", "+", "Ki", "m", "n", "i", "k", "000000"}},
      {"time", time, {"T", "Z", "-", ":", ".", "+23:59", "9999", "0000", "60"}},
  };
}

}  // namespace steer::fuzz
