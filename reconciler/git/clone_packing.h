#pragma once
// Keeps a clone small: loose objects and small packs are packed into one, as `git repack --geometric` does, so that a
// clone has few packs, each at least twice as large as the one before it, and every object is packed a few times in
// all. Readers may go on: libgit2 (and Git) look for an object again, among the packs that there are by then, when it
// is not where it was. Thread rule: one writer works in a clone at a time, and this is one.
#include <cstddef>
#include <string>
#include <vector>

#include "core/result.h"

namespace steer::git {

/// How many objects lie loose in a clone, at most `most`: cheap, a look at some of the folders.
std::size_t countLoose(const std::string& cloneDir, std::size_t most);
/// Whether there are enough loose objects for packing them.
bool wantsPacking(const std::string& cloneDir);
/// Packs what is loose, with the packs that are too small to stay alone.
Result<void> packClone(const std::string& cloneDir);

/// Which packs (by their sizes in bytes, ascending) are packed anew together with so many bytes of loose objects: the
/// first so many. Pure.
std::size_t packsToMerge(const std::vector<std::size_t>& sizes, std::size_t looseBytes);

}  // namespace steer::git
