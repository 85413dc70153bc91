#pragma once
// Between our values and the messages of the Container Runtime Interface. Pure.
#include "nodeagent/pod/runtime_values.h"

namespace runtime::v1 {
class PodSandboxConfig;
class ContainerConfig;
class Container;
class ContainerStatus;
class PodSandbox;
class Image;
}  // namespace runtime::v1

namespace steer {

void fill(runtime::v1::PodSandboxConfig& out, const SandboxConfig& in);
void fill(runtime::v1::ContainerConfig& out, const ContainerConfig& in, const SandboxConfig& sandbox);
SandboxState sandboxStateOf(const runtime::v1::PodSandbox& in);
/// Without times of start and end, exit code and reason.
ContainerState containerStateOf(const runtime::v1::Container& in);
/// Adds what the listing did not have.
void addStatus(ContainerState& out, const runtime::v1::ContainerStatus& in);
ImageInfo imageInfoOf(const runtime::v1::Image& in);

}  // namespace steer
