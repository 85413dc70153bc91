#pragma once
// What the API server is made of, for the files that answer requests. Thread rule: every part is
// thread-safe.
#include "cluster/apiserver/account_tokens.h"
#include "cluster/apiserver/api_server.h"
#include "cluster/apiserver/applied_bodies.h"
#include "cluster/apiserver/authorizer.h"
#include "cluster/apiserver/write_executor.h"
#include "cluster/apiserver/write_planner.h"

namespace steer {

struct ServerParts {
  ServerParts(Store& s, const Clock& c, Random& r, ApiServerOptions o, NodeGateway* n)
      : store(s),
        clock(c),
        random(r),
        options(std::move(o)),
        nodes(n),
        tokens(options.tokenKeys, c, r),
        planner(c, r, options, authorizer, tokens),
        executor(s, planner, applied) {}

  Store& store;
  const Clock& clock;
  Random& random;
  const ApiServerOptions options;
  NodeGateway* nodes;
  BuiltinAuthorizer authorizer;
  AccountTokens tokens;
  WritePlanner planner;
  AppliedBodies applied;
  WriteExecutor executor;

  Result<void> authorize(const Identity& who, const AccessQuestion& question, const Snapshot& view) const {
    const auto answer = authorizer.decide(who, question, view);
    if (answer.allowed) return {};
    return refusal(who, question, answer);
  }
};

}  // namespace steer
