#include "cli/cluster/application_runner.h"

#include "cli/cluster/data_dir.h"
#include "cli/manifests.h"
#include "core/executor.h"
#include "core/loop.h"
#include "reconciler/git/remote_url.h"
#include "reconciler/loop/applications_loop.h"

namespace steer::cli {
namespace {

constexpr std::size_t kJobs = 4;  ///< renderings, and clones of what is on this machine, worked on at a time

/// A password in the address goes into a file of its own, since the address itself is for all to see.
Result<RemoteCredentials> rootCredentials(const SourceOptions& source, const std::string& dataDir) {
  STEER_TRY(const auto url, RemoteUrl::parse(source.url));
  RemoteCredentials out = source.credentials;
  if (url.kind != RemoteUrl::Kind::ssh && !url.user.empty()) out.username = url.user;
  if (url.password.empty() || !out.passwordFile.empty()) return out;
  out.passwordFile = dataDir + "/root-password";
  std::error_code ec;
  std::filesystem::create_directories(dataDir, ec);
  STEER_CHECK(writeFileAtomically(out.passwordFile, url.password + "\n"));
  return out;
}

}  // namespace

struct ApplicationRunner::State {
  explicit State(const Clock& clock) : transfers(clock) {}

  ThreadPool pool{kJobs};
  TransferLanes transfers;
  std::unique_ptr<ApplicationsLoop> loop;
  std::unique_ptr<LoopThread> thread;
};

ApplicationRunner::ApplicationRunner(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<ApplicationRunner>> ApplicationRunner::start(std::optional<SourceOptions> root,
                                                                    std::vector<std::string> allowedSources,
                                                                    const std::string& dataDir, Client& client,
                                                                    const Clock& clock) {
  ApplicationsOptions options;
  options.dataDir = dataDir;
  options.allowedSources = std::move(allowedSources);
  if (root) {
    options.rootUrl = root->url;
    STEER_TRY(options.rootCredentials, rootCredentials(*root, dataDir));
    STEER_CHECK(applyRootApplication(client, *root));
  }
  auto state = std::make_unique<State>(clock);
  options.transfers = &state->transfers;
  state->loop = std::make_unique<ApplicationsLoop>(
      std::move(options), [&client](const RenderTarget& target) { return makeRenderer(client, target); }, client,
      state->pool);
  state->thread = std::make_unique<LoopThread>(*state->loop, clock);
  return std::unique_ptr<ApplicationRunner>(new ApplicationRunner(std::move(state)));
}

ApplicationRunner::~ApplicationRunner() { state_->thread.reset(); }

}  // namespace steer::cli
