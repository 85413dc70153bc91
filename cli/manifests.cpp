#include "cli/manifests.h"

#include <memory>

#include "reconciler/plan/plan.h"
#include "render/desired_index.h"
#include "render/tree_renderer.h"
#include "schemas/schema.h"
#include "schemas/sync_order.h"

namespace steer::cli {
namespace {

void addError(Diagnostics& findings, const std::string& file, const std::string& message) {
  Diagnostic finding;
  finding.pos.file = file;
  finding.message = message;
  findings.add(std::move(finding));
}

/// What is kept from commit to commit.
class IncrementalRenderer {
 public:
  IncrementalRenderer(Client& client, RenderTarget target) : client_(client), target_(std::move(target)) {}

  Rendered operator()(TreeReader& reader, const std::string& tree) {
    Rendered out;
    const auto rendered = renderer_.render(reader, tree);
    if (!rendered.ok()) return refused("the source cannot be rendered", rendered.error().message);
    DesiredOptions options;
    if (!target_.targetNamespace.empty()) options.defaultNamespace = target_.targetNamespace;
    const auto namespaces = client_.list("namespaces", {});
    if (!namespaces.ok())
      return refused("the cluster cannot be read",
                     "the cluster's namespaces cannot be read: " + namespaces.error().message);
    for (const auto& ns : namespaces->items)
      if (!ns->deleting()) options.existingNamespaces.insert(ns->name());
    const RenderedTree now(rendered->root(), target_.path);
    if (const auto change = index_.advance(now, options)) {
      auto& delta = out.delta.emplace();
      for (const auto& object : change->changed) delta.changed.push_back(wantedOf(object));
      delta.removed = change->removed;
      out.complete = true;
      return out;
    }
    whole(now, options, out);
    return out;
  }

 private:
  Rendered refused(std::string why, std::string finding) {
    index_ = {};
    Rendered out;
    addError(out.findings, target_.path, finding);
    out.refusal = std::move(why);
    return out;
  }

  void whole(const RenderedTree& tree, const DesiredOptions& options, Rendered& out) {
    auto desired = makeDesiredSet(tree, options);
    index_.reset(desired, options);
    out.findings = std::move(desired.findings);
    out.complete = desired.complete;
    out.objects.reserve(desired.objects.size());
    for (const auto& object : desired.objects) {
      if (object.errors == 0 && object.named) {
        out.objects.push_back(wantedOf(object));
        continue;
      }
      out.quarantined.insert(object.ref);
      // What must happen before everything else did not, whoever finds it wrong.
      const auto& body = object.object->json();
      if (claimsHook(body) && syncOrderOf(body).hook != Hook::postSync)
        out.refusal = "the pre-sync hook " + object.object->text() + " is wrong";
    }
  }

  WantedObject wantedOf(const DesiredObject& object) const {
    WantedObject wanted;
    wanted.ref = object.ref;
    wanted.body = object.object->json();
    ensureObject(ensureObject(wanted.body, "metadata"), "labels")[kApplicationLabel] = target_.application;
    wanted.source = object.placeOf("");
    return wanted;
  }

  Client& client_;
  RenderTarget target_;
  TreeRenderer renderer_{&SchemaRegistry::builtin()};
  DesiredIndex index_;
};

}  // namespace

Renderer makeRenderer(Client& client, RenderTarget target) {
  auto renderer = std::make_shared<IncrementalRenderer>(client, std::move(target));
  return [renderer](TreeReader& reader, const std::string& tree) { return (*renderer)(reader, tree); };
}

}  // namespace steer::cli
