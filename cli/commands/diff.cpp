#include "cli/commands/diff.h"

#include <iostream>
#include <map>
#include <memory>

#include "cli/output.h"
#include "cli/source_tree.h"
#include "cli/terminal.h"
#include "diff/object_diff.h"
#include "diff/text.h"
#include "render/desired_set.h"
#include "schemas/defaults.h"

namespace steer::cli {
namespace {

struct Flags {
  std::string before{};
  std::string after{};
  std::string repo{};
  std::string path{};
  std::string ns = "default";
  std::string output = "text";
};

struct ObjectChange {
  FieldChange::Kind kind = FieldChange::Kind::change;
  const DesiredObject* object = nullptr;  ///< of the newer side where there is one
  std::vector<FieldChange> fields{};
};

Result<DesiredSet> loadSide(const Flags& flags, const std::string& which) {
  SourceRequest request;
  if (flags.repo.empty()) {
    request.paths = {which};
  } else {
    request.repo = flags.repo;
    request.revision = which;
    request.path = flags.path;
  }
  STEER_TRY(const auto tree, loadSource(request));
  auto set = makeDesiredSet(tree, {flags.ns, {}});
  if (set.findings.hasErrors()) std::cerr << "findings in " << which << ":\n" << set.findings.text();
  return set;
}

/// As the server would store it: what one side writes out and the other leaves to defaults is the same.
json::object stored(const DesiredObject& object) {
  json::object body = object.object->json();
  applyDefaults(*object.kind, body);
  return body;
}

std::vector<ObjectChange> compare(const DesiredSet& before, const DesiredSet& after) {
  std::map<ObjectRef, const DesiredObject*> old;
  std::map<ObjectRef, const DesiredObject*> now;
  for (const auto& o : before.objects) old[o.ref] = &o;
  for (const auto& o : after.objects) now[o.ref] = &o;
  std::vector<ObjectChange> out;
  for (const auto& [ref, object] : old)
    if (!now.contains(ref)) out.push_back({FieldChange::Kind::remove, object});
  for (const auto& [ref, object] : now) {
    const auto known = old.find(ref);
    if (known == old.end()) {
      out.push_back({FieldChange::Kind::add, object});
      continue;
    }
    auto fields = diffObjects(object->kind, stored(*known->second), stored(*object));
    if (!fields.empty()) out.push_back({FieldChange::Kind::change, object, std::move(fields)});
  }
  return out;
}

std::string coloured(Mark mark, const std::string& text) {
  switch (mark) {
    case Mark::add:
      return paint(Colour::green, text);
    case Mark::remove:
      return paint(Colour::red, text);
    case Mark::change:
      return paint(Colour::yellow, text);
    case Mark::plain:
      return text;
  }
  return text;
}

Mark markOf(FieldChange::Kind kind) {
  if (kind == FieldChange::Kind::add) return Mark::add;
  return kind == FieldChange::Kind::remove ? Mark::remove : Mark::change;
}

const char* wordOf(FieldChange::Kind kind) {
  if (kind == FieldChange::Kind::add) return "add";
  return kind == FieldChange::Kind::remove ? "remove" : "change";
}

void printText(const std::vector<ObjectChange>& changes) {
  std::map<FieldChange::Kind, std::size_t> counts;
  TextOptions options;
  options.paint = coloured;
  for (const auto& c : changes) {
    ++counts[c.kind];
    const char sign = c.kind == FieldChange::Kind::add ? '+' : c.kind == FieldChange::Kind::remove ? '-' : '~';
    std::cout << coloured(markOf(c.kind), std::string(1, sign) + " " + c.object->object->text()) << "  "
              << paint(Colour::dim, c.object->placeOf("").text()) << "\n"
              << changesText(c.fields, options);
  }
  if (changes.empty()) {
    std::cout << "No differences.\n";
    return;
  }
  std::cout << counts[FieldChange::Kind::add] << " added, " << counts[FieldChange::Kind::change] << " changed, "
            << counts[FieldChange::Kind::remove] << " removed\n";
}

void printDocument(const std::vector<ObjectChange>& changes, const std::string& format) {
  json::array out;
  for (const auto& c : changes) {
    const auto& object = *c.object->object;
    out.push_back({{"op", wordOf(c.kind)},
                   {"apiVersion", object.gvk().apiVersion()},
                   {"kind", object.kind()},
                   {"namespace", object.ns()},
                   {"name", object.name()},
                   {"source", c.object->placeOf("").text()},
                   {"changes", changesJson(c.fields)}});
  }
  std::cout << documentText(json::object{{"objects", std::move(out)}}, format);
}

/// As `diff` and terraform tell apart: equal, different, in trouble.
int runDiff(const Flags& flags) {
  const auto before = loadSide(flags, flags.before);
  const auto after = before.ok() ? loadSide(flags, flags.after) : before;
  for (const auto* side : {&before, &after}) {
    if (side->ok()) continue;
    printError(side->error().message);
    return 1;
  }
  if (before->findings.hasErrors() || after->findings.hasErrors()) return 1;
  const auto changes = compare(*before, *after);
  if (flags.output == "text") printText(changes);
  else printDocument(changes, flags.output);
  return changes.empty() ? 0 : 2;
}

}  // namespace

void addDiffCommand(const CommandLine& app, ExitCode& exit) {
  auto flags = std::make_shared<Flags>();
  const auto command = app.command("diff", "Compare the objects of two directories, files or revisions");
  command.footer(
      "Objects are matched by kind, namespace and name, wherever their files lie, and compared as the server would "
      "store\n"
      "them: with its defaults. Values of Secrets are never shown.\n"
      "Exit code: 0 no differences, 2 differences, 1 error.\n"
      "Example: steer diff --repo . v1 v2 --path apps");
  command.option("A", flags->before, "Before: a directory or file; with --repo a revision").required();
  command.option("B", flags->after, "After").required();
  const auto repo = command.option("--repo", flags->repo, "Compare two revisions of this repository");
  command.option("--path", flags->path, "Directory inside --repo").needs(repo);
  command.option("-n,--namespace", flags->ns, "For objects that name none");
  command.option("-o,--output", flags->output, "text, json or yaml").oneOf({"text", "json", "yaml"});
  command.runs([flags, &exit] { exit.value = runDiff(*flags); });
}

}  // namespace steer::cli
