#include "nodeagent/network/ip_tool.h"

#include <algorithm>

#include "core/child.h"

namespace steer {

Result<void> IpTool::batch(const std::vector<std::string>& lines) const {
  if (lines.empty()) return {};
  std::string input;
  for (const auto& line : lines) input += line + "\n";
  auto done = runChecked({{"ip", "-batch", "-"}, {}, netns_}, input, seconds{30});
  if (!done.ok()) return std::move(done).error();
  return {};
}

Result<json::array> IpTool::list(const std::vector<std::string>& arguments) const {
  std::vector<std::string> argv{"ip", "-j"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  STEER_TRY(const std::string text, runChecked({argv, {}, netns_}));
  if (text.find_first_not_of(" \n") == std::string::npos) return json::array{};
  STEER_TRY(json::value parsed, parseJson(text));
  if (!parsed.is_array()) return makeError(Errc::internal, "ip answered no list");
  return std::move(parsed.get_array());
}

bool IpTool::hasLink(const std::string& name) const { return list({"link", "show", "dev", name}).ok(); }

Result<void> IpTool::sysctl(const std::vector<std::string>& settings) const {
  std::vector<std::string> argv{"sysctl", "-q", "-w"};
  argv.insert(argv.end(), settings.begin(), settings.end());
  auto done = runChecked({argv, {}, netns_});
  if (!done.ok()) return std::move(done).error();
  return {};
}

Result<std::string> IpTool::sysctlValue(const std::string& name) const {
  STEER_TRY(std::string text, runChecked({{"sysctl", "-n", name}, {}, netns_}));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

Result<std::vector<Cidr>> IpTool::rangesInUse(const std::vector<std::string>& own) const {
  const auto mine = [&own](std::string_view link) { return std::find(own.begin(), own.end(), link) != own.end(); };
  std::vector<Cidr> out;
  STEER_TRY(const json::array links, list({"-4", "addr", "show"}));
  for (const auto& link : links) {
    if (mine(stringAt(link, {"ifname"}))) continue;
    for (const auto& a : arrayAt(link, {"addr_info"})) {
      const auto prefix = std::to_string(intAt(a, {"prefixlen"}, 32));
      if (const auto range = Cidr::parse(std::string(stringAt(a, {"local"})) + "/" + prefix)) out.push_back(*range);
    }
  }
  STEER_TRY(const json::array routes, list({"-4", "route", "show", "table", "all"}));
  for (const auto& route : routes) {
    const auto type = stringAt(route, {"type"}, "unicast");
    if (type == "broadcast" || type == "local" || type == "multicast" || type == "unreachable" ||
        mine(stringAt(route, {"dev"})))
      continue;
    if (const auto range = Cidr::parse(stringAt(route, {"dst"}))) out.push_back(*range);
  }
  return out;
}

}  // namespace steer
