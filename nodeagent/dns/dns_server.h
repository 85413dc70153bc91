#pragma once
// DnsServer: answers DNS over UDP and TCP: names of the cluster from a DnsTable, all others from the
// machine's resolvers. The table is an immutable value that setTable swaps while questions are
// being answered. Thread rule: setTable from any thread; the server has threads of its own, which
// the destructor stops. Failure rule: start fails when the address cannot be bound; a question that
// nobody answers in time is SERVFAIL.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cluster/network/dns_table.h"
#include "core/clock.h"
#include "core/result.h"

namespace steer {

struct DnsServerOptions {
  std::string address = "127.0.0.1";           ///< may not exist yet: it is bound freely
  std::uint16_t port = 53;                     ///< 0 = any free one
  std::vector<std::string> upstreams;          ///< "1.2.3.4" or "1.2.3.4:5353", asked in order
  Duration upstreamWait = milliseconds{1500};  ///< for each of them
};

class DnsServer {
 public:
  static Result<std::unique_ptr<DnsServer>> start(DnsServerOptions options);
  ~DnsServer();
  DnsServer(const DnsServer&) = delete;
  DnsServer& operator=(const DnsServer&) = delete;

  void setTable(std::shared_ptr<const DnsTable> table);
  std::uint16_t port() const;

  /// The nameservers of a resolv.conf, without those in `except` (asking oneself never ends).
  static std::vector<std::string> upstreamsOf(const std::string& resolvConf, const std::vector<std::string>& except);

 private:
  struct State;
  explicit DnsServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace steer
