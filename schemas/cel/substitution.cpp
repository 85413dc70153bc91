#include "schemas/cel/substitution.h"

namespace steer {
namespace {

using Kind = CelType::Kind;

bool mayBeNull(const CelType& type) {
  return type.kind == Kind::object || type.kind == Kind::named || type.kind == Kind::timestamp ||
         type.kind == Kind::duration;
}

/// dyn stands for anything, an unknown item for any item.
bool isMoreGeneral(const CelType& a, const CelType& b) {
  if (a.kind == Kind::dyn) return true;
  if (a.kind != b.kind) return b.kind == Kind::null;
  bool out = !a.args.empty();
  for (std::size_t i = 0; i < a.args.size(); ++i)
    out = out && (a.args[i] == b.args[i] || isMoreGeneral(a.args[i], b.args[i]));
  return out;
}

}  // namespace

bool Substitution::assign(const CelType& wanted, const CelType& given) {
  if (wanted.kind == Kind::variable) {
    const auto found = known_.find(wanted.name);
    if (found == known_.end()) {
      known_.emplace(wanted.name, given);
      return true;
    }
    const CelType before = found->second;
    if (!assign(before, given) && !assign(given, before)) return false;
    if (isMoreGeneral(given, before)) known_.insert_or_assign(wanted.name, given);
    return true;
  }
  if (wanted.kind == Kind::dyn || given.kind == Kind::dyn) return true;
  if (given.kind == Kind::null && mayBeNull(wanted)) return true;
  if (wanted.kind != given.kind || wanted.args.size() != given.args.size()) return false;
  if (wanted.kind == Kind::object) return wanted.members == given.members || *wanted.members == *given.members;
  if (wanted.kind == Kind::named) return wanted.name == given.name;
  for (std::size_t i = 0; i < wanted.args.size(); ++i)
    if (!assign(wanted.args[i], given.args[i])) return false;
  return true;
}

CelType Substitution::resolve(const CelType& type) const {
  if (type.kind == Kind::variable) {
    const auto found = known_.find(type.name);
    return found == known_.end() ? CelType() : found->second;
  }
  auto out = type;
  for (auto& arg : out.args) arg = resolve(arg);
  return out;
}

}  // namespace steer
