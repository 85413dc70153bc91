#pragma once
// Objects and stores for the store's tests.
#include <filesystem>
#include <string>

#include "cluster/store/store.h"

namespace steer::storetest {

inline json::object pod(const std::string& ns, const std::string& name, const std::string& note = "",
                        const std::string& node = "") {
  return {{"apiVersion", "v1"},
          {"kind", "Pod"},
          {"metadata", {{"namespace", ns}, {"name", name}, {"uid", "uid-" + name}, {"annotations", {{"note", note}}}}},
          {"spec", {{"nodeName", node}}}};
}

inline Mutation put(const std::string& ns, const std::string& name, const std::string& note = "",
                    std::optional<std::uint64_t> ifRevision = {}, const std::string& node = "") {
  return {Mutation::Kind::put, {"pods", ns, name}, pod(ns, name, note, node), ifRevision};
}

inline Mutation removal(const std::string& ns, const std::string& name, std::optional<std::uint64_t> ifRevision = {}) {
  return {Mutation::Kind::remove, {"pods", ns, name}, {}, ifRevision};
}

inline StoreOptions inlineOptions() {
  StoreOptions options;
  options.inlineCommit = true;
  return options;
}

inline std::unique_ptr<Store> memoryStore(std::shared_ptr<MemoryDisk> disk = makeMemoryDisk(),
                                          StoreOptions options = inlineOptions()) {
  return std::move(Store::open(openMemoryLog(std::move(disk)), options)).value();
}

/// A directory that is gone when the test is.
class TempDir {
 public:
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "steer-store-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TempDir() { std::filesystem::remove_all(path_); }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace steer::storetest
