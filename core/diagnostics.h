#pragma once
// Diagnostics: many located findings about what a person wrote. Collected, never thrown; all
// findings of all files are reported at once. Thread rule: a plain value.
#include <cstddef>
#include <string>
#include <vector>

namespace steer {

/// A place in a source file. line and column count from 1; 0 = unknown.
struct SourcePos {
  std::string file;
  std::size_t line = 0;
  std::size_t column = 0;

  /// "file:line:column", "file:line" or "file", as far as known.
  std::string text() const;
};

enum class Severity { warning, error };

struct Diagnostic {
  Severity severity = Severity::error;
  SourcePos pos;
  std::string object;   ///< "Deployment shop/web", empty when not known
  std::string path;     ///< field path, "spec.replicas"; empty for the whole
  std::string message;  ///< what is wrong
  std::string hint;     ///< what to write instead; may be empty

  /// One line: "web.yaml:12:7: error: Deployment shop/web: spec.replicsa: unknown field; did you mean …".
  std::string text() const;
};

class Diagnostics {
 public:
  void add(Diagnostic d) { items_.push_back(std::move(d)); }
  void append(Diagnostics other);
  bool hasErrors() const;
  bool empty() const { return items_.empty(); }
  std::size_t errorCount() const;
  const std::vector<Diagnostic>& items() const { return items_; }
  /// Sorted by file, line, column, path; duplicates removed.
  void sort();
  std::string text() const;

 private:
  std::vector<Diagnostic> items_;
};

}  // namespace steer
