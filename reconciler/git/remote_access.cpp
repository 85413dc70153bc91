#include "reconciler/git/remote_access.h"

#include <curl/curl.h>
#include <git2.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <optional>

#include "core/ip_address.h"
#include "reconciler/git/git_handles.h"

namespace steer {
namespace {

// What no repository of manifests comes near; a server that never stops sending meets these.
constexpr std::size_t kMaxReceived = std::size_t{4} << 30;
constexpr unsigned kMaxObjects = 50'000'000;
constexpr int kMaxRetryAfter = 24 * 3600;

}  // namespace

struct RemoteAccess::Session::State {
  explicit State(const RemoteAccess& a) : access(a), until(std::chrono::steady_clock::now() + a.longest()) {}
  const RemoteAccess& access;
  std::chrono::steady_clock::time_point until;
  std::optional<Error> refusal;
  int attempts = 0;

  const RemoteUrl& url() const { return access.url_; }
  const RemoteCredentials& credentials() const { return access.credentials_; }
  int refuse(Errc code, std::string kind, std::string message) {
    if (!refusal) refusal = git::kindError(code, std::move(kind), std::move(message));
    return GIT_EUSER;
  }
  int offer(git_credential** out, const char* asked, const char* userFromUrl, unsigned allowed);
  int checkHost(int valid, const char* host);
  int tick() {
    ++git::transferBeats();
    if (access.interrupt() != nullptr && access.interrupt()->raised())
      return refuse(Errc::cancelled, "Stopped", "the transfer was stopped");
    if (std::chrono::steady_clock::now() < until) return 0;
    return refuse(Errc::timeout, "Timeout", "the transfer with " + url().url + " took too long");
  }
};

namespace {

using State = RemoteAccess::Session::State;

int onCredentials(git_credential** out, const char* url, const char* user, unsigned allowed, void* payload) {
  return static_cast<State*>(payload)->offer(out, url, user, allowed);
}
int onCertificate(git_cert*, int valid, const char* host, void* payload) {
  return static_cast<State*>(payload)->checkHost(valid, host);
}
int onTransfer(const git_indexer_progress* seen, void* payload) {
  auto* state = static_cast<State*>(payload);
  if (seen->received_bytes > kMaxReceived || seen->total_objects > kMaxObjects)
    return state->refuse(Errc::tooLarge, "TooLarge", "the remote sends more than a repository may hold");
  return state->tick();
}
int onMessage(const char*, int, void* payload) { return static_cast<State*>(payload)->tick(); }
int onPush(unsigned, unsigned, std::size_t, void* payload) { return static_cast<State*>(payload)->tick(); }

std::string firstLine(const std::string& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

/// For curl: no socket for an address that leads to this machine.
curl_socket_t openNetworkSocket(void*, curlsocktype, curl_sockaddr* address) {
  char text[NI_MAXHOST] = "";
  const bool known = getnameinfo(&address->addr, address->addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) == 0;
  if (!known || isLocalAddress(text)) return CURL_SOCKET_BAD;
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/// Asks once more, without credentials, to learn when the server wants to be asked again.
int retryAfterOf(const State& state) {
  CURL* curl = curl_easy_init();
  if (curl == nullptr) return 0;
  const std::unique_ptr<CURL, void (*)(CURL*)> held(curl, curl_easy_cleanup);
  const std::string url = state.url().url + "/info/refs?service=git-upload-pack";
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");  // as libgit2: what a proxy leads to could not be looked at
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, "GET");
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, 10L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  if (!state.credentials().caFile.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, state.credentials().caFile.c_str());
  if (state.credentials().reach == Reach::network)
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, &openNetworkSocket);
  curl_off_t after = 0;
  if (curl_easy_perform(curl) != CURLE_OK || curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &after) != CURLE_OK)
    return 0;
  return static_cast<int>(std::clamp<curl_off_t>(after, 0, kMaxRetryAfter));
}

/// What libgit2 says about an HTTP answer, in our kinds.
std::optional<Error> httpError(const Error& e, const State& state, const std::string& doing) {
  const auto says = [&](std::string_view text) { return e.message.find(text) != std::string::npos; };
  if (says("unexpected http status code: 429") || says("unexpected http status code: 503")) {
    Error out = git::kindError(Errc::tooMany, "RateLimited", doing + ": the server asks for fewer requests");
    out.retryAfterSeconds = retryAfterOf(state);
    return out;
  }
  if (says("unexpected http status code: 403"))
    return git::kindError(Errc::forbidden, "AccessDenied", doing + ": the server does not allow it (403)");
  if (says("redirect"))
    return git::kindError(Errc::unavailable, "Redirected",
                          doing +
                              ": the server redirects to another address, which is not followed; "
                              "write the new address instead");
  return std::nullopt;
}

}  // namespace

int State::offer(git_credential** out, const char* asked, const char* userFromUrl, unsigned allowed) {
  const auto target = RemoteUrl::parse(asked == nullptr ? "" : asked);
  // A redirect to another machine must not carry our credentials there.
  if (!target.ok() || target->host != url().host || target->kind != url().kind)
    return refuse(Errc::unauthorized, "AuthenticationFailed",
                  "the remote sent us to another host, which gets no credentials");
  if (++attempts > 2)
    return refuse(Errc::unauthorized, "AuthenticationFailed", "the credentials for " + url().host + " were refused");
  const std::string user = userFromUrl != nullptr && *userFromUrl != 0 ? userFromUrl
                           : !url().user.empty()                       ? url().user
                                                                       : credentials().username;
  if ((allowed & GIT_CREDENTIAL_USERNAME) != 0) return git_credential_username_new(out, user.c_str());
  if ((allowed & GIT_CREDENTIAL_USERPASS_PLAINTEXT) != 0) {
    const std::string password =
        !url().password.empty() ? url().password
                                : (credentials().passwordFile.empty() ? "" : firstLine(credentials().passwordFile));
    if (password.empty())
      return refuse(Errc::unauthorized, "AuthenticationFailed",
                    url().host + " asks for a password and none is configured");
    return git_credential_userpass_plaintext_new(out, user.empty() ? "git" : user.c_str(), password.c_str());
  }
  return refuse(Errc::unauthorized, "AuthenticationFailed", url().host + " offers no way to log in that we know");
}

int State::checkHost(int valid, const char* host) {
  if (valid != 0) return 0;
  return refuse(Errc::forbidden, "HostKeyRefused", std::string("the certificate of ") + host + " is not trusted");
}

const RemoteAccess& RemoteAccess::Session::accessOf(void* payload) { return static_cast<State*>(payload)->access; }

int RemoteAccess::Session::noteRefusal(void* payload, Error error) {
  auto& noted = static_cast<State*>(payload)->refusal;
  if (!noted) noted = std::move(error);
  return GIT_EUSER;
}

RemoteAccess::Session::Session(const RemoteAccess& access) : state_(std::make_shared<State>(access)) {
  git::startLibrary();
}

void RemoteAccess::Session::install(git_remote_callbacks& callbacks) {
  callbacks.payload = state_.get();
  callbacks.credentials = onCredentials;
  callbacks.certificate_check = onCertificate;
  callbacks.transfer_progress = onTransfer;
  callbacks.sideband_progress = onMessage;
  callbacks.push_transfer_progress = onPush;
}

Error RemoteAccess::Session::explain(int rc, const std::string& doing) const {
  if (!state_->refusal) {
    Error e = git::gitError(rc, doing);
    if (state_->url().kind == RemoteUrl::Kind::local) return e;
    if (auto known = httpError(e, *state_, doing)) return std::move(*known);
    return e;
  }
  Error e = *state_->refusal;
  e.message = doing + ": " + e.message;
  return e;
}

json::object RemoteAccess::toJson() const {
  return {{"url", url_.url},
          {"user", url_.user},
          {"password", url_.password},
          {"timeoutMs", std::chrono::duration_cast<milliseconds>(timeout_).count()},
          {"sshKeyFile", credentials_.sshKeyFile},
          {"sshKeyPassphrase", credentials_.sshKeyPassphrase},
          {"knownHostsFile", credentials_.knownHostsFile},
          {"username", credentials_.username},
          {"passwordFile", credentials_.passwordFile},
          {"caFile", credentials_.caFile},
          {"networkOnly", credentials_.reach == Reach::network}};
}

Result<RemoteAccess> RemoteAccess::fromJson(const json::object& from) {
  const auto text = [&](std::string_view key) { return std::string(stringAt(from, {key})); };
  STEER_TRY(RemoteUrl url, RemoteUrl::parse(text("url")));
  url.user = text("user");
  url.password = text("password");
  RemoteCredentials credentials;
  credentials.sshKeyFile = text("sshKeyFile");
  credentials.sshKeyPassphrase = text("sshKeyPassphrase");
  credentials.knownHostsFile = text("knownHostsFile");
  credentials.username = text("username");
  credentials.passwordFile = text("passwordFile");
  credentials.caFile = text("caFile");
  if (boolAt(from, {"networkOnly"})) credentials.reach = Reach::network;
  return RemoteAccess(std::move(url), std::move(credentials), milliseconds(intAt(from, {"timeoutMs"}, 60'000)));
}

namespace git {

std::atomic<std::uint64_t>& transferBeats() {
  static std::atomic<std::uint64_t> beats = 0;
  return beats;
}

Result<void> trustAuthorities(const std::string& caFile) {
  if (caFile.empty()) return {};
  startLibrary();
  if (const int rc = git_libgit2_opts(GIT_OPT_SET_SSL_CERT_LOCATIONS, caFile.c_str(), nullptr); rc != 0)
    return kindError(Errc::badRequest, "HostKeyRefused",
                     gitError(rc, "the file of authorities " + caFile + " cannot be used").message);
  return {};
}

}  // namespace git
}  // namespace steer
