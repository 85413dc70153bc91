// Applications of one repository share its clone and its polls; nobody reads what others' credentials opened.
#include "git/test_servers.h"
#include "loop/world.h"
#include "reconciler/plan/fingerprint.h"

using namespace steer;
namespace fs = std::filesystem;

namespace {

std::vector<std::string> clonesIn(const std::string& data) {
  std::vector<std::string> out;
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(data + "/git", ec)) out.push_back(entry.path().filename().string());
  return out;
}

/// A second repository behind a password, served over HTTPS; the root's own is a directory.
struct Served {
  World w;
  HttpsServer server{w.dir};
  TempRepository repo{w.dir, "repos/repo"};

  Served() {
    useTestTransfer();
    repo.remoteGit("config http.receivepack true");
    w.repo.write("ns.yaml", namespaceShop());
    w.repo.push("First");
    w.run(seconds(1));
  }
  void makeSecret(const std::string& ns) const {
    const json::object data{{"username", "ada"}, {"password", "secret"}, {"ca.crt", readFile(server.authority())}};
    REQUIRE(w.cluster.client
                ->write(Write::create("secrets", {{"apiVersion", "v1"},
                                                  {"kind", "Secret"},
                                                  {"metadata", {{"name", "login"}, {"namespace", ns}}},
                                                  {"stringData", data}}))
                .ok());
  }
  json::object source(const std::string& path, bool withSecret = true) const {
    json::object out{{"url", server.url("auth")}, {"path", path}, {"interval", "10s"}};
    if (withSecret) out["secretRef"] = json::object{{"name", "login"}};
    return out;
  }
  /// Conversations about reading: each asks once, without a password, and once with it.
  int polls() const {
    std::istringstream lines(server.requests());
    int out = 0;
    for (std::string line; std::getline(lines, line);)
      if (line.find("info/refs?service=git-upload-pack yes") != std::string::npos) ++out;
    return out;
  }
};

}  // namespace

TEST_CASE("twenty applications of one repository share one clone, and each poll is one conversation") {
  Served s;
  s.makeSecret(kSystemNamespace);
  for (int i = 0; i < 20; ++i) {
    const auto name = "app" + std::to_string(i);
    s.repo.write(name + "/map.yaml", configMap(name));
  }
  s.repo.push("First");
  for (int i = 0; i < 20; ++i) {
    const auto name = "app" + std::to_string(i);
    s.w.makeApplication(name, "", {{"source", s.source(name)}});
  }
  s.w.run(seconds(20));
  for (int i = 0; i < 20; ++i) {
    INFO(i << " " << s.w.message("app" + std::to_string(i)));
    CHECK(s.w.value("app" + std::to_string(i)) == "1");
    CHECK(s.w.phase("app" + std::to_string(i)) == "Synced");
  }
  CHECK(clonesIn(s.w.dir.at("data")).size() == 2);  // and the root's
  CHECK(s.repo.remoteGit("ls-tree -r --name-only steersman/status records/ | wc -l") == "20");

  const int before = s.polls();
  s.w.run(minutes(1));
  INFO(s.polls() - before);
  CHECK(s.polls() - before >= 5);  // one every ten seconds
  CHECK(s.polls() - before <= 7);

  // A push for one of them changes that one, and all of them know the commit.
  s.repo.write("app7/map.yaml", configMap("app7", "2"));
  const auto id = s.repo.push("Second");
  s.w.run(seconds(15));
  CHECK(s.w.value("app7") == "2");
  for (int i = 0; i < 20; ++i) CHECK(stringAt(s.w.application("app" + std::to_string(i)), {"status", "commit"}) == id);
}

TEST_CASE("a remote that breaks is told by each of its applications, and asked by one of them") {
  Served s;
  s.makeSecret(kSystemNamespace);
  s.repo.write("a/map.yaml", configMap("a"));
  s.repo.write("b/map.yaml", configMap("b"));
  s.repo.push("First");
  for (const char* name : {"a", "b"}) s.w.makeApplication(name, "", {{"source", s.source(name)}});
  s.w.run(seconds(5));
  REQUIRE(s.w.phase("a") == "Synced");
  REQUIRE(s.w.phase("b") == "Synced");
  fs::rename(s.repo.url(), s.repo.url() + ".away");
  s.w.run(seconds(30));
  for (const char* name : {"a", "b"}) {
    CHECK(s.w.condition("SourceReady", name, "status") == "False");
    CHECK(s.w.condition("SourceReady", name, "message").find("next try at") != std::string::npos);
    CHECK(s.w.value(name) == "1");
  }
  fs::rename(s.repo.url() + ".away", s.repo.url());
  s.repo.write("b/map.yaml", configMap("b", "2"));
  s.repo.push("Second");
  s.w.run(minutes(2));
  for (const char* name : {"a", "b"}) CHECK(s.w.condition("SourceReady", name, "status") == "True");
  CHECK(s.w.value("b") == "2");
}

TEST_CASE("what a Secret of one namespace opened stays closed to an application without it") {
  Served s;
  REQUIRE(s.w.cluster.client
              ->write(Write::create(
                  "namespaces",
                  {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", json::object{{"name", "guests"}}}}))
              .ok());
  s.makeSecret(kSystemNamespace);
  s.repo.write("a/map.yaml", configMap("a"));
  s.repo.write("b/map.yaml", configMap("b"));
  s.repo.push("First");
  s.w.makeApplication("owner", "", {{"source", s.source("a")}});
  s.w.makeApplication("beggar", "", {{"source", s.source("b", false)}});
  const auto guest = [&](const std::string& name) {
    return s.w.cluster.client
        ->write(Write::create("applications.steersman.dev", {{"apiVersion", "steersman.dev/v1"},
                                                             {"kind", "Application"},
                                                             {"metadata", {{"name", name}, {"namespace", "guests"}}},
                                                             {"spec", {{"source", s.source("b")}}}}))
        .ok();
  };
  REQUIRE(guest("guest"));  // names a Secret of its own namespace, which is not there
  s.w.run(seconds(20));
  CHECK(s.w.value("a") == "1");
  CHECK_FALSE(s.w.exists({"configmaps", "shop", "b"}));
  CHECK(s.w.condition("SourceReady", "beggar", "status") == "False");
  CHECK(clonesIn(s.w.dir.at("data")).size() <= 3);
  // With the right of its own it is let in, into a clone of its own.
  s.makeSecret("guests");
  s.w.run(seconds(40));
  CHECK(s.w.value("b") == "1");
  CHECK(clonesIn(s.w.dir.at("data")).size() >= 3);
}

TEST_CASE("branches and tags of one repository live in one clone, and each application follows its own") {
  World w;
  w.repo.write("map.yaml", namespaceShop() + "---\n" + configMap("main"));
  w.repo.push("First");
  w.repo.git("checkout -q -b next");
  w.repo.write("map.yaml", configMap("next"));
  w.repo.push("Next");
  w.repo.git("tag v1.0.0");
  w.repo.write("map.yaml", configMap("newer"));
  w.repo.push("Newer");
  w.repo.git("push -q origin v1.0.0");
  w.makeApplication("next", "", {{"source", {{"url", w.repo.url()}, {"branch", "next"}}}});
  w.makeApplication("tagged", "", {{"source", {{"url", w.repo.url()}, {"semver", "1.x"}}}});
  w.makeApplication("nowhere", "", {{"source", {{"url", w.repo.url()}, {"branch", "gone"}}}});
  w.run(seconds(10));
  CHECK(w.value("main") == "1");
  CHECK(w.value("newer") == "1");
  CHECK(w.value("next") == "1");
  CHECK(w.condition("SourceReady", "nowhere") == "RevisionNotFound");
  CHECK(w.condition("SourceReady", "next", "status") == "True");
  CHECK(clonesIn(w.dir.at("data")).size() == 1);
  const auto before = w.application("next");
  w.repo.git("checkout -q main");
  w.repo.write("map.yaml", namespaceShop() + "---\n" + configMap("main", "2"));
  w.repo.push("Main moves");
  w.run(seconds(5));
  CHECK(w.value("main") == "2");
  CHECK(stringAt(w.application("next"), {"status", "commit"}) == stringAt(before, {"status", "commit"}));
  CHECK(w.condition("HistoryKept", "next") != "HistoryRewritten");
}

TEST_CASE("an application that is suspended stays where it is while another moves the shared clone on") {
  World w;
  w.repo.write("a/map.yaml", namespaceShop() + "---\n" + configMap("a"));
  w.repo.write("b/map.yaml", configMap("b"));
  w.repo.push("First");
  w.patchSpec("root", {{"source", {{"path", "a"}}}});
  const auto writeRepository = [&](bool suspend) {
    REQUIRE(w.cluster.client
                ->write(Write::apply("gitrepositories.steersman.dev",
                                     {{"apiVersion", "steersman.dev/v1"},
                                      {"kind", "GitRepository"},
                                      {"metadata", {{"name", "it"}, {"namespace", kSystemNamespace}}},
                                      {"spec", {{"url", w.repo.url()}, {"branch", "main"}, {"suspend", suspend}}}},
                                     "test", true))
                .ok());
  };
  w.run(seconds(2));
  writeRepository(false);
  w.makeApplication("b", "", {{"source", {{"repositoryRef", {{"name", "it"}}}, {"path", "b"}}}});
  w.run(seconds(5));
  REQUIRE(w.value("b") == "1");
  writeRepository(true);
  w.run(seconds(2));
  w.repo.write("a/map.yaml", namespaceShop() + "---\n" + configMap("a", "2"));
  w.repo.write("b/map.yaml", configMap("b", "2"));
  w.repo.push("Second");
  w.run(seconds(30));
  CHECK(w.value("a") == "2");
  CHECK(w.value("b") == "1");
  w.restart();
  w.run(seconds(30));
  CHECK(w.value("b") == "1");
  writeRepository(false);
  w.run(seconds(30));
  CHECK(w.value("b") == "2");
  CHECK(clonesIn(w.dir.at("data")).size() == 1);
}

TEST_CASE("clones that an older version made for each application are taken over with what they alone hold") {
  World w;
  w.repo.write("ns.yaml", namespaceShop());
  w.repo.write("web/map.yaml", configMap("web"));
  const auto id = w.repo.push("First");
  // What the older version left: a clone for each, with records that could not be pushed.
  const auto hash = Fingerprint().add(w.repo.url()).hex().substr(0, 8);
  for (const std::string label : {"root", "web"}) {
    SourceOptions options;
    options.url = w.repo.url();
    options.revision = "main";
    const auto clone = w.dir.at("data/git/" + label + "-" + hash);
    auto source = GitSource::open(options, clone);
    REQUIRE(source->fetch().ok());
    StatusLedger ledger(clone, source->access());
    fs::rename(w.repo.url(), w.repo.url() + ".away");
    const auto kept = ledger.publish(
        {"records/2026-01-01/000000.000000Z-" + id + "-" + label + ".json", "{}\n", "m", id, label + "\n"},
        [](const auto&) { return std::string("page\n"); }, Time{});
    fs::rename(w.repo.url() + ".away", w.repo.url());
    REQUIRE(kept.ok());
    REQUIRE_FALSE(kept->pushed);
    sh("git -C " + clone + " update-ref refs/steersman/tip " + id);
    sh("rm -r " + clone + "/refs/steersman/tips");
  }
  w.makeApplication("web", "web");
  fs::rename(w.repo.url(), w.repo.url() + ".away");
  w.run(seconds(10));
  CHECK(w.value("web") == "1");  // as it was last read, although the remote is gone
  CHECK(clonesIn(w.dir.at("data")).size() == 1);
  fs::rename(w.repo.url() + ".away", w.repo.url());
  w.run(minutes(12));
  for (const std::string label : {"root", "web"})
    CHECK(w.repo.remoteGit("cat-file -e steersman/status:records/2026-01-01/000000.000000Z-" + id + "-" + label +
                           ".json && echo there") == "there");
  CHECK(w.note(id).find("root") != std::string::npos);
  CHECK(w.note(id).find("web") != std::string::npos);
  CHECK(w.phase("web") == "Synced");
}
