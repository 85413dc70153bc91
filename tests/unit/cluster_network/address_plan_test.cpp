#include "cluster/network/address_plan.h"

#include <catch2/catch.hpp>
#include <set>
#include <vector>

using namespace steer;

TEST_CASE("an address is four numbers up to 255 and nothing else") {
  CHECK(ipv4Text(*parseIpv4("10.244.1.7")) == "10.244.1.7");
  for (const auto* bad : {"", "10.1.1", "10.1.1.256", "10.1.1.1.1", "10.1.1.1 ", "a.b.c.d", "10..1.1", "-1.0.0.0"})
    CHECK_FALSE(parseIpv4(bad));
}

TEST_CASE("a range forgets host bits and knows what it overlaps") {
  const auto range = *Cidr::parse("10.1.2.3/16");
  CHECK(range.text() == "10.1.0.0/16");
  CHECK(range.overlaps(*Cidr::parse("10.1.255.0/24")));
  CHECK(Cidr::parse("10.1.255.0/24")->overlaps(range));
  CHECK_FALSE(range.overlaps(*Cidr::parse("10.2.0.0/16")));
  CHECK(Cidr::parse("0.0.0.0/0")->overlaps(range));
  CHECK_FALSE(Cidr::parse("10.1.0.0/33"));
}

TEST_CASE("the ranges of a plan are apart from each other, and its names fit into the kernel's 15 characters") {
  for (const auto* seed : {"/var/lib/steersman", "/tmp/a", "/tmp/b", ""}) {
    const auto plan = AddressPlan::of(seed);
    CHECK_FALSE(plan.nodeSubnet.overlaps(plan.podCidr));
    CHECK_FALSE(plan.podCidr.overlaps(plan.serviceCidr));
    CHECK_FALSE(plan.nodeSubnet.overlaps(plan.serviceCidr));
    CHECK(plan.bridge().size() <= 15);
    CHECK(plan.veth(AddressPlan::maxNodes).size() <= 15);
    CHECK(plan.nodeSubnet.contains(*parseIpv4(plan.nodeAddress(AddressPlan::maxNodes))));
  }
  CHECK(AddressPlan::of("/tmp/a").bridge() != AddressPlan::of("/tmp/b").bridge());
}

TEST_CASE("a plan that clashes with the machine's own networks is passed over for the next free one") {
  const auto first = AddressPlan::of("/data");
  const std::vector<Cidr> used{first.podCidr, *Cidr::parse("192.168.0.0/16")};
  const auto next = AddressPlan::pickFree("/data", used);
  REQUIRE(next.ok());
  CHECK(next->podCidr != first.podCidr);
  CHECK(next->tag == first.tag);
  CHECK_FALSE(next->overlaps(used[0]));
  const std::vector<Cidr> everything{*Cidr::parse("10.0.0.0/8")};
  CHECK_FALSE(AddressPlan::pickFree("/data", everything).ok());
}

TEST_CASE("a recorded plan reads back as it was, and a damaged record is refused") {
  const auto plan = AddressPlan::of("/data");
  CHECK(AddressPlan::fromJson(plan.toJson()).valueOr({}) == plan);
  auto damaged = plan.toJson();
  damaged["tag"] = "../../x";
  CHECK_FALSE(AddressPlan::fromJson(damaged).ok());
  damaged = plan.toJson();
  damaged["podCIDR"] = "10.0.0.0/8";
  CHECK_FALSE(AddressPlan::fromJson(damaged).ok());
}
