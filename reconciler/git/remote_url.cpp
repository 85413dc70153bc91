#include "reconciler/git/remote_url.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

namespace steer {
namespace {

Error bad(const std::string& why) { return makeError(Errc::badRequest, "not a usable repository address: " + why); }

/// A name of DNS, an IPv4 address, or an IPv6 address in brackets. Anything else is read differently by different
/// programs, and could lead elsewhere than it was judged by.
bool isHost(std::string_view host) {
  const auto only = [](std::string_view text, std::string_view characters) {
    return !text.empty() && text.find_first_not_of(characters) == std::string_view::npos;
  };
  if (host.starts_with('['))
    return host.size() > 2 && host.ends_with(']') && only(host.substr(1, host.size() - 2), "0123456789abcdefABCDEF:.");
  return only(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._");
}

/// Takes "user:password@host:port" apart.
Result<void> readAuthority(std::string_view authority, RemoteUrl& out) {
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    const auto userinfo = authority.substr(0, at);
    // Others end the host at these, and would take what stands before them for it.
    if (userinfo.find_first_of("@?#[]\\ ") != std::string_view::npos)
      return bad("the user or password holds one of @ ? # [ ] \\ or a blank; write it as %40, %3F, %23 ...");
    const auto colon = userinfo.find(':');
    out.user = std::string(userinfo.substr(0, colon));
    if (colon != std::string_view::npos) out.password = std::string(userinfo.substr(colon + 1));
    authority.remove_prefix(at + 1);
  }
  const auto bracket = authority.rfind(']');
  const auto colon = authority.rfind(':');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    const auto text = authority.substr(colon + 1);
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out.port);
    if (ec != std::errc{} || end != text.data() + text.size() || out.port < 1 || out.port > 65535)
      return bad("the port is not a number");
    authority = authority.substr(0, colon);
  }
  out.host = std::string(authority);
  // A leading '-' in a host or user would become an option of a program that gets it as an argument.
  if (out.host.empty() || out.host.front() == '-' || (!out.user.empty() && out.user.front() == '-'))
    return bad("the host is missing or begins with '-'");
  if (!isHost(out.host))
    return bad("the host is no name of DNS (letters, digits, '-', '.'; xn-- for others) and no IP address");
  return {};
}

Result<RemoteUrl> localDirectory(const std::string& text) {
  RemoteUrl out;
  std::error_code ec;
  const auto absolute = std::filesystem::absolute(text, ec);
  if (ec) return bad(ec.message());
  out.path = absolute.lexically_normal().string();
  out.url = out.path;
  return out;
}

}  // namespace

Result<RemoteUrl> RemoteUrl::parse(const std::string& text) {
  if (text.empty()) return bad("it is empty");
  if (text.front() == '-') return bad("it begins with '-'");
  if (std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }))
    return bad("it holds control characters");
  const auto scheme = text.find("://");
  if (scheme == std::string::npos) {
    if (text.find("::") != std::string::npos) return bad("remote helpers are not supported");
    const auto colon = text.find(':');
    const auto slash = text.find('/');
    if (colon == std::string::npos || (slash != std::string::npos && slash < colon)) return localDirectory(text);
    return parse("ssh://" + text.substr(0, colon) + "/" +
                 (text.compare(colon + 1, 1, "/") == 0 ? text.substr(colon + 2) : text.substr(colon + 1)));
  }
  const std::string name = text.substr(0, scheme);
  const std::string rest = text.substr(scheme + 3);
  if (name == "file") {
    if (rest.empty() || rest.front() != '/') return bad("file:// needs an absolute path");
    return localDirectory(rest);
  }
  RemoteUrl out;
  if (name == "ssh" || name == "git+ssh") out.kind = Kind::ssh;
  else if (name == "https") out.kind = Kind::https;
  else if (name == "http") out.kind = Kind::http;
  else return bad("\"" + name + "://\" is not supported; use a directory, file://, ssh:// or https://");
  const auto slash = rest.find('/');
  STEER_CHECK(readAuthority(std::string_view(rest).substr(0, slash), out));
  if (slash == std::string::npos || slash + 1 >= rest.size()) return bad("the path is missing");
  if (rest.compare(slash + 1, 1, "-") == 0) return bad("the path begins with '-'");
  if (out.kind == Kind::ssh && out.user.empty()) out.user = "git";
  if (out.kind != Kind::ssh && rest.find_first_of("?#", slash) != std::string::npos)
    return bad("it holds a query (?…) or a fragment (#…), which repositories have none of");
  // A token may stand for the user of http(s).
  out.url = (out.kind == Kind::ssh ? "ssh://" + out.user + "@" : name + "://") + out.host +
            (out.port == 0 ? "" : ":" + std::to_string(out.port)) + rest.substr(slash);
  return out;
}

}  // namespace steer
