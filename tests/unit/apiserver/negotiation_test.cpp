// Which media types are answered, and 406 where none of those asked for is.
#include <catch2/catch.hpp>

#include "cluster/apiserver/negotiation.h"
#include "fixture.h"
#include "schemas/protobuf.h"

using namespace steer;

namespace {

constexpr const char* kMaps = "/api/v1/namespaces/default/configmaps";
constexpr const char* kReviews = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
constexpr const char* kTableOnly = "application/json;as=Table;v=v1;g=meta.k8s.io";
const std::string kProtobuf(kProtobufType);

std::string textAt(const json::object& object, std::initializer_list<std::string_view> path) {
  return std::string(stringAt(object, path));
}

json::object decoded(const std::string& body) {
  const auto out = decodeProtobuf(SchemaRegistry::builtin(), body);
  INFO((out.ok() ? "" : out.error().message));
  REQUIRE(out.ok());
  return *out;
}

/// The object of the first frame.
json::object frameObject(const std::string& data, const std::string& type) {
  REQUIRE(data.size() > 4);
  const auto at = data.find("k8s");
  REQUIRE(at != std::string::npos);
  CHECK(data.substr(4, at).find(type) != std::string::npos);
  std::size_t size = 0;
  for (int i = 0; i < 4; ++i) size = size << 8 | static_cast<unsigned char>(data[static_cast<std::size_t>(i)]);
  CHECK(size + 4 <= data.size());
  return decoded(data.substr(at, size + 4 - at));
}

}  // namespace

TEST_CASE("Ranges are taken by their quality, then in their order; unknown ones are passed over") {
  const Offer all{.yaml = true, .protobuf = true, .transforms = true};
  CHECK(wantedOf("", all).coding == Wanted::Coding::json);
  CHECK(wantedOf("text/html, */*;q=0.1", all).coding == Wanted::Coding::json);
  CHECK(wantedOf("application/json;q=0.5, application/yaml", all).coding == Wanted::Coding::yaml);
  CHECK(wantedOf("application/vnd.kubernetes.protobuf,application/json", all).coding == Wanted::Coding::protobuf);
  CHECK(wantedOf("application/vnd.kubernetes.protobuf,application/json", {}).coding == Wanted::Coding::json);
  CHECK(wantedOf("application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io,application/json", all).form ==
        Wanted::Form::object);
  CHECK(wantedOf("application/json;as=Table;v=v1beta1;g=meta.k8s.io", all).form == Wanted::Form::table);
  for (const auto* refused : {"text/html", "application/json;q=0", "application/json;as=Table;v=v9;g=meta.k8s.io",
                              "application/json;as=Table;g=meta.k8s.io", "application/json;as=Chart;v=v1;g=meta.k8s.io",
                              "application/cbor"}) {
    INFO(refused);
    CHECK_FALSE(wantedOf(refused, all).acceptable);
  }
}

TEST_CASE("What cannot be served is 406 for every verb, with the types that can, and nothing is written") {
  TestServer s;
  REQUIRE(s.client->write(Write::create("configmaps", configMap("a"))).ok());
  const auto body = jsonText(configMap("b"));
  const std::string one = std::string(kMaps) + "/a";
  const std::vector<Response> answers = [&] {
    std::vector<Response> out;
    for (const std::string& target : {std::string(kMaps), one, std::string(kMaps) + "?watch=1"})
      out.push_back(s.call("GET", target, "", "", "text/html"));
    out.push_back(s.call("POST", kMaps, body, "application/json", "application/cbor"));
    out.push_back(s.call("PUT", one, jsonText(configMap("a", "9")), "application/json", "image/png"));
    out.push_back(s.call("PATCH", one, "{}", "application/merge-patch+json", "image/png"));
    out.push_back(s.call("DELETE", one, "", "", "image/png"));
    out.push_back(s.call("DELETE", kMaps, "", "", "image/png"));
    out.push_back(s.call("GET", std::string(kMaps) + "?watch=1", "", "", "application/yaml"));
    out.push_back(s.call("POST", kReviews, R"({"spec":{"nonResourceAttributes":{"path":"/","verb":"get"}}})",
                         "application/json", kTableOnly));
    out.push_back(s.call("GET", "/apis", "", "", "text/html"));
    out.push_back(s.call("GET", "/api/v1", "", "", "text/html"));
    return out;
  }();
  for (std::size_t i = 0; i < answers.size(); ++i) {
    INFO(i);
    CHECK(answers[i].status == 406);
    const auto status = s.object(answers[i]);
    CHECK(stringAt(status, {"reason"}) == "NotAcceptable");
    CHECK(stringAt(status, {"message"}).find("application/json") != std::string_view::npos);
  }
  CHECK(s.client->get({"configmaps", "default", "a"}).ok());
  CHECK_FALSE(s.client->get({"configmaps", "default", "b"}).ok());
}

TEST_CASE("Built-in kinds are answered in protobuf: objects, lists, metadata alone, writes, errors and reviews") {
  TestServer s;
  const auto made = s.call("POST", kMaps, jsonText(configMap("a")), "application/json", kProtobuf);
  CHECK(made.status == 201);
  CHECK(made.contentType == kProtobuf);
  CHECK(textAt(decoded(made.body), {"data", "k"}) == "1");
  const auto got = s.call("GET", std::string(kMaps) + "/a", "", "", kProtobuf + ",application/json");
  CHECK(got.contentType == kProtobuf);
  CHECK(jsonCanonical(decoded(got.body)) == jsonCanonical(s.object(s.call("GET", std::string(kMaps) + "/a"))));
  const auto list = s.call("GET", kMaps, "", "", kProtobuf);
  CHECK(list.contentType == kProtobuf);
  CHECK(list.body.find("ConfigMapList") != std::string::npos);
  const auto partial = s.call("GET", kMaps, "", "", kProtobuf + ";as=PartialObjectMetadataList;v=v1;g=meta.k8s.io");
  CHECK(partial.contentType == kProtobuf);
  CHECK(partial.body.find("PartialObjectMetadataList") != std::string::npos);
  const auto missing = s.call("GET", std::string(kMaps) + "/zzz", "", "", kProtobuf);
  CHECK(missing.status == 404);
  CHECK(textAt(decoded(missing.body), {"reason"}) == "NotFound");
  const auto review = s.call("POST", kReviews, R"({"spec":{"resourceAttributes":{"verb":"get","resource":"pods"}}})",
                             "application/json", kProtobuf);
  CHECK(review.status == 201);
  CHECK(boolAt(decoded(review.body), {"status", "allowed"}));
  const auto gone = s.call("DELETE", std::string(kMaps) + "/a", "", "", kProtobuf);
  CHECK(textAt(decoded(gone.body), {"status"}) == "Success");
}

TEST_CASE("Kinds of our own have no protobuf: JSON where it is asked for too, else 406") {
  TestServer s;
  const std::string path = "/apis/steersman.dev/v1/applications";
  CHECK(s.call("GET", path, "", "", kProtobuf + ",application/json").contentType == "application/json");
  CHECK(s.call("GET", path, "", "", kProtobuf).status == 406);
}

TEST_CASE("A watch in protobuf sends frames: events, bookmarks and errors") {
  TestServer s;
  auto response = s.call("GET",
                         "/api/v1/pods?watch=1&allowWatchBookmarks=true&timeoutSeconds=90&resourceVersion=" +
                             std::to_string(s.store->revision()),
                         "", "", kProtobuf + ";stream=watch," + kProtobuf);
  CHECK(response.contentType == kProtobuf + ";stream=watch");
  REQUIRE(response.stream != nullptr);
  REQUIRE(s.client->write(Write::create("pods", pod("a"))).ok());
  CHECK(textAt(frameObject(response.stream->poll().data, "ADDED"), {"metadata", "name"}) == "a");
  s.clock.advance(seconds(61));
  CHECK(textAt(frameObject(response.stream->poll().data, "BOOKMARK"), {"metadata", "resourceVersion"}) ==
        std::to_string(s.store->revision()));
  REQUIRE(s.store->compact(s.store->revision()).ok());
  auto late = s.call("GET", "/api/v1/pods?watch=1&resourceVersion=1", "", "", kProtobuf);
  REQUIRE(late.stream != nullptr);
  CHECK(intAt(frameObject(late.stream->poll().data, "ERROR"), {"code"}) == 410);
}
