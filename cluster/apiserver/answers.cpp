#include "cluster/apiserver/answers.h"

#include "cluster/apiserver/list_pages.h"
#include "core/yaml.h"

namespace steer {
namespace {

std::string_view trim(std::string_view s) {
  while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
  while (!s.empty() && s.back() == ' ') s.remove_suffix(1);
  return s;
}

std::string_view nextPart(std::string_view& rest, char separator) {
  const auto at = rest.find(separator);
  const auto part = rest.substr(0, at);
  rest = at == rest.npos ? std::string_view() : rest.substr(at + 1);
  return trim(part);
}

struct MediaRange {
  std::string_view type, as, group, version;
};

MediaRange rangeOf(std::string_view text) {
  MediaRange out;
  out.type = nextPart(text, ';');
  while (!text.empty()) {
    auto parameter = nextPart(text, ';');
    const auto key = nextPart(parameter, '=');
    if (key == "as") out.as = parameter;
    if (key == "g") out.group = parameter;
    if (key == "v") out.version = parameter;
  }
  return out;
}

/// True when this range settles what to answer.
bool settle(const MediaRange& range, Wanted& out) {
  const bool isJson = range.type == "application/json" || range.type == "*/*" || range.type == "application/*";
  const bool isYaml = range.type == "application/yaml";
  if (!isJson && !isYaml) return false;
  if (range.as == "Table" && range.group == "meta.k8s.io") out.form = Wanted::Form::table;
  else if ((range.as == "PartialObjectMetadata" || range.as == "PartialObjectMetadataList") &&
           range.group == "meta.k8s.io")
    out.form = Wanted::Form::partial;
  else if (range.as == "APIGroupDiscoveryList" && (range.version == "v2" || range.version == "v2beta1"))
    out.discoveryVersion = range.version;
  else if (!range.as.empty()) return false;
  out.yaml = isYaml;
  return true;
}

}  // namespace

Wanted wantedOf(std::string_view accept) {
  Wanted out;
  if (trim(accept).empty()) return out;
  while (!accept.empty())
    if (settle(rangeOf(nextPart(accept, ',')), out)) return out;
  out.acceptable = false;
  return out;
}

Response jsonAnswer(const json::value& body, const Wanted& wanted, int status) {
  Response out;
  out.status = status;
  if (wanted.yaml) {
    out.contentType = "application/yaml";
    out.body = yamlText(body);
  } else {
    out.body = jsonText(body);
    out.body += '\n';
  }
  return out;
}

Response errorAnswer(const Error& error, const StatusSubject& subject) {
  json::object status;
  if (const auto token = freshToken(error); !token.empty()) {
    Error plain = error;
    plain.causes.clear();
    status = statusOf(plain, subject);
    status["metadata"] = {{"continue", token}};
  } else {
    status = statusOf(error, subject);
  }
  Response out = jsonAnswer(status, {}, factsOf(error.code).httpStatus);
  if (error.retryAfterSeconds > 0) out.headers.emplace("Retry-After", std::to_string(error.retryAfterSeconds));
  return out;
}

Response textAnswer(std::string text, int status) {
  Response out;
  out.status = status;
  out.contentType = "text/plain; charset=utf-8";
  out.body = std::move(text);
  return out;
}

std::string contentHash(std::string_view content) {
  std::uint64_t a = 14695981039346656037ULL;
  std::uint64_t b = 0x9e3779b97f4a7c15ULL;
  for (const char c : content) {
    a = (a ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
    b = (b + static_cast<unsigned char>(c)) * 0xff51afd7ed558ccdULL;
    b ^= b >> 31;
  }
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const std::uint64_t half : {a, b})
    for (int shift = 60; shift >= 0; shift -= 4) out += kDigits[(half >> shift) & 15];
  return out;
}

Response taggedAnswer(const Request& request, std::string body, std::string contentType) {
  Response out;
  const std::string tag = '"' + contentHash(body) + '"';
  out.headers.emplace("ETag", tag);
  out.headers.emplace("Vary", "Accept");
  out.contentType = std::move(contentType);
  if (request.header("if-none-match") == tag) {
    out.status = 304;
    return out;
  }
  out.body = std::move(body);
  return out;
}

}  // namespace steer
