#pragma once
// FaultLoop: what barriers of this process hold back (core/barrier.h) as the condition `Faultless` of the namespace
// kube-system, so that whoever looks at the cluster, and not at its log, learns of it. Without any fault there is no
// condition. Thread rule: one driver steps it. Failure rule: what could not be written is written later.
#include <cstdint>
#include <optional>
#include <string>

#include "cluster/client/client.h"
#include "core/loop.h"

namespace steer {

inline constexpr const char* kFaultless = "Faultless";

class FaultLoop final : public Loop {
 public:
  explicit FaultLoop(Client& client) : client_(client) {}
  std::string_view name() const override { return "faults"; }
  Next step(Time now) override;

 private:
  struct Shown {
    bool faultless = true;
    std::string message;
    bool operator==(const Shown&) const = default;
  };
  /// What the namespace says; an error when it cannot be read.
  Result<std::optional<Shown>> read();
  Result<void> write(const Shown& wanted, Time now);

  Client& client_;
  std::optional<std::uint64_t> known_{};  ///< faults that there were when this was last written
  bool settled_ = false;                  ///< nothing to say until there is another fault
};

}  // namespace steer
