#include "nodeagent/agent/agent_server.h"

#include <charconv>

#include "cluster/apiserver/transport/authenticator.h"
#include "cluster/apiserver/transport/certificate.h"
#include "core/json.h"
#include "core/rfc3339.h"
#include "net/http/http_server.h"
#include "nodeagent/agent/log_files.h"
#include "nodeagent/agent/log_reader.h"

namespace steer {
namespace {

Response failure(const Error& error) {
  const auto& facts = factsOf(error.code);
  Response out;
  out.status = facts.httpStatus;
  out.body = jsonText(json::object{{"kind", "Status"},
                                   {"apiVersion", "v1"},
                                   {"status", "Failure"},
                                   {"message", error.message},
                                   {"reason", json::string(jkey(facts.reason))},
                                   {"code", facts.httpStatus}});
  return out;
}

std::optional<std::int64_t> number(const Request& request, const std::string& key) {
  const auto text = request.queryValue(key);
  std::int64_t n = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (text.empty() || ec != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return n;
}

/// A name that may be one step of a path: no separator, no parent.
bool safeStep(const std::string& step) {
  return !step.empty() && step != "." && step != ".." && step.find('/') == std::string::npos &&
         step.find('\0') == std::string::npos;
}

class LogHandler final : public Handler {
 public:
  LogHandler(std::string root, AgentServer::IsRunning isRunning)
      : root_(std::move(root)), isRunning_(std::move(isRunning)) {}

  Response handle(const Request& request) override {
    if (request.identity.user != kApiServerUser)
      return failure(makeError(Errc::forbidden, "only the API server may ask a node's agent"));
    if (request.method != "GET" || request.path != "/containerLogs")
      return failure(makeError(Errc::notFound, "no such path on an agent: " + request.path));
    return logs(request);
  }
  /// Nobody but the API server has anything to send here.
  HeadVerdict judge(const Request& head) override {
    if (head.identity.user == kApiServerUser) return {};
    return {failure(makeError(Errc::forbidden, "only the API server may ask a node's agent")), 0};
  }
  Response refuse(const Error& error) override { return failure(error); }

 private:
  Response logs(const Request& request) {
    const auto ns = request.queryValue("namespace"), pod = request.queryValue("pod"), uid = request.queryValue("uid"),
               container = request.queryValue("container");
    for (const auto& step : {ns, pod, uid, container})
      if (!safeStep(step)) return failure(makeError(Errc::badRequest, "namespace, pod, uid and container are needed"));
    const auto dir = podLogDirectory(root_, ns, pod, uid) / container;
    const auto attempts = logAttempts(dir);
    const bool previous = request.queryBool("previous");
    if (attempts.empty())
      return failure(makeError(Errc::badRequest, "container \"" + container + "\" in pod \"" + pod +
                                                     "\" is waiting to start: it has no log yet"));
    if (previous && attempts.size() < 2)
      return failure(makeError(Errc::badRequest,
                               "previous terminated container \"" + container + "\" in pod \"" + pod + "\" not found"));
    const auto attempt = attempts[attempts.size() - (previous ? 2 : 1)];
    LogReadOptions options;
    options.follow = request.queryBool("follow") && !previous;
    options.timestamps = request.queryBool("timestamps");
    options.tailLines = number(request, "tailLines");
    options.limitBytes = number(request, "limitBytes");
    if (const auto since = request.queryValue("sinceTime"); !since.empty()) options.since = parseTime(since);
    Response out;
    out.contentType = "text/plain";
    out.stream = std::make_unique<LogReader>(logFilesOf(dir, attempt), options, [running = isRunning_, uid, container] {
      return running && running(uid, container);
    });
    return out;
  }

  std::string root_;
  AgentServer::IsRunning isRunning_;
};

}  // namespace

struct AgentServer::State {
  std::unique_ptr<TokenFile> noTokens;
  std::unique_ptr<Authenticator> authenticator;
  std::unique_ptr<LogHandler> handler;
  std::string caPem;
  std::unique_ptr<HttpServer> http;
};

AgentServer::AgentServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

AgentServer::~AgentServer() {
  if (state_->http) state_->http->stop();
}

Result<std::unique_ptr<AgentServer>> AgentServer::start(Options options, IsRunning isRunning, Time now) {
  auto state = std::make_unique<State>();
  CertificateRequest request;
  request.commonName = "steersman-agent";
  request.names = {options.address};
  request.use = CertificateRequest::Use::server;
  STEER_TRY(const auto pair, makeCertificate(request, nullptr, now));
  state->caPem = options.caPem;
  STEER_TRY(state->noTokens, TokenFile::open(options.logRoot + "/no-tokens"));
  STEER_TRY(const auto caHash, certificateHash(options.caPem));
  state->authenticator = std::make_unique<Authenticator>(*state->noTokens, caHash);
  state->handler = std::make_unique<LogHandler>(options.logRoot, std::move(isRunning));
  HttpServerOptions http;
  http.listen = {options.address + ":" + std::to_string(options.port)};
  STEER_TRY(state->http, HttpServer::start(*state->handler, state->authenticator->identifier(),
                                           {pair.certificatePem, pair.keyPem, options.caPem}, http));
  return std::unique_ptr<AgentServer>(new AgentServer(std::move(state)));
}

int AgentServer::port() const { return state_->http->port(); }

Result<void> AgentServer::serve(const std::string& certificatePem, const std::string& keyPem) {
  return state_->http->useCredentials({certificatePem, keyPem, state_->caPem});
}

}  // namespace steer
