#pragma once
// What `.steerignore` files leave out, by the rules of gitignore: '*', '?', '[a-z]', '**', a leading
// or inner '/' anchors, a trailing '/' means directories only, '!' takes back, '#' comments, the last
// match decides. Thread rule: an immutable value.
#include <string>
#include <string_view>
#include <vector>

namespace steer {

class IgnoreRules {
 public:
  enum class Entry { file, directory };

  /// These rules, then those of the file in directory `base` ("" = the root).
  IgnoreRules with(std::string_view base, std::string_view text) const;
  /// Whether the entry itself is named. What lies in an ignored directory is never asked for.
  bool ignores(std::string_view path, Entry entry) const;
  bool empty() const { return rules_.empty(); }
  /// Equal rules have equal keys.
  const std::string& key() const { return key_; }

 private:
  struct Rule {
    std::string base;
    std::vector<std::string> segments;
    bool anchored = false;
    bool directoriesOnly = false;
    bool takesBack = false;
  };
  std::vector<Rule> rules_;
  std::string key_;
};

}  // namespace steer
