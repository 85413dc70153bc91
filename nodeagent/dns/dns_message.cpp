#include "nodeagent/dns/dns_message.h"

#include <ldns/ldns.h>

#include <algorithm>
#include <memory>

namespace steer {
namespace {

struct FreePacket {
  void operator()(ldns_pkt* p) const { ldns_pkt_free(p); }
};
using Packet = std::unique_ptr<ldns_pkt, FreePacket>;

Packet parse(std::string_view bytes) {
  ldns_pkt* p = nullptr;
  if (ldns_wire2pkt(&p, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()) != LDNS_STATUS_OK)
    return nullptr;
  return Packet(p);
}

std::string wire(const ldns_pkt* packet) {
  std::uint8_t* bytes = nullptr;
  std::size_t size = 0;
  if (ldns_pkt2wire(&bytes, packet, &size) != LDNS_STATUS_OK) return "";
  std::string out(reinterpret_cast<const char*>(bytes), size);
  std::free(bytes);  // NOLINT: allocated by ldns
  return out;
}

std::string nameText(const ldns_rdf* name) {
  char* text = ldns_rdf2str(name);
  if (text == nullptr) return "";
  std::string out(text);
  std::free(text);  // NOLINT: allocated by ldns
  if (!out.empty() && out.back() == '.') out.pop_back();
  return out;
}

ldns_rdf* rdf(ldns_rdf_type type, const std::string& text) { return ldns_rdf_new_frm_str(type, text.c_str()); }

/// Adds a record; one whose text is no valid name is left out.
void push(ldns_pkt* packet, ldns_pkt_section section, const DnsRecord& r) {
  std::vector<ldns_rdf*> data;
  const auto number = [](std::uint16_t n) { return ldns_native2rdf_int16(LDNS_RDF_TYPE_INT16, n); };
  switch (r.type) {
    case DnsType::a:
      data = {rdf(LDNS_RDF_TYPE_A, r.data)};
      break;
    case DnsType::cname:
    case DnsType::ptr:
      data = {rdf(LDNS_RDF_TYPE_DNAME, r.data + ".")};
      break;
    case DnsType::txt:
      data = {rdf(LDNS_RDF_TYPE_STR, r.data)};
      break;
    case DnsType::srv:
      data = {number(0), number(r.weight), number(r.port), rdf(LDNS_RDF_TYPE_DNAME, r.data + ".")};
      break;
    default:
      return;
  }
  ldns_rdf* owner = rdf(LDNS_RDF_TYPE_DNAME, r.name + ".");
  if (owner == nullptr || std::find(data.begin(), data.end(), nullptr) != data.end()) {
    ldns_rdf_deep_free(owner);
    for (auto* d : data) ldns_rdf_deep_free(d);
    return;
  }
  ldns_rr* rr = ldns_rr_new();
  ldns_rr_set_owner(rr, owner);
  ldns_rr_set_type(rr, static_cast<ldns_rr_type>(r.type));
  ldns_rr_set_class(rr, LDNS_RR_CLASS_IN);
  ldns_rr_set_ttl(rr, DnsTable::ttl);
  for (auto* d : data) ldns_rr_push_rdf(rr, d);
  ldns_pkt_push_rr(packet, section, rr);
}

void pushSoa(ldns_pkt* packet, const std::string& zone) {
  const std::string text = zone + ". " + std::to_string(DnsTable::ttl) + " IN SOA ns.dns." + zone + ". hostmaster." +
                           zone + ". 1 7200 1800 86400 " + std::to_string(DnsTable::ttl);
  ldns_rr* rr = nullptr;
  if (ldns_rr_new_frm_str(&rr, text.c_str(), DnsTable::ttl, nullptr, nullptr) == LDNS_STATUS_OK)
    ldns_pkt_push_rr(packet, LDNS_SECTION_AUTHORITY, rr);
}

Packet replyPacket(const DnsQuery& query, const DnsReply& reply) {
  Packet packet(ldns_pkt_new());
  ldns_pkt* p = packet.get();
  ldns_pkt_set_id(p, query.id);
  ldns_pkt_set_qr(p, true);
  ldns_pkt_set_aa(p, reply.authoritative);
  ldns_pkt_set_rd(p, query.recursionDesired);
  ldns_pkt_set_ra(p, true);
  ldns_pkt_set_rcode(p, static_cast<std::uint8_t>(reply.rcode));
  if (query.edns) ldns_pkt_set_edns_udp_size(p, 4096);
  if (ldns_rdf* owner = rdf(LDNS_RDF_TYPE_DNAME, query.question.name + "."); owner != nullptr) {
    ldns_rr* rr = ldns_rr_new();
    ldns_rr_set_owner(rr, owner);
    ldns_rr_set_type(rr, static_cast<ldns_rr_type>(query.question.type));
    ldns_rr_set_class(rr, static_cast<ldns_rr_class>(query.questionClass));
    ldns_rr_set_question(rr, true);
    ldns_pkt_push_rr(p, LDNS_SECTION_QUESTION, rr);
  }
  return packet;
}

}  // namespace

std::optional<DnsQuery> parseQuery(std::string_view bytes) {
  const Packet packet = parse(bytes);
  if (!packet || ldns_pkt_qr(packet.get())) return std::nullopt;
  DnsQuery query;
  query.id = ldns_pkt_id(packet.get());
  query.recursionDesired = ldns_pkt_rd(packet.get());
  query.edns = ldns_pkt_edns(packet.get());
  if (query.edns) query.udpSize = std::max<std::uint16_t>(512, ldns_pkt_edns_udp_size(packet.get()));
  query.raw = bytes;
  const ldns_rr_list* questions = ldns_pkt_question(packet.get());
  if (ldns_rr_list_rr_count(questions) != 1) return std::nullopt;
  const ldns_rr* rr = ldns_rr_list_rr(questions, 0);
  query.question = {nameText(ldns_rr_owner(rr)), static_cast<DnsType>(ldns_rr_get_type(rr))};
  query.questionClass = static_cast<std::uint16_t>(ldns_rr_get_class(rr));
  query.standard = ldns_pkt_get_opcode(packet.get()) == LDNS_PACKET_QUERY && query.questionClass == LDNS_RR_CLASS_IN;
  return query;
}

std::string encodeReply(const DnsQuery& query, const DnsReply& reply, std::size_t limit) {
  const auto encode = [&](std::size_t records, bool extras, bool cut) {
    const Packet packet = replyPacket(query, reply);
    ldns_pkt_set_tc(packet.get(), cut);
    for (std::size_t i = 0; i < records; ++i) push(packet.get(), LDNS_SECTION_ANSWER, reply.records[i]);
    if (!reply.negativeZone.empty()) pushSoa(packet.get(), reply.negativeZone);
    if (extras)
      for (const auto& r : reply.additional) push(packet.get(), LDNS_SECTION_ADDITIONAL, r);
    return wire(packet.get());
  };
  std::string whole = encode(reply.records.size(), true, false);
  if (whole.size() <= limit) return whole;
  whole = encode(reply.records.size(), false, false);
  if (whole.size() <= limit) return whole;
  // Clients ask again over TCP; what fits is for those that do not.
  for (std::size_t records = reply.records.size() / 2; records > 0; records /= 2)
    if (std::string part = encode(records, false, true); part.size() <= limit) return part;
  return encode(0, false, true);
}

std::string encodeQuestion(const DnsQuestion& question, std::uint16_t id) {
  DnsQuery query;
  query.id = id;
  query.question = question;
  query.recursionDesired = true;
  const Packet packet = replyPacket(query, {});
  ldns_pkt_set_qr(packet.get(), false);
  ldns_pkt_set_aa(packet.get(), false);
  ldns_pkt_set_ra(packet.get(), false);
  return wire(packet.get());
}

std::optional<std::vector<DnsRecord>> parseRecords(std::string_view bytes) {
  const Packet packet = parse(bytes);
  if (!packet || ldns_pkt_get_rcode(packet.get()) != LDNS_RCODE_NOERROR) return std::nullopt;
  std::vector<DnsRecord> out;
  const ldns_rr_list* answers = ldns_pkt_answer(packet.get());
  for (std::size_t i = 0; i < ldns_rr_list_rr_count(answers); ++i) {
    const ldns_rr* rr = ldns_rr_list_rr(answers, i);
    const auto type = ldns_rr_get_type(rr);
    if ((type == LDNS_RR_TYPE_A || type == LDNS_RR_TYPE_CNAME) && ldns_rr_rd_count(rr) == 1)
      out.push_back({nameText(ldns_rr_owner(rr)), static_cast<DnsType>(type), nameText(ldns_rr_rdf(rr, 0))});
  }
  return out;
}

}  // namespace steer
