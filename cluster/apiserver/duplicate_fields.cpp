#include "cluster/apiserver/duplicate_fields.h"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <set>

namespace steer {
namespace {

namespace json = boost::json;

/// Follows the parser through the text and remembers the keys of the objects that are open.
class KeyWatcher {
 public:
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);
  using Code = boost::system::error_code;

  std::vector<std::string> found;

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) { return open(false); }
  bool on_object_end(std::size_t, Code&) { return close(); }
  bool on_array_begin(Code&) { return open(true); }
  bool on_array_end(std::size_t, Code&) { return close(); }
  bool on_key_part(json::string_view part, std::size_t, Code&) {
    key_.append(part.data(), part.size());
    return true;
  }
  bool on_key(json::string_view rest, std::size_t, Code&) {
    key_.append(rest.data(), rest.size());
    auto& level = levels_.back();
    level.key = std::exchange(key_, {});
    if (!level.seen.insert(level.key).second) note();
    return true;
  }
  bool on_string_part(json::string_view, std::size_t, Code&) { return true; }
  bool on_string(json::string_view, std::size_t, Code&) { return item(); }
  bool on_number_part(json::string_view, Code&) { return true; }
  bool on_int64(std::int64_t, json::string_view, Code&) { return item(); }
  bool on_uint64(std::uint64_t, json::string_view, Code&) { return item(); }
  bool on_double(double, json::string_view, Code&) { return item(); }
  bool on_bool(bool, Code&) { return item(); }
  bool on_null(Code&) { return item(); }
  bool on_comment_part(json::string_view, Code&) { return true; }
  bool on_comment(json::string_view, Code&) { return true; }

 private:
  struct Level {
    bool list = false;
    std::size_t index = 0;
    std::string key{};
    std::set<std::string> seen{};
  };

  bool open(bool list) {
    levels_.push_back({list});
    return true;
  }
  bool close() {
    levels_.pop_back();
    return item();
  }
  /// A value has ended: the next one of its list has the next index.
  bool item() {
    if (!levels_.empty() && levels_.back().list) ++levels_.back().index;
    return true;
  }
  void note() {
    std::string path;
    for (const auto& level : levels_) {
      if (level.list) path += "[" + std::to_string(level.index) + "]";
      else path += (path.empty() ? "" : ".") + level.key;
    }
    if (std::find(found.begin(), found.end(), path) == found.end()) found.push_back(std::move(path));
  }

  std::vector<Level> levels_;
  std::string key_;
};

}  // namespace

std::vector<std::string> duplicateFields(std::string_view text) {
  json::parse_options options;
  options.max_depth = 512;
  json::basic_parser<KeyWatcher> parser(options);
  boost::system::error_code failed;
  parser.write_some(false, text.data(), text.size(), failed);
  if (failed) return {};
  return std::move(parser.handler().found);
}

}  // namespace steer
