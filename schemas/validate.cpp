#include "schemas/validate.h"

#include <algorithm>
#include <charconv>
#include <unordered_set>

#include "schemas/defaults.h"
#include "schemas/formats.h"
#include "schemas/rules.h"

namespace steer {
namespace {

RuleReport::Values valuesOf(const KindSchema& kind) {
  return kind.gvk.kind == "Secret" && kind.gvk.group.empty() ? RuleReport::Values::hidden : RuleReport::Values::quoted;
}

class StructureWalk {
 public:
  /// What a text that is no value of its type is: nothing to decode for Kubernetes' own types, a wrong value for ours.
  enum class Formats { decoded, judged };

  StructureWalk(RuleReport& report, UnknownFields unknown, Formats formats)
      : report_(report), unknown_(unknown), formats_(formats) {}

  void walkRoot(const TypeSchema& type, const json::object& object) {
    const FieldPath root;
    walkMembers(type, object, root, Required::checked);
    // A kind without its spec lacks what the spec requires, as Kubernetes reports it.
    const auto* spec = type.field("spec");
    if (spec != nullptr && spec->type != nullptr && !spec->required && !object.contains("spec"))
      checkRequired(*spec->type, json::object{}, root.field("spec"));
    checkRequired(type, object, root);
  }

 private:
  /// Status is written by controllers step by step: nothing in it is required.
  enum class Required { checked, ignored };

  void walkObject(const TypeSchema& type, const json::object& object, const FieldPath& at, Required required) {
    walkMembers(type, object, at, required);
    if (required == Required::checked) checkRequired(type, object, at);
  }

  void walkMembers(const TypeSchema& type, const json::object& object, const FieldPath& at, Required required) {
    for (const auto& [key, value] : object) {
      const std::string_view name(key.data(), key.size());
      const auto* field = type.field(name);
      if (field == nullptr) {
        if (unknown_ == UnknownFields::report) report_.unknown(at.field(name), hintFor(type, object, name));
        continue;
      }
      if (value.is_null()) continue;  // null is absence
      const bool status = name == "status" && field->type != nullptr;
      walkField(*field, value, at.field(name), status ? Required::ignored : required);
    }
  }

  void checkRequired(const TypeSchema& type, const json::object& object, const FieldPath& at) {
    for (const auto& field : type.fields) {
      if (!field.required) continue;
      const auto* value = object.if_contains(jkey(field.name));
      if (value == nullptr || value->is_null()) report_.required(at.field(field.name));
    }
  }

  void walkField(const FieldSchema& field, const json::value& value, const FieldPath& at, Required required) {
    if (field.shape == Shape::list) {
      const auto* list = value.if_array();
      if (list == nullptr) return expected("array", value, at);
      for (std::size_t i = 0; i < list->size(); ++i)
        if (field.type != nullptr || !(*list)[i].is_null())  // a scalar that is null is its zero value
          walkValue(field, (*list)[i], at.item(i), required);
    } else if (field.shape == Shape::map) {
      const auto* map = value.if_object();
      if (map == nullptr) return expected("object", value, at);
      for (const auto& [key, item] : *map)
        if (!item.is_null()) walkValue(field, item, at.key({key.data(), key.size()}), required);
    } else {
      walkValue(field, value, at, required);
    }
  }

  void walkValue(const FieldSchema& field, const json::value& value, const FieldPath& at, Required required) {
    if (field.type != nullptr) {
      const auto* object = value.if_object();
      if (object == nullptr) return expected("object", value, at);
      return walkObject(*field.type, *object, at, required);
    }
    if (const auto problem = checkScalar(field.scalar, value)) {
      if (problem->wrongType) report_.wrongType(at, problem->message, quotesHint(field.scalar, value));
      else if (formats_ == Formats::judged) report_.invalid(at, value, problem->message);
      else report_.malformed(at, value, problem->message);
      return;
    }
    const auto* text = value.if_string();
    // "" is the zero value: defaulting or a required check speaks of it.
    if (text == nullptr || text->empty() || field.enumValues.empty()) return;
    if (std::find(field.enumValues.begin(), field.enumValues.end(), view(*text)) == field.enumValues.end())
      report_.unsupported(at, value, field.enumValues);
  }

  void expected(std::string_view type, const json::value& value, const FieldPath& at) {
    report_.wrongType(at, "expected " + std::string(type) + ", found " + std::string(jsonTypeName(value)));
  }

  /// YAML reads 8080, true and 1.10 as something else than text.
  static std::string quotesHint(Scalar wanted, const json::value& found) {
    if (wanted == Scalar::string && (found.is_number() || found.is_bool())) return "write it in quotes";
    const auto* text = found.if_string();
    if (text == nullptr || text->empty()) return {};
    const bool number = wanted == Scalar::int32 || wanted == Scalar::int64 || wanted == Scalar::number;
    const bool digits = view(*text).find_first_not_of("0123456789") == std::string_view::npos;
    const bool truth = wanted == Scalar::boolean && (*text == "true" || *text == "false");
    return truth || (number && digits) ? "write it without quotes" : "";
  }

  static std::string hintFor(const TypeSchema& type, const json::object& object, std::string_view name) {
    std::vector<std::string> free;
    for (const auto& field : type.fields)
      if (!object.contains(jkey(field.name))) free.push_back(field.name);
    const auto near = nearestName(name, free);
    return near.empty() ? "" : "did you mean \"" + near + "\"?";
  }

  RuleReport& report_;
  UnknownFields unknown_;
  Formats formats_;
};

void pruneObject(const TypeSchema& type, json::object& object, const FieldPath& at, std::vector<std::string>& gone) {
  for (auto member = object.begin(); member != object.end();) {
    const std::string_view name(member->key().data(), member->key().size());
    const auto* field = type.field(name);
    const auto here = at.field(name);
    if (field == nullptr) {
      gone.push_back(here.text());
      member = object.stable_erase(member);
      continue;
    }
    auto& value = member->value();
    ++member;
    if (field->type == nullptr) continue;
    if (auto* o = value.if_object(); o != nullptr && field->shape == Shape::object) {
      pruneObject(*field->type, *o, here, gone);
    } else if (o != nullptr && field->shape == Shape::map) {
      for (auto& [key, item] : *o)
        if (auto* inner = item.if_object()) pruneObject(*field->type, *inner, here.key({key.data(), key.size()}), gone);
    } else if (auto* list = value.if_array(); list != nullptr && field->shape == Shape::list) {
      for (std::size_t i = 0; i < list->size(); ++i)
        if (auto* inner = (*list)[i].if_object()) pruneObject(*field->type, *inner, here.item(i), gone);
    }
  }
}

/// Where a pointer stands in the document, as the member's position at each level.
std::vector<std::size_t> positionOf(const json::object& object, std::string_view pointer) {
  std::vector<std::size_t> out;
  const json::object* map = &object;
  const json::array* list = nullptr;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    const auto end = std::min(pointer.find('/'), pointer.size());
    std::string step;
    for (std::size_t i = 0; i < end; ++i) {
      const bool escaped = pointer[i] == '~' && i + 1 < end;
      step += escaped ? (pointer[++i] == '1' ? '/' : '~') : pointer[i];
    }
    pointer.remove_prefix(end);
    const json::value* next = nullptr;
    if (map != nullptr) {
      const auto at = map->find(step);
      out.push_back(static_cast<std::size_t>(at - map->begin()));  // what is missing stands at the end
      if (at != map->end()) next = &at->value();
    } else if (list != nullptr) {
      std::size_t index = 0;
      std::from_chars(step.data(), step.data() + step.size(), index);
      out.push_back(index);
      if (index < list->size()) next = &(*list)[index];
    }
    map = next == nullptr ? nullptr : next->if_object();
    list = next == nullptr ? nullptr : next->if_array();
  }
  return out;
}

std::vector<Finding> inDocumentOrder(const json::object& object, std::vector<Finding> findings) {
  if (findings.size() < 2) return findings;
  struct Placed {
    std::vector<std::size_t> position;
    Finding finding;
  };
  std::vector<Placed> placed;
  placed.reserve(findings.size());
  for (auto& finding : findings) {
    auto position = positionOf(object, finding.pointer);
    placed.push_back({std::move(position), std::move(finding)});
  }
  std::stable_sort(placed.begin(), placed.end(), [](const auto& a, const auto& b) { return a.position < b.position; });
  std::vector<Finding> out;
  std::unordered_set<std::string> said;
  for (auto& p : placed) {
    const bool missing = p.finding.kind == Finding::Kind::required;
    auto key = p.finding.pointer + '\n' + (missing ? std::string("required") : p.finding.message);
    if (said.insert(std::move(key)).second) out.push_back(std::move(p.finding));
  }
  return out;
}

}  // namespace

std::vector<Finding> validateStructure(const KindSchema& kind, const json::object& object, UnknownFields unknown) {
  RuleReport report(valuesOf(kind));
  using Formats = StructureWalk::Formats;
  const auto formats = kind.gvk.group == "steersman.dev" ? Formats::judged : Formats::decoded;
  StructureWalk(report, unknown, formats).walkRoot(*kind.type, object);
  return inDocumentOrder(object, report.take());
}

std::vector<Finding> validateSemantics(const KindSchema& kind, const json::object& object, Occasion occasion) {
  RuleReport report(valuesOf(kind), occasion);
  if (!kind.request) checkMetadata(kind, object, report);
  if (const auto rule = ruleOf(kind.gvk)) rule(object, report);
  return inDocumentOrder(object, report.take());
}

namespace {

bool inData(const json::object& object, std::string_view pointer) {
  const auto& data = objectAt(object, {"data"});
  return std::any_of(data.begin(), data.end(), [&](const auto& pair) {
    const FieldPath root;
    const auto at = root.field("data");
    return at.key({pair.key().data(), pair.key().size()}).pointer() == pointer;
  });
}

}  // namespace

std::vector<Finding> validateObject(const KindSchema& kind, const json::object& object, UnknownFields unknown) {
  auto findings = validateShape(kind, object, unknown);
  json::object whole = object;
  applyDefaults(kind, whole);
  auto rules = validateSemantics(kind, whole);
  // What stands in stringData becomes data: the finding belongs where it was written.
  if (object.contains("stringData"))
    for (auto& rule : rules)
      if (rule.pointer.starts_with("/data/") && rule.path != "data" && !inData(object, rule.pointer))
        rule.pointer.replace(0, 5, "/stringData");
  // What cannot be read says nothing more.
  std::erase_if(rules, [&](const Finding& rule) {
    return std::any_of(findings.begin(), findings.end(), [&](const Finding& f) {
      return f.kind == Finding::Kind::wrongType && rule.pointer.starts_with(f.pointer);
    });
  });
  std::move(rules.begin(), rules.end(), std::back_inserter(findings));
  return inDocumentOrder(object, std::move(findings));
}

std::vector<Finding> validateShape(const KindSchema& kind, const json::object& object, UnknownFields unknown) {
  auto findings = validateStructure(kind, object, unknown);
  if (coverageOf(kind.gvk) == Coverage::beside) return findings;
  std::erase_if(findings, [](const Finding& f) {
    return f.kind != Finding::Kind::unknownField && f.kind != Finding::Kind::wrongType;
  });
  return findings;
}

std::vector<std::string> pruneUnknownFields(const KindSchema& kind, json::object& object) {
  std::vector<std::string> gone;
  pruneObject(*kind.type, object, FieldPath(), gone);
  return gone;
}

}  // namespace steer
