#include <catch2/catch.hpp>

#include "fixture.h"

using namespace steer;

namespace {

std::vector<std::string> drain(Watch& watch) {
  static const char* kNames[] = {"added", "modified", "deleted", "bookmark", "error"};
  std::vector<std::string> out;
  while (auto event = watch.poll())
    out.push_back(std::string(kNames[static_cast<int>(event->type)]) + " " +
                  (event->object ? event->object->name() : ""));
  return out;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("An object that leaves a selector is deleted for its watchers, one that enters is added") {
  TestServer s;
  REQUIRE(s.client->write(Write::create("pods", pod("a", R"({"app":"web"})"))).ok());
  REQUIRE(s.client->write(Write::create("pods", pod("b", R"({"app":"db"})"))).ok());
  ListOptions web;
  web.labelSelector = "app=web";
  auto watch = s.client->watch("pods", web, 0, {});
  REQUIRE(watch.ok());
  CHECK(drain(**watch) == Texts{"added a"});
  const auto label = [&](const std::string& name, const std::string& app) {
    REQUIRE(s.client
                ->write(Write::patch({"pods", "default", name}, PatchType::merge,
                                     parsed(R"({"metadata":{"labels":{"app":")" + app + R"("}}})")))
                .ok());
  };
  label("a", "db");
  label("b", "web");
  CHECK(drain(**watch) == Texts{"deleted a", "added b"});
  REQUIRE(s.client->write(Write::remove({"pods", "default", "b"})).ok());
  CHECK(drain(**watch) == Texts{"deleted b"});
}

TEST_CASE("A node follows its own pods by field selector") {
  TestServer s;
  ListOptions mine;
  mine.fieldSelector = "spec.nodeName=n1";
  auto watch = s.client->watch("pods", mine, 0, {});
  REQUIRE(watch.ok());
  REQUIRE(s.client->write(Write::create("pods", pod("a"))).ok());
  REQUIRE(s.client->write(Write::create("pods", pod("b"))).ok());
  CHECK(drain(**watch).empty());
  REQUIRE(s.client->write(Write::bind("default", "a", "", "n1")).ok());
  REQUIRE(s.client->write(Write::bind("default", "b", "", "n2")).ok());
  CHECK(drain(**watch) == Texts{"added a"});
  CHECK(s.client->list("pods", mine)->items.size() == 1);
}

TEST_CASE("Pages of a list show one revision, whatever is written in between") {
  TestServer s;
  for (const char* name : {"a", "b", "c"}) REQUIRE(s.client->write(Write::create("pods", pod(name))).ok());
  ListOptions two;
  two.limit = 2;
  auto first = s.client->list("pods", two);
  REQUIRE(first.ok());
  CHECK(first->items.size() == 2);
  REQUIRE(s.client->write(Write::create("pods", pod("d"))).ok());
  two.continueToken = first->continueToken;
  auto second = s.client->list("pods", two);
  REQUIRE(second.ok());
  CHECK(second->items.size() == 1);
  CHECK(second->revision == first->revision);
  CHECK(second->continueToken.empty());
}

TEST_CASE("An old page token is gone, and the answer has a fresh one that goes on") {
  TestServer s;
  for (const char* name : {"a", "b", "c"}) REQUIRE(s.client->write(Write::create("pods", pod(name))).ok());
  auto page = s.object(s.call("GET", "/api/v1/namespaces/default/pods?limit=1"));
  CHECK(intAt(page, {"metadata", "remainingItemCount"}) == 2);
  s.clock.advance(minutes(6));
  const auto late = s.call("GET", "/api/v1/namespaces/default/pods?limit=1&continue=" +
                                      std::string(stringAt(page, {"metadata", "continue"})));
  CHECK(late.status == 410);
  const auto status = s.object(late);
  CHECK(stringAt(status, {"reason"}) == "Expired");
  auto next = s.call(
      "GET", "/api/v1/namespaces/default/pods?continue=" + std::string(stringAt(status, {"metadata", "continue"})));
  CHECK(next.status == 200);
  CHECK(arrayAt(s.object(next), {"items"}).size() == 2);
}

TEST_CASE("A watch over HTTP sends events as lines, bookmarks each minute, and ends in time") {
  TestServer s;
  auto response = s.call("GET", "/api/v1/pods?watch=1&allowWatchBookmarks=true&timeoutSeconds=90&resourceVersion=" +
                                    std::to_string(s.store->revision()));
  REQUIRE(response.stream != nullptr);
  int woken = 0;
  response.stream->setWaker([&] { ++woken; });
  CHECK(response.stream->poll().data.empty());
  REQUIRE(s.client->write(Write::create("pods", pod("a"))).ok());
  CHECK(woken > 0);
  const auto event = parsed(response.stream->poll().data);
  CHECK(stringAt(event, {"type"}) == "ADDED");
  s.clock.advance(seconds(61));
  const auto bookmark = parsed(response.stream->poll().data);
  CHECK(stringAt(bookmark, {"type"}) == "BOOKMARK");
  CHECK(stringAt(bookmark, {"object", "metadata", "resourceVersion"}) == std::to_string(s.store->revision()));
  s.clock.advance(seconds(60));
  CHECK(response.stream->poll().end);
}

TEST_CASE("A watch from a compacted revision is an event of error 410") {
  TestServer s;
  for (const char* name : {"a", "b", "c"}) REQUIRE(s.client->write(Write::create("pods", pod(name))).ok());
  REQUIRE(s.store->compact(s.store->revision()).ok());
  auto response = s.call("GET", "/api/v1/pods?watch=1&resourceVersion=1");
  REQUIRE(response.stream != nullptr);
  const auto event = parsed(response.stream->poll().data);
  CHECK(stringAt(event, {"type"}) == "ERROR");
  CHECK(intAt(event, {"object", "code"}) == 410);
}

TEST_CASE("A watch for tables sends rows, the columns once") {
  TestServer s;
  auto response = s.call("GET", "/api/v1/pods?watch=1&resourceVersion=" + std::to_string(s.store->revision()), "", "",
                         "application/json;as=Table;v=v1;g=meta.k8s.io,application/json");
  REQUIRE(response.stream != nullptr);
  REQUIRE(s.client->write(Write::create("pods", pod("a"))).ok());
  const auto first = parsed(response.stream->poll().data);
  CHECK(stringAt(first, {"object", "kind"}) == "Table");
  CHECK(arrayAt(first, {"object", "columnDefinitions"}).size() == 9);
  CHECK(arrayAt(first, {"object", "rows"}).at(0).at("cells").at(2) == "Pending");
  REQUIRE(s.client->write(Write::create("pods", pod("b"))).ok());
  const auto second = parsed(response.stream->poll().data);
  CHECK(find(second, {"object", "columnDefinitions"})->is_null());
}

TEST_CASE("A long list is written while it is sent, and is the same list") {
  TestServer s;
  for (int i = 0; i < 15; ++i)
    REQUIRE(s.client
                ->write(Write::create("configmaps",
                                      {{"apiVersion", "v1"},
                                       {"kind", "ConfigMap"},
                                       {"metadata", {{"name", "m" + std::to_string(i)}, {"namespace", "default"}}},
                                       {"data", {{"a", std::string(100'000, 'x')}}}}))
                .ok());
  auto answer = s.call("GET", "/api/v1/namespaces/default/configmaps?labelSelector=!none");
  REQUIRE(answer.stream);
  std::string text;
  std::size_t longest = 0;
  for (;;) {
    auto chunk = answer.stream->poll();
    longest = std::max(longest, chunk.data.size());
    text += chunk.data;
    if (chunk.end) break;
  }
  CHECK(text.size() > 1'500'000);
  CHECK(longest < 1'200'000);
  const auto list = parseJson(text);
  REQUIRE(list.ok());
  CHECK(stringAt(*list, {"kind"}) == "ConfigMapList");
  CHECK(arrayAt(*list, {"items"}).size() == 15);
  CHECK(s.call("GET", "/api/v1/namespaces/default/configmaps?limit=2").body.size() > 200'000);
}
