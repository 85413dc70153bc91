#pragma once
// The calling thread's own cache of free memory blocks. It saves a third of the processor time of a thread that works,
// and costs a thread that waits some 150 kB. Thread rule: each thread speaks of its own.
// Failure rule: under an allocator without such caches nothing happens.

namespace steer {

enum class BlockCache { off, on };

/// Every thread begins with one. off gives back what is in it.
void setBlockCache(BlockCache wanted);

}  // namespace steer
