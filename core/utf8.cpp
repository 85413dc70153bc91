#include "core/utf8.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace steer {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

struct Step {
  std::size_t bytes = 1;
  bool good = false;
};

/// The character at the beginning of a text that is not empty, or what of it is not one (Unicode, table 3-7).
Step firstOf(std::string_view s) {
  const auto lead = static_cast<unsigned char>(s[0]);
  if (lead < 0x80) return {1, true};
  const std::size_t size = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (size == 0) return {};
  unsigned low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  unsigned high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  for (std::size_t i = 1; i < size; ++i) {
    const unsigned next = i < s.size() ? static_cast<unsigned char>(s[i]) : 0;
    if (next < low || next > high) return {i, false};
    low = 0x80;
    high = 0xbf;
  }
  return {size, true};
}

bool isAscii(std::string_view s) {
  return std::all_of(s.begin(), s.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

}  // namespace

bool isUtf8(std::string_view text) {
  if (isAscii(text)) return true;
  while (!text.empty()) {
    const auto step = firstOf(text);
    if (!step.good) return false;
    text.remove_prefix(step.bytes);
  }
  return true;
}

std::string toUtf8(std::string_view text) {
  if (isUtf8(text)) return std::string(text);
  std::string out;
  out.reserve(text.size() + 8);
  while (!text.empty()) {
    const auto step = firstOf(text);
    out += step.good ? text.substr(0, step.bytes) : kReplacement;
    text.remove_prefix(step.bytes);
  }
  return out;
}

bool makeUtf8(json::object& object) {
  bool changed = false;
  bool badKey = false;
  for (auto& member : object) {
    badKey = badKey || !isUtf8(std::string_view(member.key().data(), member.key().size()));
    changed = makeUtf8(member.value()) || changed;
  }
  if (!badKey) return changed;
  json::object renamed;
  for (auto& member : object)
    renamed.insert_or_assign(toUtf8(std::string_view(member.key().data(), member.key().size())),
                             std::move(member.value()));
  object = std::move(renamed);
  return true;
}

bool makeUtf8(json::value& value) {
  bool changed = false;
  if (auto* text = value.if_string()) {
    if (isUtf8(view(*text))) return false;
    *text = toUtf8(view(*text));
    return true;
  }
  if (auto* object = value.if_object()) return makeUtf8(*object);
  if (auto* list = value.if_array())
    for (auto& item : *list) changed = makeUtf8(item) || changed;
  return changed;
}

bool allUtf8(const json::value& value) {
  if (const auto* text = value.if_string()) return isUtf8(view(*text));
  if (const auto* object = value.if_object())
    return std::all_of(object->begin(), object->end(), [](const auto& member) {
      return isUtf8(std::string_view(member.key().data(), member.key().size())) && allUtf8(member.value());
    });
  if (const auto* list = value.if_array())
    return std::all_of(list->begin(), list->end(), [](const json::value& item) { return allUtf8(item); });
  return true;
}

}  // namespace steer
