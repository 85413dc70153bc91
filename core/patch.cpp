#include "core/patch.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <vector>

#include "core/object_filter.h"

namespace steer {
namespace {

// Deeper documents than the parser accepts must not be made by repeated copying into themselves.
constexpr std::size_t kMaxGrowth = 64 * 1024 * 1024;
// Values that all operations of one patch may shift. Taking the first item of a long list again and again
// costs the list each time.
constexpr std::size_t kMaxWork = 64 * 1024 * 1024;
// As the parser.
constexpr std::size_t kMaxDepth = 512;

struct Pointer {
  std::vector<std::string> steps;
};

Result<Pointer> readPointer(std::string_view text) {
  Pointer out;
  if (text.empty()) return out;
  if (text[0] != '/') return makeError(Errc::badRequest, "JSON patch: a path starts with '/'");
  text.remove_prefix(1);
  std::string step;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i == text.size() || text[i] == '/') {
      out.steps.push_back(std::move(step));
      step.clear();
    } else if (text[i] == '~') {
      if (++i >= text.size() || (text[i] != '0' && text[i] != '1'))
        return makeError(Errc::badRequest, "JSON patch: in a path, write ~0 for '~' and ~1 for '/'");
      step += text[i] == '0' ? '~' : '/';
    } else {
      step += text[i];
    }
  }
  return out;
}

std::string escaped(std::string_view step) {
  std::string out;
  for (const char c : step) {
    if (c == '~') out += "~0";
    else if (c == '/') out += "~1";
    else out += c;
  }
  return out;
}

std::string textOf(const Pointer& p, std::size_t steps) {
  std::string out;
  for (std::size_t i = 0; i < steps; ++i) out += "/" + escaped(p.steps[i]);
  return out.empty() ? "the document" : out;
}

std::optional<std::size_t> indexOf(std::string_view step) {
  if (step.empty() || (step.size() > 1 && step[0] == '0')) return std::nullopt;
  std::size_t n = 0;
  const auto [end, ec] = std::from_chars(step.data(), step.data() + step.size(), n);
  if (ec != std::errc{} || end != step.data() + step.size()) return std::nullopt;
  return n;
}

json::value* child(json::value& parent, const std::string& step) {
  if (auto* o = parent.if_object()) return o->if_contains(step);
  if (auto* a = parent.if_array()) {
    const auto i = indexOf(step);
    return i && *i < a->size() ? &(*a)[*i] : nullptr;
  }
  return nullptr;
}

Error missing(const Pointer& p, std::size_t steps) {
  return makeError(Errc::invalid, "JSON patch: " + textOf(p, steps) + " does not exist");
}

Result<json::value*> walk(json::value& document, const Pointer& p, std::size_t steps) {
  json::value* current = &document;
  for (std::size_t i = 0; i < steps; ++i) {
    current = child(*current, p.steps[i]);
    if (current == nullptr) return missing(p, i + 1);
  }
  return current;
}

Result<void> addAt(json::value& document, const Pointer& p, json::value value, std::size_t& work) {
  if (p.steps.empty()) {
    document = std::move(value);
    return {};
  }
  STEER_TRY(auto* parent, walk(document, p, p.steps.size() - 1));
  const auto& last = p.steps.back();
  if (auto* o = parent->if_object()) {
    o->insert_or_assign(last, std::move(value));
    return {};
  }
  if (auto* a = parent->if_array()) {
    const auto i = last == "-" ? std::optional(a->size()) : indexOf(last);
    if (!i || *i > a->size()) return missing(p, p.steps.size());
    work += a->size() - *i;
    a->insert(a->begin() + static_cast<std::ptrdiff_t>(*i), std::move(value));
    return {};
  }
  return makeError(Errc::invalid,
                   "JSON patch: " + textOf(p, p.steps.size() - 1) + " is neither an object nor an array");
}

Result<json::value> takeFrom(json::value& document, const Pointer& p, std::size_t& work) {
  STEER_TRY(auto* target, walk(document, p, p.steps.size()));
  json::value taken = std::move(*target);
  if (p.steps.empty()) {
    document = nullptr;
    return taken;
  }
  STEER_TRY(auto* parent, walk(document, p, p.steps.size() - 1));
  if (auto* o = parent->if_object()) {
    // stable_erase keeps the order of the other members.
    work += o->size();
    o->stable_erase(o->find(p.steps.back()));
  } else if (auto* a = parent->if_array()) {
    const auto at = *indexOf(p.steps.back());
    work += a->size() - at;
    a->erase(a->begin() + static_cast<std::ptrdiff_t>(at));
  }
  return taken;
}

bool isPrefix(const Pointer& shorter, const Pointer& longer) {
  return shorter.steps.size() < longer.steps.size() &&
         std::equal(shorter.steps.begin(), shorter.steps.end(), longer.steps.begin());
}

// Rough size in bytes, without recursion.
std::size_t weightOf(const json::value& root) {
  std::size_t total = 0;
  std::vector<const json::value*> open{&root};
  while (!open.empty()) {
    const auto* v = open.back();
    open.pop_back();
    total += sizeof(json::value);
    if (const auto* o = v->if_object())
      for (const auto& kv : *o) {
        total += kv.key().size();
        open.push_back(&kv.value());
      }
    else if (const auto* a = v->if_array())
      for (const auto& item : *a) open.push_back(&item);
    else if (const auto* s = v->if_string()) total += s->size();
  }
  return total;
}

struct Operation {
  std::string_view op;
  Pointer path;
  Pointer from;
  const json::value* value = nullptr;
};

Result<Operation> readOperation(const json::value& v) {
  const auto* o = v.if_object();
  if (o == nullptr) return makeError(Errc::badRequest, "JSON patch: every operation is an object");
  Operation out;
  out.op = stringAt(*o, {"op"});
  static constexpr std::string_view kOps[] = {"add", "remove", "replace", "move", "copy", "test"};
  if (std::find(std::begin(kOps), std::end(kOps), out.op) == std::end(kOps))
    return makeError(Errc::badRequest, "JSON patch: op must be add, remove, replace, move, copy or test");
  const auto* path = o->if_contains("path");
  if (path == nullptr || !path->is_string()) return makeError(Errc::badRequest, "JSON patch: path is missing");
  STEER_TRY(out.path, readPointer(view(path->get_string())));
  out.value = o->if_contains("value");
  if ((out.op == "add" || out.op == "replace" || out.op == "test") && out.value == nullptr)
    return makeError(Errc::badRequest, "JSON patch: " + std::string(out.op) + " needs a value");
  if (out.op == "move" || out.op == "copy") {
    const auto* from = o->if_contains("from");
    if (from == nullptr || !from->is_string())
      return makeError(Errc::badRequest, "JSON patch: " + std::string(out.op) + " needs from");
    STEER_TRY(out.from, readPointer(view(from->get_string())));
  }
  return out;
}

/// What a patch has cost so far.
struct Effort {
  std::size_t grown = 0;  ///< bytes copied
  std::size_t work = 0;   ///< values shifted
};

/// Walks at most `limit` levels down.
bool deeperThan(const json::value& root, std::size_t limit) {
  std::vector<std::pair<const json::value*, std::size_t>> open{{&root, 0}};
  while (!open.empty()) {
    const auto [v, depth] = open.back();
    open.pop_back();
    if (depth > limit) return true;
    if (const auto* o = v->if_object())
      for (const auto& kv : *o) open.emplace_back(&kv.value(), depth + 1);
    else if (const auto* a = v->if_array())
      for (const auto& item : *a) open.emplace_back(&item, depth + 1);
  }
  return false;
}

/// A missing member is null to a test that asks for null.
Result<void> test(json::value& document, const Operation& o) {
  auto target = walk(document, o.path, o.path.steps.size());
  if (!target.ok() && o.value->is_null()) return {};
  if (!target.ok()) return std::move(target).error();
  if (**target == *o.value) return {};
  return makeError(Errc::invalid, "JSON patch: test failed at " + textOf(o.path, o.path.steps.size()));
}

Result<void> execute(json::value& document, const Operation& o, Effort& effort) {
  if (o.op == "add") return addAt(document, o.path, *o.value, effort.work);
  if (o.op == "remove") {
    STEER_TRY([[maybe_unused]] auto taken, takeFrom(document, o.path, effort.work));
    return {};
  }
  if (o.op == "replace") {
    STEER_TRY(auto* target, walk(document, o.path, o.path.steps.size()));
    *target = *o.value;
    return {};
  }
  if (o.op == "test") return test(document, o);
  if (o.op == "move") {
    if (isPrefix(o.from, o.path)) return makeError(Errc::invalid, "JSON patch: a value cannot move into itself");
    STEER_TRY(auto taken, takeFrom(document, o.from, effort.work));
    return addAt(document, o.path, std::move(taken), effort.work);
  }
  STEER_TRY(auto* source, walk(document, o.from, o.from.steps.size()));
  effort.grown += weightOf(*source);
  if (effort.grown > kMaxGrowth) return makeError(Errc::tooLarge, "JSON patch: the copies are too large");
  return addAt(document, o.path, json::value(*source), effort.work);
}

void diffInto(const json::value& from, const json::value& to, const std::string& path, json::array& out) {
  auto emit = [&](const char* op, const std::string& at, const json::value* value) {
    json::object o;
    o["op"] = op;
    o["path"] = at;
    if (value != nullptr) o["value"] = *value;
    out.emplace_back(std::move(o));
  };
  if (from == to) return;
  const auto* fo = from.if_object();
  const auto* to_ = to.if_object();
  if (fo != nullptr && to_ != nullptr) {
    for (const auto& kv : *fo)
      if (!to_->contains(kv.key())) emit("remove", path + "/" + escaped(kv.key()), nullptr);
    for (const auto& kv : *to_) {
      const auto at = path + "/" + escaped(kv.key());
      const auto* old = fo->if_contains(kv.key());
      if (old == nullptr) emit("add", at, &kv.value());
      else diffInto(*old, kv.value(), at, out);
    }
    return;
  }
  const auto* fa = from.if_array();
  const auto* ta = to.if_array();
  if (fa == nullptr || ta == nullptr) return emit("replace", path, &to);
  const auto common = std::min(fa->size(), ta->size());
  for (std::size_t i = 0; i < common; ++i) diffInto((*fa)[i], (*ta)[i], path + "/" + std::to_string(i), out);
  for (std::size_t i = fa->size(); i-- > common;) emit("remove", path + "/" + std::to_string(i), nullptr);
  for (std::size_t i = common; i < ta->size(); ++i) emit("add", path + "/-", &(*ta)[i]);
}

/// Members that a new object says to be null are not there, within lists, too. RFC 7386 speaks of objects only; this is
/// what Kubernetes' servers do.
json::value withoutNulls(json::value patch) {
  if (auto* items = patch.if_array())
    for (auto& item : *items) item = withoutNulls(std::move(item));
  else if (auto* object = patch.if_object()) {
    dropMembers(*object, [](const auto& member) { return member.value().is_null(); });
    for (auto& member : *object) member.value() = withoutNulls(std::move(member.value()));
  }
  return patch;
}

}  // namespace

Result<json::value> applyJsonPatch(json::value document, const json::value& patch) {
  const auto* operations = patch.if_array();
  if (operations == nullptr) return makeError(Errc::badRequest, "a JSON patch is an array of operations");
  if (operations->size() > 10'000) return makeError(Errc::tooLarge, "a JSON patch has at most 10000 operations");
  Effort effort;
  for (const auto& item : *operations) {
    STEER_TRY(auto operation, readOperation(item));
    STEER_CHECK(execute(document, operation, effort));
    if (effort.work > kMaxWork) return makeError(Errc::tooLarge, "JSON patch: its operations shift too many values");
  }
  if (deeperThan(document, kMaxDepth))
    return makeError(Errc::tooLarge, "JSON patch: the result is nested too deeply, at most 512 levels");
  return document;
}

json::value applyMergePatch(json::value document, const json::value& patch) {
  const auto* changes = patch.if_object();
  if (changes == nullptr) return document.is_object() ? patch : withoutNulls(patch);
  if (!document.is_object()) document.emplace_object();
  auto& target = document.get_object();
  dropMembers(target, [&](const auto& member) {
    const auto* said = changes->if_contains(member.key());
    return said != nullptr && said->is_null();
  });
  for (const auto& kv : *changes) {
    if (kv.value().is_null()) continue;
    const auto it = target.find(kv.key());
    if (it == target.end()) {
      target.emplace(kv.key(), applyMergePatch(nullptr, kv.value()));
    } else {
      json::value old = std::move(it->value());
      it->value() = applyMergePatch(std::move(old), kv.value());
    }
  }
  return document;
}

json::array makeJsonPatch(const json::value& from, const json::value& to) {
  json::array out;
  diffInto(from, to, "", out);
  return out;
}

}  // namespace steer
