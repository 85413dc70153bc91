#include "reconciler/loop/application_status.h"

#include "core/rfc3339.h"
#include "core/utf8.h"

namespace steer {
namespace {

constexpr std::size_t kHistory = 20;
constexpr const char* kResource = "applications.steersman.dev";

}  // namespace

void ApplicationStatus::setPhase(std::string phase, std::string message) {
  phase_ = std::move(phase);
  message_ = std::move(message);
}

void ApplicationStatus::setCondition(const std::string& type, bool good, std::string reason, std::string message,
                                     Time now) {
  const char* status = good ? "True" : "False";
  auto& c = conditions_[type];
  if (stringAt(c, {"status"}) != status) c["lastTransitionTime"] = formatTime(now);
  c["type"] = type;
  c["status"] = status;
  c["reason"] = std::move(reason);
  c["message"] = std::move(message);
}

void ApplicationStatus::addRun(const ApplyRecord& r) {
  // The healing of what is applied, while a newer commit waits, brings no other commit.
  const bool older = r.trigger == "drift" && !lastRunCommit_.empty() && r.commit != lastRunCommit_;
  if (!older) {
    lastRunCommit_ = r.commit;
    if (r.result == ApplyRecord::Result::healthy || r.result == ApplyRecord::Result::degraded ||
        r.result == ApplyRecord::Result::timedOut)
      lastApplied_ = r.commit;
  }
  history_.push_front({{"commit", r.commit},
                       {"author", r.author},
                       {"summary", r.summary},
                       {"result", textOf(r.result)},
                       {"message", r.line()},
                       {"startedAt", formatTime(r.started)},
                       {"finishedAt", formatTime(r.finished)}});
  if (history_.size() > kHistory) history_.pop_back();
}

std::string ApplicationStatus::lastHealthyBefore(const std::string& commit) const {
  for (const auto& run : history_)
    if (stringAt(run, {"result"}) == "healthy" && stringAt(run, {"commit"}) != commit)
      return std::string(stringAt(run, {"commit"}));
  return "";
}

json::object ApplicationStatus::body() const {
  json::array conditions;
  for (const auto& [type, c] : conditions_) conditions.emplace_back(c);
  json::array history;
  for (const auto& run : history_) history.emplace_back(run);
  // What is applied as it was asked for last is Synced all the same, and its message says what stands against it: that
  // the spec cannot be followed any more, or that another one asks for the same.
  std::string message = message_;
  for (const char* type : {"SourceKnown", "SoleOwner"})
    if (const auto found = conditions_.find(type); found != conditions_.end() && message.empty() && phase_ == "Synced")
      message = stringAt(found->second, {"message"});
  json::object out{{"commit", commit_},
                   {"lastAppliedCommit", lastApplied_},
                   {"phase", phase_},
                   {"message", message},
                   {"health", health_},
                   {"conditions", std::move(conditions)},
                   {"history", std::move(history)}};
  if (!resources_.empty()) out["resources"] = resources_;
  if (generation_ != 0) out["observedGeneration"] = generation_;
  for (const auto& [field, value] : details_) out[field] = value;
  return out;
}

std::optional<Time> ApplicationStatus::flush(Time now) {
  if (now < retry_) return retry_;
  json::object status = body();
  makeUtf8(status);  // messages and findings quote file names and what programs said
  std::string text = jsonText(status);
  if (text == written_) return std::nullopt;
  const auto done = client_.write(
      Write::patch({kResource, ns_, name_}, PatchType::merge, json::object{{"status", std::move(status)}}, "status"));
  if (done.ok()) {
    written_ = std::move(text);
    return std::nullopt;
  }
  retry_ = now + seconds(1);
  return retry_;
}

}  // namespace steer
