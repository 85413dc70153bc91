#pragma once
// KnownHosts: an OpenSSH known_hosts file, read as a value. Pure apart from load().
// Source of the format: sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT".
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace steer {

class KnownHosts {
 public:
  enum class Verdict { known, unknownHost, keyDiffers, revoked };

  static KnownHosts parse(std::string_view text);
  static Result<KnownHosts> load(const std::string& file);

  /// key: the raw host key as sent on the wire. port 0 or 22 = the default port.
  Verdict check(const std::string& host, int port, std::string_view key) const;

 private:
  struct Line {
    bool revoked = false;
    std::vector<std::string> patterns;
    std::string key;  ///< raw
  };
  static bool matches(const Line& line, const std::string& name);
  std::vector<Line> lines_;
};

}  // namespace steer
