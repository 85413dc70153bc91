#include "core/yaml.h"

#include <yaml.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <memory>

#include "core/yaml_builder.h"

namespace steer {
namespace {

using Parser = std::unique_ptr<yaml_parser_t, decltype([](yaml_parser_t* p) {
                                 yaml_parser_delete(p);
                                 delete p;  // NOLINT
                               })>;
using Event = std::unique_ptr<yaml_event_t, decltype([](yaml_event_t* e) { yaml_event_delete(e); })>;

std::string_view textOf(const yaml_char_t* s) {
  return s == nullptr ? std::string_view() : std::string_view(reinterpret_cast<const char*>(s));
}

YamlBuilder::Mark markOf(const yaml_mark_t& m) { return {m.line + 1, m.column + 1}; }

/// A part of the text that is parsed by itself, and where it begins: lines and columns before it.
struct Part {
  std::string_view text;
  std::size_t line = 0;
  std::size_t column = 0;

  YamlBuilder::Mark at(YamlBuilder::Mark mark) const {
    if (mark.line == 1) mark.column += column;
    mark.line += line;
    return mark;
  }
};

char charAt(std::string_view text, const yaml_mark_t& mark) {
  // The mark's index counts characters; find the byte by line and column instead.
  std::size_t at = 0;
  for (std::size_t line = 0; line < mark.line && at != std::string_view::npos; ++line) {
    at = text.find('\n', at);
    if (at != std::string_view::npos) ++at;
  }
  if (at == std::string_view::npos || at + mark.column >= text.size()) return '\0';
  const auto row = text.substr(at, text.find('\n', at) - at);
  return mark.column < row.size() ? row[mark.column] : '\0';
}

// The line before the mark, when it looks like "key:value" without the blank.
std::string unspacedPair(std::string_view text, const yaml_mark_t& mark) {
  std::size_t start = 0;
  for (std::size_t line = 0; line + 1 < mark.line; ++line) start = text.find('\n', start) + 1;
  if (mark.line == 0) return "";
  auto row = text.substr(start, text.find('\n', start) - start);
  row.remove_prefix(std::min(row.find_first_not_of(" -"), row.size()));
  const auto colon = row.find(':');
  if (colon == std::string_view::npos || colon + 1 >= row.size() || row[colon + 1] == ' ') return "";
  if (row.substr(0, colon).find_first_of(" \"'{[") != std::string_view::npos) return "";
  return std::string(row.substr(0, colon));
}

std::string hintFor(std::string_view problem, std::string_view context, char c) {
  auto says = [&](std::string_view part) { return problem.find(part) != std::string_view::npos; };
  if (says("cannot start any token")) {
    if (c == '\t') return "indent with spaces; YAML takes no tabs";
    return std::string("quote a value that begins with '") + c + "'";
  }
  if (says("tab character")) return "indent with spaces; YAML takes no tabs";
  if (says("mapping values are not allowed")) return "check the indentation; quote a value that contains \": \"";
  if (says("could not find expected ':'")) return "write \"key: value\", with a space after the colon";
  if (says("did not find expected key")) return "keys of one mapping must begin in the same column";
  if (says("did not find expected '-' indicator")) return "items of one list must begin in the same column with \"- \"";
  if (says("',' or ']'")) return "close the list with ']'";
  if (says("',' or '}'")) return "close the mapping with '}'";
  if (says("unexpected end of stream") && context.find("quoted") != std::string_view::npos) return "close the quotes";
  if (says("block sequence entries are not allowed"))
    return "begin the list on the next line; quote a value that begins with \"- \"";
  if (says("unknown escape character")) return "write \\\\ for a backslash, or use single quotes";
  if (says("control characters")) return "save the file as plain UTF-8 text";
  if (says("UTF-8") || says("UTF-16")) return "save the file as UTF-8";
  return "";
}

void reportSyntax(const yaml_parser_t& p, const Part& part, YamlBuilder& builder) {
  const auto text = part.text;
  const std::string_view problem = p.problem == nullptr ? "not valid YAML" : p.problem;
  const std::string_view context = p.context == nullptr ? "" : p.context;
  auto mark = markOf(p.problem_mark);
  if (p.error == YAML_READER_ERROR) {
    const auto before = text.substr(0, std::min(p.problem_offset, text.size()));
    const auto lineStart = before.rfind('\n');
    mark.line = static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n')) + 1;
    mark.column = before.size() - (lineStart == std::string_view::npos ? 0 : lineStart + 1) + 1;
  }
  std::string message(problem);
  const char c = charAt(text, p.problem_mark);
  if (message.find("cannot start any token") != std::string::npos && c == '\t') message = "a tab where spaces belong";
  if (!context.empty()) {
    message += ", " + std::string(context);
    if (p.context_mark.line != p.problem_mark.line)
      message += " that begins at line " + std::to_string(part.line + p.context_mark.line + 1);
  }
  std::string hint = hintFor(problem, context, c);
  if (problem.find("mapping values") != std::string_view::npos)
    if (const auto key = unspacedPair(text, p.problem_mark); !key.empty() && builder.quotes())
      hint = "write \"" + key + ": …\" on the line before, with a space after the colon";
  builder.report(part.at(mark), std::move(message), std::move(hint));
}

int hex4(std::string_view s) {
  int out = 0;
  for (const char c : s) {
    const int d = c >= '0' && c <= '9'   ? c - '0'
                  : c >= 'a' && c <= 'f' ? c - 'a' + 10
                  : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                         : -1;
    if (d < 0) return -1;
    out = out * 16 + d;
  }
  return out;
}

// JSON writes characters beyond U+FFFF as two \u escapes, which YAML refuses; YAML has \U.
std::string withoutSurrogates(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 >= text.size()) {
      out += text[i];
      continue;
    }
    if (text[i + 1] == 'u' && i + 12 <= text.size() && text.substr(i + 6, 2) == "\\u") {
      const int high = hex4(text.substr(i + 2, 4));
      const int low = hex4(text.substr(i + 8, 4));
      if (high >= 0xd800 && high < 0xdc00 && low >= 0xdc00 && low < 0xe000) {
        const int code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
        static constexpr std::string_view kHex = "0123456789abcdef";
        out += "\\U00";
        for (int shift = 20; shift >= 0; shift -= 4) out += kHex[static_cast<std::size_t>(code >> shift & 15)];
        i += 11;
        continue;
      }
    }
    out += text[i];
    out += text[++i];
  }
  return out;
}

bool isJson(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && (text[first] == '{' || text[first] == '[');
}

/// The end of the JSON value that the text begins with; npos when it is none.
std::size_t endOfJson(std::string_view text) {
  std::size_t depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      else if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (depth-- <= 1) return i + 1;
    }
  }
  return std::string_view::npos;
}

constexpr std::size_t kMaxParts = 100'000;

/// JSON values that follow each other with nothing but blanks between them, as kubectl reads them; else the text.
std::vector<Part> partsOf(std::string_view text) {
  std::vector<Part> out;
  Part next{text};
  while (isJson(next.text)) {
    const auto end = endOfJson(next.text);
    if (end == std::string_view::npos || out.size() >= kMaxParts) return {{text}};
    const auto value = next.text.substr(0, end);
    out.push_back({value, next.line, next.column});
    for (const char c : value) {
      next.column = c == '\n' ? 0 : next.column + ((static_cast<unsigned char>(c) & 0xc0) != 0x80 ? 1 : 0);
      if (c == '\n') ++next.line;
    }
    next.text.remove_prefix(end);
  }
  const bool blank = next.text.find_first_not_of(" \t\r\n") == std::string_view::npos;
  if (out.size() < 2 || !blank) return {{text}};
  return out;
}

/// Whether a file speaks of secrets in any way: a Secret, or anything with credentials in it.
bool speaksOfSecrets(std::string_view text) {
  static constexpr std::array<std::string_view, 8> kWords{"secret",  "token",    "passw",   "credential",
                                                          "private", "key-data", "api-key", "apikey"};
  const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  return std::any_of(kWords.begin(), kWords.end(), [&](std::string_view word) {
    return std::search(text.begin(), text.end(), word.begin(), word.end(), same) != text.end();
  });
}

void feed(const yaml_event_t& e, const Part& part, YamlBuilder& builder) {
  const auto mark = part.at(markOf(e.start_mark));
  switch (e.type) {
    case YAML_SCALAR_EVENT: {
      const auto& s = e.data.scalar;
      const auto style = s.style == YAML_PLAIN_SCALAR_STYLE ? YamlBuilder::Style::plain : YamlBuilder::Style::quoted;
      return builder.scalar({reinterpret_cast<const char*>(s.value), s.length}, style,
                            {textOf(s.anchor), textOf(s.tag)}, mark);
    }
    case YAML_ALIAS_EVENT:
      return builder.alias(textOf(e.data.alias.anchor), mark);
    case YAML_SEQUENCE_START_EVENT:
      return builder.open(YamlBuilder::Shape::list,
                          {textOf(e.data.sequence_start.anchor), textOf(e.data.sequence_start.tag)}, mark);
    case YAML_MAPPING_START_EVENT:
      return builder.open(YamlBuilder::Shape::map,
                          {textOf(e.data.mapping_start.anchor), textOf(e.data.mapping_start.tag)}, mark);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
      return builder.close();
    case YAML_DOCUMENT_START_EVENT:
      return builder.startDocument();
    default:
      return;
  }
}

/// Whether what follows the part is worth reading.
bool parsePart(const Part& part, YamlBuilder& builder, std::vector<YamlDocument>& documents) {
  Parser parser(new yaml_parser_t{});
  if (yaml_parser_initialize(parser.get()) == 0) {
    builder.report({}, "no memory for the YAML parser");
    return false;
  }
  yaml_parser_set_input_string(parser.get(), reinterpret_cast<const unsigned char*>(part.text.data()),
                               part.text.size());
  while (!builder.stopped()) {
    yaml_event_t raw;
    std::memset(&raw, 0, sizeof raw);
    if (yaml_parser_parse(parser.get(), &raw) == 0) {
      reportSyntax(*parser, part, builder);
      return false;
    }
    const Event event(&raw);
    feed(raw, part, builder);
    if (raw.type == YAML_DOCUMENT_END_EVENT) documents.push_back(builder.endDocument());
    if (raw.type == YAML_STREAM_END_EVENT) return true;
  }
  return false;
}

}  // namespace

std::vector<YamlDocument> parseYaml(std::string_view text, const std::string& file, Diagnostics& out,
                                    const YamlLimits& limits) {
  std::vector<YamlDocument> documents;
  YamlBuilder builder(file, limits, out);
  if (limits.quotes == YamlLimits::Quotes::whereHarmless) builder.setQuotes([text] { return !speaksOfSecrets(text); });
  if (text.size() > limits.maxBytes) {
    builder.report({},
                   "the file has " + std::to_string(text.size()) + " bytes; at most " +
                       std::to_string(limits.maxBytes) + " are read",
                   "split it into several files");
    return documents;
  }
  std::string rewritten;
  if (isJson(text) && text.find("\\u") != std::string_view::npos) text = rewritten = withoutSurrogates(text);
  for (const auto& part : partsOf(text))
    if (!parsePart(part, builder, documents)) break;
  return documents;
}

}  // namespace steer
