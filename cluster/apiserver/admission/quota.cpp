#include "cluster/apiserver/admission/quota.h"

#include <algorithm>
#include <map>
#include <set>

#include "cluster/apiserver/admission/quota_usage.h"

namespace steer {
namespace {

using quota::Amounts;

constexpr const char* kQuotas = "resourcequotas";

/// The namespace as it stands after the mutations: what of one resource is there.
class After {
 public:
  After(const Snapshot& view, const std::vector<Mutation>& mutations, std::string ns)
      : view_(view), ns_(std::move(ns)) {
    for (const auto& mutation : mutations)
      if (mutation.target.ns == ns_)
        changed_[mutation.target] = mutation.kind == Mutation::Kind::put ? &mutation.body : nullptr;
  }
  void each(const std::string& resource, const std::function<void(const json::object&)>& visit) const {
    view_.each(resource, ns_, [&](const ObjectPtr& object) {
      if (!changed_.contains({resource, ns_, object->name()})) visit(object->json());
    });
    for (const auto& [ref, body] : changed_)
      if (ref.resource == resource && body != nullptr) visit(*body);
  }

 private:
  const Snapshot& view_;
  std::string ns_;
  std::map<ObjectRef, const json::object*> changed_;
};

Amounts usageOf(const After& after, const json::object& quota, const Amounts& hard) {
  Amounts used;
  for (const auto& [name, limit] : hard) used[name] = {};
  for (const auto& resource : quota::resourcesCounted(hard))
    after.each(resource, [&](const json::object& object) {
      if (!quota::inScope(quota, resource, object)) return;
      for (const auto& [name, amount] : quota::chargeOf(resource, object))
        if (const auto at = used.find(name); at != used.end()) at->second += amount;
    });
  return used;
}

std::string textOf(const Amounts& amounts, const std::set<std::string>& names) {
  std::string out;
  for (const auto& name : names)
    if (const auto at = amounts.find(name); at != amounts.end())
      out += (out.empty() ? "" : ",") + name + "=" + at->second.text();
  return out;
}

/// What of `after` is more than is allowed, and more than before.
Result<void> judge(const std::string& quotaName, const ObjectRef& target, const Amounts& hard, const Amounts& before,
                   const Amounts& after) {
  std::set<std::string> over;
  Amounts requested;
  for (const auto& [name, amount] : after) {
    const auto had = before.find(name);
    const Quantity was = had == before.end() ? Quantity{} : had->second;
    if (amount <= was) continue;
    requested[name] = amount - was;
    if (amount > hard.at(name)) over.insert(name);
  }
  if (over.empty()) return {};
  return makeError(Errc::forbidden, target.resource + " \"" + target.name + "\" is forbidden: exceeded quota: " +
                                        quotaName + ", requested: " + textOf(requested, over) +
                                        ", used: " + textOf(before, over) + ", limited: " + textOf(hard, over));
}

json::object withStatus(const Object& quota, const Amounts& hard, const Amounts& used) {
  json::object out = quota.json();
  json::object hardText, usedText;
  for (const auto& [name, amount] : hard) hardText[name] = amount.text();
  for (const auto& [name, amount] : used) usedText[name] = amount.text();
  out["status"] = json::object{{"hard", std::move(hardText)}, {"used", std::move(usedText)}};
  return out;
}

bool countsAnything(const Amounts& hard, const std::vector<Mutation>& mutations, const std::string& ns) {
  const auto counted = quota::resourcesCounted(hard);
  return std::any_of(mutations.begin(), mutations.end(), [&](const Mutation& mutation) {
    return mutation.target.ns == ns && counted.contains(mutation.target.resource);
  });
}

/// A pod says of each container what the quota counts, or it cannot be counted.
Result<void> checkSaid(const std::string& quotaName, const json::object& quota, const Amounts& hard,
                       const Snapshot& view, const std::vector<Mutation>& mutations) {
  for (const auto& mutation : mutations) {
    if (mutation.kind != Mutation::Kind::put || mutation.target.resource != "pods" || view.get(mutation.target))
      continue;
    if (!quota::inScope(quota, "pods", mutation.body)) continue;
    if (const auto missing = quota::unsaid(hard, mutation.body); !missing.empty())
      return makeError(Errc::forbidden, "pods \"" + mutation.target.name + "\" is forbidden: failed quota: " +
                                            quotaName + ": must specify " + missing);
  }
  return {};
}

/// A quota that is written itself brings its counts along.
void countOwn(const Snapshot& view, std::vector<Mutation>& mutations) {
  for (auto& mutation : mutations) {
    if (mutation.kind != Mutation::Kind::put || mutation.target.resource != kQuotas) continue;
    const auto hard = quota::hardOf(mutation.body);
    const Object object{json::object(mutation.body)};
    mutation.body = withStatus(object, hard, usageOf(After(view, mutations, mutation.target.ns), mutation.body, hard));
  }
}

}  // namespace

Result<std::vector<Mutation>> countQuotas(const Snapshot& view, const std::vector<Mutation>& mutations) {
  std::vector<Mutation> out;
  std::set<std::string> namespaces;
  std::set<ObjectRef> written;
  for (const auto& mutation : mutations) {
    namespaces.insert(mutation.target.ns);
    if (mutation.target.resource == kQuotas) written.insert(mutation.target);
  }
  namespaces.erase("");
  for (const auto& ns : namespaces)
    for (const auto& object : view.list(kQuotas, ns)) {
      const ObjectRef ref{kQuotas, ns, object->name()};
      const auto hard = quota::hardOf(object->json());
      if (written.contains(ref) || !countsAnything(hard, mutations, ns)) continue;
      STEER_CHECK(checkSaid(object->name(), object->json(), hard, view, mutations));
      const auto before = usageOf(After(view, {}, ns), object->json(), hard);
      const auto after = usageOf(After(view, mutations, ns), object->json(), hard);
      for (const auto& mutation : mutations)
        if (mutation.target.ns == ns) {
          STEER_CHECK(judge(object->name(), mutation.target, hard, before, after));
          break;
        }
      auto body = withStatus(*object, hard, after);
      if (body != object->json()) out.push_back({Mutation::Kind::put, ref, std::move(body), object->revision()});
    }
  if (!written.empty()) {
    auto own = mutations;
    countOwn(view, own);
    for (auto& mutation : own)
      if (mutation.target.resource == kQuotas && mutation.kind == Mutation::Kind::put)
        out.push_back(std::move(mutation));
  }
  return out;
}

}  // namespace steer
