#include "reconciler/git/ssh_transport.h"
#include "reconciler/git/network_stream.h"

#include <git2.h>
#include <git2/sys/remote.h>
#include <git2/sys/transport.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "reconciler/git/git_handles.h"
#include "reconciler/git/ssh_program.h"

namespace steer::git {
namespace {

using Session = RemoteAccess::Session;

Error invalid(const std::string& why) {
  return kindError(Errc::badRequest, "InvalidAddress", "not a usable repository address: " + why);
}

/// A value of an option as ssh reads it: in quotes, with nothing that it would expand.
Result<std::string> optionValue(const std::string& file) {
  if (file.find_first_of("\"\\\n${}") != std::string::npos)
    return kindError(Errc::badRequest, "AuthenticationFailed", "ssh cannot be told of a file named " + file);
  std::string out = "\"";
  for (const char c : file) out += c == '%' ? "%%" : std::string(1, c);
  return out + "\"";
}

/// For the shell at the other end, as git quotes it.
std::string shellWord(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' || c == '!' ? std::string("'\\") + c + "'" : std::string(1, c);
  return out + "'";
}

/// "/path" of ssh://host/path; what is below somebody's home is written ~user.
std::string pathOf(const RemoteUrl& url) {
  const auto path = url.url.substr(url.url.find('/', url.url.find("://") + 3));
  return path.starts_with("/~") ? path.substr(1) : path;
}

std::string knownHostsOf(const RemoteAccess& access) {
  const auto& file = access.credentials().knownHostsFile;
  const char* home = std::getenv("HOME");
  return !file.empty() || home == nullptr ? file : std::string(home) + "/.ssh/known_hosts";
}

/// A file that only processes of this user can read, and that nothing but memory holds. Lives as long as this process.
std::string inMemory(const std::string& text) {
  const int fd = ::memfd_create("passphrase", MFD_CLOEXEC);
  if (fd < 0 || ::write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size())) return "";
  return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(fd);
}

/// ssh asks another program for a passphrase, never its terminal: this one, which reads it where we say.
std::vector<std::pair<std::string, std::string>> environmentFor(const RemoteAccess& access) {
  std::vector<std::pair<std::string, std::string>> out{{"LC_ALL", "C"}, {"SSH_AUTH_SOCK", ""}};
  if (access.credentials().sshKeyPassphrase.empty()) return out;
  out.emplace_back("SSH_ASKPASS_REQUIRE", "force");
  out.emplace_back("SSH_ASKPASS", "/proc/" + std::to_string(::getpid()) + "/exe");
  out.emplace_back(kPassphraseFile, inMemory(access.credentials().sshKeyPassphrase + "\n"));
  return out;
}

struct Subtransport;

struct Stream {
  git_smart_subtransport_stream base{};
  SshProgram program;
  Subtransport* owner;
};

struct Subtransport {
  git_smart_subtransport base{};
  git_transport* transport = nullptr;
  Stream* current = nullptr;
  void* payload = nullptr;  ///< of the session's callbacks
};

/// Notes it where the session finds it; libgit2 itself knows numbers and a text only.
int refuse(const Subtransport& at, const Error& error) {
  git_error_set_str(GIT_ERROR_SSH, error.message.c_str());
  return Session::noteRefusal(at.payload, error);
}

int failed(Stream& stream, const std::string& doing) {
  const auto& access = Session::accessOf(stream.owner->payload);
  const auto complaints = stream.program.complaints();
  if (complaints.empty()) {
    git_error_set_str(GIT_ERROR_SSH, ("the connection to " + access.url().host + " ended while " + doing).c_str());
    return -1;
  }
  return refuse(*stream.owner, sshError(access, complaints));
}

int readFrom(git_smart_subtransport_stream* raw, char* buffer, std::size_t size, std::size_t* got) {
  auto& stream = *reinterpret_cast<Stream*>(raw);
  const auto n = stream.program.read(buffer, size);
  if (n < 0 || (n == 0 && stream.program.awaitEnd() != 0)) return failed(stream, "reading");
  ++transferBeats();
  *got = static_cast<std::size_t>(n);
  return 0;
}

int writeTo(git_smart_subtransport_stream* raw, const char* buffer, std::size_t size) {
  auto& stream = *reinterpret_cast<Stream*>(raw);
  if (!stream.program.write({buffer, size})) return failed(stream, "writing");
  ++transferBeats();
  return 0;
}

void freeStream(git_smart_subtransport_stream* raw) {
  auto* stream = reinterpret_cast<Stream*>(raw);
  if (stream->owner->current == stream) stream->owner->current = nullptr;
  delete stream;
}

int open(Subtransport& at, const char* service, git_smart_subtransport_stream** out) {
  git_remote_connect_options options = GIT_REMOTE_CONNECT_OPTIONS_INIT;
  if (git_transport_remote_connect_options(&options, at.transport) != 0) return -1;
  at.payload = options.callbacks.payload;
  git_remote_connect_options_dispose(&options);
  if (at.payload == nullptr) {
    git_error_set_str(GIT_ERROR_SSH, "an ssh conversation without a session");
    return -1;
  }
  const auto& access = Session::accessOf(at.payload);
  const auto argv = sshCommand(access, service);
  if (!argv.ok()) return refuse(at, argv.error());
  auto program = SshProgram::start(*argv, environmentFor(access));
  if (!program.ok()) return refuse(at, program.error());
  at.current = new Stream{{&at.base, readFrom, writeTo, freeStream}, std::move(*program), &at};
  *out = &at.current->base;
  return 0;
}

int onAction(git_smart_subtransport_stream** out, git_smart_subtransport* raw, const char*,
             git_smart_service_t action) {
  auto& at = *reinterpret_cast<Subtransport*>(raw);
  if (action == GIT_SERVICE_UPLOADPACK_LS) return open(at, "git-upload-pack", out);
  if (action == GIT_SERVICE_RECEIVEPACK_LS) return open(at, "git-receive-pack", out);
  if (at.current == nullptr) {
    git_error_set_str(GIT_ERROR_SSH, "the conversation was not begun");
    return -1;
  }
  *out = &at.current->base;
  return 0;
}

int onClose(git_smart_subtransport*) { return 0; }
void onFree(git_smart_subtransport* raw) { delete reinterpret_cast<Subtransport*>(raw); }

int makeSubtransport(git_smart_subtransport** out, git_transport* owner, void*) {
  auto* made = new Subtransport{{onAction, onClose, onFree}, owner};
  *out = &made->base;
  return 0;
}

int makeTransport(git_transport** out, git_remote* owner, void*) {
  static git_smart_subtransport_definition definition{makeSubtransport, 0, nullptr};
  return git_transport_smart(out, owner, &definition);
}

/// The lines that tell something; ssh frames its warnings.
std::string plainText(std::string_view complaints) {
  std::string out;
  while (!complaints.empty() && out.size() < 400) {
    const auto end = std::min(complaints.find('\n'), complaints.size());
    auto line = complaints.substr(0, end);
    complaints.remove_prefix(std::min(end + 1, complaints.size()));
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    if (!line.empty() && line.front() != '@') out += (out.empty() ? "" : "; ") + std::string(line);
  }
  std::replace_if(
      out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return out;
}

}  // namespace

Result<void> useOpenSsh() {
  startLibrary();
  static const int rc = git_transport_register("ssh", makeTransport, nullptr);
  return rc == 0 ? Result<void>{} : gitError(rc, "cannot use ssh");
}

Result<std::vector<std::string>> sshCommand(const RemoteAccess& access, const std::string& command) {
  const auto& url = access.url();
  const auto& credentials = access.credentials();
  std::string host = url.host;
  if (host.starts_with("[") && host.ends_with("]")) host = host.substr(1, host.size() - 2);
  const std::string user = !url.user.empty() ? url.user : credentials.username;
  const std::string path = pathOf(url);
  const auto odd = [](std::string_view text) {
    return text.empty() || text.front() == '-' ||
           text.find_first_of(" \t\n\r\"'`$\\;&<>|(){}*?!#") != std::string::npos;
  };
  if (odd(host)) return invalid("ssh cannot be given the host \"" + host + "\"");
  if (odd(user)) return invalid("ssh cannot be given the user \"" + user + "\"");
  if (path.empty() || path.front() == '-') return invalid("the path begins with '-'");
  if (credentials.sshKeyFile.empty())
    return kindError(Errc::unauthorized, "AuthenticationFailed", host + " asks for a key; name one with --ssh-key");
  STEER_TRY(const auto key, optionValue(credentials.sshKeyFile));
  STEER_TRY(const auto known, optionValue(knownHostsOf(access)));
  const bool locked = !credentials.sshKeyPassphrase.empty();
  const auto patience = std::max<long>(1, std::chrono::duration_cast<seconds>(access.timeout()).count());
  std::vector<std::string> argv{"ssh", "-F", "/dev/null", "-T", "-x", "-a", "-l", user};
  if (url.port != 0) argv.insert(argv.end(), {"-p", std::to_string(url.port)});
  const std::string options[] = {
      "StrictHostKeyChecking=yes", "UserKnownHostsFile=" + known, "GlobalKnownHostsFile=/dev/null", "UpdateHostKeys=no",
      "VerifyHostKeyDNS=no", "CheckHostIP=no", "IdentityFile=" + key, "IdentitiesOnly=yes", "IdentityAgent=none",
      "CertificateFile=none", "PreferredAuthentications=publickey", "PasswordAuthentication=no",
      "KbdInteractiveAuthentication=no",
      // Without a passphrase nothing may ask; with one, our program answers once.
      std::string("BatchMode=") + (locked ? "no" : "yes"), "NumberOfPasswordPrompts=1", "ForwardAgent=no",
      "ClearAllForwardings=yes", "PermitLocalCommand=no", "ControlMaster=no", "ControlPath=none", "ProxyCommand=none",
      "EscapeChar=none", "LogLevel=ERROR", "ConnectTimeout=" + std::to_string(patience)};
  for (const auto& option : options) argv.insert(argv.end(), {"-o", option});
  if (credentials.reach == Reach::network) {
    // The address that was checked is the one that is connected to; the host's key is known by its name all the same.
    STEER_TRY(const auto address, networkAddressOf(host, std::to_string(url.port == 0 ? 22 : url.port)));
    const std::string alias = url.port == 0 || url.port == 22 ? host : "[" + host + "]:" + std::to_string(url.port);
    argv.insert(argv.end(), {"-o", "HostName=" + address, "-o", "HostKeyAlias=" + alias});
  }
  argv.insert(argv.end(), {"--", host, command + " " + shellWord(path)});
  return argv;
}

Error sshError(const RemoteAccess& access, std::string_view complaints) {
  const auto& host = access.url().host;
  const auto says = [&](std::string_view text) { return complaints.find(text) != std::string_view::npos; };
  const auto plain = plainText(complaints);
  if (says("REVOKED HOST KEY"))
    return kindError(Errc::forbidden, "HostKeyRefused", "the host key of " + host + " is revoked");
  if (says("IDENTIFICATION HAS CHANGED") || says("has changed and you have requested strict checking"))
    return kindError(Errc::forbidden, "HostKeyRefused", "the host key of " + host + " differs from the known one");
  if (says("host key is known for") || says("Host key verification failed"))
    return kindError(Errc::forbidden, "HostKeyRefused", host + " is not in " + knownHostsOf(access));
  if (says("Permission denied") || says("Load key") || says("Too many authentication failures"))
    return kindError(Errc::unauthorized, "AuthenticationFailed",
                     "the credentials for " + host + " were refused (" + plain + ")");
  // What servers of repositories say when a key opens less than was asked.
  if (says("denied") || says("read-only") || says("read only"))
    return kindError(Errc::forbidden, "AccessDenied", plain);
  if (says("timed out")) return kindError(Errc::timeout, "Timeout", plain);
  return kindError(Errc::unavailable, "RemoteGone", plain);
}

}  // namespace steer::git
