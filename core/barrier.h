#pragma once
// Barriers: where an exception ends. A step of a loop, a job, a request or a thread that throws (out of memory
// included) holds up itself and nothing else: the barrier logs it, keeps it for those who ask what is wrong, and what
// stands behind it goes on. Code reports its errors as Results; an exception is a mistake of ours or a lack of memory.
// Thread rule: thread-safe.
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace steer {

/// An exception that a barrier held back.
struct Fault {
  std::string what;
  std::uint64_t times = 0;  ///< in a row, at this place
};

namespace barrier {

/// Does the work; what it throws is noted under the place's name and given back. Work that ends well clears the place.
std::optional<Fault> run(std::string_view place, const std::function<void()>& work) noexcept;
/// What a thread does until it is stopped: begins it again after a fault, a moment later. The work returns when it is
/// to end, also when it is called only then. As such work ends well only at the very end, its place is clear again when
/// it has run for a minute.
void keepRunning(std::string_view place, const std::function<void()>& work) noexcept;
/// The places whose last work failed.
std::map<std::string, Fault, std::less<>> faults();
/// There is no work for this place any more, so that its last fault concerns nobody.
void forget(std::string_view place);
/// How many faults there were since the process began. Cheap.
std::uint64_t count();
/// faultText of the newest fault of all, also when its place is clear again; empty = there was none.
std::string newest();
/// All places that have a fault now, in one text for a condition's message: at most a few, and how many more.
std::string summary();
/// "the server has a fault in PLACE: WHAT", for a condition or a message.
std::string faultText(std::string_view place, const Fault& fault);

/// For tests: called at each barrier with its name, inside it; what it throws counts as thrown by the work.
/// Null = none.
void setInjection(std::function<void(std::string_view place)> injection);

}  // namespace barrier
}  // namespace steer
