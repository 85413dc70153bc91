#pragma once
// What Markdown and HTML share: escaping. Pure.
#include <string>
#include <string_view>

#include "reconciler/plan/report.h"

namespace steer {

/// Safe between tags and inside quoted attributes, on one line.
std::string htmlEscaped(std::string_view text);
/// Only "+", "-/+" and so on come from us; everything else of an item is what people wrote.
std::string htmlItemTitle(const ReportItem& item);

}  // namespace steer
