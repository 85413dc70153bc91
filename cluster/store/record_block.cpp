#include "cluster/store/record_block.h"

#include <zstd.h>

#include <algorithm>

namespace steer {
namespace {

// A block is one byte that says how it is kept, and then the records one after the other, each as: revision, previous,
// removed, resource, namespace, name, body. Numbers take seven bits a byte, lowest first; texts their length before
// them.
constexpr char kPlain = 'p';    // of older versions: without a checksum
constexpr char kChecked = 'c';  // eight bytes of checksum, lowest first, before the records
constexpr char kCompressed = 'z';
constexpr std::size_t kHandy = 256 * 1024;  ///< reading one record unpacks its block
constexpr std::size_t kWorthwhile = 4096;   ///< what fits a page of the file need not be smaller
constexpr std::size_t kChecksum = 8;
constexpr std::size_t kMost = 64u << 20;      ///< no true block is as large
constexpr std::size_t kKeptBuffer = 1 << 20;  ///< a larger one is given back

void putNumber(std::string& out, std::uint64_t n) {
  for (; n >= 0x80; n >>= 7) out += static_cast<char>(n | 0x80);
  out += static_cast<char>(n);
}

void putText(std::string& out, std::string_view text) {
  putNumber(out, text.size());
  out += text;
}

void putRecord(std::string& out, const LogRecord& record) {
  putNumber(out, record.revision);
  putNumber(out, record.previous);
  out += record.removed ? '\1' : '\0';
  putText(out, record.target.resource);
  putText(out, record.target.ns);
  putText(out, record.target.name);
  putText(out, record.body);
}

/// FNV-1a. It tells a flipped bit from what was written; nothing guards against somebody who means it.
std::string checksumOf(std::string_view text) {
  std::uint64_t h = 14695981039346656037ULL;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  std::string out;
  for (std::size_t i = 0; i < kChecksum; ++i) out += static_cast<char>(h >> (8 * i) & 0xff);
  return out;
}

/// Reads what putRecord wrote; after a failed read everything else fails, too.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}
  bool atEnd() const { return rest_.empty(); }
  bool good() const { return good_; }

  std::uint64_t number() {
    std::uint64_t n = 0;
    for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      n |= std::uint64_t{byte & 0x7fU} << shift;
      if (byte < 0x80) return n;
    }
    return fail();
  }
  std::string text() {
    const auto size = number();
    if (size > rest_.size()) fail();
    if (!good_) return {};
    std::string out(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return out;
  }
  LogRecord record() {
    LogRecord out;
    out.revision = number();
    out.previous = number();
    out.removed = number() != 0;
    out.target.resource = text();
    out.target.ns = text();
    out.target.name = text();
    out.body = text();
    return out;
  }

 private:
  std::uint64_t fail() {
    good_ = false;
    rest_ = {};
    return 0;
  }

  std::string_view rest_;
  bool good_ = true;
};

Error damaged() {
  return makeError(Errc::io, "a block of the log is damaged: restore the data directory from a backup");
}

}  // namespace

struct BlockPacker::Compressor {
  struct Free {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  };
  std::unique_ptr<ZSTD_CCtx, Free> context{ZSTD_createCCtx()};

  Compressor() {
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, 1);
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  }
};

BlockPacker::BlockPacker() : compressor_(std::make_unique<Compressor>()) {}
BlockPacker::~BlockPacker() = default;

std::string BlockPacker::pack(const std::vector<LogRecord>& records, std::size_t& first) {
  plain_.clear();
  do putRecord(plain_, records[first++]);
  while (first < records.size() && plain_.size() + records[first].body.size() < kHandy);
  std::string out;
  if (plain_.size() >= kWorthwhile) {
    out.resize(ZSTD_compressBound(plain_.size()) + 1);
    const auto size =
        ZSTD_compress2(compressor_->context.get(), out.data() + 1, out.size() - 1, plain_.data(), plain_.size());
    if (ZSTD_isError(size) == 0 && size < plain_.size()) {
      out.resize(size + 1);
      out.front() = kCompressed;
    } else {
      out.clear();
    }
  }
  if (out.empty()) out.append(1, kChecked).append(checksumOf(plain_)).append(plain_);
  if (plain_.capacity() > kKeptBuffer) std::string().swap(plain_);
  return out;
}

Result<std::vector<LogRecord>> unpackBlock(std::string_view block) {
  if (block.empty()) return damaged();
  std::string unpacked;
  std::string_view plain = block.substr(1);
  if (block.front() == kCompressed) {
    const auto size = ZSTD_getFrameContentSize(plain.data(), plain.size());
    if (size > kMost) return damaged();  // the signs for "unknown" and "damaged" are larger, too
    unpacked.resize(size);
    if (ZSTD_decompress(unpacked.data(), unpacked.size(), plain.data(), plain.size()) != size) return damaged();
    plain = unpacked;
  } else if (block.front() == kChecked) {
    if (plain.size() < kChecksum || checksumOf(plain.substr(kChecksum)) != plain.substr(0, kChecksum)) return damaged();
    plain.remove_prefix(kChecksum);
  } else if (block.front() != kPlain) {
    return damaged();
  }
  std::vector<LogRecord> out;
  Reader reader(plain);
  while (!reader.atEnd()) out.push_back(reader.record());
  if (!reader.good() || out.empty()) return damaged();
  return out;
}

}  // namespace steer
