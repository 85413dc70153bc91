#include "core/write.h"

namespace steer {
namespace {

ObjectRef refOf(std::string resource, const json::object& body) {
  return {std::move(resource), std::string(stringAt(body, {"metadata", "namespace"})),
          std::string(stringAt(body, {"metadata", "name"}))};
}

}  // namespace

Write Write::create(std::string resource, json::object body) {
  Write w;
  w.verb = Verb::create;
  w.target = refOf(std::move(resource), body);
  w.body = std::move(body);
  return w;
}

Write Write::update(std::string resource, json::object body, std::string subresource) {
  Write w;
  w.verb = Verb::update;
  w.target = refOf(std::move(resource), body);
  w.subresource = std::move(subresource);
  w.body = std::move(body);
  return w;
}

Write Write::patch(ObjectRef target, PatchType type, json::value body, std::string subresource) {
  Write w;
  w.verb = Verb::patch;
  w.target = std::move(target);
  w.subresource = std::move(subresource);
  w.patchType = type;
  w.body = std::move(body);
  return w;
}

Write Write::apply(std::string resource, json::object body, std::string manager, bool force) {
  Write w;
  w.verb = Verb::patch;
  w.patchType = PatchType::apply;
  w.target = refOf(std::move(resource), body);
  w.fieldManager = std::move(manager);
  w.forceConflicts = force;
  w.body = std::move(body);
  return w;
}

Write Write::remove(ObjectRef target, DeleteOptions options) {
  Write w;
  w.verb = Verb::remove;
  w.target = std::move(target);
  w.deleteOptions = std::move(options);
  return w;
}

Write Write::bind(std::string ns, std::string pod, std::string podUid, std::string node) {
  Write w;
  w.verb = Verb::create;
  w.subresource = "binding";
  w.target = {"pods", ns, pod};
  json::object metadata{{"name", pod}, {"namespace", ns}};
  if (!podUid.empty()) metadata["uid"] = podUid;
  w.body = json::object{{"apiVersion", "v1"},
                        {"kind", "Binding"},
                        {"metadata", std::move(metadata)},
                        {"target", {{"apiVersion", "v1"}, {"kind", "Node"}, {"name", node}}}};
  return w;
}

}  // namespace steer
