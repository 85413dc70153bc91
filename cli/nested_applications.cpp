#include "cli/nested_applications.h"

#include <algorithm>
#include <deque>

#include "reconciler/plan/application_graph.h"
#include "render/desired_set.h"
#include "schemas/sync_order.h"

namespace steer::cli {
namespace {

bool isOurs(const Manifest& m, std::string_view kind) {
  return m.object()->gvk().group == "steersman.dev" && m.object()->kind() == kind;
}

struct Node {
  DeclaredApplication application;
  RenderedTree tree;
  std::string defaultNamespace;
};

class Reading {
 public:
  Reading(SourceReader& source, const NestedRequest& request) : source_(source), request_(request) {}

  Result<NestedApplications> run() {
    STEER_TRY(auto tree, source_.main());
    seen_.insert(request_.application);
    nodes_.push_back({{request_.application, kSystemNamespace}, std::move(tree), request_.defaultNamespace});
    // Grows while it is walked.
    for (std::size_t i = 0; i < nodes_.size(); ++i) lookInto(nodes_[i]);
    DesiredOptions options;
    options.existingNamespaces = request_.namespaces;
    for (const auto& node : nodes_)
      node.tree.forEach([&](const Manifest& m) {
        if (m.object()->kind() == "Namespace") options.existingNamespaces.insert(m.object()->name());
      });
    for (auto& node : nodes_) {
      options.defaultNamespace = node.defaultNamespace;
      auto desired = makeDesiredSet(node.tree, options);
      out_.findings.append(std::move(desired.findings));
      take(desired, node.application);
      out_.all.push_back(std::move(node.application));
    }
    out_.findings.sort();
    out_.disputes = applicationFindings(out_.all, request_.applications);
    out_.all = inOrder(std::move(out_.all));
    return std::move(out_);
  }

 private:
  /// As the cluster's own reconciler does: what is wrong is left as it lives, and the rest goes on.
  static void take(const DesiredSet& desired, DeclaredApplication& out) {
    out.complete = desired.complete;
    for (const auto& object : desired.objects) {
      if (object.errors == 0 && object.named) {
        out.wanted.push_back({object.ref, object.object->json(), object.placeOf("")});
        continue;
      }
      out.quarantined.insert(object.ref);
      const auto& body = object.object->json();
      if (claimsHook(body) && syncOrderOf(body).hook != Hook::postSync)
        out.refusal = "its pre-sync hook " + object.object->text() + " is wrong";
    }
  }

  void lookInto(const Node& node) {
    std::vector<std::pair<ObjectPtr, SourcePos>> found;
    node.tree.forEach([&](const Manifest& m) {
      const auto ns = m.object()->ns().empty() ? node.defaultNamespace : m.object()->ns();
      if (isOurs(m, "GitRepository"))
        repositories_[ns + "/" + m.object()->name()] = stringAt(m.object()->spec(), {"url"});
      if (isOurs(m, "Application")) found.emplace_back(m.object(), m.pos());
    });
    for (auto& [object, place] : found) addApplication(*object, place, node);
  }

  void addApplication(const Object& object, const SourcePos& place, const Node& parent) {
    const auto ns = object.ns().empty() ? parent.defaultNamespace : object.ns();
    const auto label = applicationLabel(ns, object.name());
    if (!seen_.insert(label).second) return;
    if (!identity_) identity_ = source_.identity();
    const auto nested = nestedSource(object.spec(), ns, *identity_, repositories_);
    const auto leaveOut = [&](const std::string& why) { out_.notes.push_back("application " + label + " " + why); };
    if (!nested.path) return leaveOut(nested.reason);
    auto tree = source_.at(*nested.path);
    if (!tree.ok()) {
      out_.findings.add({Severity::error, place, "Application " + label, "spec.source.path", tree.error().message, ""});
      return;
    }
    const std::string target(stringAt(object.spec(), {"targetNamespace"}));
    DeclaredApplication application{label, ns, place, object.spec()};
    application.parent = parent.application.label;
    nodes_.push_back({std::move(application), std::move(*tree), target.empty() ? "default" : target});
  }

  SourceReader& source_;
  const NestedRequest& request_;
  std::deque<Node> nodes_;  // stays where it is while it grows
  std::set<std::string> seen_;
  std::map<std::string, std::string> repositories_;
  std::optional<SourceIdentity> identity_;
  NestedApplications out_;
};

}  // namespace

Result<NestedApplications> readApplications(SourceReader& source, const NestedRequest& request) {
  return Reading(source, request).run();
}

}  // namespace steer::cli
