#include "render/desired_set.h"

#include "schemas/validate.h"

namespace steer {
namespace {

ObjectPtr inNamespace(const ObjectPtr& object, const std::string& ns) {
  json::object body = object->json();
  ensureObject(body, "metadata")["namespace"] = ns;
  return Object::make(std::move(body));
}

class DesiredSetBuilder {
 public:
  explicit DesiredSetBuilder(const DesiredOptions& options)
      : options_(options), namespaces_(options.existingNamespaces) {
    namespaces_.insert(standingNamespaces().begin(), standingNamespaces().end());
  }

  DesiredSet build(const RenderedTree& tree) {
    out_.tree = tree;
    out_.findings = tree.findings();
    tree.forEach([&](const Manifest& m) { take(m); });
    for (auto& desired : out_.objects) checkNamespace(desired);
    std::size_t known = 0;
    for (const auto& desired : out_.objects)
      if (desired.named) known += desired.errors;
    out_.complete = out_.findings.errorCount() == known;
    out_.findings.sort();
    return std::move(out_);
  }

 private:
  void take(const Manifest& m) {
    auto made = desiredObject(m, options_);
    if (!made) return;  // a finding of its file already
    DesiredObject desired = std::move(*made);
    const auto [known, isNew] = places_.emplace(desired.ref, out_.objects.size());
    if (!isNew) {
      auto& first = out_.objects[known->second];
      first.named = false;
      report(desired, "", "", "is declared twice, first at " + first.source.pos().text(), "remove one of the two");
      return;
    }
    if (desired.ref.resource == "namespaces") namespaces_.insert(desired.ref.name);
    out_.objects.push_back(std::move(desired));
  }

  void checkNamespace(DesiredObject& desired) {
    const auto& ns = desired.ref.ns;
    if (!desired.kind->namespaced || namespaces_.contains(ns)) return;
    ++desired.errors;
    desired.named = false;
    const auto near = nearestName(ns, {namespaces_.begin(), namespaces_.end()});
    report(
        desired, "/metadata/namespace", "metadata.namespace", "namespace \"" + ns + "\" is declared nowhere",
        (near.empty() ? "" : "did you mean \"" + near + "\"? Otherwise ") +
            std::string("add a manifest with apiVersion: v1, kind: Namespace, metadata.name: ") + ns +
            (options_.existingFlag.empty() ? ""
                                           : ", or say that the cluster has it: " + options_.existingFlag + " " + ns));
  }

  void report(const DesiredObject& desired, std::string_view pointer, std::string path, std::string message,
              std::string hint) {
    out_.findings.add({Severity::error, desired.placeOf(pointer), desired.object->text(), std::move(path),
                       std::move(message), std::move(hint)});
  }

  const DesiredOptions& options_;
  std::set<std::string> namespaces_;
  std::map<ObjectRef, std::size_t> places_;  ///< index into out_.objects
  DesiredSet out_;
};

}  // namespace

std::optional<DesiredObject> desiredObject(const Manifest& m, const DesiredOptions& options) {
  const auto* kind = m.parsed->kind;
  if (kind == nullptr || m.object()->name().empty()) return std::nullopt;
  DesiredObject out{m.object(), {kind->resource(), "", m.object()->name()}, kind, m, m.parsed->errors, m.parsed->named};
  if (!kind->namespaced) return out;
  if (out.object->ns().empty()) out.object = inNamespace(out.object, options.defaultNamespace);
  out.ref.ns = out.object->ns();
  return out;
}

const std::set<std::string>& standingNamespaces() {
  static const std::set<std::string> names{"default", "kube-system", "kube-public", "kube-node-lease"};
  return names;
}

DesiredSet makeDesiredSet(const RenderedTree& tree, const DesiredOptions& options) {
  return DesiredSetBuilder(options).build(tree);
}

}  // namespace steer
