#include "cli/commands/render.h"

#include <iostream>
#include <memory>

#include "cli/output.h"
#include "cli/source_tree.h"
#include "cli/terminal.h"
#include "core/yaml.h"
#include "render/desired_set.h"

namespace steer::cli {
namespace {

struct Flags {
  std::string directory = ".";
  SourceRequest source{};
  std::string output = "yaml";
  std::string ns = "default";
  std::vector<std::string> existing{};
};

void printObjects(const DesiredSet& set, const std::string& format) {
  if (format == "json") {
    json::array items;
    for (const auto& desired : set.objects) items.push_back(desired.object->json());
    const json::object list{{"apiVersion", "v1"}, {"kind", "List"}, {"items", std::move(items)}};
    std::cout << documentText(list, format);
    return;
  }
  for (const auto& desired : set.objects)
    std::cout << "---\n# " << desired.placeOf("").text() << "\n" << yamlText(desired.object->json());
}

int runRender(Flags flags) {
  flags.source.paths = {flags.directory};
  const auto tree = loadSource(flags.source);
  if (!tree.ok()) {
    printError(tree.error().message);
    return 1;
  }
  const auto set = makeDesiredSet(*tree, {flags.ns, {flags.existing.begin(), flags.existing.end()}});
  std::cerr << set.findings.text();
  if (set.findings.hasErrors()) return 1;
  printObjects(set, flags.output);
  return 0;
}

}  // namespace

void addRenderCommand(const CommandLine& app, ExitCode& exit) {
  auto flags = std::make_shared<Flags>();
  const auto command = app.command("render", "Print the objects that a directory or a revision asks for");
  command.footer(
      "Prints every object with its namespace and its place; secrets too, as they are written. Nothing is printed\n"
      "when there are errors.\n"
      "Exit code: 0 printed, 1 there are errors.\n"
      "Example: steer render --repo https://example.com/shop.git --rev main --path apps -o json");
  const auto directory =
      command.option("directory", flags->directory, "A directory or file; the current one if left out");
  const auto repo =
      command.option("--repo", flags->source.repo, "A repository instead of a directory").excludes(directory);
  command.option("--rev", flags->source.revision, "Branch, tag or commit of --repo").needs(repo);
  command.option("--path", flags->source.path, "Directory inside --repo").needs(repo);
  command.option("-n,--namespace", flags->ns, "For objects that name none");
  command.option("--existing-namespace", flags->existing, "A namespace that the cluster has already").oneValueEach();
  command.option("-o,--output", flags->output, "yaml or json").oneOf({"yaml", "json"});
  command.runs([flags, &exit] { exit.value = runRender(*flags); });
}

}  // namespace steer::cli
