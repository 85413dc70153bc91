// A program for a container: answers gRPC health checks on the port it is given. "bad" is not serving, all else is.
#include <grpcpp/grpcpp.h>

#include <string>

#include "nodeagent/runtime/cri/health.grpc.pb.h"

namespace {

namespace health = grpc::health::v1;

class Answers final : public health::Health::Service {
  grpc::Status Check(grpc::ServerContext*, const health::HealthCheckRequest* asked,
                     health::HealthCheckResponse* answer) override {
    answer->set_status(asked->service() == "bad" ? health::HealthCheckResponse::NOT_SERVING
                                                 : health::HealthCheckResponse::SERVING);
    return grpc::Status::OK;
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  Answers answers;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("0.0.0.0:" + std::string(argv[1]), grpc::InsecureServerCredentials());
  builder.RegisterService(&answers);
  const auto server = builder.BuildAndStart();
  if (!server) return 1;
  server->Wait();
}
