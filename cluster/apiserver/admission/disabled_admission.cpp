#include "cluster/apiserver/admission/disabled_admission.h"

#include <algorithm>
#include <array>
#include <string>

namespace steer {
namespace {

constexpr std::array<std::pair<std::string_view, AdmissionPlugin>, 5> kPlugins{
    {{"LimitRanger", AdmissionPlugin::limitRanger},
     {"PodSecurity", AdmissionPlugin::podSecurity},
     {"ResourceQuota", AdmissionPlugin::resourceQuota},
     {"ServiceAccount", AdmissionPlugin::serviceAccount},
     {"TaintNodesByCondition", AdmissionPlugin::taintNodesByCondition}}};

}  // namespace

Result<DisabledAdmission> DisabledAdmission::parse(std::string_view list) {
  DisabledAdmission out;
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    const auto word = list.substr(0, comma);
    list.remove_prefix(std::min(comma + 1, list.size()));
    const auto known =
        std::find_if(kPlugins.begin(), kPlugins.end(), [&](const auto& plugin) { return plugin.first == word; });
    if (known == kPlugins.end()) {
      std::string names;
      for (const auto& [name, plugin] : kPlugins) names += (names.empty() ? "" : ", ") + std::string(name);
      return makeError(Errc::badRequest, "--disable-admission-plugins: \"" + std::string(word) +
                                             "\" cannot be left out; these can: " + names);
    }
    out.plugins_.insert(known->second);
  }
  return out;
}

}  // namespace steer
