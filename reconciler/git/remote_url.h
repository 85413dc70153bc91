#pragma once
// RemoteUrl: what a person wrote as a repository, understood and checked. Pure but for resolving a
// relative directory. A password in the URL is taken out of it, so that it appears in no message.
#include <string>

#include "core/result.h"

namespace steer {

struct RemoteUrl {
  enum class Kind { local, ssh, https, http };
  Kind kind = Kind::local;
  std::string url;       ///< for libgit2 and for people; without a password, and without the user of http(s)
  std::string path;      ///< local only: the directory
  std::string user;      ///< from the URL; "git" for ssh when not said
  std::string password;  ///< from the URL; never shown
  std::string host;
  int port = 0;  ///< 0 = the scheme's own

  /// A directory, file://…, ssh://…, user@host:path, https://… or http://….
  /// Errors: badRequest for a leading '-', control characters, or another transport.
  static Result<RemoteUrl> parse(const std::string& text);
};

}  // namespace steer
