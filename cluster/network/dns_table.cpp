#include "cluster/network/dns_table.h"

#include <algorithm>

namespace steer {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (!out.empty() && out.back() == '.') out.pop_back();
  return out;
}

bool within(std::string_view name, std::string_view zone) {
  return name == zone ||
         (name.size() > zone.size() && name.ends_with(zone) && name[name.size() - zone.size() - 1] == '.');
}

std::string dashed(std::string ip) {
  std::replace(ip.begin(), ip.end(), '.', '-');
  return ip;
}

std::string reverseName(std::uint32_t a) {
  return ipv4Text(a << 24 | (a & 0xff00) << 8 | (a >> 8 & 0xff00) | a >> 24) + ".in-addr.arpa";
}

/// The address that a name under in-addr.arpa speaks of.
std::optional<std::uint32_t> reverseAddress(std::string_view name) {
  constexpr std::string_view tail = ".in-addr.arpa";
  if (!name.ends_with(tail)) return std::nullopt;
  const auto a = parseIpv4(name.substr(0, name.size() - tail.size()));
  if (!a) return std::nullopt;
  return *a << 24 | (*a & 0xff00) << 8 | (*a >> 8 & 0xff00) | *a >> 24;
}

std::string srvPrefix(const json::value& port) {
  const auto name = stringAt(port, {"name"});
  if (name.empty()) return "";
  return "_" + lower(name) + "._" + lower(stringAt(port, {"protocol"}, "TCP")) + ".";
}

std::uint16_t portOf(const json::value& port) { return static_cast<std::uint16_t>(intAt(port, {"port"})); }

/// a-b-c-d.<namespace>.pod.<zone> is the address it spells.
std::optional<std::string> podAddress(std::string_view name, const std::string& zone) {
  const std::string tail = ".pod." + zone;
  if (!name.ends_with(tail)) return std::nullopt;
  name.remove_suffix(tail.size());
  const auto dot = name.find('.');
  if (dot == std::string_view::npos || name.find('.', dot + 1) != std::string_view::npos) return std::nullopt;
  std::string ip(name.substr(0, dot));
  std::replace(ip.begin(), ip.end(), '-', '.');
  return parseIpv4(ip) ? std::optional(ip) : std::nullopt;
}

}  // namespace

DnsTable::DnsTable(const Snapshot& snapshot, DnsOptions options) : options_(std::move(options)) {
  options_.zone = lower(options_.zone);
  add({"dns-version." + options_.zone, DnsType::txt, "1.1.0"});
  names_.insert("svc." + options_.zone);
  names_.insert("pod." + options_.zone);
  snapshot.each("services", "", [&](const ObjectPtr& service) {
    addService(*service,
               snapshot.labelled("endpointslices.discovery.k8s.io", "kubernetes.io/service-name", service->name()));
  });
  for (auto& [name, records] : records_) {
    std::sort(records.begin(), records.end());
    records.erase(std::unique(records.begin(), records.end()), records.end());
  }
}

void DnsTable::add(DnsRecord record) {
  record.name = lower(record.name);
  // Every ancestor exists too, if only as a name without records.
  std::string_view rest = record.name;
  while (within(rest, options_.zone) && names_.emplace(rest).second) {
    const auto dot = rest.find('.');
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  names_.insert(record.name);
  auto& at = records_[record.name];
  at.push_back(std::move(record));
}

void DnsTable::addService(const Object& service, const std::vector<ObjectPtr>& slices) {
  const std::string base = service.name() + "." + service.ns() + ".svc." + options_.zone;
  if (stringAt(service.spec(), {"type"}) == "ExternalName") {
    if (const auto target = stringAt(service.spec(), {"externalName"}); !target.empty())
      add({base, DnsType::cname, lower(target)});
    return;
  }
  const std::string_view ip = stringAt(service.spec(), {"clusterIP"});
  if (ip == "None") return addHeadless(service, slices, base);
  const auto address = parseIpv4(ip);
  if (!address) return;
  add({base, DnsType::a, std::string(ip)});
  add({reverseName(*address), DnsType::ptr, lower(base)});
  for (const auto& port : arrayAt(service.spec(), {"ports"}))
    if (const auto prefix = srvPrefix(port); !prefix.empty())
      add({prefix + base, DnsType::srv, lower(base), portOf(port), 100});
}

void DnsTable::addHeadless(const Object& service, const std::vector<ObjectPtr>& slices, const std::string& base) {
  // The service exists even while nobody stands behind it: no data instead of no such name.
  names_.insert(lower(base));
  names_.insert(lower(service.ns() + ".svc." + options_.zone));
  const bool unready = boolAt(service.spec(), {"publishNotReadyAddresses"});
  for (const auto& slice : slices) {
    if (slice->ns() != service.ns() || stringAt(slice->json(), {"addressType"}) != "IPv4") continue;
    for (const auto& endpoint : arrayAt(slice->json(), {"endpoints"})) {
      if (!unready && !boolAt(endpoint, {"conditions", "ready"}, true)) continue;
      const auto hostname = stringAt(endpoint, {"hostname"});
      for (const auto& a : arrayAt(endpoint, {"addresses"})) {
        const std::string ip(a.is_string() ? view(a.get_string()) : std::string_view{});
        const auto address = parseIpv4(ip);
        if (!address) continue;
        const std::string own = lower((hostname.empty() ? dashed(ip) : std::string(hostname)) + "." + base);
        add({base, DnsType::a, ip});
        add({own, DnsType::a, ip});
        add({reverseName(*address), DnsType::ptr, own});
        for (const auto& port : arrayAt(slice->json(), {"ports"}))
          if (const auto prefix = srvPrefix(port); !prefix.empty())
            add({prefix + base, DnsType::srv, own, portOf(port), 100});
      }
    }
  }
}

const std::vector<DnsRecord>* DnsTable::recordsAt(const std::string& name) const {
  const auto it = records_.find(name);
  return it == records_.end() ? nullptr : &it->second;
}

bool DnsTable::owns(std::string_view name) const {
  if (within(name, options_.zone)) return true;
  const auto address = reverseAddress(name);
  return address && (records_.count(std::string(name)) != 0 ||
                     std::any_of(options_.reverseRanges.begin(), options_.reverseRanges.end(),
                                 [&](const Cidr& range) { return range.contains(*address); }));
}

DnsAnswer resolve(const DnsTable& table, const DnsQuestion& question) {
  DnsAnswer answer;
  std::string name = lower(question.name);
  if (!table.owns(name)) return answer;
  answer.code = DnsAnswer::Code::noData;
  const auto wanted = [&question](const DnsRecord& r) {
    return r.type == question.type || question.type == DnsType::any;
  };
  for (int hops = 0; hops < 8; ++hops) {
    if (const auto ip = podAddress(name, table.zone())) {
      if (const DnsRecord r{name, DnsType::a, *ip}; wanted(r)) answer.records.push_back(r);
      break;
    }
    const auto* records = table.recordsAt(name);
    if (records == nullptr) {
      // Whoever followed an alias is told about the alias, and that nothing is there.
      if (!table.exists(name) && name != table.zone()) answer.code = DnsAnswer::Code::noSuchName;
      return answer;
    }
    const DnsRecord* alias = nullptr;
    for (const auto& r : *records) {
      if (wanted(r)) answer.records.push_back(r);
      else if (r.type == DnsType::cname) alias = &r;
    }
    if (alias == nullptr) break;
    answer.records.push_back(*alias);
    name = alias->data;
    if (!table.owns(name)) {
      answer.continueAt = name;
      break;
    }
  }
  if (!answer.records.empty()) answer.code = DnsAnswer::Code::found;
  for (const auto& r : answer.records)
    if (r.type == DnsType::srv)
      if (const auto* target = table.recordsAt(r.data))
        for (const auto& t : *target)
          if (t.type == DnsType::a &&
              std::find(answer.additional.begin(), answer.additional.end(), t) == answer.additional.end())
            answer.additional.push_back(t);
  return answer;
}

}  // namespace steer
