#pragma once
// ApplyRecord: what became of one commit, as a value that is written to Git and read by people and
// programs. Thread rule: a plain value. Failure rule: reading rejects what is not a record.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/json.h"

namespace steer {

struct ApplyRecord {
  enum class Result { running, healthy, degraded, timedOut, failed, invalid, superseded };

  struct ObjectRow {
    std::string object;                 ///< "Deployment shop/web"
    std::string source;                 ///< file:line, empty for deletions
    std::string action;                 ///< create, update, replace, delete, none
    std::string outcome;                ///< done, failed, skipped
    std::string error;                  ///< why it failed
    std::string health;                 ///< healthy, progressing, degraded, empty when not assessed
    std::string reason;                 ///< of the health, in words
    std::vector<std::string> fields{};  ///< paths that changed; never values
  };

  std::string application = "root";
  std::string commit;
  std::string author;
  std::string summary;
  std::string repository;
  std::string revision;
  std::string trigger = "push";  ///< push, drift, resume, start
  Time started{};
  Time finished{};
  Result result = Result::running;
  std::string message;
  std::int64_t created = 0;
  std::int64_t updated = 0;
  std::int64_t replaced = 0;
  std::int64_t deleted = 0;
  std::int64_t unchanged = 0;
  std::vector<ObjectRow> objects{};     ///< those with an action or a problem
  std::vector<std::string> findings{};  ///< "web.yaml:12:7: error: …"
  std::vector<std::string> drift{};     ///< what was changed by others, and by whom
  std::string approval{};               ///< who said yes to its deletions, and how; empty when nobody had to

  std::string account{};  ///< the user as whom it was written; empty = the server itself

  bool finishedWell() const { return result == Result::healthy; }
  /// "records/2026-11/21/04/041059.123456Z-<commit>.json", for others than root
  /// "…-<commit>-<application>.json": unique per run, ordered by time.
  std::string path() const;
  /// One line: "healthy: 3 created, 1 updated (2026-11-21T04:10:59Z)".
  std::string line() const;
  /// The Git note: the line, then the first findings and refusals, one a line.
  std::string note() const;
};

std::string_view textOf(ApplyRecord::Result result);
json::object toJson(const ApplyRecord& record);
Result<ApplyRecord> recordFromJson(std::string_view text);

}  // namespace steer
