#include "cli/cluster/node_certificates.h"

#include <algorithm>

#include "core/log.h"
#include "core/rfc3339.h"

namespace steer::cli {
namespace {

constexpr const char* kRequests = "certificatesigningrequests.certificates.k8s.io";
constexpr const char* kSigner = "kubernetes.io/kube-apiserver-client-kubelet";
constexpr std::string_view kNodeUser = "system:node:";
constexpr std::string_view kJoiningUser = "system:bootstrap:";
constexpr Duration kAgain = seconds(2);
constexpr Duration kKept = std::chrono::hours(1);  ///< how long an answered request stays
constexpr Duration kTokenPeriod = std::chrono::hours(8);
constexpr std::chrono::hours kLifetime{24 * 14};

bool holds(const json::array& list, std::string_view word) {
  return std::any_of(list.begin(), list.end(), [&](const json::value& item) {
    const auto* text = item.if_string();
    return text != nullptr && view(*text) == word;
  });
}

bool isName(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !name.empty() && name.size() <= 253 && letter(name.front()) && letter(name.back()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || c == '-' || c == '.'; });
}

bool isReady(const Object& node) {
  for (const auto& condition : arrayAt(node.status(), {"conditions"}))
    if (stringAt(condition, {"type"}) == "Ready") return stringAt(condition, {"status"}) == "True";
  return false;
}

bool isAnswered(const Object& request) {
  if (!stringAt(request.status(), {"certificate"}).empty()) return true;
  for (const auto& condition : arrayAt(request.status(), {"conditions"}))
    if (stringAt(condition, {"type"}) == "Denied") return true;
  return false;
}

json::object condition(const char* type, const char* reason, const std::string& message, Time now) {
  return {{"type", type},
          {"status", "True"},
          {"reason", reason},
          {"message", message},
          {"lastUpdateTime", formatTime(now)},
          {"lastTransitionTime", formatTime(now)}};
}

Result<AskedCertificate> askedBy(const Object& request) {
  STEER_TRY(const auto pem, pemFromBase64(stringAt(request.spec(), {"request"})));
  return readSigningRequest(pem);
}

}  // namespace

Verdict judgeNodeRequest(const Object& request, const Result<AskedCertificate>& asked, const Object* node) {
  const auto& spec = request.spec();
  if (stringAt(spec, {"signerName"}) != kSigner)
    return {"no signer of this name is here; the one that is: " + std::string(kSigner)};
  if (!asked.ok()) return {asked.error().message};
  for (const auto& usage : arrayAt(spec, {"usages"}))
    if (usage != "digital signature" && usage != "key encipherment" && usage != "client auth")
      return {"a node's certificate is for client auth, digital signature and key encipherment alone"};
  if (!holds(arrayAt(spec, {"usages"}), "client auth")) return {"usages lack \"client auth\""};
  if (asked->organizations != std::vector<std::string>{"system:nodes"} || asked->names)
    return {"the subject of a node's certificate has the organization system:nodes and no other, and no names"};
  const auto& user = asked->commonName;
  if (!user.starts_with(kNodeUser) || !isName(std::string_view(user).substr(kNodeUser.size())))
    return {"the common name is not system:node:NAME"};
  const auto sender = stringAt(spec, {"username"});
  const auto& groups = arrayAt(spec, {"groups"});
  if (holds(groups, "system:nodes") && sender == user) return {};
  if (!holds(groups, "system:bootstrappers") || !sender.starts_with(kJoiningUser))
    return {"only a node itself and machines that join ask for a node's certificate"};
  const auto bound = sender.substr(kJoiningUser.size());
  if (bound != "*" && bound != std::string_view(user).substr(kNodeUser.size()))
    return {"the token is for node " + std::string(bound) + " alone"};
  // A token that lets machines join does not let one take the place of a node that is there. A node's own token does.
  if (bound == "*" && node != nullptr && isReady(*node))
    return {"node " + node->name() + " is there and ready; it renews its certificate by itself", false};
  return {};
}

std::vector<Informer::Source> NodeCertificates::sources() {
  std::vector<Informer::Source> out;
  out.push_back({kRequests, {}});
  return out;
}

bool NodeCertificates::answer(const Object& request, Time now) {
  const auto asked = askedBy(request);
  ObjectPtr node;
  if (asked.ok() && asked->commonName.starts_with(kNodeUser))
    if (auto found = client_.get({"nodes", "", asked->commonName.substr(kNodeUser.size())}); found.ok())
      node = std::move(*found);
  const auto verdict = judgeNodeRequest(request, asked, node.get());
  json::object status;
  if (!verdict.why.empty()) {
    if (!verdict.final) return true;
    status["conditions"] = json::array{condition("Denied", "NotANode", verdict.why, now)};
    log::warn("a request for a certificate is denied", {{"request", request.name()}, {"why", verdict.why}});
  } else {
    const auto pem = pemFromBase64(stringAt(request.spec(), {"request"}));
    const auto made = pki_.certify(*pem, asked->commonName, asked->organizations, kLifetime);
    if (!made.ok()) return true;
    status["conditions"] = json::array{condition("Approved", "AutoApproved", "a node of this cluster", now)};
    status["certificate"] = pemToBase64(*made);
    log::info("a node's certificate is signed", {{"node", asked->commonName}});
  }
  return !client_
              .write(Write::patch({kRequests, "", request.name()}, PatchType::merge,
                                  json::object{{"status", std::move(status)}}, "status"))
              .ok();
}

Loop::Next NodeCertificates::step(Time now) {
  if (now >= tokenDue_) {
    renewToken_();
    tokenDue_ = now + kTokenPeriod;
  }
  Time next = tokenDue_;
  if (informer_.pump(now, [](const std::string&, const ObjectPtr&, const ObjectPtr&) {})) next = now;
  if (const auto retry = informer_.retryAt()) next = std::min(next, *retry);
  if (!informer_.synced()) return {next};
  for (const auto& request : informer_.snapshot().list(kRequests)) {
    if (isAnswered(*request)) {
      const auto made = parseTime(stringAt(request->metadata(), {"creationTimestamp"}));
      if (made && *made + kKept < now) (void)client_.write(Write::remove({kRequests, "", request->name()}));
      else if (made) next = std::min(next, *made + kKept + seconds(1));
    } else if (answer(*request, now)) {
      next = std::min(next, now + kAgain);
    }
  }
  return {next};
}

}  // namespace steer::cli
