#include "reconciler/plan/application_policy.h"

namespace steer {
namespace {

std::vector<std::string> texts(const json::value& of, std::string_view member) {
  std::vector<std::string> out;
  for (const auto& item : arrayAt(of, {member}))
    if (item.is_string()) out.emplace_back(view(item.get_string()));
  return out;
}

}  // namespace

OwnershipPolicy policyOf(const json::object& spec) {
  OwnershipPolicy out;
  if (!boolAt(spec, {"force"}, true)) out.conflicts = OwnershipPolicy::Conflicts::refuse;
  for (const auto& rule : arrayAt(spec, {"ignoreFields"})) {
    if (!rule.is_object()) continue;
    IgnoredFields ignored{std::string(stringAt(rule, {"apiVersion"})),
                          std::string(stringAt(rule, {"kind"})),
                          std::string(stringAt(rule, {"namespace"})),
                          std::string(stringAt(rule, {"name"})),
                          texts(rule, "managers"),
                          texts(rule, "paths")};
    // A rule that names neither a place nor a manager would give everything away.
    if (!ignored.managers.empty() || !ignored.paths.empty()) out.ignored.push_back(std::move(ignored));
  }
  out.respectedManagers = texts(json::value(spec), "respectManagers");
  return out;
}

DeleteBudget deleteBudgetOf(const json::object& spec) {
  DeleteBudget out;
  const auto percent = intAt(spec, {"deleteBudget", "percent"}, out.percent);
  const auto count = intAt(spec, {"deleteBudget", "count"}, out.count);
  if (percent >= 0 && percent <= 100) out.percent = static_cast<int>(percent);
  if (count >= 0 && count <= 1'000'000) out.count = static_cast<int>(count);
  return out;
}

std::vector<std::pair<std::string, std::string>> policyProblems(const json::object& spec) {
  std::vector<std::pair<std::string, std::string>> out;
  const auto& rules = arrayAt(spec, {"ignoreFields"});
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const std::string at = "spec.ignoreFields[" + std::to_string(i) + "]";
    const auto paths = texts(rules[i], "paths");
    for (std::size_t k = 0; k < paths.size(); ++k)
      if (auto problem = pathPatternProblem(paths[k]); !problem.empty())
        out.emplace_back(at + ".paths[" + std::to_string(k) + "]", "\"" + paths[k] + "\" " + problem);
    if (paths.empty() && texts(rules[i], "managers").empty())
      out.emplace_back(at, "names neither paths nor managers, and so leaves nothing to anybody");
  }
  return out;
}

std::string accountOf(const json::object& spec, const std::string& ns) {
  const auto name = stringAt(spec, {"serviceAccountName"});
  return name.empty() ? "" : "system:serviceaccount:" + ns + ":" + std::string(name);
}

}  // namespace steer
