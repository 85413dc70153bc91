// The groups above containers, the automatic volume, and which images go.
#include <catch2/catch.hpp>

#include "nodeagent/pod/api_access.h"
#include "nodeagent/pod/image_collection.h"
#include "nodeagent/pod/pod_cgroup.h"
#include "nodeagent/pod/volume_content.h"

using namespace steer;

namespace {

ObjectPtr podOf(const std::string& spec) {
  return Object::make({{"apiVersion", "v1"},
                       {"kind", "Pod"},
                       {"metadata", json::object{{"name", "web"}, {"namespace", "shop"}, {"uid", "u1"}}},
                       {"spec", json::parse(spec)}});
}

std::string container(const std::string& limits, const std::string& requests, const std::string& more = "") {
  return R"({"name":"c","resources":{"limits":{)" + limits + R"(},"requests":{)" + requests + "}}" + more + "}";
}

ImageInfo image(const std::string& id, std::uint64_t bytes) {
  ImageInfo out;
  out.id = id;
  out.digests = {"registry/" + id + "@sha256:1"};
  out.bytes = bytes;
  return out;
}

}  // namespace

TEST_CASE("a pod's group stands under its class of service") {
  const auto both = R"("cpu":"1","memory":"1Gi")";
  CHECK(podCgroupOf("/steer/a/n1", *podOf(R"({"containers":[)" + container(both, both) + "]}")) == "/steer/a/n1/podu1");
  CHECK(podCgroupOf("/steer/a/n1", *podOf(R"({"containers":[)" + container("", both) + "]}")) ==
        "/steer/a/n1/burstable/podu1");
  CHECK(podCgroupOf("/steer/a/n1", *podOf(R"({"containers":[{"name":"c"}]})")) == "/steer/a/n1/besteffort/podu1");
  CHECK(podCgroupsOf("/n", "u1").size() == 3);
}

TEST_CASE("a pod's limits are its containers' sums, and none when one container has none") {
  const auto limited = container(R"("cpu":"500m","memory":"100M")", R"("cpu":"250m")");
  const auto two = podResourcesOf(*podOf(R"({"containers":[)" + limited + "," + limited + "]}"));
  CHECK(two.cpuShares == 512);
  CHECK(two.cpuQuota == 100'000);
  CHECK(two.memoryLimit == 200'000'000);
  const auto open = podResourcesOf(*podOf(R"({"containers":[)" + limited + "," + container("", "") + "]}"));
  CHECK(open.cpuQuota == 0);
  CHECK(open.memoryLimit == 0);
  CHECK(open.cpuShares == 256);
  // A large init container runs alone; a sidecar runs beside the others.
  const auto big = container(R"("cpu":"3","memory":"1G")", "");
  CHECK(podResourcesOf(*podOf(R"({"initContainers":[)" + big + R"(],"containers":[)" + limited + "]}")).memoryLimit ==
        1'000'000'000);
  const auto sidecar = container(R"("cpu":"1","memory":"1G")", "", R"(,"restartPolicy":"Always")");
  CHECK(
      podResourcesOf(*podOf(R"({"initContainers":[)" + sidecar + R"(],"containers":[)" + limited + "]}")).memoryLimit ==
      1'100'000'000);
}

TEST_CASE("all burstable pods together weigh what they asked for") {
  const auto some = podOf(R"({"containers":[)" + container("", R"("cpu":"500m")") + "]}");
  const auto none = podOf(R"({"containers":[{"name":"c"}]})");
  CHECK(burstableShares({some, some, none}) == 1024);
  CHECK(burstableShares({none}) == 2);
}

TEST_CASE("limits are written in the words of cgroup version 1 and version 2") {
  LinuxResources r;
  r.cpuShares = 1024;
  r.cpuPeriod = 100'000;
  r.cpuQuota = 50'000;
  r.memoryLimit = 4096;
  CHECK(cgroupSettings(r, CgroupVersion::v1) ==
        std::vector<CgroupSetting>{{"cpu", "cpu.shares", "1024"},
                                   {"cpu", "cpu.cfs_period_us", "100000"},
                                   {"cpu", "cpu.cfs_quota_us", "50000"},
                                   {"memory", "memory.limit_in_bytes", "4096"}});
  CHECK(cgroupSettings(r, CgroupVersion::v2) == std::vector<CgroupSetting>{{"cpu", "cpu.weight", "39"},
                                                                           {"cpu", "cpu.max", "50000 100000"},
                                                                           {"memory", "memory.max", "4096"}});
  r.cpuShares = 2;
  CHECK(cgroupSettings(r, CgroupVersion::v2).front().value == "1");
  r.cpuShares = 262'144;
  CHECK(cgroupSettings(r, CgroupVersion::v2).front().value == "10000");
}

TEST_CASE("every pod gets the volume with its token, unless it declines or brings its own") {
  const auto plain = withApiAccess(podOf(R"({"initContainers":[{"name":"i"}],"containers":[{"name":"c"},
      {"name":"own","volumeMounts":[{"name":"v","mountPath":"/var/run/secrets/kubernetes.io/serviceaccount"}]}],
      "volumes":[{"name":"v","emptyDir":{}}]})"));
  REQUIRE(arrayAt(plain->spec(), {"volumes"}).size() == 2);
  const auto& containers = arrayAt(plain->spec(), {"containers"});
  CHECK(stringAt(arrayAt(containers[0], {"volumeMounts"})[0], {"mountPath"}) == kApiAccessPath);
  CHECK(boolAt(arrayAt(containers[0], {"volumeMounts"})[0], {"readOnly"}));
  CHECK(arrayAt(containers[1], {"volumeMounts"}).size() == 1);
  CHECK(arrayAt(arrayAt(plain->spec(), {"initContainers"})[0], {"volumeMounts"}).size() == 1);
  CHECK(withApiAccess(plain) == plain);
  const auto declining = podOf(R"({"automountServiceAccountToken":false,"containers":[{"name":"c"}]})");
  CHECK(withApiAccess(declining) == declining);
  CHECK(tokenWishesOf(*plain) == std::vector<TokenWish>{{"", 3607, true}});

  PodReferences refs;
  refs.clusterCertificate = "PEM";
  refs.serviceAccountToken = [](const TokenWish& wish) -> Result<std::string> {
    return "token for " + std::to_string(wish.seconds);
  };
  const auto& volume = arrayAt(plain->spec(), {"volumes"})[1];
  const auto content = volumeContent(*plain, volume, refs);
  REQUIRE(content.ok());
  CHECK(**content == std::vector<VolumeFile>{{"ca.crt", "PEM"}, {"namespace", "shop"}, {"token", "token for 3607"}});
  refs.serviceAccountToken = [](const TokenWish&) -> Result<std::string> {
    return makeError(Errc::notFound, "no such account");
  };
  const auto without = volumeContent(*plain, volume, refs);
  REQUIRE(without.ok());
  CHECK((**without).size() == 2);
}

TEST_CASE("a token that a pod names itself must be there, for the audience and time it names") {
  const auto pod = podOf(R"({"containers":[{"name":"c"}],"volumes":[{"name":"t","projected":{"sources":[
      {"serviceAccountToken":{"path":"vault","audience":"vault","expirationSeconds":7200}}]}}]})");
  CHECK(tokenWishesOf(*pod) == std::vector<TokenWish>{{"vault", 7200, false}});
  PodReferences refs;
  refs.serviceAccountToken = [](const TokenWish&) -> Result<std::string> {
    return makeError(Errc::unavailable, "no server");
  };
  const auto content = volumeContent(*pod, arrayAt(pod->spec(), {"volumes"})[0], refs);
  REQUIRE_FALSE(content.ok());
  CHECK(content.error().code == Errc::unavailable);
}

TEST_CASE("a full disk makes the images go that nobody used for longest, never one in use") {
  const Time now{seconds{100'000}};
  const auto ago = [&](int s) { return now - seconds(s); };
  auto pinned = image("pause", 30);
  pinned.pinned = true;
  auto imported = image("imported", 30);
  imported.digests.clear();
  const std::vector<ImageInfo> images{image("used", 30),  image("old", 5), image("older", 5),
                                      image("fresh", 30), pinned,          imported};
  const std::map<std::string, ImageTimes> times{{"used", {ago(900), ago(900)}},  {"old", {ago(900), ago(300)}},
                                                {"older", {ago(900), ago(600)}}, {"fresh", {ago(10), {}}},
                                                {"pause", {ago(900), {}}},       {"imported", {ago(900), {}}}};
  const auto chosen = [&](std::uint64_t usedBytes) {
    return imagesToRemove(images, {"used"}, times, {usedBytes, 100}, {}, now);
  };
  CHECK(chosen(84).empty());
  CHECK(chosen(85) == std::vector<std::string>{"older"});
  CHECK(chosen(95) == std::vector<std::string>{"older", "old"});
  CHECK(imagesToRemove(images, {}, {}, {99, 100}, {}, now).empty());
}

TEST_CASE("an image stays that also has a name under which no registry gave it") {
  const Time now{seconds{100'000}};
  const std::map<std::string, ImageTimes> times{{"id", {now - seconds(900), {}}}};
  const auto removed = [&](std::vector<std::string> tags, std::vector<std::string> digests) {
    ImageInfo info;
    info.id = "id";
    info.tags = std::move(tags);
    info.digests = std::move(digests);
    info.bytes = 30;
    return !imagesToRemove({info}, {}, times, {99, 100}, {}, now).empty();
  };
  CHECK(removed({"host:5000/app:1"}, {"host:5000/app@sha256:aa"}));
  CHECK(removed({}, {"host:5000/app@sha256:aa"}));
  CHECK_FALSE(removed({"host:5000/app:1", "registry.local/busybox:1"}, {"host:5000/app@sha256:aa"}));
  CHECK_FALSE(removed({"registry.local/busybox:1"}, {}));
}
