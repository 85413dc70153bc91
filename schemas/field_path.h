#pragma once
// FieldPath: where we stand while walking an object, as a chain on the stack that is written out only
// for a finding. Thread rule: a plain value; a child must not outlive its parent.
#include <cstddef>
#include <string>
#include <string_view>

namespace steer {

class FieldPath {
 public:
  FieldPath() = default;
  FieldPath field(std::string_view name) const& { return {this, name, 0, Step::field}; }
  FieldPath key(std::string_view name) const& { return {this, name, 0, Step::key}; }
  FieldPath item(std::size_t index) const& { return {this, {}, index, Step::item}; }
  /// Several fields at once: "valueFrom.fieldRef". For names of the schema, which hold no dot.
  FieldPath path(std::string_view dotted) const& { return {this, dotted, 0, Step::path}; }
  /// A place inside that findings do not name: a key or index of the document ("app", "0"), for the line alone.
  FieldPath within(std::string_view step) const& { return {this, step, 0, Step::within}; }
  /// The same place under another name: the whole text of the path.
  FieldPath saidAs(std::string_view text) const& { return {this, text, 0, Step::said}; }
  // A child of a temporary would dangle.
  FieldPath field(std::string_view name) && = delete;
  FieldPath key(std::string_view name) && = delete;
  FieldPath item(std::size_t index) && = delete;
  FieldPath path(std::string_view dotted) && = delete;
  FieldPath within(std::string_view step) && = delete;
  FieldPath saidAs(std::string_view text) && = delete;

  /// "/spec/containers/0/image".
  std::string pointer() const;
  /// "spec.containers[0].image"; keys of maps as "data[key]".
  std::string text() const;

 private:
  enum class Step { root, field, key, item, path, within, said };
  FieldPath(const FieldPath* parent, std::string_view name, std::size_t index, Step step)
      : parent_(parent), name_(name), index_(index), step_(step) {}

  const FieldPath* parent_ = nullptr;
  std::string_view name_{};
  std::size_t index_ = 0;
  Step step_ = Step::root;
};

}  // namespace steer
