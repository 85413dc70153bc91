#pragma once
// Builds one document at a time from YAML events, with a stack of its own: depth, size and alias
// limits hold while reading, and no text can exhaust the thread's stack. Knows nothing of the parser.
// Thread rule: one thread.
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/yaml.h"

namespace steer {

class YamlBuilder {
 public:
  struct Mark {
    std::size_t line = 0;
    std::size_t column = 0;
  };
  /// What all nodes may carry. Empty = not written.
  struct Properties {
    std::string_view anchor{};
    std::string_view tag{};
  };
  enum class Style : bool { plain, quoted };
  enum class Shape : bool { list, map };

  YamlBuilder(std::string file, const YamlLimits& limits, Diagnostics& out);

  void startDocument();
  YamlDocument endDocument();
  void scalar(std::string_view text, Style style, const Properties& properties, Mark mark);
  void alias(std::string_view anchor, Mark mark);
  void open(Shape shape, const Properties& properties, Mark mark);
  void close();

  /// A limit was passed or the structure cannot be understood: the caller stops.
  bool stopped() const { return stopped_; }
  void report(Mark mark, std::string message, std::string hint = "");

  /// Whether the file's text may stand in findings; asked for when there is the first one.
  void setQuotes(std::function<bool()> quotes) { askQuotes_ = std::move(quotes); }
  bool quotes();

 private:
  struct Frame {
    Shape shape = Shape::list;
    json::object object{};
    json::array array{};
    std::vector<json::object> merges{};
    std::string key{};
    bool hasKey = false;
    bool mergeNext = false;  ///< the key was "<<"
    Mark keyMark{};
    std::uint64_t hash = 0;
    std::string anchor{};
    std::size_t weightBefore = 0;
    Mark start{};
    bool dropped = false;  ///< a duplicate key's value: read for its findings only
  };
  struct Anchored {
    json::value value;
    std::size_t weight = 0;
    std::size_t depth = 0;
  };

  bool wantsKey() const;
  void takeKey(const json::value& v, std::string_view text, Style style, Mark mark);
  void put(json::value v);
  void takeMerge(Frame& frame, json::value v);
  void noteAnchor(std::string_view anchor, const json::value& v, std::size_t weight);
  bool weigh(std::size_t more, Mark mark);
  void place(Mark mark);
  std::uint64_t childHash() const;
  void stop(Mark mark, std::string message, std::string hint = "");

  std::string file_;
  YamlLimits limits_;
  Diagnostics& out_;
  std::vector<Frame> stack_;
  std::map<std::string, Anchored, std::less<>> anchors_;
  YamlDocument document_;
  bool hasRoot_ = false;
  std::size_t weight_ = 0;
  bool stopped_ = false;
  std::function<bool()> askQuotes_;
  std::optional<bool> quotes_;
};

/// The hash of a JSON pointer, step by step.
std::uint64_t pointerRoot();
std::uint64_t pointerStep(std::uint64_t parent, std::string_view step);

}  // namespace steer
