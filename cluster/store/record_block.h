#pragma once
// Blocks: records that were appended together as one compressed text. Objects of one transaction are mostly alike, so a
// block is a tenth of its records or less, and so is what a commit has to bring to the disk.
// Thread rule: a packer belongs to one thread at a time; unpacking is a pure function.
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/store/log_backend.h"

namespace steer {

class BlockPacker {
 public:
  BlockPacker();
  ~BlockPacker();
  /// The block of as many records from `first` on as make a handy one, at least one; moves `first` behind them.
  std::string pack(const std::vector<LogRecord>& records, std::size_t& first);

 private:
  struct Compressor;
  std::unique_ptr<Compressor> compressor_;
  std::string plain_;
};

/// The records of a block, in order. Errors: io when it is damaged.
Result<std::vector<LogRecord>> unpackBlock(std::string_view block);

}  // namespace steer
