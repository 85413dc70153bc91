#include "nodeagent/network/service_proxy.h"

#include <fcntl.h>
#include <nftables/libnftables.h>
#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "core/child.h"
#include "core/json.h"

namespace steer {
namespace {

struct FreeContext {
  void operator()(nft_ctx* ctx) const { nft_ctx_free(ctx); }
};

/// Client mark and endpoint of one element of the affinity map, as nft prints it in JSON.
struct AffinityElement {
  std::string client;
  std::int64_t mark = 0;
  Endpoint endpoint;
};

std::vector<AffinityElement> affinityElements(const json::value& listing) {
  std::vector<AffinityElement> out;
  for (const auto& item : arrayAt(listing, {"nftables"}))
    for (const auto& pair : arrayAt(item, {"map", "elem"})) {
      if (!pair.is_array() || pair.get_array().size() != 2) continue;
      const auto& key = pair.get_array()[0];
      const auto& concat = arrayAt(key, {"elem", "val", "concat"}).empty() ? arrayAt(key, {"concat"})
                                                                           : arrayAt(key, {"elem", "val", "concat"});
      const auto& value = arrayAt(pair.get_array()[1], {"concat"});
      if (concat.size() != 2 || value.size() != 2 || !concat[0].is_string() || !value[0].is_string()) continue;
      const auto mark = asInt(concat[1]);
      const auto port = asInt(value[1]);
      if (!mark || !port) continue;
      out.push_back({std::string(view(concat[0].get_string())),
                     *mark,
                     {std::string(view(value[0].get_string())), static_cast<std::uint16_t>(*port)}});
    }
  return out;
}

}  // namespace

struct ServiceProxy::Context {
  std::unique_ptr<nft_ctx, FreeContext> nft;
  int netns = -1;  ///< of the thread that opened it, for commands
  ~Context() {
    if (netns >= 0) ::close(netns);
  }
  std::string netnsPath() const { return "/proc/self/fd/" + std::to_string(netns); }
};

ServiceProxy::ServiceProxy(std::unique_ptr<Context> context) : context_(std::move(context)) {}
ServiceProxy::~ServiceProxy() = default;

Result<std::unique_ptr<ServiceProxy>> ServiceProxy::open() {
  auto context = std::make_unique<Context>();
  context->nft.reset(nft_ctx_new(NFT_CTX_DEFAULT));
  if (!context->nft) return makeError(Errc::unavailable, "nftables cannot be opened");
  context->netns = ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  nft_ctx_buffer_output(context->nft.get());
  nft_ctx_buffer_error(context->nft.get());
  return std::unique_ptr<ServiceProxy>(new ServiceProxy(std::move(context)));
}

Result<std::string> ServiceProxy::run(const std::string& commands) {
  nft_ctx* nft = context_->nft.get();
  const int rc = nft_run_cmd_from_buffer(nft, commands.c_str());
  std::string out = nft_ctx_get_output_buffer(nft);
  const std::string said = nft_ctx_get_error_buffer(nft);
  if (rc == 0) return out;
  return makeError(Errc::internal, "nftables refused the change: " + said.substr(0, 600));
}

Result<void> ServiceProxy::apply(const NftRuleset& wanted) {
  auto next = std::make_unique<NftRuleset>(wanted);
  if (applied_ && NftRuleset::sameRules(*applied_, wanted)) {
    next->keepChains(*applied_);
    const std::string changes = NftRuleset::diffCommands(*applied_, *next);
    if (changes.empty() || run(changes).ok()) {
      applied_.swap(next);
      forgetStale(*next, *applied_);
      return {};
    }
    *next = wanted;
  }
  const auto before = std::exchange(applied_, nullptr);
  // A table of an earlier run stays in place while its content is replaced: no packet meets a moment without it.
  const auto chains = wanted.ownChains();
  const bool stands = std::all_of(chains.begin(), chains.end(), [&](const std::string& chain) {
    return run("list chain ip " + wanted.table() + " " + chain).ok();
  });
  auto loaded = stands ? run(wanted.reloadText()) : Result<std::string>(makeError(Errc::notFound, ""));
  if (!loaded.ok()) loaded = run(wanted.fullText());
  if (!loaded.ok()) return std::move(loaded).error();
  applied_ = std::move(next);
  if (before) forgetStale(*before, wanted);
  return {};
}

bool ServiceProxy::intact() {
  if (!applied_) return false;
  if (run("list chain ip " + applied_->table() + " pre").ok()) return true;
  applied_.reset();
  return false;
}

Result<void> ServiceProxy::removeTable(const std::string& table) {
  applied_.reset();
  auto gone = run("add table ip " + table + "\ndelete table ip " + table + "\n");
  if (!gone.ok()) return std::move(gone).error();
  return {};
}

void ServiceProxy::forgetStale(const NftRuleset& before, const NftRuleset& after) {
  const auto stale = NftRuleset::staleAfter(before, after);
  std::vector<NftRuleset::Stale> affine;
  for (const auto& s : stale) {
    if (s.affinityMark != 0) affine.push_back(s);
    if (s.protocol != Protocol::udp) continue;
    // A UDP flow has no end: without this its next packets still go to the vanished endpoint.
    std::vector<std::string> argv{"conntrack",   "-D",         "-p", "udp", "--orig-port-dst", std::to_string(s.port),
                                  "--reply-src", s.endpoint.ip};
    if (!s.address.empty()) argv.insert(argv.end(), {"--orig-dst", s.address});
    (void)runCommand({argv, {}, context_->netnsPath()});  // exit code 1 = no such flow
  }
  if (!affine.empty()) forgetAffinity(affine, after.table());
}

void ServiceProxy::forgetAffinity(const std::vector<NftRuleset::Stale>& stale, const std::string& table) {
  nft_ctx* nft = context_->nft.get();
  nft_ctx_output_set_flags(nft, NFT_CTX_OUTPUT_JSON | NFT_CTX_OUTPUT_NUMERIC_ALL);
  const auto listed = run("list map ip " + table + " aff");
  nft_ctx_output_set_flags(nft, 0);
  if (!listed.ok()) return;
  const auto parsed = parseJson(*listed);
  if (!parsed.ok()) return;
  for (const auto& element : affinityElements(*parsed))
    for (const auto& s : stale)
      if (element.mark == s.affinityMark && element.endpoint == s.endpoint)
        // It may have run out a moment ago: then there is nothing to forget.
        (void)run("delete element ip " + table + " aff { " + element.client + " . " + std::to_string(element.mark) +
                  " }\n");
}

}  // namespace steer
