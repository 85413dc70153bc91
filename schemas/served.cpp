#include "schemas/served.h"

namespace steer {

std::string unservedText(const KindSchema& kind) {
  if (kind.served) return "";
  return kind.gvk.kind + " (" + kind.gvk.apiVersion() +
         ") is not served yet: objects of this kind are kept, and nothing comes of them";
}

}  // namespace steer
