#include "cli/commands/simulating.h"

#include <algorithm>
#include <iostream>

#include "cli/mark_painter.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "core/clock.h"
#include "core/duration.h"
#include "reconciler/plan/report.h"
#include "simulator/forecast_text.h"
#include "simulator/rehearsal.h"

namespace steer::cli {
namespace {

Result<Forecast> forecast(const Planned& planned, const SimulateFlags& flags) {
  RehearsalOptions options;
  const auto limit = parseDuration(flags.limit);
  if (!limit || limit->count() <= 0)
    return makeError(Errc::badRequest, "--simulate-limit: \"" + flags.limit + "\" is no duration such as 30m");
  options.limit = *limit;
  const auto timeout = parseDuration(flags.timeout);
  if (!timeout || timeout->count() <= 0)
    return makeError(Errc::badRequest, "--simulate-timeout: \"" + flags.timeout + "\" is no duration such as 30s");
  options.wallLimit = *timeout;
  options.seed = flags.seed;
  options.now = SystemClock().now();
  STEER_TRY(const auto cluster, readCluster(*planned.client));
  return rehearse(cluster, planned.plans, options);
}

}  // namespace

void addSimulateFlags(const CommandLine& command, SimulateFlags& flags) {
  const auto simulate = command.flag("--simulate", flags.simulate,
                                     "Run the change on a copy of the cluster, in virtual time, and tell what happens");
  command.option("--simulate-limit", flags.limit, "Virtual time after which the simulation ends").needs(simulate);
  command.option("--simulate-timeout", flags.timeout, "How long simulating itself may take").needs(simulate);
  command.option("--simulate-seed", flags.seed, "Another order of what happens at the same time").needs(simulate);
}

std::optional<bool> printSimulated(const Planned& planned, const PlanningFlags& planning, const SimulateFlags& flags) {
  const auto seen = forecast(planned, flags);
  if (!seen.ok()) {
    printError("the simulation failed: " + seen.error().message);
    return std::nullopt;
  }
  if (planning.output == "json" || planning.output == "yaml") {
    json::object document = planSetJson(planned.plans);
    document["simulation"] = forecastJson(*seen);
    std::cout << documentText(document, planning.output);
    return seen->blocked();
  }
  if (planning.output == "html") {
    std::string page = reportHtml(planReport(planned.plans));
    page.insert(std::min(page.rfind("</body>"), page.size()), forecastHtml(*seen));
    std::cout << page;
    return seen->blocked();
  }
  printPlans(planned.plans, planning);
  if (planning.output == "markdown") {
    std::cout << "\n" << forecastMarkdown(*seen);
    return seen->blocked();
  }
  ForecastTextOptions options;
  options.paint = markPainter();
  std::cout << "\n" << forecastText(*seen, options);
  return seen->blocked();
}

}  // namespace steer::cli
