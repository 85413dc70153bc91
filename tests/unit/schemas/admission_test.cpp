// Admission policies, webhooks, and how a server shares itself out: what is refused.
#include <algorithm>
#include <catch2/catch.hpp>

#include "schemas/immutable.h"
#include "schemas/validate.h"

using namespace steer;

namespace {

/// "Required spec.rules[0].subjects, …" of an object in YAML's flow style.
std::string refusedAs(const std::string& text) {
  const auto object = parseJson(text).value().get_object();
  const auto* kind =
      SchemaRegistry::builtin().find(Gvk::from(stringAt(object, {"apiVersion"}), stringAt(object, {"kind"})));
  REQUIRE(kind != nullptr);
  std::vector<std::string> said;
  for (const auto& finding : validateObject(*kind, object))
    said.push_back(std::string(causeReason(finding.kind)).substr(10) + " " + finding.path);
  std::sort(said.begin(), said.end());
  said.erase(std::unique(said.begin(), said.end()), said.end());
  std::string out;
  for (const auto& one : said) out += (out.empty() ? "" : ", ") + one;
  return out;
}

std::string policy(const std::string& members) {
  return R"({"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingAdmissionPolicy","metadata":{"name":"p"},
    "spec":{"matchConstraints":{"resourceRules":[{"apiGroups":[""],"apiVersions":["v1"],"operations":["CREATE"],
    "resources":["pods"]}]},)" +
         members + "}}";
}

std::string webhook(const std::string& members) {
  return R"({"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingWebhookConfiguration",
    "metadata":{"name":"w"},"webhooks":[{"name":"a.b.c","sideEffects":"None","admissionReviewVersions":["v1"],)" +
         members + "}]}";
}

std::string level(const std::string& spec) {
  return R"({"apiVersion":"flowcontrol.apiserver.k8s.io/v1","kind":"PriorityLevelConfiguration","metadata":{"name":"l"},
    "spec":)" +
         spec + "}";
}

}  // namespace

TEST_CASE("policies see their request, variables and parameters, and nothing else") {
  CHECK(refusedAs(
            policy(R"("validations":[{"expression":"request.userInfo.username != 'x' && object.spec.replicas < 3"}])"))
            .empty());
  CHECK(refusedAs(policy(R"("validations":[{"expression":"params.limit > 1"}])")) ==
        "Invalid spec.validations[0].expression");
  CHECK(refusedAs(policy(R"("paramKind":{"apiVersion":"v1","kind":"ConfigMap"},
    "validations":[{"expression":"params.limit > 1"}])"))
            .empty());
  CHECK(refusedAs(policy(R"~("variables":[{"name":"big","expression":"object.spec.replicas > 3"}],
    "validations":[{"expression":"!variables.big && variables.?big.hasValue()"}])~"))
            .empty());
  CHECK(refusedAs(policy(R"("validations":[{"expression":"!variables.big"}])")) ==
        "Invalid spec.validations[0].expression");
  CHECK(refusedAs(policy(R"("validations":[{"expression":"request.nosuch == 1"}])")) ==
        "Invalid spec.validations[0].expression");
  CHECK(
      refusedAs(policy(R"~("validations":[{"expression":"authorizer.group('').resource('pods').check('get').allowed()",
    "messageExpression":"string(authorizer.path('/x').check('get').allowed())"}])~")) ==
      "Invalid spec.validations[0].messageExpression");
  CHECK(
      refusedAs(policy(R"("auditAnnotations":[{"key":"k","valueExpression":"object.metadata.name + 'x'"}])")).empty());
  CHECK(refusedAs(policy(R"("auditAnnotations":[{"key":"k","valueExpression":"1"}])")) ==
        "Invalid spec.auditAnnotations[0].valueExpression");
}

TEST_CASE("webhooks are reached by https or by a service, by one of both") {
  CHECK(refusedAs(webhook(R"("clientConfig":{"url":"https://a.b/c"})")).empty());
  CHECK(refusedAs(webhook(R"("clientConfig":{"service":{"name":"s","namespace":"n","path":"/x/y"}})")).empty());
  const std::string at = "webhooks[0].clientConfig";
  CHECK(refusedAs(webhook(R"("clientConfig":{})")) == "Required " + at);
  for (const auto* url : {"http://a.b/c", "https:///c", "https://u:p@a/c", "https://a/c?x=1", "https://a/c#x", "a"})
    CHECK(refusedAs(webhook(R"("clientConfig":{"url":")" + std::string(url) + "\"}")) == "Invalid " + at + ".url");
  for (const auto* url : {"https://a b/c", ":x", "https://a/%zz", "https://a:port/"})
    CHECK(refusedAs(webhook(R"("clientConfig":{"url":")" + std::string(url) + "\"}")) == "Required " + at + ".url");
  CHECK(refusedAs(webhook(R"("clientConfig":{"service":{"name":"s","port":0,"path":"x"}})")) ==
        "Invalid " + at + ".service.path, Invalid " + at + ".service.port, Required " + at + ".service.namespace");
}

TEST_CASE("words of a rule that stand for all stand alone") {
  const auto rule = [](const std::string& resources) {
    return webhook(R"("clientConfig":{"url":"https://a.b/c"},"rules":[{"apiGroups":["*"],"apiVersions":["*"],
      "operations":["*"],"resources":)" +
                   resources + "}]");
  };
  const std::string list = "Invalid webhooks[0].rules[0].resources";
  CHECK(refusedAs(rule(R"(["pods","pods/status"])")).empty());
  CHECK(refusedAs(rule(R"(["*/*","pods"])")) == list);
  CHECK(refusedAs(rule(R"(["*","pods"])")) == list);
  CHECK(refusedAs(rule(R"(["pods/*","pods/status"])")) == list + "[1]");
  CHECK(refusedAs(rule(R"(["*/scale","pods/scale"])")) == list + "[1]");
}

TEST_CASE("bindings name parameters in one way, and do not refuse and warn at once") {
  const auto binding = [](const std::string& spec) {
    return R"({"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingAdmissionPolicyBinding",
      "metadata":{"name":"b"},"spec":)" +
           spec + "}";
  };
  CHECK(refusedAs(binding(R"({"policyName":"p","validationActions":["Deny","Audit"]})")).empty());
  CHECK(refusedAs(binding("{}")) == "Required spec.policyName, Required spec.validationActions");
  CHECK(refusedAs(binding(R"({"policyName":"p","validationActions":["Deny","Warn"]})")) ==
        "Invalid spec.validationActions");
  CHECK(refusedAs(binding(R"({"policyName":"p","validationActions":["Deny"],
    "paramRef":{"name":"x","selector":{},"parameterNotFoundAction":"Allow"}})")) ==
        "Forbidden spec.paramRef.name, Forbidden spec.paramRef.selector");
}

TEST_CASE("priority levels are exempt or limited, and their queues can be told apart") {
  CHECK(refusedAs(level(R"({"type":"Limited","limited":{"limitResponse":{"type":"Queue","queuing":{}}}})")).empty());
  CHECK(refusedAs(level(R"({"type":"Exempt"})")) == "Invalid spec.type");
  CHECK(refusedAs(level(R"({"type":"Limited"})")) == "Required spec.limited");
  CHECK(refusedAs(level(R"({"type":"Limited","limited":{"limitResponse":{"type":"Reject","queuing":{}}}})")) ==
        "Forbidden spec.limited.limitResponse.queuing");
  CHECK(refusedAs(level(R"({"type":"Limited","limited":{"limitResponse":{"type":"Queue","queuing":{"queues":4,
    "handSize":8}}}})")) == "Invalid spec.limited.limitResponse.queuing.handSize");
  CHECK(refusedAs(level(R"({"type":"Limited","limited":{"limitResponse":{"type":"Queue","queuing":{"queues":1024,
    "handSize":8}}}})")) == "Invalid spec.limited.limitResponse.queuing.handSize");
}
