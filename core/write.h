#pragma once
// Write: one change that a decision asks for, as a value. The client executes it; a dry run is
// the same value with another effect. Thread rule: plain values.
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "core/gvk.h"
#include "core/json.h"

namespace steer {

enum class PatchType { json, merge, strategic, apply };
enum class Propagation { background, foreground, orphan };

struct DeleteOptions {
  std::optional<std::int64_t> gracePeriodSeconds;
  std::optional<Propagation> propagation;  ///< nothing = the kind's default
  std::string uid;                         ///< precondition, empty = none
  std::uint64_t revision = 0;              ///< precondition, 0 = none
};

struct Write {
  enum class Verb { create, update, patch, remove };

  Verb verb = Verb::create;
  ObjectRef target;         ///< name may be empty for create with generateName
  std::string subresource;  ///< "", "status", "scale", "binding", "eviction", "token"
  json::value body;         ///< object for create/update, patch otherwise
  PatchType patchType = PatchType::merge;
  bool forceConflicts = false;  ///< apply only: take fields from other managers
  std::string fieldManager;
  DeleteOptions deleteOptions;
  std::string actAs{};  ///< the user as whom it is judged, if the writer may impersonate them; empty = the writer

  static Write create(std::string resource, json::object body);
  /// Compare-and-swap when the body carries metadata.resourceVersion.
  static Write update(std::string resource, json::object body, std::string subresource = "");
  static Write updateStatus(std::string resource, json::object body) {
    return update(std::move(resource), std::move(body), "status");
  }
  static Write patch(ObjectRef target, PatchType type, json::value body, std::string subresource = "");
  /// Server-side apply of a whole object by a manager.
  static Write apply(std::string resource, json::object body, std::string manager, bool force);
  static Write remove(ObjectRef target, DeleteOptions options = {});
  /// pods/binding.
  static Write bind(std::string ns, std::string pod, std::string podUid, std::string node);
};

}  // namespace steer
