#pragma once
// How a server reaches a webhook: by URL or by service, wherever a kind names one. Pure.
#include <string_view>

#include "schemas/rules.h"

namespace steer {

/// Exactly one of `url` and `service`; findings stand at `at`.
void checkWebhookClient(const FieldPath& at, const json::object& client, RuleReport& report);

/// What Go's net/url reads in a text, as far as a webhook's address needs it. Source: RFC 3986 and the documentation
/// of that package.
struct UrlParts {
  bool valid = true;
  std::string_view scheme{}, user{}, host{}, query{}, fragment{};
};
UrlParts readUrl(std::string_view text);

}  // namespace steer
