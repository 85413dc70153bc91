#pragma once
// The paths of the API server's own requests on many objects at once.

namespace steer {

inline constexpr const char* kBatchPath = "/apis/steersman.dev/v1/batch";
inline constexpr const char* kObservationPath = "/apis/steersman.dev/v1/observation";

}  // namespace steer
