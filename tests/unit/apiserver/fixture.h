#pragma once
// A server on a store in memory, with a clock that stands still and seeded chance.
#include <string>

#include "cluster/apiserver/api_server.h"
#include "cluster/apiserver/in_process_client.h"
#include "cluster/store/store.h"

namespace steer {

struct TestServer {
  std::unique_ptr<Store> store = std::move(*Store::open(openMemoryLog(makeMemoryDisk()), {.inlineCommit = true}));
  ManualClock clock;
  Random random{7};
  ApiServer api;
  Identity admin = systemIdentity();
  std::unique_ptr<Client> client;

  explicit TestServer(ApiServerOptions options = {})
      : api(*store, clock, random, std::move(options)), client(makeInProcessClient(api, admin)) {}

  Response call(std::string method, const std::string& target, const std::string& body = "",
                const std::string& contentType = "", const std::string& accept = "") {
    Request request;
    request.method = std::move(method);
    const auto question = target.find('?');
    request.path = target.substr(0, question);
    if (question != std::string::npos) addQuery(request, target.substr(question + 1));
    if (!contentType.empty()) request.headers.emplace("content-type", contentType);
    if (!accept.empty()) request.headers.emplace("accept", accept);
    request.body = body;
    request.identity = admin;
    return api.handle(request);
  }
  json::object object(const Response& response) { return parseJson(response.body)->get_object(); }

 private:
  static void addQuery(Request& request, const std::string& text) {
    std::size_t at = 0;
    while (at < text.size()) {
      const auto end = std::min(text.find('&', at), text.size());
      const auto part = text.substr(at, end - at);
      const auto eq = part.find('=');
      request.query.emplace(part.substr(0, eq), eq == std::string::npos ? "" : part.substr(eq + 1));
      at = end + 1;
    }
  }
};

inline json::object parsed(const std::string& text) { return parseJson(text)->get_object(); }

inline json::object configMap(const std::string& name, const std::string& value = "1") {
  return parsed(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":")" + name +
                R"(","namespace":"default"},"data":{"k":")" + value + R"("}})");
}

inline json::object pod(const std::string& name, const std::string& labels = "{}") {
  return parsed(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":")" + name +
                R"(","namespace":"default","labels":)" + labels +
                R"(},"spec":{"containers":[{"name":"c","image":"nginx"}]}})");
}

inline json::object deployment(const std::string& name, int replicas = 2) {
  return parsed(R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":")" + name +
                R"(","namespace":"default"},"spec":{"replicas":)" + std::to_string(replicas) +
                R"(,"selector":{"matchLabels":{"app":")" + name + R"("}},"template":{"metadata":{"labels":{"app":")" +
                name + R"("}},"spec":{"containers":[{"name":"c","image":"nginx:1"}]}}}})");
}

inline json::object service(const std::string& name, const std::string& spec) {
  return parsed(R"({"apiVersion":"v1","kind":"Service","metadata":{"name":")" + name +
                R"(","namespace":"default"},"spec":)" + spec + "}");
}

}  // namespace steer
