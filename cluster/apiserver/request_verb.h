#pragma once
// What a request asks of a resource, as rights name it. Pure.
#include <string>

#include "cluster/apiserver/route.h"
#include "net/http/message.h"

namespace steer {

/// "get", "list", "watch", "create", "update", "patch", "delete" or "deletecollection"; empty for another method.
std::string verbOf(const Request& request, const Route& route);
/// The same of a path that is no resource's, asked as one object.
std::string verbOf(const Request& request);

}  // namespace steer
