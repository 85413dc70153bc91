#include "nodeagent/runtime/network_check.h"

#include <grpc/support/time.h>
#include <grpcpp/grpcpp.h>
#include <httplib.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <memory>

#include "nodeagent/runtime/cri/health.grpc.pb.h"

namespace steer {

namespace {

template <class HttpClient>
CheckOutcome ask(HttpClient& http, const CheckRequest& request) {
  const auto micros = request.timeout.count();
  http.set_connection_timeout(micros / 1'000'000, micros % 1'000'000);
  http.set_read_timeout(micros / 1'000'000, micros % 1'000'000);
  http.set_write_timeout(micros / 1'000'000, micros % 1'000'000);
  http.set_keep_alive(false);
  httplib::Headers headers{{"User-Agent", "kube-probe/1.33"}, {"Accept", "*/*"}};
  for (const auto& [name, value] : request.headers) {
    headers.erase(name);
    headers.emplace(name, value);
  }
  const auto answer =
      http.Get(request.path.empty() ? "/" : request.path, headers, [](const char*, std::size_t) { return true; });
  if (!answer) return {false, request.scheme + " probe failed: " + httplib::to_string(answer.error())};
  if (answer->status >= 200 && answer->status < 400) return {true, ""};
  return {false, "HTTP probe failed with statuscode: " + std::to_string(answer->status)};
}

CheckOutcome checkHttp(const CheckRequest& request) {
  if (request.scheme == "HTTPS") {
    httplib::SSLClient https(request.host, request.port);
    https.enable_server_certificate_verification(false);
    return ask(https, request);
  }
  httplib::Client http(request.host, request.port);
  return ask(http, request);
}

CheckOutcome checkTcp(const CheckRequest& request) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int rc = getaddrinfo(request.host.c_str(), std::to_string(request.port).c_str(), &hints, &found);
  if (rc != 0) return {false, std::string("cannot resolve ") + request.host + ": " + gai_strerror(rc)};
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  const int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return {false, std::string("socket: ") + std::strerror(errno)};
  CheckOutcome out{true, ""};
  if (connect(fd, found->ai_addr, found->ai_addrlen) != 0) {
    pollfd waiting{fd, POLLOUT, 0};
    int error = errno;
    if (error == EINPROGRESS) {
      error = ETIMEDOUT;
      socklen_t length = sizeof error;
      if (poll(&waiting, 1, static_cast<int>(request.timeout / milliseconds(1))) > 0)
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
    }
    if (error != 0)
      out = {false, "dial tcp " + request.host + ":" + std::to_string(request.port) + ": " + std::strerror(error)};
  }
  close(fd);
  return out;
}

CheckOutcome checkGrpc(const CheckRequest& request) {
  const auto channel =
      grpc::CreateChannel(request.host + ":" + std::to_string(request.port), grpc::InsecureChannelCredentials());
  const auto health = grpc::health::v1::Health::NewStub(channel);
  grpc::ClientContext context;
  context.set_deadline(
      gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_micros(request.timeout.count(), GPR_TIMESPAN)));
  grpc::health::v1::HealthCheckRequest ask;
  ask.set_service(request.service);
  grpc::health::v1::HealthCheckResponse answer;
  const auto status = health->Check(&context, ask, &answer);
  if (!status.ok()) return {false, "gRPC probe failed: " + status.error_message()};
  if (answer.status() == grpc::health::v1::HealthCheckResponse::SERVING) return {true, ""};
  return {false, "service unhealthy (responded with status " + std::to_string(static_cast<int>(answer.status())) + ")"};
}

}  // namespace

CheckOutcome checkOverNetwork(const CheckRequest& request) {
  switch (request.kind) {
    case CheckKind::http:
      return checkHttp(request);
    case CheckKind::tcp:
      return checkTcp(request);
    case CheckKind::grpc:
      return checkGrpc(request);
    case CheckKind::exec:
      break;
  }
  return {false, "not a network check"};
}

}  // namespace steer
