#include "diff/text.h"

#include <sstream>

#include "core/yaml.h"

namespace steer {
namespace {

std::string scalarText(const json::value& v, std::size_t limit) {
  std::string text = v.is_string() && view(v.get_string()) == kMasked ? kMasked : jsonText(v);
  if (text.size() > limit) {
    text.resize(limit);
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0) == 0x80) text.pop_back();
    text += "…";
  }
  return text;
}

bool isBlock(const json::value& v) {
  return (v.is_object() && !v.get_object().empty()) || (v.is_array() && !v.get_array().empty());
}

Mark markOf(FieldChange::Kind kind) {
  switch (kind) {
    case FieldChange::Kind::add:
      return Mark::add;
    case FieldChange::Kind::remove:
      return Mark::remove;
    case FieldChange::Kind::change:
      return Mark::change;
  }
  return Mark::plain;
}

const char* signOf(Mark mark) {
  switch (mark) {
    case Mark::add:
      return "+";
    case Mark::remove:
      return "-";
    case Mark::change:
      return "~";
    case Mark::plain:
      return " ";
  }
  return " ";
}

class Writer {
 public:
  explicit Writer(const TextOptions& options) : options_(options) {}

  void change(const FieldChange& c) {
    const Mark mark = markOf(c.kind);
    if (c.before && c.after) {
      if (isBlock(*c.before) || isBlock(*c.after)) {
        line(mark, c.path + ":");
        block(Mark::remove, *c.before);
        block(Mark::add, *c.after);
      } else {
        line(mark, c.path + ": " + scalarText(*c.before, options_.maxValue) + " → " +
                       scalarText(*c.after, options_.maxValue) + (c.sensitive ? " changed" : ""));
      }
      return;
    }
    const auto& value = c.before ? *c.before : *c.after;
    if (isBlock(value)) {
      line(mark, c.path + ":");
      block(mark, value);
    } else {
      line(mark, c.path + ": " + scalarText(value, options_.maxValue));
    }
  }

  std::string take() { return std::move(out_); }

 private:
  void line(Mark mark, const std::string& text) {
    const std::string whole = std::string(signOf(mark)) + " " + text;
    out_ += options_.indent + (options_.paint ? options_.paint(mark, whole) : whole) + "\n";
  }
  void block(Mark mark, const json::value& v) {
    std::istringstream lines(yamlText(v));
    for (std::string text; std::getline(lines, text);) line(mark, "    " + text);
  }

  const TextOptions& options_;
  std::string out_;
};

}  // namespace

std::string changesText(const std::vector<FieldChange>& changes, const TextOptions& options) {
  Writer writer(options);
  for (const auto& change : changes) writer.change(change);
  return writer.take();
}

json::array changesJson(const std::vector<FieldChange>& changes) {
  json::array out;
  for (const auto& change : changes) {
    json::object o{{"op", change.kind == FieldChange::Kind::add      ? "add"
                          : change.kind == FieldChange::Kind::remove ? "remove"
                                                                     : "change"},
                   {"path", change.path}};
    if (change.before) o["before"] = *change.before;
    if (change.after) o["after"] = *change.after;
    if (change.sensitive) o["sensitive"] = true;
    out.push_back(std::move(o));
  }
  return out;
}

}  // namespace steer
