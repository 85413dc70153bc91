#include "reconciler/loop/declared_claims.h"

#include <map>

#include "reconciler/git/git_tree_reader.h"
#include "reconciler/loop/included.h"
#include "reconciler/plan/application_graph.h"
#include "reconciler/plan/application_source.h"

namespace steer {
namespace {

constexpr int kDeepest = 16;  ///< applications that declare applications
constexpr const char* kApplications = "applications.steersman.dev";
constexpr const char* kRepositories = "gitrepositories.steersman.dev";

class Survey {
 public:
  Survey(const DeclaringApplication& declaring, GitTreeReader& reader, std::string tree,
         const RendererFactory& renderers, Client& client)
      : declaring_(declaring), reader_(reader), tree_(std::move(tree)), renderers_(renderers), client_(client) {
    seen_.insert(declaring.label);
  }

  void lookInto(const std::vector<WantedObject>& wanted, const ApplicationSpec& above, int depth) {
    for (const auto& w : wanted)
      if (w.ref.resource == kRepositories) repositories_[w.ref] = Object::make(w.body);
    if (depth > kDeepest) return;
    for (const auto& w : wanted)
      if (w.ref.resource == kApplications) addApplication(w, above, depth);
  }
  DeclaredClaims take() { return std::move(out_); }

 private:
  void addApplication(const WantedObject& w, const ApplicationSpec& above, int depth) {
    const auto label = applicationLabel(w.ref.ns, w.ref.name);
    if (!seen_.insert(label).second) return;
    auto body = w.body;
    ensureObject(body, "metadata")["namespace"] = w.ref.ns;
    const auto application = Object::make(std::move(body));
    const auto spec = readApplicationSpec(*application, repositoryOf(*application), &above);
    const auto& mine = declaring_.spec.source;
    if (!spec.unusable.empty()) return out_.unknown.push_back("application " + label + ", which cannot run yet");
    if (!sameRepository(spec.source.url, mine.url) || spec.source.revision != mine.revision ||
        spec.source.semver != mine.semver)
      return out_.unknown.push_back("application " + label + ", which reads another source");
    const auto tree = reader_.subtree(tree_, spec.source.path);
    if (!tree.ok()) return;
    const auto render = onlyIncluded(renderers_({label, spec.source.path, spec.targetNamespace}), spec.include);
    const auto rendered = render(reader_, *tree);
    out_.claims.insert(rendered.quarantined.begin(), rendered.quarantined.end());
    for (const auto& object : rendered.objects) out_.claims.insert(object.ref);
    lookInto(rendered.objects, spec, depth + 1);
  }

  ObjectPtr repositoryOf(const Object& application) {
    const std::string name(stringAt(application.spec(), {"source", "repositoryRef", "name"}));
    if (name.empty()) return nullptr;
    const ObjectRef ref{kRepositories, application.ns(), name};
    if (const auto known = repositories_.find(ref); known != repositories_.end()) return known->second;
    const auto live = client_.get(ref);
    return live.ok() ? *live : nullptr;
  }

  const DeclaringApplication& declaring_;
  GitTreeReader& reader_;
  std::string tree_;
  const RendererFactory& renderers_;
  Client& client_;
  std::set<std::string> seen_;
  std::map<ObjectRef, ObjectPtr> repositories_;
  DeclaredClaims out_;
};

}  // namespace

DeclaredClaims readDeclaredClaims(const DeclaringApplication& declaring, const std::string& cloneDir,
                                  const std::string& commit, const std::vector<WantedObject>& wanted,
                                  const RendererFactory& renderers, Client& client) {
  const auto found = findCommit(cloneDir, commit);
  auto reader = GitTreeReader::open(cloneDir);
  if (!found.ok() || !reader.ok()) return {{}, {"any application, since the commit cannot be read"}};
  Survey survey(declaring, **reader, found->tree, renderers, client);
  survey.lookInto(wanted, declaring.spec, 0);
  return survey.take();
}

}  // namespace steer
