#pragma once
namespace steer {
inline constexpr const char* kVersion = "0.1.0";
/// The Kubernetes API level this server speaks.
inline constexpr const char* kKubernetesVersion = "v1.33.0";
}  // namespace steer
