#include "cluster/store/record_block.h"

#include <catch2/catch.hpp>

using namespace steer;

namespace {

std::vector<LogRecord> recordsOf(std::size_t count, std::size_t bytes) {
  std::vector<LogRecord> out;
  for (std::size_t i = 0; i < count; ++i)
    out.push_back({300 + i, i % 7 == 3, {"pods", "shop", "p" + std::to_string(i)}, std::string(bytes, 'b'), 200 + i});
  return out;
}

bool same(const LogRecord& a, const LogRecord& b) {
  return a.revision == b.revision && a.removed == b.removed && a.target == b.target && a.body == b.body &&
         a.previous == b.previous;
}

}  // namespace

TEST_CASE("records come out of their blocks as they went in, however many and large") {
  for (const auto& [count, bytes] : {std::pair<std::size_t, std::size_t>{1, 0}, {1, 900}, {100, 900}, {3, 1'400'000}}) {
    const auto records = recordsOf(count, bytes);
    BlockPacker packer;
    std::size_t next = 0, blocks = 0;
    while (next < count) {
      const std::size_t first = next;
      const auto unpacked = unpackBlock(packer.pack(records, next));
      REQUIRE(unpacked.ok());
      REQUIRE(unpacked->size() == next - first);
      for (std::size_t i = first; i < next; ++i) REQUIRE(same((*unpacked)[i - first], records[i]));
      ++blocks;
    }
    CHECK(blocks == (bytes > 1'000'000 ? count : 1));
  }
}

TEST_CASE("a transaction of like objects takes less than a tenth of their text") {
  const auto records = recordsOf(100, 900);
  std::size_t next = 0;
  CHECK(BlockPacker().pack(records, next).size() < 9000);
}

TEST_CASE("a damaged block is an error and never a record") {
  const auto records = recordsOf(100, 900);
  std::size_t next = 0;
  const std::string block = BlockPacker().pack(records, next);
  for (std::size_t i = 0; i < block.size(); i += 7) {
    std::string wrong = block;
    wrong[i] = static_cast<char>(wrong[i] ^ 0x55);
    CHECK(!unpackBlock(wrong).ok());
  }
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, block.size() / 2, block.size() - 1})
    CHECK(!unpackBlock(block.substr(0, size)).ok());
}

TEST_CASE("a damaged block that was too small to be compressed is an error as well") {
  const auto records = recordsOf(2, 40);
  std::size_t next = 0;
  const std::string block = BlockPacker().pack(records, next);
  for (std::size_t i = 0; i < block.size(); ++i)
    for (const int flip : {0x01, 0x10, 0xff}) {
      std::string wrong = block;
      wrong[i] = static_cast<char>(wrong[i] ^ flip);
      CHECK(!unpackBlock(wrong).ok());
    }
  // An older version wrote these without a checksum.
  const auto former = unpackBlock("p" + block.substr(9));
  REQUIRE(former.ok());
  CHECK(same(former->front(), records.front()));
}
