#include "cluster/client/http_session.h"

#include <curl/curl.h>

#include <algorithm>

#include "cluster/client/ca_pin.h"
#include "cluster/client/join_token.h"
#include "core/barrier.h"

namespace steer {
namespace {

constexpr std::size_t kSpareHandles = 4;
constexpr long kConnectSeconds = 10;

void startLibrary() {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  static_cast<void>(started);
}

std::size_t append(char* data, std::size_t, std::size_t size, void* to) {
  // No exception passes through a library in C: the request fails instead.
  return barrier::run("the answer to a request", [&] { static_cast<std::string*>(to)->append(data, size); }) ? 0 : size;
}

curl_blob blobOf(const std::string& text) { return {const_cast<char*>(text.data()), text.size(), CURL_BLOB_NOCOPY}; }

void showCertificate(CURL* handle, const std::string& certificate, const std::string& key) {
  if (certificate.empty()) return;
  curl_blob cert{const_cast<char*>(certificate.data()), certificate.size(), CURL_BLOB_COPY};
  curl_blob secret{const_cast<char*>(key.data()), key.size(), CURL_BLOB_COPY};
  curl_easy_setopt(handle, CURLOPT_SSLCERTTYPE, "PEM");
  curl_easy_setopt(handle, CURLOPT_SSLCERT_BLOB, &cert);
  curl_easy_setopt(handle, CURLOPT_SSLKEYTYPE, "PEM");
  curl_easy_setopt(handle, CURLOPT_SSLKEY_BLOB, &secret);
}

}  // namespace

HttpSession::HttpSession(HttpClientOptions options) : options_(std::move(options)) { startLibrary(); }

HttpSession::~HttpSession() {
  for (auto* handle : spare_) curl_easy_cleanup(handle);
}

void* HttpSession::makeHandle() const {
  CURL* handle = curl_easy_init();
  if (handle == nullptr) return nullptr;
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "https");
  curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  // Greeting included: a server that accepts and says nothing counts as silent.
  const auto silence = static_cast<long>(options_.silence / seconds(1));
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, std::min(kConnectSeconds, silence));
  curl_easy_setopt(handle, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(handle, CURLOPT_TCP_KEEPIDLE, 30L);
  curl_easy_setopt(handle, CURLOPT_TCP_KEEPINTVL, 10L);
  curl_easy_setopt(handle, CURLOPT_PROXY, "");
  curl_easy_setopt(handle, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!options_.caPem.empty()) {
    auto blob = blobOf(options_.caPem);
    curl_easy_setopt(handle, CURLOPT_CAINFO_BLOB, &blob);
    curl_easy_setopt(handle, CURLOPT_CAPATH, nullptr);
  }
  if (options_.certificate) {
    const auto pair = options_.certificate->get();
    showCertificate(handle, pair.certificatePem, pair.keyPem);
  } else {
    showCertificate(handle, options_.clientCertificatePem, options_.clientKeyPem);
  }
  return handle;
}

void* HttpSession::aim(void* handle, const HttpCall& call) const {
  curl_easy_setopt(handle, CURLOPT_URL, (options_.server + call.path).c_str());
  curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, call.method.c_str());
  curl_slist* headers = curl_slist_append(nullptr, "Accept: application/json");
  headers = curl_slist_append(headers, "Expect:");  // bodies go out at once
  if (!options_.token.empty())
    headers = curl_slist_append(headers, ("Authorization: Bearer " + options_.token).c_str());
  const auto& actAs = call.actAs.empty() ? options_.actAs : call.actAs;
  if (!actAs.empty()) headers = curl_slist_append(headers, ("Impersonate-User: " + actAs).c_str());
  if (call.method != "GET") {
    headers = curl_slist_append(headers, ("Content-Type: " + call.contentType).c_str());
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, call.body.data());
  } else {
    curl_easy_setopt(handle, CURLOPT_HTTPGET, 1L);
  }
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
  return headers;
}

Error HttpSession::explain(int curlCode, const char* detail) const {
  const auto code = static_cast<CURLcode>(curlCode);
  const std::string why = detail != nullptr && *detail != '\0' ? detail : curl_easy_strerror(code);
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return makeError(Errc::timeout, options_.server + " did not answer in time: " + why);
    case CURLE_PEER_FAILED_VERIFICATION:
      return makeError(Errc::unauthorized, "the certificate of " + options_.server + " is not trusted: " + why);
    case CURLE_SSL_CERTPROBLEM:
      return makeError(Errc::invalid, "the client certificate for " + options_.server + " cannot be used: " + why);
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return makeError(Errc::invalid, "\"" + options_.server + "\" is not a server address like https://host:6443");
    default:
      return makeError(Errc::unavailable, "cannot reach the server " + options_.server + ": " + why);
  }
}

Result<HttpAnswer> HttpSession::perform(void* handle, const HttpCall& call) const {
  HttpAnswer answer;
  char detail[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, detail);
  curl_easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(handle, CURLOPT_LOW_SPEED_TIME, static_cast<long>(options_.silence / seconds(1)));
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &append);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &answer.body);
  auto* headers = static_cast<curl_slist*>(aim(handle, call));
  const CURLcode code = curl_easy_perform(handle);
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, nullptr);
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, nullptr);
  curl_slist_free_all(headers);
  if (code != CURLE_OK) return explain(code, detail);
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  answer.status = static_cast<int>(status);
  return answer;
}

Result<void> HttpSession::ensureTrust() {
  std::lock_guard lock(mutex_);
  if (trusted_) return {};
  const auto token = JoinToken::parse(options_.token);
  if (!options_.caPem.empty() || !token.ok()) {
    trusted_ = true;
    return {};
  }
  HttpClientOptions bare;
  bare.server = options_.server;
  const HttpSession stranger(std::move(bare));
  CURL* handle = stranger.makeHandle();
  // Nothing secret is sent, and what comes back counts only when its hash is the token's.
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 0L);
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 0L);
  auto answer = stranger.perform(handle, {"GET", "/cacert"});
  curl_easy_cleanup(handle);
  if (!answer.ok()) return std::move(answer).error();
  const auto hash = certificateHash(answer->body);
  if (answer->status != 200 || !hash.ok() || *hash != token->caHash)
    return makeError(Errc::unauthorized,
                     options_.server + " is not the server that made this token: its CA is another one");
  options_.caPem = answer->body;
  trusted_ = true;
  return {};
}

Result<HttpAnswer> HttpSession::call(const HttpCall& call) {
  STEER_CHECK(ensureTrust());
  void* handle = nullptr;
  const std::uint64_t generation = options_.certificate ? options_.certificate->generation() : 0;
  {
    std::lock_guard lock(mutex_);
    if (generation != generation_) {
      // They speak with the certificate that was renewed.
      for (auto* old : spare_) curl_easy_cleanup(old);
      spare_.clear();
      generation_ = generation;
    }
    if (!spare_.empty()) {
      handle = spare_.back();
      spare_.pop_back();
    }
  }
  if (handle == nullptr) handle = makeHandle();
  if (handle == nullptr) return makeError(Errc::internal, "cannot make an HTTP handle: out of memory");
  auto answer = perform(handle, call);
  std::unique_lock lock(mutex_);
  if (answer.ok() && generation == generation_ && spare_.size() < kSpareHandles) {
    spare_.push_back(handle);
  } else {
    lock.unlock();
    curl_easy_cleanup(handle);
  }
  return answer;
}

}  // namespace steer
