#include "cluster/client/http_client.h"

#include <catch2/catch.hpp>

#include "cluster/client/batch_codec.h"
#include "tests/fault/injection.h"
#include "transport_fixture.h"

using namespace steer;
using namespace steer::transporttest;

namespace {

json::object podBody(const std::string& name, std::uint64_t revision) {
  return {{"apiVersion", "v1"},
          {"kind", "Pod"},
          {"metadata", {{"name", name}, {"namespace", "shop"}, {"resourceVersion", std::to_string(revision)}}}};
}

/// Sends prepared lines and then stays open, or ends.
class LineStream final : public Stream {
 public:
  LineStream(std::string text, bool end) : text_(std::move(text)), end_(end) {}
  Chunk poll() override { return {std::exchange(text_, ""), end_}; }
  void setWaker(Waker) override {}

 private:
  std::string text_;
  bool end_;
};

/// A few answers in the form of the Kubernetes API; notes the last request.
class ApiLike final : public Handler {
 public:
  Response handle(const Request& request) override {
    std::lock_guard lock(mutex);
    last = request;
    Response out;
    if (request.path == "/cacert") {
      out.body = caPem;
      out.contentType = "application/x-pem-file";
    } else if (request.path == "/api/v1/namespaces/shop/pods/none") {
      Error error = makeError(Errc::notFound, "pods \"none\" not found");
      error.causes.push_back({"Gone", "metadata.name", "really"});
      out.status = 404;
      out.body = jsonText(encodeStatus(error));
    } else if (request.hasQuery("watch")) {
      if (request.queryValue("resourceVersion") == "1") {
        out.status = 410;
        out.body = jsonText(encodeStatus(makeError(Errc::gone, "too old")));
        return out;
      }
      std::string lines;
      auto add = [&](const std::string& type, json::object object) {
        lines += jsonText(json::object{{"type", type}, {"object", std::move(object)}}) + "\n";
      };
      add("ADDED", podBody("a", 8));
      add("BOOKMARK", {{"kind", "Pod"}, {"metadata", {{"resourceVersion", "12"}}}});
      add("DELETED", podBody("a", 13));
      out.stream = std::make_unique<LineStream>(lines, request.queryValue("labelSelector") == "end");
    } else if (request.path == "/apis/steersman.dev/v1/batch") {
      std::vector<Result<ObjectPtr>> results;
      auto body = parseJson(request.body);
      const auto writes = decodeBatch(*body);
      for (const auto& write : *writes) {
        if (write.target.name == "bad") results.emplace_back(makeError(Errc::conflict, "moved"));
        else results.emplace_back(Object::make(podBody(write.target.name, 21)));
      }
      out.body = encodeResults(results);
    } else if (request.method == "GET" && request.path == "/api/v1/namespaces/shop/pods") {
      json::object bare = podBody("p1", 3);
      bare.erase("kind");
      bare.erase("apiVersion");
      out.body = jsonText(json::object{{"kind", "PodList"},
                                       {"apiVersion", "v1"},
                                       {"metadata", {{"resourceVersion", "17"}, {"continue", "next"}}},
                                       {"items", json::array{bare}}});
    } else {
      out.body = jsonText(podBody("web", 5));
    }
    return out;
  }
  Request lastRequest() {
    std::lock_guard lock(mutex);
    return last;
  }
  std::mutex mutex;
  Request last;
  std::string caPem;
};

struct Cluster {
  Cluster() : f({}, &api) { api.caPem = f.pki->caPem(); }
  std::string url() const { return "https://127.0.0.1:" + std::to_string(f.server->port()); }
  std::unique_ptr<Client> client() const {
    HttpClientOptions options;
    options.server = url();
    options.caPem = f.pki->caPem();
    return std::move(makeHttpClient(options)).value();
  }
  ApiLike api;
  Fixture f;
};

std::optional<WatchEvent> next(Watch& watch) {
  std::optional<WatchEvent> event;
  CHECK(eventually([&] {
    event = watch.poll();
    return event.has_value();
  }));
  return event;
}

}  // namespace

TEST_CASE("objects are read and written at the paths of the Kubernetes API") {
  Cluster c;
  auto client = c.client();
  const auto pod = client->get({"pods", "shop", "web"});
  REQUIRE(pod.ok());
  CHECK((*pod)->revision() == 5);
  CHECK(c.api.lastRequest().path == "/api/v1/namespaces/shop/pods/web");
  const auto missing = client->get({"pods", "shop", "none"});
  REQUIRE(!missing.ok());
  CHECK(missing.error().code == Errc::notFound);
  CHECK(missing.error().message == "pods \"none\" not found");
  CHECK(missing.error().causes.front().field == "metadata.name");
  CHECK(client->get({"gizmos", "", "x"}).error().code == Errc::notFound);

  ListOptions options;
  options.ns = "shop";
  options.labelSelector = "app=web,tier!=db";
  const auto list = client->list("pods", options);
  REQUIRE(list.ok());
  CHECK(list->revision == 17);
  CHECK(list->continueToken == "next");
  CHECK(list->items.front()->kind() == "Pod");
  CHECK(c.api.lastRequest().queryValue("labelSelector") == "app=web,tier!=db");

  REQUIRE(
      client
          ->write(Write::apply("deployments.apps", {{"metadata", {{"name", "d"}, {"namespace", "shop"}}}}, "me", true))
          .ok());
  auto seen = c.api.lastRequest();
  CHECK(seen.method == "PATCH");
  CHECK(seen.path == "/apis/apps/v1/namespaces/shop/deployments/d");
  CHECK(seen.header("content-type") == "application/apply-patch+yaml");
  CHECK(seen.queryValue("fieldManager") == "me");
  CHECK(seen.queryValue("force") == "true");
  REQUIRE(client->write(Write::bind("shop", "web", "u", "n1")).ok());
  CHECK(c.api.lastRequest().path == "/api/v1/namespaces/shop/pods/web/binding");
  REQUIRE(client->write(Write::create("pods", podBody("web", 0))).ok());
  CHECK(c.api.lastRequest().path == "/api/v1/namespaces/shop/pods");
  DeleteOptions gentle;
  gentle.gracePeriodSeconds = 7;
  REQUIRE(client->write(Write::remove({"nodes", "", "n1"}, gentle)).ok());
  seen = c.api.lastRequest();
  CHECK(seen.method == "DELETE");
  CHECK(intAt(*parseJson(seen.body), {"gracePeriodSeconds"}) == 7);
}

TEST_CASE("a batch is one request with one result per write") {
  Cluster c;
  auto client = c.client();
  const auto results = client->batch(
      {Write::create("pods", podBody("ok", 0)), Write::create("pods", podBody("bad", 0))}, {OnError::stop, true});
  REQUIRE(results.size() == 2);
  CHECK((*results[0])->name() == "ok");
  CHECK(results[1].error().code == Errc::conflict);
  CHECK(c.api.lastRequest().queryValue("dryRun") == "All");
  CHECK(c.api.lastRequest().queryValue("onError") == "stop");
}

TEST_CASE("a watch delivers events and bookmarks, wakes, and ends with the connection") {
  Cluster c;
  auto client = c.client();
  std::atomic<int> woken{0};
  auto watch = client->watch("pods", {}, 7, [&] { ++woken; });
  REQUIRE(watch.ok());
  const auto added = next(**watch), bookmark = next(**watch), deleted = next(**watch);
  CHECK(added->type == WatchEvent::Type::added);
  CHECK(added->object->name() == "a");
  CHECK(bookmark->type == WatchEvent::Type::bookmark);
  CHECK(bookmark->revision == 12);
  CHECK(deleted->type == WatchEvent::Type::deleted);
  CHECK(deleted->revision == 13);
  CHECK(woken > 0);
  CHECK(!(*watch)->closed());
  c.f.server->stop();
  const auto error = next(**watch);
  CHECK(error->type == WatchEvent::Type::error);
  CHECK(eventually([&] { return (*watch)->closed(); }));
}

TEST_CASE("a stream that ends closes its watch, and one that is too old says so") {
  Cluster c;
  auto client = c.client();
  ListOptions ending;
  ending.labelSelector = "end";
  auto watch = client->watch("pods", ending, 7, nullptr);
  REQUIRE(watch.ok());
  for (int i = 0; i < 3; ++i) next(**watch);
  CHECK(eventually([&] { return (*watch)->closed(); }));
  auto old = client->watch("pods", {}, 1, nullptr);
  REQUIRE(old.ok());
  const auto event = next(**old);
  REQUIRE(event->error);
  CHECK(event->error->code == Errc::gone);
  CHECK(event->error->message == "too old");
}

TEST_CASE("many watches share one thread, and outlive their client without harm") {
  Cluster c;
  auto client = c.client();
  std::vector<std::unique_ptr<Watch>> watches;
  for (int i = 0; i < 50; ++i) watches.push_back(std::move(client->watch("pods", {}, 7, nullptr)).value());
  for (auto& watch : watches) CHECK(next(*watch)->object->name() == "a");
  watches.resize(25);
  client.reset();
  for (auto& watch : watches) {
    while (watch->poll()) continue;
    CHECK(watch->closed());
  }
}

TEST_CASE("a server that is not there is unavailable, and the message says which") {
  HttpClientOptions options;
  options.server = "https://127.0.0.1:1/";
  auto client = makeHttpClient(options);
  REQUIRE(client.ok());
  const auto answer = (*client)->get({"pods", "a", "b"});
  REQUIRE(!answer.ok());
  CHECK(answer.error().code == Errc::unavailable);
  CHECK(answer.error().message.find("https://127.0.0.1:1") != std::string::npos);
  options.server = "ftp://x";
  CHECK(makeHttpClient(options).error().code == Errc::invalid);
}

TEST_CASE("a join token trusts the server whose CA has its hash, and no other") {
  Cluster c;
  const auto secret = c.f.tokens->secretFor("robot", {"system:nodes"});
  HttpClientOptions options;
  options.server = c.url();
  options.token = "steer1." + c.f.pki->caHash() + "." + *secret;
  auto client = makeHttpClient(options);
  const auto pod = (*client)->get({"pods", "shop", "web"});
  REQUIRE(pod.ok());
  CHECK(c.api.lastRequest().identity.user == "robot");

  options.token = "steer1." + std::string(64, '0') + "." + *secret;
  auto wary = makeHttpClient(options);
  const auto refused = (*wary)->get({"pods", "shop", "web"});
  REQUIRE(!refused.ok());
  CHECK(refused.error().code == Errc::unauthorized);
  CHECK(refused.error().message.find(*secret) == std::string::npos);
  CHECK(c.api.lastRequest().path == "/cacert");
  CHECK(c.api.lastRequest().header("authorization").empty());
}

TEST_CASE("a server of another authority is not trusted") {
  Cluster c, other;
  HttpClientOptions options;
  options.server = c.url();
  options.caPem = other.f.pki->caPem();
  CHECK((*makeHttpClient(options))->get({"pods", "shop", "web"}).error().code == Errc::unauthorized);
}

TEST_CASE("the kubeconfig that the server writes opens the server, as the user it names") {
  Cluster c;
  const auto pair = c.f.pki->client("admin", {"system:masters"});
  REQUIRE(pair.ok());
  const auto path = c.f.write("kubeconfig", kubeconfigText(c.url(), c.f.pki->caPem(), "admin", *pair));
  const auto options = readKubeconfig(path);
  REQUIRE(options.ok());
  CHECK(options->server == c.url());
  auto client = makeHttpClient(*options);
  REQUIRE((*client)->get({"pods", "shop", "web"}).ok());
  CHECK(c.api.lastRequest().identity.user == "admin");
  CHECK(readKubeconfig(path, "other").error().message.find("other") != std::string::npos);
  CHECK(readKubeconfig(c.f.dir + "/missing").error().code == Errc::io);
  const auto files =
      c.f.write("files",
                "current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]\n"
                "clusters: [{name: c, cluster: {server: 'https://h:1', certificate-authority: pki/ca.crt}}]\n"
                "users: [{name: u, user: {token: abc}}]\n");
  const auto fromFiles = readKubeconfig(files);
  REQUIRE(fromFiles.ok());
  CHECK(fromFiles->caPem == c.f.pki->caPem());
  CHECK(fromFiles->token == "abc");
}

TEST_CASE("a fault in the client ends one request or one watch, and the next works") {
  Cluster c;
  for (const auto what : faulttest::kThrown) {
    {
      const auto client = c.client();
      const faulttest::Injection injected("the answer to a request", what);
      CHECK_FALSE(client->get({"pods", "shop", "web"}).ok());
      CHECK(injected.done());
      CHECK(client->get({"pods", "shop", "web"}).ok());
    }
    for (const std::string place : {"a watch over HTTP", "what a watch receives", "the reader of watches"}) {
      INFO(place << ": " << faulttest::textOf(what));
      const faulttest::Injection injected(place, what);
      const auto client = c.client();
      auto first = client->watch("pods", {}, 7, [] {});
      REQUIRE(first.ok());
      // The reader begins again by itself, so that the watch need not end; else it must say that it has.
      CHECK(eventually([&] { return (*first)->poll() || (*first)->closed(); }));
      CHECK(injected.done());
      auto second = client->watch("pods", {}, 7, [] {});
      REQUIRE(second.ok());
      CHECK(next(**second));
    }
  }
}
