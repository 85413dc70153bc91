#include "core/yaml_builder.h"

#include <algorithm>

#include "core/yaml_scalar.h"

namespace steer {
namespace {

constexpr std::uint64_t kFnvStart = 1469598103934665603ULL;
constexpr std::uint64_t kFnvPrime = 1099511628211ULL;
constexpr std::size_t kBytesPerNode = 64;  // a long text weighs as many nodes

std::uint64_t mix(std::uint64_t h, char c) { return (h ^ static_cast<unsigned char>(c)) * kFnvPrime; }

std::uint64_t hashOf(std::string_view pointer) {
  std::uint64_t h = kFnvStart;
  for (const char c : pointer) h = mix(h, c);
  return h;
}

std::size_t depthOf(const json::value& root) {
  std::size_t deepest = 0;
  std::vector<std::pair<const json::value*, std::size_t>> open{{&root, 0}};
  while (!open.empty()) {
    const auto [v, depth] = open.back();
    open.pop_back();
    deepest = std::max(deepest, depth);
    if (const auto* o = v->if_object())
      for (const auto& kv : *o) open.emplace_back(&kv.value(), depth + 1);
    else if (const auto* a = v->if_array())
      for (const auto& item : *a) open.emplace_back(&item, depth + 1);
  }
  return deepest;
}

std::string lineText(std::size_t line, std::size_t column) {
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

}  // namespace

std::uint64_t pointerRoot() { return kFnvStart; }

std::uint64_t pointerStep(std::uint64_t parent, std::string_view step) {
  std::uint64_t h = mix(parent, '/');
  for (const char c : step) {
    if (c == '~') h = mix(mix(h, '~'), '0');
    else if (c == '/') h = mix(mix(h, '~'), '1');
    else h = mix(h, c);
  }
  return h;
}

void SourceMap::set(std::string_view pointer, std::size_t line, std::size_t column) {
  const Place place{hashOf(pointer), static_cast<std::uint32_t>(line), static_cast<std::uint32_t>(column)};
  auto at = std::lower_bound(places_.begin(), places_.end(), place.pointerHash,
                             [](const Place& p, std::uint64_t h) { return p.pointerHash < h; });
  if (at != places_.end() && at->pointerHash == place.pointerHash) *at = place;
  else places_.insert(at, place);
}

const SourceMap::Place* SourceMap::placeOf(std::uint64_t pointerHash) const {
  const auto at = std::lower_bound(places_.begin(), places_.end(), pointerHash,
                                   [](const Place& p, std::uint64_t h) { return p.pointerHash < h; });
  return at != places_.end() && at->pointerHash == pointerHash ? &*at : nullptr;
}

std::pair<std::size_t, std::size_t> SourceMap::at(std::string_view pointer) const {
  const Place* nearest = nullptr;
  std::uint64_t h = kFnvStart;
  for (std::size_t i = 0; i <= pointer.size(); ++i) {
    if (i == pointer.size() || pointer[i] == '/')
      if (const auto* found = placeOf(h)) nearest = found;
    if (i < pointer.size()) h = mix(h, pointer[i]);
  }
  if (nearest == nullptr) return {0, 0};
  return {nearest->line, nearest->column};
}

YamlBuilder::YamlBuilder(std::string file, const YamlLimits& limits, Diagnostics& out)
    : file_(std::move(file)), limits_(limits), out_(out) {}

bool YamlBuilder::quotes() {
  if (!quotes_) quotes_ = askQuotes_ && askQuotes_();
  return *quotes_;
}

void YamlBuilder::report(Mark mark, std::string message, std::string hint) {
  out_.add({Severity::error, {file_, mark.line, mark.column}, "", "", std::move(message), std::move(hint)});
}

void YamlBuilder::stop(Mark mark, std::string message, std::string hint) {
  if (!stopped_) report(mark, std::move(message), std::move(hint));
  stopped_ = true;
}

void YamlBuilder::startDocument() {
  document_ = {};
  anchors_.clear();
  hasRoot_ = false;
}

YamlDocument YamlBuilder::endDocument() {
  auto& places = document_.places.places_;
  std::sort(places.begin(), places.end(), [](const auto& a, const auto& b) { return a.pointerHash < b.pointerHash; });
  places.shrink_to_fit();
  return std::move(document_);
}

bool YamlBuilder::wantsKey() const {
  return !stack_.empty() && stack_.back().shape == Shape::map && !stack_.back().hasKey;
}

std::uint64_t YamlBuilder::childHash() const {
  if (stack_.empty()) return kFnvStart;
  const auto& top = stack_.back();
  return pointerStep(top.hash, top.shape == Shape::map ? top.key : std::to_string(top.array.size()));
}

void YamlBuilder::place(Mark mark) {
  if (stack_.empty()) {
    document_.line = mark.line;
  } else if (stack_.back().dropped || stack_.back().mergeNext) {
    return;
  } else if (stack_.back().shape == Shape::map) {
    mark = stack_.back().keyMark;
  }
  document_.places.places_.push_back(
      {childHash(), static_cast<std::uint32_t>(mark.line), static_cast<std::uint32_t>(mark.column)});
}

bool YamlBuilder::weigh(std::size_t more, Mark mark) {
  weight_ += more;
  if (weight_ <= limits_.maxNodes) return true;
  stop(mark, "the file holds more than " + std::to_string(limits_.maxNodes) + " values once its aliases are expanded",
       "split it, or write out what the aliases repeat");
  return false;
}

void YamlBuilder::scalar(std::string_view text, Style style, const Properties& properties, Mark mark) {
  if (!weigh(1 + text.size() / kBytesPerNode, mark)) return;
  Result<json::value> v = json::value(nullptr);
  if (!properties.tag.empty() && properties.tag != "!") v = readTaggedScalar(properties.tag, text);
  else if (style == Style::quoted || properties.tag == "!") v = json::value(json::string(jkey(text)));
  else v = readPlainScalar(text);
  if (!v.ok()) {
    // A tag that is none may be a value that begins with '!'.
    const bool tagged = !properties.tag.empty() && properties.tag != "!";
    report(mark, !tagged || quotes() ? v.error().message : "the tag is unknown, or the value does not read as it says");
    v = json::value(json::string(jkey(text)));
  }
  noteAnchor(properties.anchor, *v, 1 + text.size() / kBytesPerNode);
  if (wantsKey()) return takeKey(*v, text, properties.tag.empty() ? style : Style::quoted, mark);
  place(mark);
  put(std::move(*v));
}

void YamlBuilder::takeKey(const json::value& v, std::string_view text, Style style, Mark mark) {
  auto& top = stack_.back();
  top.mergeNext = style == Style::plain && text == "<<";
  top.hasKey = true;
  top.keyMark = mark;
  if (v.is_string()) top.key.assign(view(v.get_string()));
  else if (v.is_null())
    return stop(mark, "a key is missing before ':'", "quote it if \"" + std::string(text) + "\" is meant");
  else top.key = jsonText(v);
  if (v.is_bool())
    out_.add({Severity::warning,
              {file_, mark.line, mark.column},
              "",
              "",
              "the key " + std::string(text) + " reads as \"" + top.key + "\"",
              "quote it if the text is meant"});
  if (top.mergeNext) return;
  top.dropped = top.object.contains(top.key);
  if (!top.dropped) return;
  const auto wanted = pointerStep(top.hash, top.key);
  const std::string message = quotes() ? "duplicate key \"" + top.key + "\"" : "duplicate key";
  for (const auto& p : document_.places.places_)
    if (p.pointerHash == wanted) {
      report(mark, message + ", first written at " + lineText(p.line, p.column), "remove one of the two");
      return;
    }
  report(mark, message, "remove one of the two");
}

void YamlBuilder::put(json::value v) {
  if (stack_.empty()) {
    document_.value = std::move(v);
    hasRoot_ = true;
    return;
  }
  auto& top = stack_.back();
  if (top.shape == Shape::list) {
    top.array.push_back(std::move(v));
    return;
  }
  if (top.mergeNext) takeMerge(top, std::move(v));
  else if (!top.dropped) top.object.emplace(top.key, std::move(v));
  top.hasKey = top.mergeNext = top.dropped = false;
}

void YamlBuilder::takeMerge(Frame& frame, json::value v) {
  if (auto* o = v.if_object()) {
    frame.merges.push_back(std::move(*o));
    return;
  }
  auto* list = v.if_array();
  const bool allMaps =
      list != nullptr && std::all_of(list->begin(), list->end(), [](const json::value& i) { return i.is_object(); });
  if (!allMaps) return report(frame.keyMark, "'<<' merges a mapping or a list of mappings", "write <<: *anchor");
  for (auto& item : *list) frame.merges.push_back(std::move(item.get_object()));
}

void YamlBuilder::noteAnchor(std::string_view anchor, const json::value& v, std::size_t weight) {
  if (anchor.empty()) return;
  weight_ += weight;  // the copy kept for the aliases
  anchors_.insert_or_assign(std::string(anchor), Anchored{v, weight, depthOf(v)});
}

void YamlBuilder::alias(std::string_view anchor, Mark mark) {
  const auto found = anchors_.find(anchor);
  if (found == anchors_.end() && !quotes())
    return stop(mark, "the alias has no anchor before it", "quote a value that begins with '*'");
  if (found == anchors_.end()) {
    const bool inside = std::any_of(stack_.begin(), stack_.end(), [&](const Frame& f) { return f.anchor == anchor; });
    return stop(mark, inside
                          ? "alias *" + std::string(anchor) + " stands inside the value it names"
                          : "alias *" + std::string(anchor) + " has no anchor &" + std::string(anchor) + " before it");
  }
  const auto& known = found->second;
  if (!weigh(known.weight, mark)) return;
  if (stack_.size() + known.depth > limits_.maxDepth)
    return stop(mark,
                "nested deeper than " + std::to_string(limits_.maxDepth) + " levels once its aliases are expanded");
  if (wantsKey()) {
    if (known.value.is_structured()) return stop(mark, "a mapping or list cannot be a key", "write a text as the key");
    const std::string text = known.value.is_string() ? std::string(view(known.value.get_string())) : "";
    return takeKey(known.value, text, Style::quoted, mark);
  }
  place(mark);
  put(known.value);
}

void YamlBuilder::open(Shape shape, const Properties& properties, Mark mark) {
  if (!weigh(1, mark)) return;
  if (stack_.size() >= limits_.maxDepth)
    return stop(mark, "nested deeper than " + std::to_string(limits_.maxDepth) + " levels");
  if (wantsKey())
    return stop(mark, "a mapping or list cannot be a key",
                "a template such as {{ name }} must be filled in before it is read, or quoted");
  const auto expected = shape == Shape::map ? "tag:yaml.org,2002:map" : "tag:yaml.org,2002:seq";
  if (!properties.tag.empty() && properties.tag != "!" && properties.tag != expected)
    report(mark,
           (quotes() ? "unknown tag " + std::string(properties.tag) : std::string("unknown tag")) + "; remove it");
  place(mark);
  Frame frame;
  frame.shape = shape;
  frame.hash = childHash();
  frame.anchor = properties.anchor;
  frame.weightBefore = weight_;
  frame.start = mark;
  stack_.push_back(std::move(frame));
}

void YamlBuilder::close() {
  Frame frame = std::move(stack_.back());
  stack_.pop_back();
  for (auto& merged : frame.merges)
    for (auto& kv : merged)
      if (!frame.object.contains(kv.key())) frame.object.emplace(kv.key(), std::move(kv.value()));
  json::value v =
      frame.shape == Shape::map ? json::value(std::move(frame.object)) : json::value(std::move(frame.array));
  if (!frame.anchor.empty()) {
    noteAnchor(frame.anchor, v, weight_ - frame.weightBefore + 1);
    if (!weigh(0, frame.start)) return;
  }
  put(std::move(v));
}

}  // namespace steer
