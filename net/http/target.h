#pragma once
// The target of a request line ("/api/v1/pods?labelSelector=a%3Db") as decoded path and query. Pure.
#include <map>
#include <string>
#include <string_view>

#include "core/result.h"

namespace steer {

struct Target {
  std::string path;
  std::multimap<std::string, std::string> query;
};

/// Errors: badRequest for a path with a bad escape. A bad escape in the query drops that pair, as Go's servers do.
Result<Target> parseTarget(std::string_view text);

}  // namespace steer
