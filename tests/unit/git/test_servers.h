#pragma once
// Real Git servers for tests, on free ports of the loopback interface: HTTPS (Python and git
// http-backend, with an authority of its own) and SSH (Debian's sshd with a configuration of its own).
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <optional>
#include <thread>

#include "core/child.h"
#include "reconciler/git/transfer.h"
#include "temp_repository.h"
#include "tests/source_path.h"

namespace steer {

/// Ends the server with the test.
class ServerChild {
 public:
  explicit ServerChild(std::vector<std::string> argv, const std::string& log) {
    ChildSpec spec;
    spec.argv = std::move(argv);
    spec.outFile = log;
    auto started = Child::start(spec);
    if (!started.ok()) throw std::runtime_error(started.error().message);
    child_ = std::move(*started);
  }
  ~ServerChild() {
    child_->signal(SIGTERM);
    if (!child_->wait(seconds(2))) child_->signal(SIGKILL);
    (void)child_->wait(seconds(2));
  }
  ServerChild(const ServerChild&) = delete;
  ServerChild& operator=(const ServerChild&) = delete;

 private:
  std::optional<Child> child_;
};

inline std::string readFile(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void useTestTransfer() { useTransferProgram({STEER_TRANSFER_PROGRAM}); }

template <class Ready>
void awaitServer(const std::string& what, Ready ready) {
  for (int i = 0; i < 1000; ++i) {
    if (ready()) return;
    std::this_thread::sleep_for(milliseconds(10));
  }
  throw std::runtime_error(what + " did not start");
}

/// Serves the bare repositories that lie in the directory's repos/.
class HttpsServer {
 public:
  explicit HttpsServer(const TempDir& dir) : dir_(dir) {
    std::filesystem::create_directories(dir.at("repos"));
    const std::string ca = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 ";
    for (const char* name : {"ca", "stranger"})
      sh("openssl req -x509 " + ca + "-subj /CN=" + name + " -keyout " + dir.at(name) + ".key -out " + dir.at(name) +
         ".crt");
    std::ofstream(dir.at("san")) << "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n";
    sh("openssl req " + ca + "-subj /CN=localhost -keyout " + dir.at("server.key") + " -out " + dir.at("server.csr"));
    sh("openssl x509 -req -days 2 -in " + dir.at("server.csr") + " -CA " + dir.at("ca.crt") + " -CAkey " +
       dir.at("ca.key") + " -CAcreateserial -extfile " + dir.at("san") + " -out " + dir.at("server.crt"));
    child_.emplace(
        std::vector<std::string>{"python3", sourcePath("tests/unit/git/servers/https_server.py"), dir.at("repos"),
                                 dir.at("server.crt"), dir.at("server.key"), dir.at("requests"), dir.at("port")},
        dir.at("server.log"));
    awaitServer("the HTTPS server", [&] { return std::filesystem::exists(dir.at("port")); });
    port_ = readFile(dir.at("port"));
  }
  std::string url(const std::string& mode, const std::string& user = "") const {
    return "https://" + (user.empty() ? "" : user + "@") + "localhost:" + port_ + "/" + mode + "/repo.git";
  }
  std::string authority() const { return dir_.at("ca.crt"); }
  std::string strangerAuthority() const { return dir_.at("stranger.crt"); }
  /// One line a request: METHOD HOST PATH AUTHORIZED.
  std::string requests() const { return readFile(dir_.at("requests")); }
  void allowWriting() const { std::ofstream(dir_.at("repos/writable")) << "yes"; }

 private:
  const TempDir& dir_;
  std::optional<ServerChild> child_;
  std::string port_;
};

/// Takes connections and says nothing.
class SilentServer {
 public:
  SilentServer() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    auto* address = reinterpret_cast<sockaddr*>(&at);
    if (::bind(fd_, address, size) != 0 || ::listen(fd_, 8) != 0 || ::getsockname(fd_, address, &size) != 0)
      throw std::runtime_error("no port is free");
    port_ = ntohs(at.sin_port);
  }
  ~SilentServer() { ::close(fd_); }
  SilentServer(const SilentServer&) = delete;
  SilentServer& operator=(const SilentServer&) = delete;
  std::string url() const { return "ssh://ada@127.0.0.1:" + std::to_string(port_) + "/x.git"; }

 private:
  int fd_;
  int port_ = 0;
};

/// An sshd whose one user is the one who runs the test, with an ed25519 key.
class SshServer {
 public:
  static bool available() { return std::filesystem::exists("/usr/sbin/sshd"); }

  explicit SshServer(const TempDir& dir) : dir_(dir) {
    std::filesystem::create_directories("/run/sshd");
    for (const char* kind : {"ed25519", "ecdsa", "rsa"})
      sh("ssh-keygen -q -t " + std::string(kind) + " -N '' -f " + dir.at("host_" + std::string(kind)));
    sh("ssh-keygen -q -t ed25519 -N '' -f " + dir.at("user"));
    sh("ssh-keygen -q -t ed25519 -N '' -f " + dir.at("reader"));
    sh("ssh-keygen -q -t ed25519 -N '' -f " + dir.at("nobody"));
    sh("ssh-keygen -q -t rsa -b 2048 -N '' -f " + dir.at("rsa-user"));
    sh("ssh-keygen -q -t ed25519 -N 'secret words' -f " + dir.at("locked"));
    sh("ssh-keygen -q -t rsa -b 2048 -m PEM -N 'secret words' -f " + dir.at("rsa-locked"));
    std::ofstream(dir.at("read-only")) << "#!/bin/sh\ncase \"$SSH_ORIGINAL_COMMAND\" in\n"
                                          "git-upload-pack*) exec sh -c \"$SSH_ORIGINAL_COMMAND\";;\n"
                                          "git-receive-pack*) [ -e " +
                                              dir.at("ssh-writable") +
                                              " ] && exec sh -c \"$SSH_ORIGINAL_COMMAND\";;\nesac\n"
                                              "echo 'reading only' >&2\nexit 1\n";
    sh("chmod 755 " + dir.at("read-only"));
    std::ofstream(dir.at("authorized")) << readFile(dir.at("user.pub")) << readFile(dir.at("rsa-user.pub"))
                                        << readFile(dir.at("locked.pub")) << readFile(dir.at("rsa-locked.pub"))
                                        << "command=\"" << dir.at("read-only") << "\" "
                                        << readFile(dir.at("reader.pub"));
    for (int port = 20000 + static_cast<int>(getpid() % 20000), tries = 0; tries < 20 && !child_; ++port, ++tries)
      tryPort(port);
    if (!child_) throw std::runtime_error("sshd did not start: " + readFile(dir.at("sshd.log")));
  }
  std::string url(const std::string& path) const {
    return "ssh://" + sh("id -un") + "@127.0.0.1:" + std::to_string(port_) + path;
  }
  std::string key(const std::string& who) const { return dir_.at(who); }
  /// A known_hosts file with the server's key of that kind.
  std::string knownHosts(const std::string& kind) const {
    std::istringstream words(readFile(dir_.at("host_" + kind + ".pub")));
    std::string type, key;
    words >> type >> key;
    return write("known-" + kind, type + " " + key);
  }
  /// A known_hosts file that says another key than the server has.
  std::string outdatedHosts() const {
    std::istringstream words(readFile(dir_.at("nobody.pub")));
    std::string type, key;
    words >> type >> key;
    return write("outdated", type + " " + key);
  }
  /// A known_hosts file that says that the server's keys were stolen.
  std::string revokedHosts() const {
    std::ofstream out(dir_.at("revoked"));
    for (const char* kind : {"ed25519", "ecdsa", "rsa"}) out << "@revoked " << readFile(knownHosts(kind));
    return dir_.at("revoked");
  }
  std::string emptyHosts() const {
    std::ofstream(dir_.at("empty-hosts")) << "";
    return dir_.at("empty-hosts");
  }
  void allowWriting() const { std::ofstream(dir_.at("ssh-writable")) << "yes"; }

 private:
  std::string write(const std::string& name, const std::string& key) const {
    std::ofstream(dir_.at(name)) << "[127.0.0.1]:" << port_ << " " << key << "\n";
    return dir_.at(name);
  }
  void tryPort(int port) {
    std::ofstream config(dir_.at("sshd_config"));
    config << "Port " << port << "\nListenAddress 127.0.0.1\nPidFile none\nUsePAM no\nStrictModes no\n"
           << "PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n"
           << "AuthorizedKeysFile " << dir_.at("authorized") << "\n";
    for (const char* kind : {"ed25519", "ecdsa", "rsa"})
      config << "HostKey " << dir_.at("host_" + std::string(kind)) << "\n";
    config.close();
    child_.emplace(std::vector<std::string>{"/usr/sbin/sshd", "-D", "-e", "-f", dir_.at("sshd_config")},
                   dir_.at("sshd.log"));
    const auto text = [&] { return readFile(dir_.at("sshd.log")); };
    const std::string listening = "port " + std::to_string(port) + ".";
    awaitServer("sshd", [&] {
      return text().find("Server listening on 127.0.0.1 " + listening) != std::string::npos ||
             text().find("Bind to " + listening.substr(0, listening.size() - 1)) != std::string::npos;
    });
    if (text().find("Server listening on 127.0.0.1 " + listening) != std::string::npos) port_ = port;
    else child_.reset();
  }

  const TempDir& dir_;
  std::optional<ServerChild> child_;
  int port_ = 0;
};

}  // namespace steer
