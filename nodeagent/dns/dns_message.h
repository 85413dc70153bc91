#pragma once
// DnsMessage: questions and answers between wire format (RFC 1035, EDNS of RFC 6891) and values.
// Thread rule: stateless. Failure rule: bytes that are no question give nothing.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/network/dns_table.h"

namespace steer {

/// Return codes of RFC 1035.
enum class DnsRcode : std::uint8_t {
  noError = 0,
  formatError = 1,
  serverFailure = 2,
  nameError = 3,
  notImplemented = 4
};

struct DnsQuery {
  std::uint16_t id = 0;
  DnsQuestion question;
  std::uint16_t questionClass = 1;
  bool recursionDesired = false;
  bool standard = true;  ///< opcode QUERY, one question, class IN
  bool edns = false;
  std::uint16_t udpSize = 512;  ///< the largest UDP answer that the client takes
  std::string raw;              ///< as received
};

std::optional<DnsQuery> parseQuery(std::string_view bytes);

struct DnsReply {
  DnsRcode rcode = DnsRcode::noError;
  bool authoritative = true;
  std::vector<DnsRecord> records;
  std::vector<DnsRecord> additional;
  std::string negativeZone;  ///< adds this zone's SOA, for answers without records
};

/// At most `limit` bytes; an answer that does not fit is cut and says so (TC).
std::string encodeReply(const DnsQuery& query, const DnsReply& reply, std::size_t limit);

/// A question of our own, for the rest of an alias.
std::string encodeQuestion(const DnsQuestion& question, std::uint16_t id);
/// The records of somebody's answer that values can express (A, CNAME); nothing when it is an error.
std::optional<std::vector<DnsRecord>> parseRecords(std::string_view bytes);

}  // namespace steer
