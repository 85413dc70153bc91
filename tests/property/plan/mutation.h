#pragma once
// What people do to manifests between two commits, as random changes. Some give manifests that a server
// refuses; that is a part of life, too.
#include <string>
#include <vector>

#include "core/random.h"
#include "reconciler/plan/plan.h"

namespace steer {

/// The manifests of tests/property/plan/corpus, read as `steer plan` reads them.
std::vector<WantedObject> readCorpus();

/// One change to one object, in place; what was done, in words.
std::string mutate(WantedObject& object, Random& random);

/// Another order of objects and of the members of each object, which means the same.
std::vector<WantedObject> shuffled(std::vector<WantedObject> objects, Random& random);

}  // namespace steer
