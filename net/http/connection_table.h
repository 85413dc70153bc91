#pragma once
// ConnectionTable: the open connections of one server: who holds how many, who waits beyond their time, and who goes
// when there are too many. A connection that has shown who it is never makes room for one that has not; among strangers
// the oldest of the address with the most connections goes first.
// Thread rule: thread-safe. A Place belongs to its connection, which leaves the table before it closes its socket.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <string>

namespace steer {

class ConnectionTable {
 public:
  using Clock = std::chrono::steady_clock;

  /// One connection, as the table sees it.
  struct Place {
    int fd = -1;
    std::string address;  ///< of the peer, without port
    std::string user{};   ///< empty: nobody known
    /// When the connection is ended if nothing happens before; Clock's ticks, 0 = never.
    std::atomic<Clock::rep> until{0};
    /// Whether its time was over.
    std::atomic<bool> late{false};
    /// At its time only reading ends, so that an answer can still be written.
    std::atomic<bool> answerWhenLate{false};
    /// Bytes of a stream that wait for their reader, and since when none has been taken.
    std::atomic<std::size_t> unsent{0};
    std::atomic<Clock::rep> stalledSince{0};
    std::list<Place*>::iterator self{};  ///< the table's own
  };

  ConnectionTable(std::size_t most, std::size_t unsentBytes) : most_(most), unsentBytes_(unsentBytes) {}

  /// Takes the connection in. False: all places are taken by known users, or the server stops.
  bool enter(Place& place);
  /// The connection has shown who it is. False: this user holds three quarters of all places already.
  bool identify(Place& place, const std::string& user);
  void leave(Place& place);

  /// Ends those whose time is over, and stalled readers while too many bytes wait.
  void sweep(Clock::time_point now);
  /// Ends all, and lets none in any more.
  void shutAll();
  /// Waits until all have left.
  void awaitEmpty();
  std::size_t size() const;

 private:
  bool makeRoom();

  const std::size_t most_, unsentBytes_;
  mutable std::mutex mutex_;
  std::condition_variable left_;
  std::list<Place*> known_;
  std::map<std::string, std::list<Place*>> strangers_;  ///< by address, oldest first
  std::map<std::string, std::size_t> byUser_;
  std::size_t size_ = 0;
  bool closed_ = false;
};

}  // namespace steer
