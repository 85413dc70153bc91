// Images from a private registry, and the logs of containers that write a lot.
#include <thread>

#include "nodeagent/agent/log_reader.h"
#include "real_node.h"
#include "tests/source_path.h"

using namespace steer;
using namespace steer::nodetest;

namespace {

/// A registry on the node's loopback that knows one user, "reader" with the password "pa55".
class Registry {
 public:
  explicit Registry(const std::string& dir, const std::string& layout = "oci")
      : log_(dir + "/registry.log"), fifo_(dir + "/registry.in") {
    fs::remove(dir + "/registry.port");  // the port of a former one is not this one's
    REQUIRE(std::system(("mkfifo " + fifo_).c_str()) == 0);
    const std::string script = sourcePath("tests/unit/agent/test_registry.py");
    const auto start = "python3 " + script + " " + dir + "/" + layout + " reader:pa55 " + log_ + " <" + fifo_ + " >" +
                       dir + "/registry.port &";
    REQUIRE(std::system(start.c_str()) == 0);
    open_.open(fifo_);  // the registry ends when this is closed
    REQUIRE(Cluster::eventually([&] { return !firstLine(dir + "/registry.port").empty(); }));
    host = "127.0.0.1:" + firstLine(dir + "/registry.port");
  }
  ~Registry() {
    open_.close();
    fs::remove(fifo_);
  }
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;
  /// How often the manifest of an image was asked for with the right password.
  int asked(const std::string& name) const {
    std::ifstream in(log_);
    int out = 0;
    for (std::string line; std::getline(in, line);)
      if (line.find("/v2/" + name + "/manifests/") != std::string::npos && line.ends_with(" yes")) ++out;
    return out;
  }
  std::string host;

 private:
  std::string log_;
  std::string fifo_;
  std::ofstream open_;
};

std::string encoded(const std::string& text) {
  static const char* letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 3) {
    unsigned word = 0;
    for (std::size_t k = 0; k < 3; ++k)
      word = word << 8U | (i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k) out += i + k > text.size() ? '=' : letters[word >> (18 - 6 * k) & 63U];
  }
  return out;
}

void makePullSecret(Cluster& c, const std::string& name, const std::string& registry, const std::string& password) {
  const auto config = R"({"auths":{")" + registry + R"(":{"username":"reader","password":")" + password + R"("}}})";
  c.create("secrets", R"({"apiVersion":"v1","kind":"Secret","type":"kubernetes.io/dockerconfigjson",
    "metadata":{"name":")" +
                          name + R"(","namespace":"default"},"data":{".dockerconfigjson":")" + encoded(config) +
                          R"("}})");
}

std::string imagePod(const std::string& image, const std::string& policy, const std::string& secret) {
  return R"({"terminationGracePeriodSeconds":1,"containers":[{"name":"c","image":")" + image +
         R"(","imagePullPolicy":")" + policy + R"(","command":["sleep","3600"]}])" +
         (secret.empty() ? "" : R"(,"imagePullSecrets":[{"name":")" + secret + R"("}])") + "}";
}

std::string readAll(const fs::path& directory) {
  LogReader reader(logFilesOf(directory, 0), {}, [] { return false; });
  std::string out;
  for (;;) {
    auto chunk = reader.poll();
    out += chunk.data;
    if (chunk.end || chunk.data.empty()) return out;
  }
}

}  // namespace

TEST_CASE("images come from a private registry with the pod's pull secret, as often as the pull policy says") {
  NEEDS_CONTAINERD();
  Registry registry(c.dir);
  makePullSecret(c, "right", registry.host, "pa55");
  makePullSecret(c, "wrong", registry.host, "gue55");
  const auto image = [&](const std::string& name) { return registry.host + "/" + name + ":1"; };
  c.make("first", imagePod(image("team/app"), "IfNotPresent", "right"));
  c.make("stranger", imagePod(image("team/other"), "IfNotPresent", ""));
  c.make("guesser", imagePod(image("team/third"), "Always", "wrong"));
  c.make("absent", imagePod(image("missing/app"), "Always", "right"));
  REQUIRE(c.eventually([&] { return c.isReady("first"); }));
  const int once = registry.asked("team/app");
  CHECK(once > 0);
  c.make("again", imagePod(image("team/app"), "IfNotPresent", ""));
  c.make("never", imagePod(image("team/app"), "Never", ""));
  REQUIRE(c.eventually([&] { return c.isReady("again") && c.isReady("never"); }));
  CHECK(registry.asked("team/app") == once);
  CHECK(eventSays(c, "again", "Pulled", "already present on machine"));
  c.make("always", imagePod(image("team/app"), "Always", "right"));
  REQUIRE(c.eventually([&] { return c.isReady("always"); }));
  CHECK(registry.asked("team/app") > once);
  for (const auto* name : {"stranger", "guesser", "absent"}) {
    INFO(name);
    CHECK(c.eventually([&] { return c.waiting(name) == "ErrImagePull" || c.waiting(name) == "ImagePullBackOff"; }));
    CHECK_FALSE(c.isReady(name));
  }
  CHECK(c.eventually([&] { return c.waiting("guesser") == "ImagePullBackOff"; }));
  CHECK(c.eventually([&] { return eventSays(c, "guesser", "Failed", "401"); }));
  const auto events = c.client->list("events", {});
  for (const auto& event : events->items) CHECK(jsonText(event->json()).find("gue55") == std::string::npos);
}

TEST_CASE(
    "when the disk is too full an image that nobody uses goes, and none that is used or cannot be fetched again") {
  bool collect = true;
  NEEDS_CONTAINERD_WITH([&](AgentOptions& options) {
    options.imagePeriod = seconds(1);
    if (collect) options.imageCollection = {0, 0, seconds(0)};  // any disk is too full
  });
  REQUIRE(std::system((kFixture + " extra " + c.dir).c_str()) == 0);
  Registry registry(c.dir, "oci-extra");
  makePullSecret(c, "right", registry.host, "pa55");
  const auto extra = registry.host + "/extra:1";
  c.make("user", imagePod(extra, "IfNotPresent", "right"));
  c.make("other", pod("sleep 3600"));
  c.eventually([&] { return c.isReady("user") && c.isReady("other"); });
  for (const auto* name : {"user", "other"}) {
    INFO(c.explained(name));
    REQUIRE(c.isReady(name));
  }
  usleep(2'500'000);  // two looks at the disk
  const auto there = [&](const std::string& image) { return c.runtime->imageStatus(image)->has_value(); };
  CHECK(there(extra));
  c.remove("user");
  CHECK(c.eventually([&] { return !there(extra); }));
  CHECK(there("registry.local/busybox:1"));
  CHECK(there("registry.local/pause:1"));
  CHECK(c.isReady("other"));
  collect = false;
  c.stopAgent();
  c.startAgent();
}

TEST_CASE("a log that grows is rotated by the agent and reads as one") {
  NEEDS_CONTAINERD_WITH([](AgentOptions& options) {
    options.housePeriod = seconds(1);
    options.logRotation = {4000, 3};
  });
  const auto made =
      c.make("talking", pod("i=0; while [ $i -lt 300 ]; do echo line $i; usleep 12000; i=$((i+1)); done; sleep 3600"));
  const fs::path directory = c.dir + "/agent/logs/pods/default_talking_" + made->uid() + "/c";
  REQUIRE(c.eventually([&] { return readAll(directory).ends_with("line 299\n"); }));
  CHECK(fs::exists(directory / "0.log.1"));
  CHECK_FALSE(fs::exists(directory / "0.log.4"));
  // What is kept has no gap: the last lines follow one another over all files.
  const auto text = readAll(directory);
  const int first = std::stoi(text.substr(5));
  std::string expected;
  for (int i = first; i < 300; ++i) expected += "line " + std::to_string(i) + "\n";
  CHECK(text == expected);
  CHECK(first < 200);
}
