#include "generated_repo.h"

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

namespace {

class FastImport {
 public:
  explicit FastImport(const std::string& dir)
      : pipe_(popen(("git -C '" + dir + "' fast-import --quiet").c_str(), "w")) {
    if (pipe_ == nullptr) throw std::runtime_error("git fast-import does not start");
  }
  ~FastImport() {
    if (pipe_ != nullptr) pclose(pipe_);
  }
  FastImport(const FastImport&) = delete;
  FastImport& operator=(const FastImport&) = delete;

  void text(const std::string& s) { fwrite(s.data(), 1, s.size(), pipe_); }
  void commit(const std::string& message, bool first) {
    text("commit refs/heads/main\ncommitter Ada <ada@example.com> 1700000000 +0000\ndata " +
         std::to_string(message.size()) + "\n" + message + "\n" + (first ? "" : "from refs/heads/main^0\n"));
  }
  void file(const std::string& path, const std::string& content) {
    text("M 100644 inline " + path + "\ndata " + std::to_string(content.size()) + "\n" + content + "\n");
  }
  void finish() {
    const int code = pclose(pipe_);
    pipe_ = nullptr;
    if (code != 0) throw std::runtime_error("git fast-import failed");
  }

 private:
  FILE* pipe_;
};

std::string name(const char* prefix, int n) {
  char out[32];
  std::snprintf(out, sizeof out, "%s%03d", prefix, n);
  return out;
}

std::string head(const std::string& api, const std::string& kind, const std::string& object, const std::string& ns) {
  return "apiVersion: " + api + "\nkind: " + kind + "\nmetadata:\n  name: " + object + "\n  namespace: " + ns +
         "\n  labels:\n    app.kubernetes.io/name: " + object + "\n    team: " + ns + "\n";
}

std::string configMap(const std::string& object, const std::string& ns, const std::string& value) {
  return head("v1", "ConfigMap", object, ns) + "data:\n  log-level: info\n  endpoint: http://" + object + "." + ns +
         ".svc.cluster.local:8080\n  value: \"" + value + "\"\n";
}

std::string service(const std::string& object, const std::string& ns) {
  return head("v1", "Service", object, ns) + "spec:\n  selector:\n    app: " + object +
         "\n  ports:\n  - name: http\n    port: 80\n    targetPort: 8080\n";
}

std::string deployment(const std::string& object, const std::string& ns) {
  return head("apps/v1", "Deployment", object, ns) +
         "spec:\n  replicas: 0\n  selector:\n    matchLabels:\n      app: " + object +
         "\n  template:\n    metadata:\n      labels:\n        app: " + object +
         "\n    spec:\n      containers:\n      - name: main\n        image: registry.example/" + object +
         ":1.0\n        ports:\n        - containerPort: 8080\n        envFrom:\n        - configMapRef:\n"
         "            name: " +
         object +
         "\n        resources:\n          requests:\n            cpu: 50m\n"
         "            memory: 64Mi\n";
}

std::string place(int team, int application) { return name("teams/team-", team) + "/" + name("app-", application); }

void writeApplication(FastImport& into, int team, int application) {
  const std::string ns = name("team-", team), folder = place(team, application) + "/";
  for (int part = 0; part < 5; ++part) {
    const std::string object = name("app-", application) + "-" + std::to_string(part);
    into.file(folder + object + "-deployment.yaml", deployment(object, ns));
    into.file(folder + object + "-service.yaml", service(object, ns));
    into.file(folder + object + "-config.yaml", configMap(object, ns, "0"));
    into.file(folder + object + "-extra.yaml", configMap(object + "-extra", ns, "0"));
  }
}

}  // namespace

GeneratedRepo GeneratedRepo::make(const std::string& dir, int teams, int applicationsPerTeam) {
  if (std::system(("git init -q --bare -b main '" + dir + "'").c_str()) != 0) throw std::runtime_error("git init");
  FastImport into(dir);
  into.commit("Everything", true);
  for (int team = 0; team < teams; ++team) {
    const std::string ns = name("team-", team);
    into.file(name("teams/team-", team) + "/namespace.yaml",
              "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: " + ns + "\n");
    for (int application = 0; application < applicationsPerTeam; ++application)
      writeApplication(into, team, application);
  }
  into.finish();
  return {dir, teams, applicationsPerTeam};
}

void GeneratedRepo::changeOne(int team, int application, const std::string& value) const {
  FastImport into(dir);
  into.commit("Another value " + value, false);
  const std::string object = name("app-", application) + "-0";
  into.file(place(team, application) + "/" + object + "-config.yaml", configMap(object, name("team-", team), value));
  into.finish();
}
