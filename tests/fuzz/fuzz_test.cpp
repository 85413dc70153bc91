// All fuzz targets over their corpus, and under bounded, seeded mutation of it. STEER_FUZZ_SECONDS and STEER_FUZZ_SEED
// change the run; a failing seed and input are printed.
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "tests/fuzz/target.h"
#include "tests/source_path.h"

using namespace steer;

namespace {

double secondsEach() {
  const char* text = std::getenv("STEER_FUZZ_SECONDS");
  return text == nullptr ? 0.5 : std::atof(text);
}

std::uint64_t seed() {
  const char* text = std::getenv("STEER_FUZZ_SEED");
  return text == nullptr ? 20260101 : std::strtoull(text, nullptr, 10);
}

std::vector<std::string> corpusOf(const std::string& target) {
  std::vector<std::string> out;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(sourcePath("tests/fuzz/corpus/") + target))
    files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    std::ifstream in(file, std::ios::binary);
    out.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  return out;
}

class Mutator {
 public:
  Mutator(std::vector<std::string> corpus, const std::vector<std::string>& words)
      : corpus_(std::move(corpus)), words_(words), random_(seed()) {}

  std::string next() {
    std::string out = corpus_[pick(corpus_.size())];
    for (auto n = 1 + pick(8); n > 0; --n) mutate(out);
    if (out.size() > 20'000) out.resize(20'000);
    // Keeping some results lets mutations build upon each other.
    if (pick(50) == 0) corpus_[pick(corpus_.size())] = out;
    return out;
  }

 private:
  std::size_t pick(std::size_t n) { return n == 0 ? 0 : random_() % n; }
  void mutate(std::string& s) {
    const auto at = pick(s.size() + 1);
    switch (pick(7)) {
      case 0:
        s.insert(at, words_[pick(words_.size())]);
        break;
      case 1:
        s.erase(at, pick(10));
        break;
      case 2:
        s.insert(at, 1, static_cast<char>(pick(256)));
        break;
      case 3:
        if (at < s.size()) s[at] = static_cast<char>(s[at] ^ (1 << pick(8)));
        break;
      case 4:
        s.insert(at, s.substr(pick(s.size()), pick(200)));
        break;
      case 5:
        s += corpus_[pick(corpus_.size())];
        break;
      default:
        s.insert(at, std::string(pick(300), words_[pick(words_.size())][0]));
        break;
    }
  }

  std::vector<std::string> corpus_;
  const std::vector<std::string>& words_;
  std::mt19937_64 random_;
};

/// One input; none takes long, however it is written. What fails is kept: put it into corpus/NAME.
void attempt(const fuzz::Target& target, const std::string& input) {
  const auto start = std::chrono::steady_clock::now();
  const bool holds = target.holds(input);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  if (holds && took.count() < 5) return;
  const auto kept = std::filesystem::temp_directory_path() / ("steer-fuzz-" + target.name);
  std::ofstream(kept, std::ios::binary) << input;
  INFO("seed " << seed() << ", seconds " << took.count() << ", input kept in " << kept);
  FAIL("a property of " << target.name << " does not hold");
}

}  // namespace

TEST_CASE("What strangers write is read or refused, and what must hold of it holds") {
  for (const auto& target : fuzz::allTargets()) {
    const auto corpus = corpusOf(target.name);
    REQUIRE_FALSE(corpus.empty());
    for (const auto& input : corpus) attempt(target, input);
    Mutator mutator(corpus, target.words);
    const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(secondsEach());
    std::size_t runs = 0;
    for (; std::chrono::steady_clock::now() < end; ++runs) attempt(target, mutator.next());
    INFO(target.name);
    CHECK(runs > 5);
  }
}
