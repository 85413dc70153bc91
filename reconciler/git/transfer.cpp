#include "reconciler/git/transfer.h"

#include <filesystem>

#include "core/child.h"
#include "reconciler/git/git_handles.h"
#include "reconciler/git/interrupt.h"

namespace steer {
namespace {

constexpr Duration kGrace = seconds(5);  ///< after the child's own limits

std::vector<std::string>& program() {
  static std::vector<std::string> argv;
  return argv;
}

Result<json::object> answerOf(const CommandOutput& output, const std::string& shownUrl) {
  auto parsed = parseJson(output.out);
  if (!parsed.ok() || !parsed->is_object())
    return git::kindError(Errc::unavailable, "TransferFailed",
                          "the transfer with " + shownUrl + " ended with exit code " + std::to_string(output.code));
  auto& answer = parsed->get_object();
  if (const auto* error = answer.if_contains("error")) return git::errorFromJson(*error);
  return objectAt(answer, {"done"});
}

}  // namespace

void useTransferProgram(std::vector<std::string> argv) { program() = std::move(argv); }

namespace git {

Result<json::object> transfer(const RemoteAccess& access, std::string_view operation, json::object arguments) {
  if (access.url().kind == RemoteUrl::Kind::local) return operate(access, operation, arguments);
  if (program().empty())
    return kindError(Errc::unsupported, "InvalidAddress", "this program cannot reach repositories over a network");
  const auto* stop = access.interrupt();
  if (stop != nullptr && stop->raised()) return kindError(Errc::cancelled, "Stopped", "the transfer was stopped");
  const std::string dir(stringAt(arguments, {"dir"}));
  const std::string request = jsonText(
      json::object{{"operation", operation}, {"access", access.toJson()}, {"arguments", std::move(arguments)}});
  ChildSpec spec;
  spec.argv = program();
  spec.stopFd = stop == nullptr ? -1 : stop->fd();
  const auto output = runCommand(spec, request, access.longest() + kGrace);
  if (output.ok()) {
    auto answer = answerOf(*output, access.url().url);
    if (answer.ok()) return answer;
    dropLeftovers(dir);
    return answer;
  }
  dropLeftovers(dir);
  if (output.error().code == Errc::timeout)
    return kindError(Errc::timeout, "Timeout", access.url().url + " does not answer");
  if (output.error().code == Errc::cancelled) return kindError(Errc::cancelled, "Stopped", "the transfer was stopped");
  return kindError(output.error().code, "TransferFailed", output.error().message);
}

void dropLeftovers(const std::string& dir) {
  namespace fs = std::filesystem;
  std::error_code ec;
  std::vector<fs::path> old;
  for (const char* file : {"packed-refs.lock", "HEAD.lock", "config.lock"}) old.push_back(fs::path(dir) / file);
  for (fs::recursive_directory_iterator it(fs::path(dir) / "refs", ec), end; !ec && it != end; it.increment(ec))
    if (it->path().extension() == ".lock") old.push_back(it->path());
  for (fs::directory_iterator it(fs::path(dir) / "objects/pack", ec), end; !ec && it != end; it.increment(ec))
    if (it->path().filename().string().starts_with("pack_git2_")) old.push_back(it->path());
  for (const auto& file : old) fs::remove(file, ec);
}

json::object toJson(const Error& error) {
  json::array causes;
  for (const auto& c : error.causes)
    causes.push_back(json::object{{"reason", c.reason}, {"field", c.field}, {"message", c.message}});
  return {{"code", static_cast<int>(error.code)},
          {"message", error.message},
          {"causes", std::move(causes)},
          {"retryAfterSeconds", error.retryAfterSeconds}};
}

Error errorFromJson(const json::value& value) {
  const auto code = intAt(value, {"code"}, static_cast<int>(Errc::internal));
  const bool known = code >= 0 && code <= static_cast<int>(Errc::cancelled);
  Error out = makeError(known ? static_cast<Errc>(code) : Errc::internal, std::string(stringAt(value, {"message"})));
  for (const auto& c : arrayAt(value, {"causes"}))
    out.causes.push_back({std::string(stringAt(c, {"reason"})), std::string(stringAt(c, {"field"})),
                          std::string(stringAt(c, {"message"}))});
  out.retryAfterSeconds = static_cast<int>(intAt(value, {"retryAfterSeconds"}));
  return out;
}

}  // namespace git
}  // namespace steer
