#include "nodeagent/pod/sim_wishes.h"

#include <charconv>

#include "core/duration.h"

namespace steer {
namespace {

class Reader {
 public:
  Reader(const Object& pod, SimWishes& out) : pod_(pod), out_(out) {}

  void read() {
    out_.start = time("sim-start", "start-delay");
    out_.stop = time("sim-stop", "stop-delay");
    const auto ready = either("sim-ready", "ready-delay");
    if (ready == "never") out_.neverReady = true;
    else out_.ready = time("sim-ready", "ready-delay");
    readPull();
    readExit();
  }

 private:
  static std::string plain(std::string_view name) { return "steersman.dev/" + std::string(name); }
  static std::string single(std::string_view name) { return "simulator.steersman.dev/" + std::string(name); }

  std::string_view either(std::string_view name, std::string_view old) const {
    const auto text = pod_.annotation(plain(name));
    return text.empty() ? pod_.annotation(single(old)) : text;
  }

  std::optional<Duration> time(std::string_view name, std::string_view old) {
    const auto text = either(name, old);
    if (text.empty()) return std::nullopt;
    const auto out = simTime(text);
    if (!out)
      mistake(pod_.annotation(plain(name)).empty() ? single(old) : plain(name), text, "a time such as 2 or 1m30s");
    return out;
  }

  void readPull() {
    const auto text = pod_.annotation(plain("sim-pull"));
    out_.pullFails = text == "fail" || !pod_.annotation(single("pull-error")).empty();
    if (!text.empty() && text != "fail") mistake(plain("sim-pull"), text, "\"fail\"");
  }

  void readExit() {
    const auto text = pod_.annotation(plain("sim-exit"));
    if (text.empty()) return readSingleExit();
    if (text == "never") {
      out_.neverExits = true;
      return;
    }
    const auto at = text.find('@');
    const auto code = at == text.npos ? std::nullopt : codeOf(text.substr(0, at));
    const auto after = at == text.npos ? std::nullopt : simTime(text.substr(at + 1));
    if (!code || !after)
      return mistake(plain("sim-exit"), text, "\"code@seconds\" such as 1@5, with a code from 0 to 255, or \"never\"");
    out_.exit = SimWishes::Exit{*code, *after};
  }

  void readSingleExit() {
    const auto after = time("", "exit-after");
    const auto text = pod_.annotation(single("exit-code"));
    const auto code = text.empty() ? std::optional<int>(0) : codeOf(text);
    if (!code) return mistake(single("exit-code"), text, "a code from 0 to 255");
    if (after) out_.exit = SimWishes::Exit{*code, *after};
  }

  static std::optional<int> codeOf(std::string_view text) {
    int code = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), code);
    if (ec != std::errc{} || end != text.data() + text.size() || code < 0 || code > 255) return std::nullopt;
    return code;
  }

  void mistake(const std::string& name, std::string_view text, std::string_view expected) {
    if (out_.mistake.empty())
      out_.mistake = "annotation " + name + ": \"" + std::string(text) + "\" is not " + std::string(expected);
  }

  const Object& pod_;
  SimWishes& out_;
};

}  // namespace

SimWishes simWishesOf(const Object& pod) {
  SimWishes out;
  if (!objectAt(pod.metadata(), {"annotations"}).empty()) Reader(pod, out).read();
  return out;
}

std::optional<Duration> simTime(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789.") != text.npos) return parseDuration(text);
  return parseDuration(std::string(text) + "s");
}

}  // namespace steer
