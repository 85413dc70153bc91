#include "net/http/request_parser.h"

#include <array>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <limits>

#include "net/http/target.h"

namespace steer {
namespace {

namespace http = boost::beast::http;
constexpr std::size_t kPiece = 16 * 1024;

std::string lowerCase(std::string_view text) {
  std::string out(text);
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

bool isToken(std::string_view list, std::string_view wanted) {
  return lowerCase(list).find(wanted) != std::string::npos;
}

}  // namespace

struct RequestParser::State {
  http::request_parser<http::buffer_body> parser;
  std::size_t got = 0;  ///< bytes of the body so far
};

RequestParser::RequestParser(std::size_t headBytes) : state_(std::make_unique<State>()) {
  state_->parser.header_limit(static_cast<std::uint32_t>(headBytes));
  state_->parser.body_limit(std::numeric_limits<std::uint64_t>::max());
}

RequestParser::~RequestParser() = default;

RequestParser::Step RequestParser::head(std::string& input) {
  auto& parser = state_->parser;
  boost::system::error_code failed;
  const auto used = parser.put(boost::asio::const_buffer(input.data(), input.size()), failed);
  input.erase(0, used);
  if (failed == http::error::header_limit) return Step::tooLarge;
  if (failed && failed != http::error::need_more) return Step::malformed;
  return parser.is_header_done() ? Step::done : Step::more;
}

Result<Request> RequestParser::request() const {
  const auto& message = state_->parser.get();
  STEER_TRY(auto target, parseTarget(std::string_view(message.target().data(), message.target().size())));
  Request out;
  out.method = std::string(message.method_string());
  out.path = std::move(target.path);
  out.query = std::move(target.query);
  for (const auto& field : message) out.headers.emplace(lowerCase(field.name_string()), std::string(field.value()));
  return out;
}

bool RequestParser::keepAlive() const { return state_->parser.get().keep_alive(); }

bool RequestParser::expectsContinue() const {
  return isToken(state_->parser.get()[http::field::expect], "100-continue");
}

bool RequestParser::encoded() const {
  const auto encoding = state_->parser.get()[http::field::content_encoding];
  return !encoding.empty() && lowerCase(encoding) != "identity";
}

std::optional<std::size_t> RequestParser::contentLength() const {
  const auto length = state_->parser.content_length();
  if (!length) return std::nullopt;
  return static_cast<std::size_t>(*length);
}

bool RequestParser::hasBody() const { return !state_->parser.is_done(); }

RequestParser::Step RequestParser::body(std::string& input, std::string& body, std::size_t most) {
  auto& parser = state_->parser;
  std::array<char, kPiece> piece;
  while (!parser.is_done()) {
    auto& into = parser.get().body();
    into.data = piece.data();
    into.size = piece.size();
    into.more = true;
    boost::system::error_code failed;
    const auto used = parser.put(boost::asio::const_buffer(input.data(), input.size()), failed);
    input.erase(0, used);
    body.append(piece.data(), piece.size() - into.size);
    if (body.size() > most) return Step::tooLarge;
    if (failed == http::error::need_buffer) continue;
    if (failed == http::error::need_more || (!failed && used == 0 && !parser.is_done())) return Step::more;
    if (failed) return Step::malformed;
  }
  return Step::done;
}

}  // namespace steer
