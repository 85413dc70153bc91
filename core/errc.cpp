#include "core/errc.h"

#include <array>
#include <cstddef>

namespace steer {
namespace {

constexpr std::array<ErrcFacts, 17> kFacts{{
    {422, "Invalid", false, 1},
    {400, "BadRequest", false, 1},
    {401, "Unauthorized", false, 1},
    {403, "Forbidden", false, 1},
    {404, "NotFound", false, 1},
    {405, "MethodNotAllowed", false, 1},
    {409, "AlreadyExists", false, 1},
    {409, "Conflict", true, 1},
    {410, "Expired", true, 1},
    {413, "RequestEntityTooLarge", false, 1},
    {415, "UnsupportedMediaType", false, 1},
    {429, "TooManyRequests", true, 1},
    {500, "InternalError", true, 1},
    {503, "ServiceUnavailable", true, 1},
    {504, "Timeout", true, 1},
    {500, "InternalError", true, 1},
    {499, "Cancelled", false, 130},
}};

}  // namespace

const ErrcFacts& factsOf(Errc code) { return kFacts[static_cast<std::size_t>(code)]; }

Errc errcFromReason(std::string_view reason) {
  for (std::size_t i = 0; i < kFacts.size(); ++i)
    if (kFacts[i].reason == reason) return static_cast<Errc>(i);
  return Errc::internal;
}

Errc errcFromHttp(int status, std::string_view reason) {
  if (!reason.empty())
    for (std::size_t i = 0; i < kFacts.size(); ++i)
      if (kFacts[i].reason == reason) return static_cast<Errc>(i);
  for (std::size_t i = 0; i < kFacts.size(); ++i)
    if (kFacts[i].httpStatus == status) return static_cast<Errc>(i == 6 ? 7 : i);
  return status >= 500 ? Errc::internal : Errc::badRequest;
}

}  // namespace steer
