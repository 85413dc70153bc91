#pragma once
// The Markdown page of the status branch, made from records. Pure. What comes from repositories
// (names, messages, authors) is escaped: it can become neither markup nor HTML.
#include <string>
#include <string_view>
#include <vector>

namespace steer {

/// records: JSON texts, newest first; texts that are no records are left out.
std::string statusPage(const std::vector<std::string>& records);

/// Text that Markdown shows as it is, on one line, at most `limit` characters.
std::string escapeMarkdown(std::string_view text, std::size_t limit = 300);

}  // namespace steer
