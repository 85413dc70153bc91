#pragma once
// EventRecorder: turns notes into v1 Events. What repeats is counted in one Event, what is merely
// similar is combined after ten; a burst becomes one write per event. Thread rule: one owner.
#include <map>
#include <string>
#include <vector>

#include "core/controller.h"
#include "core/random.h"

namespace steer {

/// drop: nobody will read them (a rehearsal).
enum class Events : bool { record, drop };

class EventRecorder {
 public:
  EventRecorder(std::string component, Random& random, Events events = Events::record)
      : component_(std::move(component)), random_(random), events_(events) {}

  void note(const EventNote& note, Time now);
  /// Writes that are due, at most `limit`; to be executed with OnError::proceed, failures ignored.
  std::vector<Write> flush(Time now, std::size_t limit);
  /// When the next flush is worth while.
  std::optional<Time> due() const;

 private:
  struct Known {
    std::string name;
    std::int64_t count = 0;
    Time last{};
  };
  struct Pending {
    EventNote note;
    std::string message;
    std::int64_t count = 0;
    Time first{};
    Time last{};
  };
  struct Similar {
    std::int64_t distinct = 0;
    Time last{};
  };
  Write writeOf(const std::string& key, const Pending& pending);
  void forgetOld(Time now);

  std::string component_;
  Random& random_;
  Events events_;
  std::map<std::string, Pending> pending_;
  std::map<std::string, Known> known_;
  std::map<std::string, Similar> similar_;
  std::optional<Time> due_;
};

}  // namespace steer
