#include "cluster/client/batch_codec.h"

#include <catch2/catch.hpp>

using namespace steer;

TEST_CASE("a batch arrives as it was sent") {
  json::object body{{"metadata", {{"name", "web"}, {"namespace", "shop"}}}};
  DeleteOptions gentle;
  gentle.gracePeriodSeconds = 0;
  gentle.propagation = Propagation::orphan;
  gentle.uid = "u1";
  gentle.revision = 12;
  const std::vector<Write> sent{Write::create("pods", body),
                                Write::updateStatus("pods", body),
                                Write::patch({"pods", "shop", "web"}, PatchType::json, json::array{1}),
                                Write::apply("deployments.apps", body, "steersman", true),
                                Write::remove({"nodes", "", "n1"}, gentle),
                                Write::bind("shop", "web", "u", "n1")};
  const auto wire = parseJson(encodeBatch(sent));
  REQUIRE(wire.ok());
  const auto got = decodeBatch(*wire);
  REQUIRE(got.ok());
  REQUIRE(got->size() == sent.size());
  for (std::size_t i = 0; i < sent.size(); ++i) {
    CHECK((*got)[i].verb == sent[i].verb);
    CHECK((*got)[i].target == sent[i].target);
    CHECK((*got)[i].subresource == sent[i].subresource);
    CHECK((*got)[i].body == sent[i].body);
    CHECK((*got)[i].forceConflicts == sent[i].forceConflicts);
    CHECK((*got)[i].fieldManager == sent[i].fieldManager);
  }
  CHECK((*got)[2].patchType == PatchType::json);
  CHECK((*got)[3].patchType == PatchType::apply);
  CHECK((*got)[4].deleteOptions.gracePeriodSeconds == 0);
  CHECK((*got)[4].deleteOptions.propagation == Propagation::orphan);
  CHECK((*got)[4].deleteOptions.uid == "u1");
  CHECK((*got)[4].deleteOptions.revision == 12);
}

TEST_CASE("a malformed batch names the write that is wrong") {
  const auto body = parseJson(R"({"writes":[{"verb":"create","resource":"pods"},{"verb":"drop","resource":"pods"}]})");
  CHECK(decodeBatch(*body).error().message == "writes[1]: verb \"drop\" is not create, update, patch or delete");
  CHECK(decodeBatch(*parseJson("[]")).error().code == Errc::badRequest);
  CHECK(decodeDeleteOptions(*parseJson(R"({"propagationPolicy":"Sideways"})")).error().code == Errc::badRequest);
  CHECK(decodeDeleteOptions(*parseJson(R"({"gracePeriodSeconds":-1})")).error().code == Errc::badRequest);
}

TEST_CASE("results carry objects, empty answers and errors with their causes") {
  Error refused = makeError(Errc::invalid, "Pod \"p\" is invalid");
  refused.causes.push_back({"FieldValueRequired", "spec.containers", "Required value"});
  std::vector<Result<ObjectPtr>> sent;
  sent.emplace_back(Object::make({{"kind", "Pod"}, {"metadata", {{"name", "p"}}}}));
  sent.emplace_back(ObjectPtr{});
  sent.emplace_back(refused);
  sent.emplace_back(makeError(Errc::alreadyExists, "there"));
  sent.emplace_back(makeError(Errc::cancelled, "not tried"));
  const auto got = decodeResults(*parseJson(encodeResults(sent)));
  REQUIRE(got.ok());
  REQUIRE(got->size() == 5);
  CHECK((*(*got)[0])->name() == "p");
  CHECK(*(*got)[1] == nullptr);
  CHECK((*got)[2].error().code == Errc::invalid);
  CHECK((*got)[2].error().message == refused.message);
  REQUIRE((*got)[2].error().causes.size() == 1);
  CHECK((*got)[2].error().causes[0].field == "spec.containers");
  CHECK((*got)[3].error().code == Errc::alreadyExists);
  CHECK((*got)[4].error().code == Errc::cancelled);
}
