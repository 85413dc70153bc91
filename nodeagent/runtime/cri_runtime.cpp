#include "nodeagent/runtime/cri_runtime.h"

#include <grpc/support/time.h>
#include <grpcpp/grpcpp.h>
#include <sys/statvfs.h>

#include <set>

#include "core/sync.h"
#include "nodeagent/runtime/cri/api.grpc.pb.h"
#include "nodeagent/runtime/cri_events.h"
#include "nodeagent/runtime/cri_messages.h"
#include "nodeagent/runtime/network_check.h"

namespace steer {

namespace cri = ::runtime::v1;

namespace {

constexpr seconds kShort{15};
constexpr seconds kSandbox{240};
constexpr seconds kPull{900};

Errc codeOf(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::NOT_FOUND:
      return Errc::notFound;
    case grpc::StatusCode::ALREADY_EXISTS:
      return Errc::alreadyExists;
    case grpc::StatusCode::INVALID_ARGUMENT:
      return Errc::invalid;
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return Errc::timeout;
    case grpc::StatusCode::CANCELLED:
      return Errc::cancelled;
    case grpc::StatusCode::UNAVAILABLE:
      return Errc::unavailable;
    case grpc::StatusCode::UNIMPLEMENTED:
      return Errc::unsupported;
    default:
      return Errc::internal;
  }
}

std::shared_ptr<grpc::Channel> connectTo(const std::string& path) {
  grpc::ChannelArguments args;
  args.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  args.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 100);
  args.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  args.SetMaxReceiveMessageSize(64 * 1024 * 1024);
  // Each runtime socket gets a connection of its own, also when two agents live in one program.
  args.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel("unix://" + path, grpc::InsecureChannelCredentials(), args);
}

class CriRuntime final : public PodRuntime {
 public:
  explicit CriRuntime(CriOptions options)
      : options_(std::move(options)),
        channel_(connectTo(options_.socketPath)),
        runtime_(cri::RuntimeService::NewStub(channel_)),
        images_(cri::ImageService::NewStub(channel_)),
        events_(channel_) {}

  Result<RuntimeVersion> version() override;
  Result<PodRuntimeState> list() override { return listBy({{kNodeLabel, options_.nodeName}}); }
  Result<PodRuntimeState> observe(const std::string& podUid) override;
  Result<std::string> runSandbox(const SandboxConfig& config) override;
  Result<void> stopSandbox(const std::string& id) override;
  Result<void> removeSandbox(const std::string& id) override;
  Result<std::string> createContainer(const std::string& sandboxId, const ContainerConfig& config,
                                      const SandboxConfig& sandbox) override;
  Result<void> startContainer(const std::string& id) override;
  Result<void> stopContainer(const std::string& id, seconds grace) override;
  Result<void> removeContainer(const std::string& id) override;
  Result<void> reopenLog(const std::string& containerId) override;
  Result<ExecResult> execSync(const std::string& containerId, const std::vector<std::string>& command,
                              Duration timeout) override;
  CheckOutcome check(const CheckRequest& request) override;
  Result<std::optional<ImageInfo>> imageStatus(const std::string& image) override;
  Result<std::string> pullImage(const std::string& image, const std::optional<ImageAuth>& auth) override;
  Result<std::vector<ImageInfo>> listImages() override;
  Result<std::set<std::string>> imageReferencesInUse() override;
  Result<DiskUse> imageDisk() override;
  Result<void> removeImage(const std::string& image) override;
  void setWaker(Waker waker) override { events_.setWaker(std::move(waker)); }
  void interrupt() override {
    calls_.with([](std::set<grpc::ClientContext*>& calls) {
      for (auto* call : calls) call->TryCancel();
    });
  }

 private:
  using Labels = std::map<std::string, std::string>;
  Result<PodRuntimeState> listBy(const Labels& labels);
  Result<void> addDetails(PodRuntimeState& state);

  /// One call with a deadline, cancelled by interrupt().
  template <class Stub, class Method, class Request, class Response>
  Result<void> call(Stub& stub, Method method, const char* name, const Request& request, Response& response,
                    Duration deadline = kShort) {
    grpc::ClientContext context;
    context.set_deadline(
        gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_micros(deadline.count(), GPR_TIMESPAN)));
    calls_.with([&](auto& calls) { calls.insert(&context); });
    const grpc::Status status = (stub.*method)(&context, request, &response);
    calls_.with([&](auto& calls) { calls.erase(&context); });
    if (status.ok()) return {};
    return makeError(codeOf(status.error_code()), std::string(name) + ": " + status.error_message());
  }

  CriOptions options_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<cri::RuntimeService::Stub> runtime_;
  std::unique_ptr<cri::ImageService::Stub> images_;
  Sync<std::set<grpc::ClientContext*>> calls_;
  CriEvents events_;
};

using Runtime = cri::RuntimeService::Stub;
using Images = cri::ImageService::Stub;

/// Gone already is as good as done.
Result<void> unlessGone(Result<void> result) {
  if (!result.ok() && result.error().code == Errc::notFound) return {};
  return result;
}

Result<RuntimeVersion> CriRuntime::version() {
  cri::VersionRequest request;
  cri::VersionResponse response;
  request.set_version("v1");
  STEER_CHECK(call(*runtime_, &Runtime::Version, "Version", request, response));
  return RuntimeVersion{response.runtime_name(), response.runtime_version(), response.runtime_api_version()};
}

Result<PodRuntimeState> CriRuntime::listBy(const Labels& labels) {
  PodRuntimeState out;
  cri::ListPodSandboxRequest sandboxes;
  sandboxes.mutable_filter()->mutable_label_selector()->insert(labels.begin(), labels.end());
  cri::ListPodSandboxResponse sandboxList;
  STEER_CHECK(call(*runtime_, &Runtime::ListPodSandbox, "ListPodSandbox", sandboxes, sandboxList));
  for (const auto& item : sandboxList.items()) out.sandboxes.push_back(sandboxStateOf(item));
  cri::ListContainersRequest containers;
  containers.mutable_filter()->mutable_label_selector()->insert(labels.begin(), labels.end());
  cri::ListContainersResponse containerList;
  STEER_CHECK(call(*runtime_, &Runtime::ListContainers, "ListContainers", containers, containerList));
  for (const auto& item : containerList.containers()) out.containers.push_back(containerStateOf(item));
  return out;
}

Result<PodRuntimeState> CriRuntime::observe(const std::string& podUid) {
  STEER_TRY(auto state, listBy({{kNodeLabel, options_.nodeName}, {kPodUidLabel, podUid}}));
  STEER_CHECK(addDetails(state));
  return state;
}

Result<void> CriRuntime::addDetails(PodRuntimeState& state) {
  for (auto& sandbox : state.sandboxes) {
    if (!sandbox.ready) continue;
    cri::PodSandboxStatusRequest request;
    request.set_pod_sandbox_id(sandbox.id);
    cri::PodSandboxStatusResponse response;
    STEER_CHECK(call(*runtime_, &Runtime::PodSandboxStatus, "PodSandboxStatus", request, response));
    const auto& network = response.status().network();
    if (!network.ip().empty()) sandbox.ips.push_back(network.ip());
    for (const auto& more : network.additional_ips()) sandbox.ips.push_back(more.ip());
  }
  std::vector<ContainerState> known;
  for (auto& container : state.containers) {
    cri::ContainerStatusRequest request;
    request.set_container_id(container.id);
    cri::ContainerStatusResponse response;
    const auto asked = call(*runtime_, &Runtime::ContainerStatus, "ContainerStatus", request, response);
    if (!asked.ok() && asked.error().code == Errc::notFound) continue;  // removed since the listing
    STEER_CHECK(asked);
    addStatus(container, response.status());
    known.push_back(std::move(container));
  }
  state.containers = std::move(known);
  return {};
}

Result<std::string> CriRuntime::runSandbox(const SandboxConfig& config) {
  cri::RunPodSandboxRequest request;
  fill(*request.mutable_config(), config);
  cri::RunPodSandboxResponse response;
  STEER_CHECK(call(*runtime_, &Runtime::RunPodSandbox, "RunPodSandbox", request, response, kSandbox));
  return response.pod_sandbox_id();
}

Result<void> CriRuntime::stopSandbox(const std::string& id) {
  cri::StopPodSandboxRequest request;
  request.set_pod_sandbox_id(id);
  cri::StopPodSandboxResponse response;
  return unlessGone(call(*runtime_, &Runtime::StopPodSandbox, "StopPodSandbox", request, response, kSandbox));
}

Result<void> CriRuntime::removeSandbox(const std::string& id) {
  cri::RemovePodSandboxRequest request;
  request.set_pod_sandbox_id(id);
  cri::RemovePodSandboxResponse response;
  return unlessGone(call(*runtime_, &Runtime::RemovePodSandbox, "RemovePodSandbox", request, response, kSandbox));
}

Result<std::string> CriRuntime::createContainer(const std::string& sandboxId, const ContainerConfig& config,
                                                const SandboxConfig& sandbox) {
  cri::CreateContainerRequest request;
  request.set_pod_sandbox_id(sandboxId);
  fill(*request.mutable_config(), config, sandbox);
  fill(*request.mutable_sandbox_config(), sandbox);
  cri::CreateContainerResponse response;
  STEER_CHECK(call(*runtime_, &Runtime::CreateContainer, "CreateContainer", request, response, kSandbox));
  return response.container_id();
}

Result<void> CriRuntime::startContainer(const std::string& id) {
  cri::StartContainerRequest request;
  request.set_container_id(id);
  cri::StartContainerResponse response;
  return call(*runtime_, &Runtime::StartContainer, "StartContainer", request, response, kSandbox);
}

Result<void> CriRuntime::stopContainer(const std::string& id, seconds grace) {
  cri::StopContainerRequest request;
  request.set_container_id(id);
  request.set_timeout(grace.count());
  cri::StopContainerResponse response;
  return unlessGone(call(*runtime_, &Runtime::StopContainer, "StopContainer", request, response, grace + seconds(60)));
}

Result<void> CriRuntime::removeContainer(const std::string& id) {
  cri::RemoveContainerRequest request;
  request.set_container_id(id);
  cri::RemoveContainerResponse response;
  return unlessGone(call(*runtime_, &Runtime::RemoveContainer, "RemoveContainer", request, response, seconds(60)));
}

Result<void> CriRuntime::reopenLog(const std::string& containerId) {
  cri::ReopenContainerLogRequest request;
  request.set_container_id(containerId);
  cri::ReopenContainerLogResponse response;
  return call(*runtime_, &Runtime::ReopenContainerLog, "ReopenContainerLog", request, response);
}

Result<ExecResult> CriRuntime::execSync(const std::string& containerId, const std::vector<std::string>& command,
                                        Duration timeout) {
  cri::ExecSyncRequest request;
  request.set_container_id(containerId);
  for (const auto& word : command) request.add_cmd(word);
  request.set_timeout(std::chrono::ceil<seconds>(timeout).count());
  cri::ExecSyncResponse response;
  STEER_CHECK(call(*runtime_, &Runtime::ExecSync, "ExecSync", request, response, timeout + seconds(10)));
  return ExecResult{response.exit_code(), response.stdout() + response.stderr()};
}

CheckOutcome CriRuntime::check(const CheckRequest& request) {
  if (request.kind != CheckKind::exec) return checkOverNetwork(request);
  const auto result = execSync(request.containerId, request.command, request.timeout);
  if (!result.ok()) {
    if (result.error().code == Errc::timeout)
      return {false, "command timed out after " + std::to_string(request.timeout / seconds(1)) + "s"};
    return {false, result.error().message};
  }
  constexpr std::size_t kMost = 1024;
  return {result->exitCode == 0, result->output.substr(0, kMost)};
}

Result<std::optional<ImageInfo>> CriRuntime::imageStatus(const std::string& image) {
  cri::ImageStatusRequest request;
  request.mutable_image()->set_image(image);
  cri::ImageStatusResponse response;
  STEER_CHECK(call(*images_, &Images::ImageStatus, "ImageStatus", request, response));
  if (!response.has_image()) return std::optional<ImageInfo>{};
  return std::optional<ImageInfo>{imageInfoOf(response.image())};
}

Result<std::string> CriRuntime::pullImage(const std::string& image, const std::optional<ImageAuth>& auth) {
  cri::PullImageRequest request;
  request.mutable_image()->set_image(image);
  if (auth) {
    request.mutable_auth()->set_username(auth->username);
    request.mutable_auth()->set_password(auth->password);
    request.mutable_auth()->set_identity_token(auth->identityToken);
    request.mutable_auth()->set_registry_token(auth->registryToken);
  }
  cri::PullImageResponse response;
  STEER_CHECK(call(*images_, &Images::PullImage, "PullImage", request, response, kPull));
  return response.image_ref();
}

Result<std::vector<ImageInfo>> CriRuntime::listImages() {
  cri::ListImagesResponse response;
  STEER_CHECK(call(*images_, &Images::ListImages, "ListImages", cri::ListImagesRequest(), response));
  std::vector<ImageInfo> out;
  for (const auto& image : response.images()) out.push_back(imageInfoOf(image));
  return out;
}

Result<std::set<std::string>> CriRuntime::imageReferencesInUse() {
  cri::ListContainersResponse response;
  STEER_CHECK(call(*runtime_, &Runtime::ListContainers, "ListContainers", cri::ListContainersRequest(), response));
  std::set<std::string> out;
  for (const auto& container : response.containers()) {
    out.insert(container.image_ref());
    out.insert(container.image().image());
  }
  return out;
}

Result<DiskUse> CriRuntime::imageDisk() {
  cri::ImageFsInfoResponse response;
  STEER_CHECK(call(*images_, &Images::ImageFsInfo, "ImageFsInfo", cri::ImageFsInfoRequest(), response));
  if (response.image_filesystems().empty()) return DiskUse{};
  struct statvfs disk {};
  const auto& path = response.image_filesystems(0).fs_id().mountpoint();
  if (statvfs(path.c_str(), &disk) != 0) return makeError(Errc::io, "cannot measure the disk below " + path);
  const std::uint64_t block = disk.f_frsize;
  return DiskUse{(disk.f_blocks - disk.f_bfree) * block, disk.f_blocks * block};
}

Result<void> CriRuntime::removeImage(const std::string& image) {
  cri::RemoveImageRequest request;
  request.mutable_image()->set_image(image);
  cri::RemoveImageResponse response;
  return unlessGone(call(*images_, &Images::RemoveImage, "RemoveImage", request, response, seconds(60)));
}

}  // namespace

std::unique_ptr<PodRuntime> makeCriRuntime(CriOptions options) {
  return std::make_unique<CriRuntime>(std::move(options));
}

}  // namespace steer
