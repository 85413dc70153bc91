#include "cluster/apiserver/list_pages.h"

#include <charconv>

#include "core/json.h"

namespace steer {
namespace {

constexpr std::size_t kKept = 32;
constexpr auto kKeptFor = minutes(5);
constexpr std::string_view kContinue = "Continue";

struct Token {
  std::uint64_t revision = 0;  ///< 0: any
  std::string after;
};

std::string hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

std::string tokenText(const Token& token) { return hex(std::to_string(token.revision) + " " + token.after); }

std::optional<Token> readToken(std::string_view text) {
  std::string bytes;
  if (text.size() % 2 != 0) return std::nullopt;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    unsigned value = 0;
    const auto [end, ec] = std::from_chars(text.data() + i, text.data() + i + 2, value, 16);
    if (ec != std::errc{} || end != text.data() + i + 2) return std::nullopt;
    bytes += static_cast<char>(value);
  }
  Token out;
  const auto space = bytes.find(' ');
  if (space == std::string::npos) return std::nullopt;
  const auto [end, ec] = std::from_chars(bytes.data(), bytes.data() + space, out.revision);
  if (ec != std::errc{} || end != bytes.data() + space) return std::nullopt;
  out.after = bytes.substr(space + 1);
  return out;
}

Error expired(const Token& token) {
  Error error = makeError(Errc::gone,
                          "The provided continue parameter is too old to display a consistent list result. You can "
                          "start a new list without the continue parameter, or use the continue token in this "
                          "response to retrieve the remainder of the results. Continuing with the provided token "
                          "results in an inconsistent list - objects that were created, modified, or deleted between "
                          "the time the first chunk was returned and now may show up in the list.");
  error.causes.push_back({std::string(kContinue), "", tokenText({0, token.after})});
  return error;
}

}  // namespace

std::string freshToken(const Error& error) {
  for (const auto& cause : error.causes)
    if (error.code == Errc::gone && cause.reason == kContinue) return cause.message;
  return "";
}

void ListPages::keep(const Snapshot& snapshot) {
  const Time now = clock_.now();
  kept_.with([&](auto& kept) {
    std::erase_if(kept, [&](const auto& entry) { return entry.second.until <= now; });
    kept[snapshot.revision()] = {snapshot, now + kKeptFor};
    while (kept.size() > kKept) kept.erase(kept.begin());
  });
}

std::optional<Snapshot> ListPages::at(std::uint64_t revision) {
  const Time now = clock_.now();
  return kept_.with([&](auto& kept) -> std::optional<Snapshot> {
    const auto it = kept.find(revision);
    if (it == kept.end() || it->second.until <= now) return std::nullopt;
    return it->second.snapshot;
  });
}

Result<Page> ListPages::read(const Snapshot& now, const Selection& selection, std::uint64_t limit,
                             const std::string& token) {
  Snapshot view = now;
  std::string after;
  if (!token.empty()) {
    const auto parsed = readToken(token);
    if (!parsed) return makeError(Errc::badRequest, "continue key is not valid");
    after = parsed->after;
    if (parsed->revision != 0) {
      auto kept = at(parsed->revision);
      if (!kept) return expired(*parsed);
      view = std::move(*kept);
    }
  }
  Page page;
  page.revision = view.revision();
  bool more = false;
  std::uint64_t beyond = 0;
  selection.each(view, after, [&](const ObjectPtr& object) {
    if (limit != 0 && page.items.size() >= limit) {
      more = true;
      ++beyond;
      return selection.everything();
    }
    page.items.push_back(object);
    return true;
  });
  if (!more) return page;
  const auto& last = *page.items.back();
  page.continueToken = tokenText({view.revision(), last.ns() + "/" + last.name()});
  if (selection.everything()) page.remaining = beyond;
  keep(view);
  return page;
}

}  // namespace steer
