#include "cluster/apiserver/http_node_gateway.h"

#include <curl/curl.h>

#include <atomic>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>

#include "core/barrier.h"
#include "core/ip_address.h"
#include "core/json.h"
#include "core/rfc3339.h"

namespace steer {
namespace {

constexpr std::size_t kBufferLimit = 4 * 1024 * 1024;

struct CurlDeleter {
  void operator()(CURL* c) const { curl_easy_cleanup(c); }
};
using Curl = std::unique_ptr<CURL, CurlDeleter>;

std::string escaped(const std::string& text) {
  char* raw = curl_easy_escape(nullptr, text.data(), static_cast<int>(text.size()));
  std::string out = raw == nullptr ? "" : raw;
  curl_free(raw);
  return out;
}

std::string queryText(const LogQuery& q, Time now) {
  std::string out = "namespace=" + escaped(q.ns) + "&pod=" + escaped(q.pod) + "&uid=" + escaped(q.podUid) +
                    "&container=" + escaped(q.container);
  if (q.follow) out += "&follow=true";
  if (q.previous) out += "&previous=true";
  if (q.timestamps) out += "&timestamps=true";
  if (q.tailLines) out += "&tailLines=" + std::to_string(*q.tailLines);
  if (q.limitBytes) out += "&limitBytes=" + std::to_string(*q.limitBytes);
  auto since = q.sinceTime;
  if (q.sinceSeconds) since = now - seconds(*q.sinceSeconds);
  if (since) out += "&sinceTime=" + escaped(formatMicroTime(*since));
  return out;
}

struct Agent {
  std::string url;
  std::string way;  ///< where the connection goes to, whatever the name in the URL: "::ADDRESS:PORT"
};

/// From its parts, so that no part can be more than it is. What a node says of itself is not trusted: the name is the
/// one that its certificate must show.
Result<Agent> agentOf(const std::string& node, const std::string& address, std::int64_t port,
                      const std::string& query) {
  if (!isIpAddress(address) || port < 1 || port > 65535)
    return makeError(Errc::unavailable, "the node's address is no IP address and port");
  const std::unique_ptr<CURLU, void (*)(CURLU*)> url(curl_url(), curl_url_cleanup);
  const auto set = [&](CURLUPart part, const std::string& text) {
    return curl_url_set(url.get(), part, text.c_str(), 0) == CURLUE_OK;
  };
  char* text = nullptr;
  if (!url || !set(CURLUPART_SCHEME, "https") || !set(CURLUPART_HOST, node) ||
      !set(CURLUPART_PORT, std::to_string(port)) || !set(CURLUPART_PATH, "/containerLogs") ||
      !set(CURLUPART_QUERY, query) || curl_url_get(url.get(), CURLUPART_URL, &text, 0) != CURLUE_OK)
    return makeError(Errc::unavailable, "the node's address cannot be spoken to");
  Agent out{text, "::" + urlHostOf(address) + ":" + std::to_string(port)};
  curl_free(text);
  return out;
}

/// One download on a thread of its own, read as a Stream. The first byte or the end decides whether
/// it is a log or an error.
class Download final : public Stream {
 public:
  Download(Agent agent, std::string caPem, KeyPair credentials)
      : agent_(std::move(agent)), caPem_(std::move(caPem)), credentials_(std::move(credentials)) {
    way_.reset(curl_slist_append(nullptr, agent_.way.c_str()));
    thread_ = std::thread([this] {
      auto code = CURLE_FAILED_INIT;
      const auto fault = barrier::run(kPlace, [&] { code = download(); });
      end(code, fault ? barrier::faultText(kPlace, *fault) : "");
    });
  }
  ~Download() override {
    stopping_ = true;
    cv_.notify_all();
    thread_.join();
  }

  /// Waits for the response's status. Errors as the agent said them.
  Result<void> begin() {
    std::unique_lock lock(mutex_);
    cv_.wait(lock, [this] { return started_ || ended_; });
    if (failure_) return *failure_;
    if (status_ == 200) return {};
    cv_.wait(lock, [this] { return ended_; });
    const auto body = parseJson(data_);
    const std::string message(body.ok() ? stringAt(*body, {"message"}) : "");
    return makeError(errcFromHttp(static_cast<int>(status_), body.ok() ? stringAt(*body, {"reason"}) : ""),
                     message.empty() ? "the node's agent answered " + std::to_string(status_) : message);
  }

  Chunk poll() override {
    std::lock_guard lock(mutex_);
    Chunk chunk;
    chunk.data.swap(data_);
    chunk.end = ended_;
    cv_.notify_all();
    return chunk;
  }
  void setWaker(Waker waker) override {
    std::lock_guard lock(mutex_);
    waker_ = std::move(waker);
  }

 private:
  static std::size_t onData(char* bytes, std::size_t size, std::size_t count, void* self) {
    // No exception passes through a library in C: the download fails instead.
    std::size_t taken = 0;
    (void)barrier::run(kPlace, [&] { taken = static_cast<Download*>(self)->take(bytes, size * count); });
    return taken;
  }
  static int onProgress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<Download*>(self)->stopping_ ? 1 : 0;
  }

  std::size_t take(const char* bytes, std::size_t n) {
    Waker waker;
    {
      std::unique_lock lock(mutex_);
      // A reader that does not read stops the sender, not the memory.
      cv_.wait(lock, [this] { return stopping_ || data_.size() < kBufferLimit; });
      if (stopping_) return 0;
      curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &status_);
      started_ = true;
      data_.append(bytes, n);
      waker = waker_;
    }
    cv_.notify_all();
    if (waker) waker();
    return n;
  }

  void configure() {
    CURL* c = curl_.get();
    curl_easy_setopt(c, CURLOPT_URL, agent_.url.c_str());
    curl_easy_setopt(c, CURLOPT_CONNECT_TO, way_.get());
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    // The cluster's authority alone, and the name of the node: the machine's own authorities prove nothing here.
    curl_blob authority{caPem_.data(), caPem_.size(), CURL_BLOB_NOCOPY};
    curl_easy_setopt(c, CURLOPT_CAINFO_BLOB, &authority);
    curl_easy_setopt(c, CURLOPT_CAPATH, nullptr);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_blob certificate{credentials_.certificatePem.data(), credentials_.certificatePem.size(), CURL_BLOB_NOCOPY};
    curl_blob key{credentials_.keyPem.data(), credentials_.keyPem.size(), CURL_BLOB_NOCOPY};
    curl_easy_setopt(c, CURLOPT_SSLCERT_BLOB, &certificate);
    curl_easy_setopt(c, CURLOPT_SSLKEY_BLOB, &key);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, 5L);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, &Download::onData);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, this);
    curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, &Download::onProgress);
    curl_easy_setopt(c, CURLOPT_XFERINFODATA, this);
  }

  CURLcode download() {
    curl_.reset(curl_easy_init());
    if (!curl_) return CURLE_OUT_OF_MEMORY;
    configure();
    return curl_easy_perform(curl_.get());
  }

  /// Always reached, so that nobody waits for a download that is over.
  void end(CURLcode code, const std::string& fault) {
    Waker waker;
    {
      std::lock_guard lock(mutex_);
      if (curl_) curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &status_);
      if (code != CURLE_OK && !started_)
        failure_ = makeError(
            fault.empty() ? Errc::unavailable : Errc::internal,
            fault.empty() ? std::string("the node's agent cannot be reached: ") + curl_easy_strerror(code) : fault);
      started_ = ended_ = true;
      waker = waker_;
    }
    cv_.notify_all();
    if (waker) waker();
  }

  static constexpr std::string_view kPlace = "the download of a log";

  Agent agent_;
  std::unique_ptr<curl_slist, decltype([](curl_slist* list) { curl_slist_free_all(list); })> way_;
  std::string caPem_;
  KeyPair credentials_;
  Curl curl_;
  std::mutex mutex_;
  std::condition_variable cv_;
  std::string data_;
  long status_ = 0;
  bool started_ = false;
  bool ended_ = false;
  std::optional<Error> failure_;
  std::atomic<bool> stopping_{false};
  Waker waker_;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<Stream>> HttpNodeGateway::containerLogs(const std::string& node, const LogQuery& query) {
  const auto object = readState_().get("nodes", "", node);
  if (object == nullptr) return makeError(Errc::notFound, "nodes \"" + node + "\" not found");
  std::string address;
  for (const auto& item : arrayAt(object->status(), {"addresses"}))
    if (stringAt(item, {"type"}) == "InternalIP") address = stringAt(item, {"address"});
  const auto port = intAt(object->status(), {"daemonEndpoints", "kubeletEndpoint", "Port"});
  if (address.empty() || port == 0) return makeError(Errc::unavailable, "node \"" + node + "\" does not offer logs");
  STEER_TRY(auto agent, agentOf(node, address, port, queryText(query, SystemClock().now())));
  auto download = std::make_unique<Download>(std::move(agent), caPem_, credentials_);
  STEER_CHECK(download->begin());
  return std::unique_ptr<Stream>(std::move(download));
}

}  // namespace steer
