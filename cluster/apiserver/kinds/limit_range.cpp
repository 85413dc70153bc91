// Limit ranges: one without a name gets one.
#include "cluster/apiserver/kind_strategy.h"

namespace steer {
namespace {

class LimitRangeStrategy final : public KindStrategy {
 public:
  bool namesItself() const override { return true; }
};

}  // namespace

void register_limit_range(StrategyRegistry& registry) {
  registry.add("limitranges", std::make_unique<LimitRangeStrategy>());
}

}  // namespace steer
