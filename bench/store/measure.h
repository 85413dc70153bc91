#pragma once
// What is measured, alike for every peer: writers that commit one after the other for some seconds.
#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "core/json.h"

namespace steer::bench {

struct Load {
  std::size_t writers = 1;
  std::size_t objectsPerCommit = 1;
  std::chrono::milliseconds duration{3000};
};

struct Measured {
  std::string name;
  double seconds = 0;
  std::size_t commits = 0;
  std::size_t objects = 0;
  std::vector<float> micros{};  ///< latency of each commit
  std::string failure{};        ///< why there are no numbers

  double commitsPerSecond() const { return seconds > 0 ? static_cast<double>(commits) / seconds : 0; }
  double objectsPerSecond() const { return seconds > 0 ? static_cast<double>(objects) / seconds : 0; }
  /// In microseconds.
  double percentile(double p) const;
};

/// A pod of about one kilobyte of JSON.
json::object benchPod(std::size_t number);

enum class FileGrowth { appended, overwritten };

/// write + fdatasync of the same bytes by one writer: at the end of a growing file, or inside a file
/// that was written before (no size changes: the least that a disk can be asked for).
Measured measureFloor(const std::string& dir, std::size_t bytes, FileGrowth growth, std::chrono::milliseconds duration);

}  // namespace steer::bench
