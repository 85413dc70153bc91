#pragma once
// The client over HTTPS: what `steer` on a terminal and agents on other machines use.
// Thread rule: thread-safe. Failure rule: a server that cannot be reached is Errc::unavailable and
// the message says which; what the server refused keeps its code, message and causes.
#include <memory>
#include <string>

#include "cluster/client/client.h"
#include "core/clock.h"
#include "core/result.h"
#include "core/sync.h"

namespace steer {

/// A client certificate and its key (PEM) that may be replaced while clients show it. Thread rule: thread-safe.
class ClientCertificate {
 public:
  struct Pair {
    std::string certificatePem{};
    std::string keyPem{};
  };
  Pair get() const {
    return state_.with([](const State& s) { return s.pair; });
  }
  void set(Pair pair) {
    state_.with([&](State& s) {
      s.pair = std::move(pair);
      ++s.generation;
    });
  }
  /// Another number for each one that was set.
  std::uint64_t generation() const {
    return state_.with([](const State& s) { return s.generation; });
  }

 private:
  struct State {
    Pair pair{};
    std::uint64_t generation = 0;
  };
  Sync<State> state_;
};

struct HttpClientOptions {
  std::string server;  ///< "https://host:port"
  std::string caPem{};
  std::string clientCertificatePem{};
  std::string clientKeyPem{};
  /// Instead of these two, where it is renewed.
  std::shared_ptr<ClientCertificate> certificate{};
  /// Bearer token. A join token ("steer1.…") without caPem pins the CA: it is fetched once from the
  /// server's /cacert and must have the token's hash before anything secret is sent.
  std::string token{};
  /// The user as whom everything is asked, if the credentials' owner may impersonate them; empty = the owner.
  std::string actAs{};
  /// A server that took the request and sends nothing for this long is Errc::timeout.
  Duration silence = seconds(60);
};

/// Reads a kubeconfig: server, CA, client certificate and key (data or files), token.
/// An empty context is the current one. Errors: io (with the path), invalid (naming what is missing).
Result<HttpClientOptions> readKubeconfig(const std::string& path, const std::string& context = "");

/// The CA of the server, when it has the hash of the join token; nothing secret is sent. Errors: unavailable,
/// unauthorized.
Result<std::string> fetchPinnedCa(const std::string& server, const std::string& token);

/// Does not connect yet. Errors: invalid.
Result<std::unique_ptr<Client>> makeHttpClient(HttpClientOptions options);

}  // namespace steer
