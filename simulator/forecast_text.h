#pragma once
// A forecast for people: a table on a terminal, Markdown for a pull request. Pure.
#include <functional>
#include <string>

#include "diff/text.h"
#include "simulator/forecast.h"

namespace steer {

struct ForecastTextOptions {
  /// Colours a piece by its mark; null = plain.
  std::function<std::string(Mark, const std::string&)> paint{};
  std::size_t maxPods = 20;  ///< lines of the sequence; the rest is counted
};
std::string forecastText(const Forecast& forecast, const ForecastTextOptions& options = {});
std::string forecastMarkdown(const Forecast& forecast);
/// A section for a page of HTML.
std::string forecastHtml(const Forecast& forecast);

}  // namespace steer
