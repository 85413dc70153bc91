#pragma once
// Questions about who is who: who am I, may I, may they, whose token is this. Nothing is stored.
#include "cluster/apiserver/answers.h"
#include "cluster/apiserver/route.h"
#include "cluster/apiserver/server_parts.h"

namespace steer {

bool isReview(const Route& route);
Response reviewAnswer(const ServerParts& parts, const Request& request, const Route& route);

}  // namespace steer
