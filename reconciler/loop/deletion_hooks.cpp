#include "reconciler/loop/deletion_hooks.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/log.h"
#include "schemas/sync_order.h"

namespace steer {
namespace fs = std::filesystem;

namespace {

Error ioError(const std::string& what) {
  return makeError(Errc::io, "the hooks of an application's deletion cannot be " + what);
}

Result<void> writePrivately(const std::string& file, const std::string& text) {
  std::error_code ec;
  fs::create_directories(fs::path(file).parent_path(), ec);
  fs::permissions(fs::path(file).parent_path(), fs::perms::owner_all, ec);
  const auto fresh = file + ".new";
  std::ofstream(fresh, std::ios::trunc).close();
  fs::permissions(fresh, fs::perms::owner_read | fs::perms::owner_write, ec);
  std::ofstream out(fresh, std::ios::trunc | std::ios::binary);
  out << text;
  out.close();
  if (!out.good()) return ioError("written: " + fresh);
  fs::rename(fresh, file, ec);
  if (ec) return ioError("written: " + file + ": " + ec.message());
  return {};
}

}  // namespace

void DeletionHooks::keep(const std::string& application, const std::vector<WantedObject>& wanted) const {
  json::array kept;
  for (const auto& w : wanted)
    for (const auto phase : syncOrderOf(w.body).phases)
      if (runsAtDeletion(phase)) {
        kept.push_back({{"resource", w.ref.resource}, {"namespace", w.ref.ns}, {"name", w.ref.name}, {"body", w.body}});
        break;
      }
  if (kept.empty()) return forget(application);
  if (const auto written = writePrivately(fileOf(application), jsonText(kept)); !written.ok())
    log::error("hooks are not kept", {{"app", application}, {"error", written.error().message}});
}

Result<std::vector<PlannedHook>> DeletionHooks::of(const std::string& application) const {
  std::error_code ec;
  if (!fs::exists(fileOf(application), ec)) return std::vector<PlannedHook>{};
  std::ifstream in(fileOf(application), std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto kept = parseJson(text);
  if (!kept.ok() || !kept->is_array()) return ioError("read: " + fileOf(application));
  std::vector<WantedObject> objects;
  for (const auto& item : kept->get_array()) {
    json::object body = objectAt(item, {"body"});
    ensureObject(ensureObject(body, "metadata"), "labels")[kApplicationLabel] = application;
    objects.push_back({{std::string(stringAt(item, {"resource"})), std::string(stringAt(item, {"namespace"})),
                        std::string(stringAt(item, {"name"}))},
                       std::move(body),
                       {}});
  }
  auto hooks = takeHooks(objects);
  std::erase_if(hooks, [](const PlannedHook& hook) { return !runsAtDeletion(hook.when); });
  return hooks;
}

void DeletionHooks::forget(const std::string& application) const {
  std::error_code ec;
  fs::remove(fileOf(application), ec);
}

}  // namespace steer
