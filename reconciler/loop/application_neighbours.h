#pragma once
// What an application must know of the others. Thread rule: one owner.
#include <map>
#include <set>
#include <string>

#include "core/gvk.h"

namespace steer {

/// Objects that more than one application asks for, with the others that do.
using ContestedObjects = std::map<ObjectRef, std::set<std::string>>;

class ApplicationNeighbours {
 public:
  virtual ~ApplicationNeighbours() = default;
  /// Why `application` must wait for others before its newest commit is applied, in words; empty when it
  /// need not.
  virtual std::string dependencyWait(const std::string& application) = 0;
  /// Objects that other applications ask for: they change their owner and are never deleted.
  virtual std::set<ObjectRef> claimedByOthers(const std::string& application) = 0;
  /// Of what `application` asks for: what others ask for, too, and which.
  virtual ContestedObjects contestedBy(const std::string& application) = 0;
  /// Why it is not known yet what others ask for, in words: one that follows the same repository has not
  /// read the commit that `application` has. Empty when it is known.
  virtual std::string claimsUnsettled(const std::string& application) = 0;
  /// The first part of that alone: an application that follows the same repository has not read the commit.
  virtual std::string sourceUnread(const std::string& application) = 0;
};

}  // namespace steer
