#pragma once
// ApplicationSpec: what an Application object (and the GitRepository that it may name) asks for, read
// into values. What cannot be read is a problem in words, and the field keeps its default. Pure.
#include <optional>
#include <string>
#include <vector>

#include "core/object.h"
#include "reconciler/git/git_source.h"
#include "reconciler/plan/ownership_policy.h"
#include "reconciler/plan/plan.h"

namespace steer {

enum class DriftMode { heal, report, ignore };

/// How a run that failed is tried again.
struct RetryPolicy {
  int limit = 5;  ///< further attempts for one commit; 0 = none
  Duration initialDelay = seconds(5);
  int factor = 2;
  Duration maxDelay = minutes(3);
};
/// Before the attempt with this number, counted from 1.
Duration retryDelay(const RetryPolicy& policy, int attempt);

/// A text of spec.syncWindows, checked by sync_window.h.
struct SyncWindowSpec {
  bool deny = false;
  std::string schedule;  ///< cron
  Duration duration{};
  std::string timeZone;  ///< IANA name; empty = UTC
};

/// What may change while the application runs.
struct ApplicationSettings {
  std::vector<std::string> dependsOn{};  ///< labels of applications
  bool suspend = false;
  bool prune = true;
  bool autoRollback = false;
  DriftMode drift = DriftMode::heal;
  OwnershipPolicy policy{};
  RetryPolicy retry{};
  std::vector<SyncWindowSpec> windows{};
  DeleteBudget deleteBudget{};
  Duration healthTimeout = minutes(10);
  std::string account{};  ///< the user as whom it acts; empty = as the server
};

/// Where credentials stand; their contents are read elsewhere.
struct CredentialsSpec {
  std::string secretNamespace;
  std::string secretName;  ///< empty = none
  std::string knownHosts;  ///< lines of a known_hosts file; a Secret's entry wins

  bool operator==(const CredentialsSpec&) const = default;
};

struct ApplicationSpec {
  SourceOptions source{};  ///< without credentials
  std::vector<std::string> include{};
  CredentialsSpec credentials{};
  /// The application whose source it reads, where it names none of its own; empty = its own.
  std::string sourceOf{};
  bool sourceSuspended = false;
  std::string targetNamespace;
  ApplicationSettings settings{};
  /// "spec.healthTimeout: "soon" is no duration …".
  std::vector<std::string> problems{};
  /// Why nothing can be followed; empty = it can.
  std::string unusable;
};

/// repository: the GitRepository that spec.source.repositoryRef names; null when there is none.
/// above: of the application that declares this one; its source counts where this one names none. Null = none.
ApplicationSpec readApplicationSpec(const Object& application, const ObjectPtr& repository,
                                    const ApplicationSpec* above = nullptr);

/// It names no repository: it lies in that of the application which declares it.
bool namesNoRepository(const Object& application);

}  // namespace steer
