#pragma once
// Reads the schema documents into a registry. A field is one line of words:
//   "<type> [#protobuf number] [in=<inlined message>] [required] [set] [keys=a,b] [merge[=key]] [retainKeys|replace]
//    [atomic|granular] [keep] [pointer] [enum=a|b] [default=v]
//    [copyOf=<member>]"
// where <type> is [] (list) or {} (map) before a scalar or the name of a type, and "~" in an enum is a space.
// Thread rule: used once, by one thread.
// Failure rule: a document that cannot be read is an error naming the document.
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "schemas/schema.h"

namespace steer {

struct SchemaDocument {
  std::string_view name;
  std::string_view text;
};

class SchemaLoader {
 public:
  /// The documents that the binary carries.
  static std::vector<SchemaDocument> embedded();
  static Result<std::unique_ptr<SchemaRegistry>> load(const std::vector<SchemaDocument>& documents);

 private:
  Result<void> declareTypes(const json::object& types);
  Result<void> defineType(TypeSchema& type, const json::object& spec);
  Result<FieldSchema> readField(std::string_view name, std::string_view line) const;
  Result<void> readTypeWord(FieldSchema& field, std::string_view word) const;
  Result<void> readKind(const json::object& spec);
  Result<void> markServed(const json::array& list);
  void index();

  std::unique_ptr<SchemaRegistry> registry_ = std::make_unique<SchemaRegistry>();
};

}  // namespace steer
