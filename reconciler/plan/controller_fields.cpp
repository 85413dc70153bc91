#include "reconciler/plan/controller_fields.h"

#include <array>

namespace steer {
namespace {

struct Row {
  std::string_view group;  ///< with the slash
  std::string_view kind;
  std::string_view when;  ///< a member that hands the field over
  std::string_view field;
};
constexpr std::array kRows{Row{"rbac.authorization.k8s.io/", "ClusterRole", "aggregationRule", "rules"}};

}  // namespace

void leaveToControllers(json::object& body) {
  for (const auto& row : kRows)
    if (stringAt(body, {"kind"}) == row.kind && stringAt(body, {"apiVersion"}).starts_with(row.group) &&
        !objectAt(body, {row.when}).empty())
      body.erase(jkey(row.field));
}

}  // namespace steer
