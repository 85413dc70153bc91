#pragma once
// What this server answers to recorded requests, each a value put at a path of a base object. Every kind of the schema
// is asked, served or not: the planner of writes is asked itself. Thread rule: one owner.
#include <array>
#include <map>
#include <string>
#include <vector>

#include "core/json.h"

namespace steer {

/// A request and what Kubernetes answered.
struct RecordedAnswer {
  std::string url;   ///< of the collection: "api/v1/namespaces/default/pods"
  std::string name;  ///< of the object that an update changes; empty = a create
  json::array path;  ///< names and 0 for the first item of a list
  json::value value;
  int code = 0;
  std::vector<std::pair<std::string, std::string>> causes;  ///< reason and field, sorted
  json::value out;  ///< the object without metadata and status; null = not compared
};

struct Recording {
  std::map<std::string, json::object> bases;  ///< by url
  std::vector<RecordedAnswer> rows;

  /// From lines of JSON: first {"bases": {…}}, then a request each.
  static Recording read(const std::string& file);
};

struct GivenAnswer {
  int code = 0;
  std::vector<std::pair<std::string, std::string>> causes;
  json::value out;
  std::string message;
};

/// How far given answers agree with recorded ones; each share is of those that can be compared.
struct Agreement {
  int asked = 0, verdicts = 0, falseRefusals = 0, accepted = 0, withCauses = 0, causes = 0, withResult = 0, results = 0;
  void add(const RecordedAnswer& recorded, const GivenAnswer& given, const std::string& kind);
  static double share(int part, int whole) { return whole == 0 ? 100 : 100.0 * part / whole; }
};

/// One answer per row.
std::vector<GivenAnswer> askAll(const Recording& recording);

}  // namespace steer
