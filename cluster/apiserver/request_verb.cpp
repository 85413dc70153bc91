#include "cluster/apiserver/request_verb.h"

namespace steer {
namespace {

enum class Aim { one, all };
enum class Watches : bool { no, yes };

std::string verbOfMethod(const Request& request, Aim aim, Watches watches) {
  const auto& method = request.method;
  if (method == "GET" || method == "HEAD") {
    if (watches == Watches::yes) return "watch";
    return aim == Aim::one ? "get" : "list";
  }
  if (method == "POST") return "create";
  if (method == "PUT") return "update";
  if (method == "PATCH") return "patch";
  if (method == "DELETE") return aim == Aim::one ? "delete" : "deletecollection";
  return "";
}

}  // namespace

std::string verbOf(const Request& request, const Route& route) {
  const bool watches = route.subresource.empty() && request.queryBool("watch");
  return verbOfMethod(request, route.name.empty() ? Aim::all : Aim::one, watches ? Watches::yes : Watches::no);
}

std::string verbOf(const Request& request) { return verbOfMethod(request, Aim::one, Watches::no); }

}  // namespace steer
