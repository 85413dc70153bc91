#pragma once
// DnsTable: the names of a cluster as an immutable value, and resolve(), the pure answer to one
// question. Names follow the Kubernetes DNS specification, version 1.1.0.
// Thread rule: immutable, share freely.
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/network/cidr.h"
#include "core/snapshot.h"

namespace steer {

/// Numbers as in the wire format; others may occur in questions.
enum class DnsType : std::uint16_t {
  a = 1,
  ns = 2,
  cname = 5,
  soa = 6,
  ptr = 12,
  txt = 16,
  aaaa = 28,
  srv = 33,
  any = 255
};

struct DnsQuestion {
  std::string name;  ///< any case, with or without the final dot
  DnsType type = DnsType::a;
};

struct DnsRecord {
  std::string name;  ///< lower case, no final dot
  DnsType type = DnsType::a;
  std::string data;          ///< address, target name or text
  std::uint16_t port = 0;    ///< SRV only
  std::uint16_t weight = 0;  ///< SRV only
  auto operator<=>(const DnsRecord&) const = default;
};

struct DnsAnswer {
  enum class Code { found, noData, noSuchName, notOurs };
  Code code = Code::notOurs;
  std::vector<DnsRecord> records;
  std::vector<DnsRecord> additional;  ///< addresses of SRV targets
  /// The last name of a CNAME chain that leaves the zone; the server looks it up elsewhere.
  std::string continueAt;
};

struct DnsOptions {
  std::string zone = "cluster.local";
  /// Reverse names of these ranges are ours: unknown addresses do not exist.
  std::vector<Cidr> reverseRanges;
};

class DnsTable {
 public:
  /// Only answers for its zone's own names.
  DnsTable() : DnsTable(Snapshot{}, DnsOptions{}) {}
  /// From resources "services" and "endpointslices.discovery.k8s.io".
  DnsTable(const Snapshot& snapshot, DnsOptions options);

  const std::string& zone() const { return options_.zone; }
  /// nullptr when the name has no records.
  const std::vector<DnsRecord>* recordsAt(const std::string& name) const;
  /// The name or something below it exists.
  bool exists(const std::string& name) const { return names_.count(name) != 0; }
  bool owns(std::string_view name) const;

  static constexpr std::uint32_t ttl = 5;  ///< seconds

 private:
  void add(DnsRecord record);
  void addService(const Object& service, const std::vector<ObjectPtr>& slices);
  void addHeadless(const Object& service, const std::vector<ObjectPtr>& slices, const std::string& base);

  DnsOptions options_;
  std::map<std::string, std::vector<DnsRecord>> records_;
  std::set<std::string> names_;
};

DnsAnswer resolve(const DnsTable& table, const DnsQuestion& question);

}  // namespace steer
