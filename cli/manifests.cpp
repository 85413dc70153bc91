#include "cli/manifests.h"

#include <memory>

#include "reconciler/plan/plan.h"
#include "render/desired_set.h"
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

Rendered renderOnce(TreeRenderer& renderer, Client& client, TreeReader& reader, const std::string& tree,
                    const RenderTarget& target) {
  const std::string& pathShown = target.path;  // for findings and places
  Rendered out;
  const auto rendered = renderer.render(reader, tree);
  if (!rendered.ok()) {
    addError(out.findings, pathShown, rendered.error().message);
    out.refusal = "the source cannot be rendered";
    return out;
  }
  DesiredOptions options;
  if (!target.targetNamespace.empty()) options.defaultNamespace = target.targetNamespace;
  const auto namespaces = client.list("namespaces", {});
  if (!namespaces.ok()) {
    addError(out.findings, pathShown, "the cluster's namespaces cannot be read: " + namespaces.error().message);
    out.refusal = "the cluster cannot be read";
    return out;
  }
  for (const auto& ns : namespaces->items)
    if (!ns->deleting()) options.existingNamespaces.insert(ns->name());
  auto desired = makeDesiredSet(RenderedTree(rendered->root(), pathShown), options);
  out.findings = std::move(desired.findings);
  out.complete = desired.complete;
  for (const auto& object : desired.objects) {
    if (object.errors != 0 || !object.named) {
      out.quarantined.insert(object.ref);
      // What must happen before everything else did not, whoever finds it wrong.
      const auto& body = object.object->json();
      if (claimsHook(body) && syncOrderOf(body).hook != Hook::postSync)
        out.refusal = "the pre-sync hook " + object.object->text() + " is wrong";
      continue;
    }
    WantedObject wanted;
    wanted.ref = object.ref;
    wanted.body = object.object->json();
    ensureObject(ensureObject(wanted.body, "metadata"), "labels")[kApplicationLabel] = target.application;
    wanted.source = object.placeOf("");
    out.objects.push_back(std::move(wanted));
  }
  return out;
}

}  // namespace

Renderer makeRenderer(Client& client, RenderTarget target) {
  auto renderer = std::make_shared<TreeRenderer>(&SchemaRegistry::builtin());
  return [renderer, &client, target = std::move(target)](TreeReader& reader, const std::string& tree) {
    return renderOnce(*renderer, client, reader, tree, target);
  };
}

}  // namespace steer::cli
