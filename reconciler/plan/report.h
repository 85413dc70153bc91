#pragma once
// Report: what is to be shown, apart from how. A plan and a drift become one; it becomes text for a
// terminal, Markdown for a pull request, or a page of HTML. Pure; secrets stay masked, and whatever
// people wrote is escaped for the format.
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "diff/text.h"
#include "reconciler/plan/drift.h"
#include "reconciler/plan/plan_set.h"

namespace steer {

struct ReportItem {
  Mark mark = Mark::plain;
  std::string sign;                     ///< "+", "-/+"
  std::string name;                     ///< "Deployment web"
  std::string remark{};                 ///< "must be replaced: spec.selector cannot change"
  std::string place{};                  ///< "shop/web.yaml:3"
  std::vector<std::string> problems{};  ///< why it will fail
  std::vector<FieldChange> fields{};
  std::vector<std::string> notes{};  ///< "takes spec.replicas from kubectl"
};

struct ReportGroup {
  std::string title;  ///< "namespace shop"
  std::vector<ReportItem> items{};
};

struct ReportSection {
  std::string title;  ///< "application shop"
  std::vector<ReportGroup> groups{};
  std::vector<std::string> unchanged{};
  std::vector<std::string> warnings{};  ///< "needs confirmation: 7 of 12 objects …"
  std::vector<std::string> remarks{};   ///< "confirmed by the commit's trailer: 7 of 12 objects …"
};

struct Report {
  std::string nothing{};   ///< said instead of everything else when there is nothing to say
  std::string headline{};  ///< "Plan: 3 to create, …"
  std::vector<std::pair<std::string, std::string>> facts{};
  std::vector<std::string> findings{};  ///< a terminal has seen them before the report
  std::vector<ReportSection> sections{};
  std::vector<std::string> notes{};   ///< of the whole
  std::vector<std::string> footer{};  ///< facts that a reader of plain text needs, too
};

/// Whether the fields of objects that are made are shown.
enum class Creations : bool { folded, shown };
Report planReport(const PlanSet& set, Creations creations = Creations::folded);
struct ApplicationDrift {
  std::string application;
  std::vector<ObjectDrift> objects;
};
Report driftReport(const std::vector<ApplicationDrift>& drifts);
json::object driftJson(const std::vector<ApplicationDrift>& drifts);

struct ReportTextOptions {
  /// Colours a piece by its mark; null = plain.
  std::function<std::string(Mark, const std::string&)> paint{};
  std::size_t maxFields = 200;  ///< per object; the rest is counted
};
std::string reportText(const Report& report, const ReportTextOptions& options = {});

struct MarkdownOptions {
  std::size_t maxBytes = 60'000;  ///< forges cut comments at 65,536; what does not fit is counted
  std::size_t maxFields = 200;
};
std::string reportMarkdown(const Report& report, const MarkdownOptions& options = {});

/// One page without a script, without anything from elsewhere.
std::string reportHtml(const Report& report);

/// Control characters and those that turn the direction of text are written out, so that what people
/// wrote cannot move the cursor or hide itself.
std::string visible(std::string_view text);

}  // namespace steer
