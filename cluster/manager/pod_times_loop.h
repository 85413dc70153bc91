#pragma once
// PodTimesLoop: watches pods come up and go, and keeps PodTimes. It measures what the controllers see, to the
// millisecond, where a pod's own timestamps are whole seconds. What happened while nobody watched is not counted.
// Thread rule: one driver steps it. Failure rule: what could not be written is written with the next.
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "cluster/client/informer.h"
#include "cluster/manager/pod_times.h"
#include "core/loop.h"

namespace steer {

class PodTimesLoop final : public Loop {
 public:
  explicit PodTimesLoop(Client& client);
  ~PodTimesLoop() override;
  std::string_view name() const override { return "pod-times"; }
  Next step(Time now) override;

 private:
  /// A pod that is on its way up or down.
  struct Underway {
    std::optional<Time> placed{};
    std::map<std::string, Time> running{};  ///< by container
    std::optional<Time> stopping{};
    std::optional<Time> ended{};
    bool first = false;  ///< nothing of its kind was ready when it was placed
  };
  void take(const ObjectPtr& before, const ObjectPtr& after, Time now);
  void takeContainers(const Object& pod, Underway& underway, bool placedNow, Time now);
  void takeGone(const ObjectPtr& gone, Time now);
  void noteReady(const ObjectPtr& pod, bool ready);
  bool load(Time now);
  void save(Time now);

  Client& client_;
  std::unique_ptr<Informer> informer_;
  PodTimes times_;
  std::map<std::string, Underway> underway_;  ///< by uid
  std::map<std::string, std::string> ready_;  ///< uid → its kind, which its labels tell
  std::map<std::string, int> readyOf_;        ///< by kind
  bool loaded_ = false;
  bool watching_ = false;         ///< what comes now is news
  std::optional<Time> saveAt_{};  ///< something is not written yet
};

}  // namespace steer
