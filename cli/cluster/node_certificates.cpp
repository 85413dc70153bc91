#include "cli/cluster/node_certificates.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "core/log.h"
#include "core/rfc3339.h"

namespace steer::cli {
namespace {

constexpr const char* kRequests = "certificatesigningrequests.certificates.k8s.io";
constexpr const char* kSigner = "kubernetes.io/kube-apiserver-client-kubelet";
constexpr const char* kServingSigner = "kubernetes.io/kubelet-serving";
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

bool sameAddress(std::string_view a, std::string_view b) {
  const auto bytesOf = [](std::string_view text) {
    std::array<unsigned char, 17> out{};  // IPv4 and IPv6 differ in the last byte
    const std::string word(text);
    if (inet_pton(AF_INET, word.c_str(), out.data()) == 1) out.back() = 4;
    else if (inet_pton(AF_INET6, word.c_str(), out.data()) == 1) out.back() = 6;
    return out;
  };
  const auto left = bytesOf(a);
  return left.back() != 0 && left == bytesOf(b);
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

bool isServing(const Object& request) { return stringAt(request.spec(), {"signerName"}) == kServingSigner; }

/// The subject system:node:NAME, and what the certificate is for.
std::string whyNoNode(const Object& request, const AskedCertificate& asked, const char* use) {
  const auto& usages = arrayAt(request.spec(), {"usages"});
  for (const auto& usage : usages)
    if (usage != "digital signature" && usage != "key encipherment" && usage != use)
      return "such a certificate is for " + std::string(use) + ", digital signature and key encipherment alone";
  if (!holds(usages, use)) return "usages lack \"" + std::string(use) + "\"";
  if (asked.organizations != std::vector<std::string>{"system:nodes"})
    return "the subject of a node's certificate has the organization system:nodes and no other";
  const std::string_view user = asked.commonName;
  if (!user.starts_with(kNodeUser) || !isName(user.substr(kNodeUser.size())))
    return "the common name is not system:node:NAME";
  return "";
}

/// A node asks for its own name and the addresses that its Node shows, and for nothing else.
Verdict judgeServing(const Object& request, const AskedCertificate& asked, const Object* node) {
  if (auto why = whyNoNode(request, asked, "server auth"); !why.empty()) return {std::move(why)};
  if (!holds(arrayAt(request.spec(), {"groups"}), "system:nodes") ||
      stringAt(request.spec(), {"username"}) != asked.commonName)
    return {"only a node itself asks for its serving certificate"};
  if (asked.otherNames) return {"a serving certificate holds DNS names and IP addresses alone"};
  const auto name = std::string_view(asked.commonName).substr(kNodeUser.size());
  if (asked.hosts != std::vector<std::string>{std::string(name)})
    return {"the DNS names are not the node's own name, once"};
  if (asked.addresses.empty()) return {"there is no IP address"};
  static const json::array none;
  const auto& shown = node == nullptr ? none : arrayAt(node->status(), {"addresses"});
  for (const auto& address : asked.addresses) {
    const bool known = std::any_of(shown.begin(), shown.end(), [&](const json::value& item) {
      return sameAddress(stringAt(item, {"address"}), address);
    });
    // A node that has just joined shows its addresses a moment later.
    if (!known) return {"the node does not show the address " + address, node != nullptr && !shown.empty()};
  }
  return {};
}

}  // namespace

Verdict judgeNodeRequest(const Object& request, const Result<AskedCertificate>& asked, const Object* node) {
  const auto& spec = request.spec();
  const auto signer = stringAt(spec, {"signerName"});
  if (signer != kSigner && signer != kServingSigner)
    return {"no signer of this name is here; those that are: " + std::string(kSigner) + ", " + kServingSigner};
  if (!asked.ok()) return {asked.error().message};
  if (isServing(request)) return judgeServing(request, *asked, node);
  if (auto why = whyNoNode(request, *asked, "client auth"); !why.empty()) return {std::move(why)};
  if (asked->names) return {"a client's certificate holds no names beside its subject"};
  const auto& user = asked->commonName;
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
    CertificateRequest subject{asked->commonName, asked->organizations};
    subject.lifetime = kLifetime;
    if (isServing(request)) {
      subject.use = CertificateRequest::Use::server;
      subject.names = asked->hosts;
      subject.names.insert(subject.names.end(), asked->addresses.begin(), asked->addresses.end());
    }
    const auto made = pki_.certify(*pem, subject);
    if (!made.ok()) return true;
    status["conditions"] = json::array{condition("Approved", "AutoApproved", "a node of this cluster", now)};
    status["certificate"] = pemToBase64(*made);
    log::info("a node's certificate is signed",
              {{"node", asked->commonName}, {"for", isServing(request) ? "serving" : "asking"}});
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
