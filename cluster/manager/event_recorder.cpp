#include "cluster/manager/event_recorder.h"

#include "core/rfc3339.h"

namespace steer {
namespace {

constexpr Duration kGather = milliseconds(200);
constexpr Duration kMemory = minutes(10);
constexpr std::int64_t kSimilarLimit = 10;
constexpr std::size_t kMaxKnown = 4096;

json::object referenceTo(const Object& object) {
  json::object ref{{"kind", object.kind()},
                   {"name", object.name()},
                   {"uid", object.uid()},
                   {"apiVersion", object.gvk().apiVersion()},
                   {"resourceVersion", stringAt(object.metadata(), {"resourceVersion"})}};
  if (!object.ns().empty()) ref["namespace"] = object.ns();
  return ref;
}

}  // namespace

void EventRecorder::note(const EventNote& note, Time now) {
  if (!note.about || events_ == Events::drop) return;
  const std::string base = note.about->ns() + "|" + note.about->uid() + "|" + note.type + "|" + note.reason;
  std::string key = base + "|" + note.message;
  std::string message = note.message;
  if (!known_.contains(key) && !pending_.contains(key)) {
    auto& similar = similar_[base];
    if (now - similar.last > kMemory) similar.distinct = 0;
    similar.last = now;
    if (++similar.distinct > kSimilarLimit) {
      key = base + "|*";
      message = "(combined from similar events): " + note.message;
    }
  }
  auto& pending = pending_[key];
  if (pending.count++ == 0) pending.first = now;
  pending.note = note;
  pending.message = std::move(message);
  pending.last = now;
  if (!due_) due_ = now + kGather;
}

std::optional<Time> EventRecorder::due() const { return due_; }

Write EventRecorder::writeOf(const std::string& key, const Pending& pending) {
  const auto& about = *pending.note.about;
  const std::string ns = about.ns().empty() ? "default" : about.ns();
  auto& known = known_[key];
  known.count += pending.count;
  known.last = pending.last;
  if (!known.name.empty())
    return Write::patch(
        {"events", ns, known.name}, PatchType::merge,
        json::object{
            {"count", known.count}, {"lastTimestamp", formatTime(pending.last)}, {"message", pending.message}});
  constexpr char digits[] = "0123456789abcdef";
  std::string suffix;
  for (auto bits = random_.next(); suffix.size() < 16; bits >>= 4) suffix += digits[bits & 15];
  known.name = about.name() + "." + suffix;
  return Write::create("events", {{"apiVersion", "v1"},
                                  {"kind", "Event"},
                                  {"metadata", {{"name", known.name}, {"namespace", ns}}},
                                  {"involvedObject", referenceTo(about)},
                                  {"type", pending.note.type},
                                  {"reason", pending.note.reason},
                                  {"message", pending.message},
                                  {"source", {{"component", component_}}},
                                  {"reportingComponent", component_},
                                  {"reportingInstance", ""},
                                  {"firstTimestamp", formatTime(pending.first)},
                                  {"lastTimestamp", formatTime(pending.last)},
                                  {"count", known.count}});
}

std::vector<Write> EventRecorder::flush(Time now, std::size_t limit) {
  std::vector<Write> out;
  if (!due_ || *due_ > now) return out;
  while (!pending_.empty() && out.size() < limit) {
    const auto it = pending_.begin();
    out.push_back(writeOf(it->first, it->second));
    pending_.erase(it);
  }
  due_.reset();
  if (!pending_.empty()) due_ = now;
  forgetOld(now);
  return out;
}

void EventRecorder::forgetOld(Time now) {
  if (known_.size() > kMaxKnown) {
    std::erase_if(known_, [&](const auto& item) { return now - item.second.last > kMemory; });
    if (known_.size() > kMaxKnown) known_.clear();  // repeats then start a new Event: correct, if less tidy
  }
  if (similar_.size() > kMaxKnown) {
    std::erase_if(similar_, [&](const auto& item) { return now - item.second.last > kMemory; });
    if (similar_.size() > kMaxKnown) similar_.clear();
  }
}

}  // namespace steer
