#pragma once
// What a client would like to get, from its Accept header, among what can be answered. Pure.
#include <string>
#include <string_view>

#include "net/http/message.h"

namespace steer {

struct Wanted {
  enum class Form { object, table, partial };
  enum class Coding { json, yaml, protobuf };
  Form form = Form::object;
  Coding coding = Coding::json;
  std::string discoveryVersion{};  ///< "v2", "v2beta1" or empty for plain discovery
  bool acceptable = true;          ///< false: nothing that is offered
};

/// In which ways one request can be answered; JSON always.
struct Offer {
  bool yaml = true;
  bool protobuf = false;
  bool transforms = false;  ///< as Table and PartialObjectMetadata of meta.k8s.io
  bool discovery = false;   ///< as APIGroupDiscoveryList of apidiscovery.k8s.io
};

/// The first range of the highest quality that is offered. Parameters that mean nothing here are ignored.
Wanted wantedOf(std::string_view accept, const Offer& offer);

/// 406 with what could have been asked for.
Response notAcceptable(const Offer& offer);

}  // namespace steer
