// Pod address ranges: each node gets the first free part of the cluster's range. One key for all
// nodes, so that two nodes are never given the same part by decisions over the same snapshot.
#include <charconv>
#include <cstdint>
#include <set>

#include "cluster/controllers/node_lifecycle.h"

namespace steer {
namespace {

struct Range {
  std::uint32_t first = 0;
  int prefix = 0;
};

std::optional<Range> parseRange(std::string_view text) {
  Range out;
  const char* at = text.data();
  const char* end = at + text.size();
  for (int i = 0; i < 4; ++i) {
    unsigned part = 0;
    const auto [next, ec] = std::from_chars(at, end, part);
    if (ec != std::errc{} || part > 255 || next == end || *next != (i < 3 ? '.' : '/')) return std::nullopt;
    out.first = (out.first << 8) | part;
    at = next + 1;
  }
  const auto [next, ec] = std::from_chars(at, end, out.prefix);
  if (ec != std::errc{} || next != end || out.prefix < 0 || out.prefix > 32) return std::nullopt;
  return out;
}

std::string rangeText(std::uint32_t first, int prefix) {
  return std::to_string(first >> 24) + "." + std::to_string((first >> 16) & 255) + "." +
         std::to_string((first >> 8) & 255) + "." + std::to_string(first & 255) + "/" + std::to_string(prefix);
}

class NodeIpamController final : public Controller {
 public:
  NodeIpamController(std::string podCidr, int nodePrefix) : range_(parseRange(podCidr)), nodePrefix_(nodePrefix) {}
  std::string_view name() const override { return "node-ipam-controller"; }
  std::vector<std::string> resources() const override { return {"nodes"}; }

  std::vector<Key> keysFor(const Snapshot&, std::string_view, const ObjectPtr&, const ObjectPtr& after) const override {
    if (!range_ || !after || !stringAt(after->spec(), {"podCIDR"}).empty()) return {};
    return {{"", "all"}};
  }

  Decision decide(const Snapshot& snapshot, const Key&, Time) const override {
    Decision out;
    if (!range_ || nodePrefix_ < range_->prefix) return out;
    std::set<std::uint32_t> taken;
    std::vector<ObjectPtr> without;
    snapshot.each("nodes", "", [&](const ObjectPtr& node) {
      const auto own = parseRange(stringAt(node->spec(), {"podCIDR"}));
      if (own) taken.insert(own->first);
      else if (stringAt(node->spec(), {"podCIDR"}).empty() && !node->deleting()) without.push_back(node);
    });
    const std::uint64_t step = std::uint64_t{1} << (32 - nodePrefix_);
    const std::uint64_t end = std::uint64_t{range_->first} + (std::uint64_t{1} << (32 - range_->prefix));
    std::uint64_t at = range_->first;
    for (const auto& node : without) {
      while (at < end && taken.contains(static_cast<std::uint32_t>(at))) at += step;
      if (at >= end) {
        out.events.push_back({node, "Normal", "CIDRNotAvailable",
                              "Node " + node->name() + " status is now: CIDRNotAvailable", std::nullopt});
        continue;
      }
      const auto text = rangeText(static_cast<std::uint32_t>(at), nodePrefix_);
      at += step;
      out.writes.push_back(
          Write::patch({"nodes", "", node->name()}, PatchType::merge,
                       json::object{{"metadata", {{"uid", node->uid()}}},
                                    {"spec", {{"podCIDR", text}, {"podCIDRs", json::array{json::string(text)}}}}}));
    }
    return out;
  }

 private:
  std::optional<Range> range_;
  int nodePrefix_;
};

}  // namespace

std::unique_ptr<Controller> makeNodeIpamController(std::string podCidr, int nodePrefix) {
  return std::make_unique<NodeIpamController>(std::move(podCidr), nodePrefix);
}

}  // namespace steer
