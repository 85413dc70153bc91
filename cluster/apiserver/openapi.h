#pragma once
// OpenAPI documents, made from the schemas: version 3 per group-version with what clients read
// (types for `explain`, merge keys, the patch operation of each resource), and the smallest version
// 2 document in protobuf, which kubectl up to 1.28 asks for. Pure; made once.
#include <string>
#include <string_view>

#include "schemas/schema.h"

namespace steer {

class OpenApi {
 public:
  explicit OpenApi(const SchemaRegistry& registry);
  /// /openapi/v3
  const std::string& index() const { return index_; }
  /// By "api/v1", "apis/apps/v1"; nullptr when there is none.
  const std::string* document(std::string_view groupVersion) const;
  static std::string version2Protobuf();

 private:
  std::map<std::string, std::string, std::less<>> documents_;
  std::string index_;
};

}  // namespace steer
