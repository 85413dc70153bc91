#include "cluster/apiserver/replica_rows.h"

#include "cluster/apiserver/row_text.h"

namespace steer {

std::vector<TableColumn> replicaColumns() {
  return {{"Name", "string", "name"},
          {"Desired", "integer"},
          {"Current", "integer"},
          {"Ready", "integer"},
          {"Age"},
          {"Containers", "string", "", 1},
          {"Images", "string", "", 1},
          {"Selector", "string", "", 1}};
}

json::array replicaRow(const Object& object, Time now) {
  const auto& pod = objectAt(object.spec(), {"template", "spec"});
  return {object.name(),
          intAt(object.spec(), {"replicas"}, 1),
          intAt(object.status(), {"replicas"}),
          intAt(object.status(), {"readyReplicas"}),
          ageText(object, now),
          containerNames(pod),
          containerImages(pod)};
}

}  // namespace steer
