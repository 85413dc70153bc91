#pragma once
// One application as the loop over all of them holds it. Thread rule: the loop's, but for `woken`.
#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "core/barrier.h"
#include "reconciler/loop/application_loop.h"
#include "reconciler/loop/application_removal.h"
#include "reconciler/loop/application_status.h"
#include "reconciler/loop/applications_loop.h"

namespace steer {

struct ApplicationsLoop::Child {
  Child(Client& client, std::string name, const ObjectPtr& of)
      : label(std::move(name)), object(of), status(client, of->ns(), of->name()) {}

  std::string label;
  ObjectPtr object;
  ApplicationStatus status;  ///< used while there is no loop
  std::unique_ptr<ApplicationLoop> loop;
  std::unique_ptr<ApplicationRemoval> removal;
  std::string identity;
  std::string configured;      ///< spec that the loop has
  std::string shown;           ///< what others wait for
  int faults = 0;              ///< in a row
  std::optional<Fault> fault;  ///< that it must be restarted after
  std::optional<Time> lastFault;
  bool restart = false;  ///< the loop is to be replaced as soon as its clone is free
  bool dirty = true;
  std::optional<Time> next;
  std::shared_ptr<std::atomic<bool>> woken = std::make_shared<std::atomic<bool>>(true);
};

}  // namespace steer
