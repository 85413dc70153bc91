#include "core/block_cache.h"

#include <cstddef>

/// jemalloc's; sanitizers bring another allocator, and then there is none.
extern "C" __attribute__((weak)) int mallctl(const char* name, void* old, std::size_t* oldSize, void* fresh,
                                             std::size_t freshSize);

namespace steer {

void setBlockCache(BlockCache wanted) {
  bool enabled = wanted == BlockCache::on;
  if (mallctl != nullptr) (void)mallctl("thread.tcache.enabled", nullptr, nullptr, &enabled, sizeof enabled);
}

}  // namespace steer
