#include "cli/applications.h"

#include <cstdlib>

#include "reconciler/plan/application_graph.h"

namespace steer::cli {

ObjectRef applicationNamed(const std::string& text) {
  const auto dot = text.find('.');
  if (dot == std::string::npos) return {"applications.steersman.dev", kSystemNamespace, text};
  return {"applications.steersman.dev", text.substr(0, dot), text.substr(dot + 1)};
}

std::string whoAmI(Client& client) {
  const auto review = client.write(Write::create(
      "selfsubjectreviews.authentication.k8s.io",
      {{"apiVersion", "authentication.k8s.io/v1"}, {"kind", "SelfSubjectReview"}, {"metadata", json::object{}}}));
  if (review.ok() && *review)
    if (const auto name = stringAt((*review)->status(), {"userInfo", "username"}); !name.empty())
      return std::string(name);
  const char* user = std::getenv("USER");
  return user == nullptr || *user == 0 ? "unknown" : user;
}

Result<ObjectPtr> annotate(Client& client, const ObjectRef& application, const std::string& key,
                           const std::string& value, const std::string& manager) {
  Write write = Write::patch(application, PatchType::merge,
                             json::object{{"metadata", {{"annotations", {{key, json::string(value)}}}}}});
  write.fieldManager = manager;
  return client.write(write);
}

}  // namespace steer::cli
