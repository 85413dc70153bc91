#include "net/http/target.h"

#include <optional>

namespace steer {
namespace {

int hexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

enum class Plus { literal, space };

std::optional<std::string> unescape(std::string_view text, Plus plus) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      const int high = i + 2 < text.size() ? hexDigit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hexDigit(text[i + 2]) : -1;
      if (high < 0 || low < 0) return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i] == '+' && plus == Plus::space ? ' ' : text[i];
    }
  }
  return out;
}

}  // namespace

Result<Target> parseTarget(std::string_view text) {
  // The absolute form, which proxies use: scheme and authority say nothing here.
  if (const auto scheme = text.find("://"); scheme != std::string_view::npos && !text.starts_with('/')) {
    const auto slash = text.find('/', scheme + 3);
    text = slash == std::string_view::npos ? std::string_view("/") : text.substr(slash);
  }
  text = text.substr(0, text.find('#'));
  const auto mark = text.find('?');
  Target out;
  auto path = unescape(text.substr(0, mark), Plus::literal);
  if (!path) return makeError(Errc::badRequest, "the path of the request has an invalid escape");
  out.path = std::move(*path);
  if (mark == std::string_view::npos) return out;
  std::string_view query = text.substr(mark + 1);
  while (!query.empty()) {
    const auto end = query.find('&');
    const auto pair = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    auto key = unescape(pair.substr(0, equals), Plus::space);
    auto value = unescape(equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1), Plus::space);
    if (key && value) out.query.emplace(std::move(*key), std::move(*value));
  }
  return out;
}

}  // namespace steer
