#pragma once
// What the applications ask for that a commit declares, read from the commit itself: an application that
// does not exist yet cannot say it, and what moves to it is no deletion.
// Thread rule: may run on any thread beside the loop; the client is thread-safe.
// Failure rule: what cannot be read asks for nothing; who reads another source is named.
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "cluster/client/client.h"
#include "reconciler/loop/application_spec.h"
#include "reconciler/loop/source_keeper.h"

namespace steer {

/// What a renderer is made for.
struct RenderTarget {
  std::string application;      ///< label
  std::string path;             ///< where the directory stands in its repository
  std::string targetNamespace;  ///< of objects that name none; empty = "default"
};
using RendererFactory = std::function<Renderer(const RenderTarget& target)>;

struct DeclaredClaims {
  std::set<ObjectRef> claims;
  std::vector<std::string> unknown;  ///< "application b, which reads another source"
};
using DeclaredClaimsReader = std::function<DeclaredClaims(const std::string& cloneDir, const std::string& commit,
                                                          const std::vector<WantedObject>& wanted)>;

/// The application whose commit it is.
struct DeclaringApplication {
  std::string label;
  ApplicationSpec spec;
};

/// `wanted`: of the declaring application at that commit. Applications that these declare in turn count, too.
DeclaredClaims readDeclaredClaims(const DeclaringApplication& declaring, const std::string& cloneDir,
                                  const std::string& commit, const std::vector<WantedObject>& wanted,
                                  const RendererFactory& renderers, Client& client);

}  // namespace steer
