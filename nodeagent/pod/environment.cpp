#include "nodeagent/pod/environment.h"

#include <algorithm>
#include <cctype>

#include "core/base64.h"
#include "core/quantity.h"

namespace steer {

namespace {

void setVariable(Environment& env, std::string name, std::string value) {
  for (auto& [key, old] : env) {
    if (key != name) continue;
    old = std::move(value);
    return;
  }
  env.emplace_back(std::move(name), std::move(value));
}

const std::string* lookUp(const Environment& env, std::string_view name) {
  const auto found = std::find_if(env.begin(), env.end(), [&](const auto& e) { return e.first == name; });
  return found == env.end() ? nullptr : &found->second;
}

/// A name that a shell could use; others from envFrom are left out, as Kubernetes does.
bool isVariableName(std::string_view name) {
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name.front()))) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == '.';
  });
}

Error missing(std::string_view kind, std::string_view name) {
  return makeError(Errc::notFound, std::string(kind) + " \"" + std::string(name) + "\" not found");
}

Result<void> addFrom(const json::value& source, const PodReferences& refs, Environment& env) {
  const auto prefix = std::string(stringAt(source, {"prefix"}));
  const bool isSecret = find(source, {"secretRef"}) != nullptr;
  const auto& ref = objectAt(source, {isSecret ? "secretRef" : "configMapRef"});
  const auto name = std::string(stringAt(ref, {"name"}));
  const auto object = isSecret ? refs.secret(name) : refs.configMap(name);
  if (!object) {
    if (boolAt(ref, {"optional"})) return {};
    return missing(isSecret ? "secret" : "configmap", name);
  }
  for (const auto& [key, value] : objectAt(object->json(), {"data"})) {
    const auto variable = prefix + std::string(key);
    if (!value.is_string() || !isVariableName(variable)) continue;
    auto text = std::string(view(value.get_string()));
    setVariable(env, variable, isSecret ? fromBase64(text).value_or("") : std::move(text));
  }
  return {};
}

/// The value of one key; nothing when it is optional and absent.
Result<std::optional<std::string>> keyOf(const json::object& ref, bool isSecret, const PodReferences& refs) {
  const auto name = std::string(stringAt(ref, {"name"}));
  const auto key = stringAt(ref, {"key"});
  const auto object = isSecret ? refs.secret(name) : refs.configMap(name);
  const auto* value = object ? find(object->json(), {"data", key}) : nullptr;
  if (value && value->is_string()) {
    auto text = std::string(view(value->get_string()));
    return std::optional(isSecret ? fromBase64(text).value_or("") : std::move(text));
  }
  if (boolAt(ref, {"optional"})) return std::optional<std::string>{};
  const std::string_view kind = isSecret ? "secret" : "configmap";
  if (!object) return missing(kind, name);
  return makeError(Errc::notFound,
                   "couldn't find key " + std::string(key) + " in " + std::string(kind) + " \"" + name + "\"");
}

Result<std::optional<std::string>> valueFrom(const Object& pod, const json::object& container,
                                             const json::value& source, const PodReferences& refs) {
  if (const auto* ref = find(source, {"configMapKeyRef"})) return keyOf(ref->as_object(), false, refs);
  if (const auto* ref = find(source, {"secretKeyRef"})) return keyOf(ref->as_object(), true, refs);
  if (const auto* ref = find(source, {"fieldRef"})) {
    STEER_TRY(auto text, fieldValue(pod, stringAt(*ref, {"fieldPath"}), refs));
    return std::optional(std::move(text));
  }
  if (const auto* ref = find(source, {"resourceFieldRef"})) {
    const auto named = stringAt(*ref, {"containerName"});
    const json::object* of = &container;
    for (const auto& other : arrayAt(pod.spec(), {"containers"}))
      if (!named.empty() && stringAt(other, {"name"}) == named) of = &other.as_object();
    STEER_TRY(auto text, resourceValue(*of, stringAt(*ref, {"resource"}), find(*ref, {"divisor"}), refs));
    return std::optional(std::move(text));
  }
  return makeError(Errc::unsupported, "an environment variable has a source that is not supported");
}

std::string upperName(std::string_view name) {
  std::string out(name);
  for (auto& c : out) c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

void addService(const Object& service, Environment& out) {
  const auto ip = std::string(stringAt(service.spec(), {"clusterIP"}));
  const auto& ports = arrayAt(service.spec(), {"ports"});
  if (ip.empty() || ip == "None" || ports.empty()) return;
  const auto name = upperName(service.name());
  const std::string host = ip.find(':') == std::string::npos ? ip : "[" + ip + "]";
  setVariable(out, name + "_SERVICE_HOST", ip);
  setVariable(out, name + "_SERVICE_PORT", std::to_string(intAt(ports.front(), {"port"})));
  for (const auto& port : ports)
    if (const auto portName = stringAt(port, {"name"}); !portName.empty())
      setVariable(out, name + "_SERVICE_PORT_" + upperName(portName), std::to_string(intAt(port, {"port"})));
  bool first = true;
  for (const auto& port : ports) {
    const auto number = std::to_string(intAt(port, {"port"}));
    auto protocol = std::string(stringAt(port, {"protocol"}, "TCP"));
    std::string lower = protocol;
    for (auto& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    const std::string url = lower + "://" + host + ":" + number;
    if (first) setVariable(out, name + "_PORT", url);
    first = false;
    const std::string prefix = name + "_PORT_" + number + "_" + protocol;
    setVariable(out, prefix, url);
    setVariable(out, prefix + "_PROTO", lower);
    setVariable(out, prefix + "_PORT", number);
    setVariable(out, prefix + "_ADDR", ip);
  }
}

/// metadata.labels['key'] and metadata.annotations['key'].
std::optional<std::string> mapEntry(const Object& pod, std::string_view path) {
  for (const std::string_view map : {"labels", "annotations"}) {
    const std::string prefix = "metadata." + std::string(map) + "['";
    if (!path.starts_with(prefix) || !path.ends_with("']")) continue;
    const auto key = path.substr(prefix.size(), path.size() - prefix.size() - 2);
    return std::string(map == "labels" ? pod.label(key) : pod.annotation(key));
  }
  return std::nullopt;
}

/// Every entry as key="value" lines, as downward API files show them.
std::string mapLines(const json::object& map) {
  std::vector<std::string> lines;
  for (const auto& [key, value] : map) lines.push_back(std::string(key) + "=" + jsonText(value));
  std::sort(lines.begin(), lines.end());
  std::string out;
  for (const auto& line : lines) out += (out.empty() ? "" : "\n") + line;
  return out;
}

}  // namespace

std::string expandVariables(std::string_view text, const Environment& known) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '$' || i + 1 == text.size()) {
      out += text[i];
    } else if (text[i + 1] == '$') {
      out += '$';
      ++i;
    } else if (text[i + 1] == '(') {
      const auto end = text.find(')', i + 2);
      if (end == std::string_view::npos) return out + std::string(text.substr(i));
      const auto* value = lookUp(known, text.substr(i + 2, end - i - 2));
      out += value ? *value : std::string(text.substr(i, end - i + 1));
      i = end;
    } else {
      out += '$';
    }
  }
  return out;
}

Result<std::string> fieldValue(const Object& pod, std::string_view path, const PodReferences& refs) {
  if (auto entry = mapEntry(pod, path)) return *std::move(entry);
  if (path == "metadata.name") return pod.name();
  if (path == "metadata.namespace") return pod.ns();
  if (path == "metadata.uid") return pod.uid();
  if (path == "metadata.labels") return mapLines(pod.labels());
  if (path == "metadata.annotations") return mapLines(pod.annotations());
  if (path == "spec.nodeName") return std::string(stringAt(pod.spec(), {"nodeName"}));
  if (path == "spec.serviceAccountName") return std::string(stringAt(pod.spec(), {"serviceAccountName"}, "default"));
  if (path == "status.hostIP" || path == "status.hostIPs") return refs.hostIp;
  if (path == "status.podIP" || path == "status.podIPs") return refs.podIp;
  return makeError(Errc::invalid, "unsupported fieldPath \"" + std::string(path) + "\"");
}

Result<std::string> resourceValue(const json::object& container, std::string_view resource, const json::value* divisor,
                                  const PodReferences& refs) {
  const auto dot = resource.find('.');
  if (dot == std::string_view::npos)
    return makeError(Errc::invalid, "unsupported resource \"" + std::string(resource) + "\"");
  const auto list = resource.substr(0, dot);
  const auto name = resource.substr(dot + 1);
  const auto* found = find(container, {"resources", list, name});
  if (!found && list == "requests") found = find(container, {"resources", "limits", name});
  // A container without a limit may use the whole node.
  if (!found && list == "limits") found = refs.nodeAllocatable.if_contains(jkey(name));
  Quantity quantity;
  if (found) {
    STEER_TRY(quantity, Quantity::fromJson(*found));
  }
  Quantity unit = Quantity::ofUnits(1);
  if (divisor) {
    STEER_TRY(auto given, Quantity::fromJson(*divisor));
    if (!given.isZero()) unit = given;
  }
  // Milli-units are exact for CPU; memory divisors are whole numbers.
  const bool fine = name == "cpu";
  const std::int64_t value = fine ? quantity.milli() : quantity.units();
  const std::int64_t by = std::max<std::int64_t>(fine ? unit.milli() : unit.units(), 1);
  return std::to_string(value / by + (value % by != 0 ? 1 : 0));
}

Environment serviceVariables(const std::vector<ObjectPtr>& services, std::string_view podNamespace, bool all) {
  Environment out;
  for (const auto& service : services) {
    const bool api = service->name() == "kubernetes" && service->ns() == "default";
    if (api || (all && service->ns() == podNamespace)) addService(*service, out);
  }
  return out;
}

Result<Environment> environmentOf(const Object& pod, const json::object& container, const PodReferences& refs) {
  Environment env;
  for (const auto& source : arrayAt(container, {"envFrom"})) STEER_CHECK(addFrom(source, refs, env));
  const auto services = serviceVariables(refs.services, pod.ns(), boolAt(pod.spec(), {"enableServiceLinks"}, true));
  // References see what stands before them, and the services.
  Environment known = services;
  for (const auto& [name, value] : env) setVariable(known, name, value);
  for (const auto& item : arrayAt(container, {"env"})) {
    const auto name = std::string(stringAt(item, {"name"}));
    std::optional<std::string> value;
    if (const auto* source = find(item, {"valueFrom"})) {
      STEER_TRY(value, valueFrom(pod, container, *source, refs));
    } else {
      value = expandVariables(stringAt(item, {"value"}), known);
    }
    if (!value) continue;
    setVariable(known, name, *value);
    setVariable(env, name, *std::move(value));
  }
  for (const auto& [name, value] : services)
    if (!lookUp(env, name)) env.emplace_back(name, value);
  return env;
}

}  // namespace steer
