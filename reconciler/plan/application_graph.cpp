#include "reconciler/plan/application_graph.h"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "reconciler/plan/fingerprint.h"

namespace steer {
namespace {

/// Depth-first walk with a stack of its own: a long chain must not end the process.
class CycleSearch {
 public:
  explicit CycleSearch(const ApplicationGraph& graph) : graph_(graph) {}

  std::vector<std::vector<std::string>> run() {
    for (const auto& [name, unused] : graph_)
      if (!done_.contains(name)) walk(name);
    return {found_.begin(), found_.end()};
  }

 private:
  struct Frame {
    std::string name;
    std::size_t next = 0;
  };

  void walk(const std::string& start) {
    std::vector<Frame> path{{start}};
    std::unordered_map<std::string, std::size_t> depth{{start, 0}};
    while (!path.empty()) {
      auto& frame = path.back();
      const auto& edges = graph_.at(frame.name);
      if (frame.next == edges.size()) {
        depth.erase(frame.name);
        done_.insert(std::move(frame.name));
        path.pop_back();
        continue;
      }
      const std::string target = edges[frame.next++];
      if (!graph_.contains(target) || done_.contains(target)) continue;
      const auto [at, isNew] = depth.try_emplace(target, path.size());
      if (isNew) path.push_back({target});
      else note(path.begin() + static_cast<std::ptrdiff_t>(at->second), path.end());
    }
  }

  void note(std::vector<Frame>::const_iterator from, std::vector<Frame>::const_iterator to) {
    std::vector<std::string> cycle;
    for (; from != to; ++from) cycle.push_back(from->name);
    std::rotate(cycle.begin(), std::min_element(cycle.begin(), cycle.end()), cycle.end());
    found_.insert(std::move(cycle));
  }

  const ApplicationGraph& graph_;
  std::set<std::string> done_;
  std::set<std::vector<std::string>> found_;
};

constexpr std::size_t kLongest = 63;  // of a label's value
constexpr std::size_t kDigest = 20;

/// A name that is written as the shortened form of another one.
bool looksShortened(std::string_view label) {
  if (label.size() != kLongest || label[kLongest - kDigest - 1] != '-') return false;
  return label.substr(kLongest - kDigest).find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

// No two applications share a label: a namespace holds no dot, so the first dot of a label ends it.
std::string applicationLabel(std::string_view ns, std::string_view name) {
  const bool bare = ns == kSystemNamespace && name.find('.') == std::string_view::npos;
  auto out = bare ? std::string(name) : std::string(ns) + "." + std::string(name);
  if (out.size() <= kLongest && !looksShortened(out)) return out;
  return out.substr(0, kLongest - kDigest - 1) + "-" + Fingerprint().add(out).hex().substr(0, kDigest);
}

std::vector<std::string> dependenciesOf(const json::object& spec, std::string_view ns) {
  std::vector<std::string> out;
  for (const auto& item : arrayAt(spec, {"dependsOn"})) {
    const auto name = stringAt(item, {"name"});
    if (!name.empty()) out.push_back(applicationLabel(stringAt(item, {"namespace"}, ns), name));
  }
  return out;
}

std::vector<std::vector<std::string>> dependencyCycles(const ApplicationGraph& graph) {
  return CycleSearch(graph).run();
}

std::string cycleText(const std::vector<std::string>& cycle) {
  std::string out;
  for (const auto& name : cycle) out += name + " -> ";
  return cycle.empty() ? out : out + cycle.front();
}

}  // namespace steer
