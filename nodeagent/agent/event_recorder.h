#pragma once
// PodEventRecorder: turns notes into v1 Events; equal notes become one Event with a count.
// Thread rule: note() is thread-safe, writes() on one thread.
#include <map>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/object.h"
#include "core/sync.h"
#include "core/write.h"
#include "nodeagent/pod/pod_machine.h"

namespace steer {

class PodEventRecorder {
 public:
  explicit PodEventRecorder(std::string nodeName) : nodeName_(std::move(nodeName)) {}

  void note(const Object& about, const PodEventNote& event, Time now);
  /// What is to be written since the last call.
  std::vector<Write> writes(Time now);

 private:
  struct Entry {
    std::string name;
    int count = 0;
    Time last{};
    bool written = false;
    bool dirty = true;
    json::object body;
  };
  std::string nodeName_;
  Sync<std::map<std::string, Entry>> entries_;
};

}  // namespace steer
