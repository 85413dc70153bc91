/// Read by jemalloc, in every program that allocates with it. Threads that wait on a watch give up their cache of
/// blocks (core/block_cache.h).
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "narenas:2";
}
