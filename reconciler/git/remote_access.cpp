#include "reconciler/git/remote_access.h"

#include <git2.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <optional>

#include "reconciler/git/git_handles.h"
#include "reconciler/git/known_hosts.h"

namespace steer {

struct RemoteAccess::Session::State {
  explicit State(const RemoteAccess& a) : access(a), until(std::chrono::steady_clock::now() + a.timeout_) {}
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
  int checkHost(git_cert* certificate, int valid, const char* host);
  int tick() {
    if (std::chrono::steady_clock::now() < until) return 0;
    return refuse(Errc::timeout, "Timeout", "the transfer with " + url().url + " took too long");
  }
};

namespace {

using State = RemoteAccess::Session::State;

int onCredentials(git_credential** out, const char* url, const char* user, unsigned allowed, void* payload) {
  return static_cast<State*>(payload)->offer(out, url, user, allowed);
}
int onCertificate(git_cert* certificate, int valid, const char* host, void* payload) {
  return static_cast<State*>(payload)->checkHost(certificate, valid, host);
}
int onTransfer(const git_indexer_progress*, void* payload) { return static_cast<State*>(payload)->tick(); }
int onMessage(const char*, int, void* payload) { return static_cast<State*>(payload)->tick(); }
int onPush(unsigned, unsigned, std::size_t, void* payload) { return static_cast<State*>(payload)->tick(); }

std::string firstLine(const std::string& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
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
  if ((allowed & GIT_CREDENTIAL_SSH_KEY) != 0) {
    if (credentials().sshKeyFile.empty())
      return refuse(Errc::unauthorized, "AuthenticationFailed",
                    url().host + " asks for a key; name one with --ssh-key");
    return git_credential_ssh_key_new(out, user.c_str(), nullptr, credentials().sshKeyFile.c_str(),
                                      credentials().sshKeyPassphrase.c_str());
  }
  if ((allowed & GIT_CREDENTIAL_USERPASS_PLAINTEXT) != 0 && url().kind != RemoteUrl::Kind::ssh) {
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

int State::checkHost(git_cert* certificate, int valid, const char* host) {
  if (certificate == nullptr || certificate->cert_type != GIT_CERT_HOSTKEY_LIBSSH2)
    return valid != 0 ? 0
                      : refuse(Errc::forbidden, "HostKeyRefused",
                               std::string("the certificate of ") + host + " is not trusted");
  const auto* key = reinterpret_cast<const git_cert_hostkey*>(certificate);
  std::string file = credentials().knownHostsFile;
  if (file.empty())
    if (const char* home = std::getenv("HOME")) file = std::string(home) + "/.ssh/known_hosts";
  const auto known = KnownHosts::load(file);
  if (!known.ok()) return refuse(Errc::forbidden, "HostKeyRefused", known.error().message);
  if ((key->type & GIT_CERT_SSH_RAW) == 0)
    return refuse(Errc::forbidden, "HostKeyRefused", std::string(host) + " showed no host key");
  switch (known->check(host, url().port, {key->hostkey, key->hostkey_len})) {
    case KnownHosts::Verdict::known:
      return 0;
    case KnownHosts::Verdict::revoked:
      return refuse(Errc::forbidden, "HostKeyRefused", std::string("the host key of ") + host + " is revoked");
    case KnownHosts::Verdict::keyDiffers:
      return refuse(Errc::forbidden, "HostKeyRefused",
                    std::string("the host key of ") + host + " differs from the known one");
    case KnownHosts::Verdict::unknownHost:
      break;
  }
  return refuse(Errc::forbidden, "HostKeyRefused", std::string(host) + " is not in " + file);
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
  if (!state_->refusal) return git::gitError(rc, doing);
  Error e = *state_->refusal;
  e.message = doing + ": " + e.message;
  return e;
}

}  // namespace steer
