#include "diff/text.h"

#include <algorithm>
#include <sstream>

#include "core/yaml.h"
#include "diff/line_diff.h"

namespace steer {
namespace {

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

std::string fullText(const json::value& v) {
  return v.is_string() && view(v.get_string()) == kMasked ? kMasked : jsonText(v);
}

/// Cut at both ends to what fits, from about `from` on.
std::string cut(std::string text, std::size_t from, std::size_t limit) {
  if (text.size() <= limit) return text;
  while (from < text.size() && from > 0 && continues(text[from])) --from;
  const bool more = text.size() > from + limit;
  text = (from == 0 ? "" : "…") + text.substr(from, limit);
  while (more && !text.empty() && continues(text.back())) text.pop_back();
  if (more && !text.empty() && static_cast<unsigned char>(text.back()) >= 0xC0) text.pop_back();
  return more ? text + "…" : text;
}

std::string scalarText(const json::value& v, std::size_t limit) { return cut(fullText(v), 0, limit); }

/// Both sides, cut where they differ, so that they never look the same.
std::string changeText(const json::value& before, const json::value& after, std::size_t limit) {
  const auto a = fullText(before);
  const auto b = fullText(after);
  const auto differ = static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
  const auto from = std::max(a.size(), b.size()) <= limit || differ < limit / 2 ? 0 : differ - limit / 4;
  return cut(a, std::min(from, a.size()), limit) + " → " + cut(b, std::min(from, b.size()), limit);
}

bool manyLines(const json::value& v) {
  return v.is_string() && view(v.get_string()).find('\n') != std::string_view::npos;
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

constexpr std::size_t kLines = 400;  ///< of one value
constexpr std::size_t kLine = 2000;  ///< of a text of many lines

class Writer {
 public:
  explicit Writer(const TextOptions& options) : options_(options) {}

  void change(const FieldChange& c) {
    const Mark mark = markOf(c.kind);
    if (c.before && c.after) {
      if (c.before->is_string() && c.after->is_string() && (manyLines(*c.before) || manyLines(*c.after))) {
        line(mark, c.path + ":");
        lines(view(c.before->get_string()), view(c.after->get_string()));
      } else if (isBlock(*c.before) || isBlock(*c.after)) {
        line(mark, c.path + ":");
        block(Mark::remove, *c.before);
        block(Mark::add, *c.after);
      } else {
        line(mark,
             c.path + ": " + changeText(*c.before, *c.after, options_.maxValue) + (c.sensitive ? " changed" : ""));
      }
      return;
    }
    const auto& value = c.before ? *c.before : *c.after;
    if (manyLines(value)) {
      line(mark, c.path + ":");
      if (c.before) lines(view(value.get_string()), "");
      else lines("", view(value.get_string()));
    } else if (isBlock(value)) {
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
  void lines(std::string_view before, std::string_view after) {
    const auto all = lineDiff(before, after);
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (i == kLines) return line(Mark::plain, "    and " + std::to_string(all.size() - i) + " more lines");
      const auto& change = all[i];
      using Kind = LineChange::Kind;
      const auto text = change.kind == Kind::skipped ? "… " + change.text + " as they are" : cut(change.text, 0, kLine);
      line(change.kind == Kind::removed ? Mark::remove
           : change.kind == Kind::added ? Mark::add
                                        : Mark::plain,
           "    " + text);
    }
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
