#pragma once
// Output that several commands share: tables for people, JSON and YAML for programs.
#include <string>
#include <vector>

#include "core/json.h"

namespace steer::cli {

/// Columns aligned by display width, two spaces between, no trailing spaces.
std::string tableText(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows);
/// format: json | yaml.
std::string documentText(const json::value& v, const std::string& format);
/// "3m", "2h", "5d" as kubectl shows ages; "?" for a time that cannot be read.
std::string ageText(std::string_view rfc3339);

}  // namespace steer::cli
