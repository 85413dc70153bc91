#pragma once
// What one server allows its clients, in bytes, counts and times.
#include <chrono>
#include <cstddef>

namespace steer {

struct ConnectionLimits {
  std::size_t headBytes = 64 * 1024;
  std::chrono::milliseconds handshake{10'000};
  std::chrono::milliseconds head{10'000};       ///< from its first byte to its last
  std::chrono::milliseconds body{120'000};      ///< the whole of it
  std::chrono::milliseconds write{30'000};      ///< without progress
  std::chrono::milliseconds keepAlive{90'000};  ///< between two requests
};

struct ServerLimits {
  /// Connections at once; 0 = three quarters of the file descriptors that the process may open. When all are taken, a
  /// new one takes the place of one that never showed who it is.
  std::size_t connections = 0;
  std::size_t bodiesBytes = 256 * std::size_t{1024} * 1024;   ///< of all bodies that are being read or answered
  std::size_t answersBytes = 256 * std::size_t{1024} * 1024;  ///< of all whole answers of more than 1 MiB
  std::size_t unsentBytes = 256 * std::size_t{1024} * 1024;   ///< of streams whose readers do not read
  std::size_t threads = 128;                                  ///< that answer requests
  std::size_t threadsPerUser = 96;
  std::size_t queued = 4096;  ///< requests that wait for a thread
};

}  // namespace steer
