#include "cli/nested_applications.h"

#include <algorithm>
#include <deque>

#include "reconciler/loop/application_spec.h"
#include "reconciler/loop/included.h"
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
  ApplicationSpec spec{};  ///< as the reconciler reads it
};

class Reading {
 public:
  Reading(SourceReader& source, const NestedRequest& request)
      : source_(source), request_(request), repositories_(request.repositories) {}

  Result<NestedApplications> run() {
    STEER_TRY(auto tree, source_.main());
    seen_.insert(request_.application);
    nodes_.push_back({{request_.application, kSystemNamespace}, std::move(tree), request_.defaultNamespace});
    if (request_.live) {
      const auto spec = readApplicationSpec(*request_.live, repositoryOf(*request_.live));
      nodes_.back().spec.include = spec.include;
    }
    // Grows while it is walked.
    for (std::size_t i = 0; i < nodes_.size(); ++i) lookInto(nodes_[i]);
    DesiredOptions options;
    options.existingNamespaces = request_.namespaces;
    for (const auto& node : nodes_)
      node.tree.forEach([&](const Manifest& m) {
        if (m.object()->kind() == "Namespace" && included(m, node))
          options.existingNamespaces.insert(m.object()->name());
      });
    for (auto& node : nodes_) {
      options.defaultNamespace = node.defaultNamespace;
      auto rendered = renderedOf(makeDesiredSet(node.tree, options));
      keepIncluded(rendered, node.spec.include, [this](const std::string& file) { return source_.inSource(file); });
      out_.findings.append(std::move(rendered.findings));
      node.application.wanted = std::move(rendered.objects);
      node.application.quarantined = std::move(rendered.quarantined);
      node.application.complete = rendered.complete;
      node.application.refusal = std::move(rendered.refusal);
      out_.all.push_back(std::move(node.application));
    }
    out_.findings.sort();
    out_.disputes = applicationFindings(out_.all, request_.applications);
    out_.all = inOrder(std::move(out_.all));
    return std::move(out_);
  }

 private:
  /// As the cluster's own reconciler does: what is wrong is left as it lives, and the rest goes on.
  static Rendered renderedOf(DesiredSet desired) {
    Rendered out;
    out.findings = std::move(desired.findings);
    out.complete = desired.complete;
    for (const auto& object : desired.objects) {
      if (object.errors == 0 && object.named) {
        out.objects.push_back({object.ref, object.object->json(), object.placeOf("")});
        continue;
      }
      out.quarantined.insert(object.ref);
      const auto& body = object.object->json();
      if (claimsHook(body) && syncOrderOf(body).hook != Hook::postSync)
        out.refusal = "its pre-sync hook " + object.object->text() + " is wrong";
    }
    return out;
  }

  bool included(const Manifest& m, const Node& node) const {
    return node.spec.include.empty() || isIncluded(source_.inSource(m.pos().file), node.spec.include);
  }

  ObjectPtr repositoryOf(const Object& application) const {
    const auto name = stringAt(application.spec(), {"source", "repositoryRef", "name"});
    const auto known = repositories_.find(application.ns() + "/" + std::string(name));
    return name.empty() || known == repositories_.end() ? nullptr : known->second;
  }

  void lookInto(const Node& node) {
    std::vector<std::pair<ObjectPtr, SourcePos>> found;
    node.tree.forEach([&](const Manifest& m) {
      if (!included(m, node)) return;
      if (!isOurs(m, "GitRepository") && !isOurs(m, "Application")) return;
      auto body = m.object()->json();
      const auto ns = m.object()->ns().empty() ? node.defaultNamespace : m.object()->ns();
      ensureObject(body, "metadata")["namespace"] = ns;
      auto object = Object::make(std::move(body));
      if (isOurs(m, "GitRepository")) repositories_[ns + "/" + object->name()] = object;
      else found.emplace_back(std::move(object), m.pos());
    });
    for (auto& [object, place] : found) addApplication(*object, place, node);
  }

  void addApplication(const Object& object, const SourcePos& place, const Node& parent) {
    const auto label = applicationLabel(object.ns(), object.name());
    if (!seen_.insert(label).second) return;
    if (!identity_) identity_ = source_.identity();
    auto spec = readApplicationSpec(object, repositoryOf(object), &parent.spec);
    const auto& asked = spec.source;
    const auto leaveOut = [&](const std::string& why) { out_.notes.push_back("application " + label + " " + why); };
    // Without an address of its own it reads what is read here.
    if (!spec.unusable.empty() && !namesNoRepository(object))
      return leaveOut("reads a repository that neither this source nor the cluster declares");
    const auto nested = nestedSource({asked.url, asked.revision, asked.semver, asked.path}, *identity_);
    if (!nested.path) return leaveOut(nested.reason);
    auto tree = source_.at(*nested.path);
    if (!tree.ok()) {
      out_.findings.add({Severity::error, place, "Application " + label, "spec.source.path", tree.error().message, ""});
      return;
    }
    const auto target = spec.targetNamespace;
    DeclaredApplication application{label, object.ns(), place, object.spec()};
    application.parent = parent.application.label;
    nodes_.push_back({std::move(application), std::move(*tree), target.empty() ? "default" : target, std::move(spec)});
  }

  SourceReader& source_;
  const NestedRequest& request_;
  std::deque<Node> nodes_;  // stays where it is while it grows
  std::set<std::string> seen_;
  std::map<std::string, ObjectPtr> repositories_;  ///< by "namespace/name"
  std::optional<SourceIdentity> identity_;
  NestedApplications out_;
};

}  // namespace

Result<NestedApplications> readApplications(SourceReader& source, const NestedRequest& request) {
  return Reading(source, request).run();
}

}  // namespace steer::cli
