#include "cli/cluster/application_runner.h"

#include "cli/manifests.h"
#include "core/executor.h"
#include "core/loop.h"
#include "reconciler/loop/application_loop.h"

namespace steer::cli {

struct ApplicationRunner::State {
  ThreadPool pool{1};
  std::unique_ptr<ApplicationLoop> loop;
  std::unique_ptr<LoopThread> thread;
};

ApplicationRunner::ApplicationRunner(SourceOptions source, const std::string& dataDir, Client& client,
                                     const Clock& clock)
    : state_(std::make_unique<State>()) {
  ApplicationOptions options;
  options.source = std::move(source);
  options.dataDir = dataDir;
  auto renderer = makeRenderer(client, options.name, options.source.path);
  state_->loop = std::make_unique<ApplicationLoop>(options, std::move(renderer), client, state_->pool);
  state_->thread = std::make_unique<LoopThread>(*state_->loop, clock);
}

ApplicationRunner::~ApplicationRunner() { state_->thread.reset(); }

}  // namespace steer::cli
