#pragma once
// A throw-away Git repository made with the git program, for tests.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace steer {

class TempDir {
 public:
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "steer-git-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = name;
  }
  ~TempDir() {
    std::error_code ec;
    std::filesystem::remove_all(path_, ec);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  std::string at(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// Output of a shell command, without the last new line; throws when it fails.
inline std::string sh(const std::string& command) {
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  std::string out;
  char buffer[4096];
  while (const std::size_t n = fread(buffer, 1, sizeof buffer, pipe)) out.append(buffer, n);
  if (pclose(pipe) != 0) throw std::runtime_error(command + ": " + out);
  while (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

/// A bare repository and a work tree that pushes to it.
class TempRepository {
 public:
  explicit TempRepository(const TempDir& dir, const std::string& name = "repo")
      : bare_(dir.at(name + ".git")), work_(dir.at(name)) {
    sh("git init -q --bare -b main " + bare_);
    sh("git init -q -b main " + work_);
    git("config user.name Ada");
    git("config user.email ada@example.com");
    git("remote add origin " + bare_);
  }
  std::string git(const std::string& args) const { return sh("git -C " + work_ + " " + args); }
  std::string remoteGit(const std::string& args) const { return sh("git -C " + bare_ + " " + args); }
  void write(const std::string& file, const std::string& content) const {
    std::filesystem::create_directories(std::filesystem::path(work_ + "/" + file).parent_path());
    std::ofstream(work_ + "/" + file, std::ios::binary) << content;
  }
  /// Commits everything and pushes; the commit's id.
  std::string push(const std::string& message, const std::string& flags = "") const {
    git("add -A");
    git("commit -q --allow-empty -m '" + message + "'");
    git("push -q " + flags + " origin HEAD");
    return git("rev-parse HEAD");
  }
  const std::string& url() const { return bare_; }
  const std::string& work() const { return work_; }

 private:
  std::string bare_;
  std::string work_;
};

}  // namespace steer
