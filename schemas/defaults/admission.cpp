// Admission and the server's own fairness.
#include "schemas/default_rules.h"

namespace steer {

void defaultWebhook(json::object& webhook) {
  setIfAbsent(webhook, "failurePolicy", "Fail");
  setIfAbsent(webhook, "matchPolicy", "Equivalent");
  setIfAbsent(webhook, "namespaceSelector", json::object{});
  setIfAbsent(webhook, "objectSelector", json::object{});
  setIfAbsent(webhook, "timeoutSeconds", 10);
}

void defaultMutatingWebhook(json::object& webhook) {
  defaultWebhook(webhook);
  setIfAbsent(webhook, "reinvocationPolicy", "Never");
}

void defaultWebhookService(json::object& service) { setIfAbsent(service, "port", 443); }

void defaultAdmissionRule(json::object& rule) { setIfAbsent(rule, "scope", "*"); }

void defaultMatchResources(json::object& resources) {
  setIfAbsent(resources, "matchPolicy", "Equivalent");
  setIfAbsent(resources, "namespaceSelector", json::object{});
  setIfAbsent(resources, "objectSelector", json::object{});
}

void defaultAdmissionPolicySpec(json::object& spec) { setIfAbsent(spec, "failurePolicy", "Fail"); }

void defaultFlowSchemaSpec(json::object& spec) { setIfZero(spec, "matchingPrecedence", 1000); }

void defaultExemptLevel(json::object& level) {
  setIfAbsent(level, "nominalConcurrencyShares", 0);
  setIfAbsent(level, "lendablePercent", 0);
}

void defaultLimitedLevel(json::object& level) {
  setIfAbsent(level, "nominalConcurrencyShares", 30);
  setIfAbsent(level, "lendablePercent", 0);
}

void defaultQueuing(json::object& queuing) {
  setIfZero(queuing, "handSize", 8);
  setIfZero(queuing, "queues", 64);
  setIfZero(queuing, "queueLengthLimit", 50);
}

}  // namespace steer
