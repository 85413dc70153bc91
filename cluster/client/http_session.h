#pragma once
// HttpSession: requests to one server over libcurl: credentials, trust, connection reuse.
// Thread rule: thread-safe; call() blocks. Failure rule: an answer of any status is a value; an
// Error says that no answer came.
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "cluster/client/http_client.h"
#include "core/result.h"

namespace steer {

struct HttpAnswer {
  int status = 0;
  std::string body;
};

struct HttpCall {
  std::string method = "GET";
  std::string path;  ///< with query
  std::string body{};
  std::string contentType = "application/json";
  std::string actAs{};  ///< as HttpClientOptions::actAs, for this call
};

class HttpSession {
 public:
  explicit HttpSession(HttpClientOptions options);
  ~HttpSession();
  HttpSession(const HttpSession&) = delete;
  HttpSession& operator=(const HttpSession&) = delete;

  Result<HttpAnswer> call(const HttpCall& call);
  /// Fetches and checks the CA that a join token pins, once. Errors: unavailable, unauthorized.
  Result<void> ensureTrust();

  /// A curl easy handle set up for this server (CURL*), for streams; free with curl_easy_cleanup.
  /// Call ensureTrust() first.
  void* makeHandle() const;
  /// Sets the URL and the credentials' headers; returns the header list to free after use.
  void* aim(void* handle, const HttpCall& call) const;
  /// What a failed transfer means.
  Error explain(int curlCode, const char* detail) const;
  const std::string& server() const { return options_.server; }
  /// What is trusted; after ensureTrust().
  const std::string& caPem() const { return options_.caPem; }

 private:
  Result<HttpAnswer> perform(void* handle, const HttpCall& call) const;

  HttpClientOptions options_;
  std::mutex mutex_;
  std::vector<void*> spare_;      ///< idle handles; each keeps its connection
  std::uint64_t generation_ = 0;  ///< of the certificate that the spare handles show
  bool trusted_ = false;
};

}  // namespace steer
