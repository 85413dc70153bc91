#include "cluster/apiserver/token_keys.h"

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/pem.h>
#include <openssl/sha.h>

#include <array>
#include <optional>
#include <vector>

#include "net/http/openssl.h"

namespace steer {
namespace {

using Bytes = std::vector<unsigned char>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, ssl::FreeWith<EVP_MD_CTX_free>>;
using Signature = std::unique_ptr<ECDSA_SIG, ssl::FreeWith<ECDSA_SIG_free>>;
using Number = std::unique_ptr<BIGNUM, ssl::FreeWith<BN_free>>;

constexpr std::size_t kHalf = 32;  ///< bytes of r and of s
constexpr std::size_t kLongest = 16 * 1024;
constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

Error failed(const std::string& what) { return makeError(Errc::internal, what + ": " + ssl::lastError()); }
Error untrusted() { return makeError(Errc::unauthorized, "the token is not one that this cluster signed"); }

const unsigned char* bytesOf(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

/// base64url without padding (RFC 7515, 2).
std::string encode(const unsigned char* data, std::size_t size) {
  std::string out;
  out.reserve((size * 4 + 2) / 3);
  unsigned held = 0, bits = 0;
  for (std::size_t i = 0; i < size; ++i) {
    held = (held << 8U) | data[i];
    for (bits += 8; bits >= 6; bits -= 6) out += kAlphabet[(held >> (bits - 6)) & 63U];
  }
  if (bits > 0) out += kAlphabet[(held << (6 - bits)) & 63U];
  return out;
}
std::string encode(std::string_view text) { return encode(bytesOf(text), text.size()); }

/// Strict: one text for one content, so that a changed token is another token.
std::optional<std::string> decode(std::string_view text) {
  std::string out;
  unsigned held = 0, bits = 0;
  for (const char c : text) {
    const auto value = kAlphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    held = (held << 6U) | static_cast<unsigned>(value);
    if ((bits += 6) < 8) continue;
    bits -= 8;
    out += static_cast<char>((held >> bits) & 255U);
  }
  if (bits >= 6 || (held & ((1U << bits) - 1)) != 0) return std::nullopt;
  return out;
}

std::optional<json::object> decodeObject(std::string_view text) {
  const auto plain = decode(text);
  if (!plain) return std::nullopt;
  auto parsed = parseJson(*plain);
  if (!parsed.ok() || !parsed->is_object()) return std::nullopt;
  return std::move(parsed->get_object());
}

ssl::Key readKey(const std::string& pem) {
  const auto bio = ssl::readBio(pem);
  return ssl::Key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
}

/// The uncompressed point: 0x04, x, y. Empty when the key is none of P-256.
Bytes pointOf(EVP_PKEY* key) {
  unsigned char* data = nullptr;
  if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC || EVP_PKEY_get_bits(key) != 256) return {};
  const std::size_t size = EVP_PKEY_get1_encoded_public_key(key, &data);
  Bytes out(data, data + size);
  OPENSSL_free(data);
  return size == 2 * kHalf + 1 && out[0] == 4 ? out : Bytes{};
}

}  // namespace

struct TokenKeys::State {
  ssl::Key key;
  Bytes point;
  std::string id;
};

TokenKeys::TokenKeys(std::unique_ptr<State> state) : state_(std::move(state)) {}
TokenKeys::~TokenKeys() = default;

Result<std::string> TokenKeys::newPem() {
  const ssl::Key key(EVP_EC_gen("P-256"));
  const ssl::Bio bio(BIO_new(BIO_s_mem()));
  if (!key || !bio || PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return failed("cannot make a key for tokens");
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

Result<std::shared_ptr<const TokenKeys>> TokenKeys::fromPem(const std::string& pem) {
  auto state = std::make_unique<State>();
  state->key = readKey(pem);
  if (state->key) state->point = pointOf(state->key.get());
  ERR_clear_error();
  if (state->point.empty()) return makeError(Errc::invalid, "this is not an EC P-256 private key");
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(state->point.data(), state->point.size(), digest.data());
  state->id = encode(digest.data(), digest.size());
  return std::shared_ptr<const TokenKeys>(new TokenKeys(std::move(state)));
}

Result<std::string> TokenKeys::sign(const json::object& claims) const {
  const std::string said =
      encode(jsonText(json::object{{"alg", "ES256"}, {"kid", state_->id}})) + "." + encode(jsonText(claims));
  const DigestContext context(EVP_MD_CTX_new());
  std::size_t size = 0;
  if (!context || EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, state_->key.get()) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, bytesOf(said), said.size()) != 1)
    return failed("cannot sign a token");
  Bytes der(size);
  if (EVP_DigestSign(context.get(), der.data(), &size, bytesOf(said), said.size()) != 1)
    return failed("cannot sign a token");
  const unsigned char* at = der.data();
  const Signature pair(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size)));
  std::array<unsigned char, 2 * kHalf> raw{};
  if (!pair || BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), raw.data(), kHalf) < 0 ||
      BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), raw.data() + kHalf, kHalf) < 0)
    return failed("cannot sign a token");
  return said + "." + encode(raw.data(), raw.size());
}

Result<json::object> TokenKeys::verify(std::string_view token) const {
  const auto first = token.find('.'), last = token.rfind('.');
  if (token.size() > kLongest || first == std::string_view::npos || last == first) return untrusted();
  const auto head = decodeObject(token.substr(0, first));
  const auto raw = decode(token.substr(last + 1));
  // The algorithm is ours to choose, never the token's.
  if (!head || stringAt(*head, {"alg"}) != "ES256" || stringAt(*head, {"kid"}) != state_->id || !raw ||
      raw->size() != 2 * kHalf)
    return untrusted();
  const Signature pair(ECDSA_SIG_new());
  Number r(BN_bin2bn(bytesOf(*raw), kHalf, nullptr)), s(BN_bin2bn(bytesOf(*raw) + kHalf, kHalf, nullptr));
  if (!pair || !r || !s || ECDSA_SIG_set0(pair.get(), r.release(), s.release()) != 1) return untrusted();
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(pair.get(), &der);
  if (size <= 0) return untrusted();
  const DigestContext context(EVP_MD_CTX_new());
  const auto said = token.substr(0, last);
  const bool good =
      context && EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, state_->key.get()) == 1 &&
      EVP_DigestVerify(context.get(), der, static_cast<std::size_t>(size), bytesOf(said), said.size()) == 1;
  OPENSSL_free(der);
  ERR_clear_error();
  auto claims = good ? decodeObject(token.substr(first + 1, last - first - 1)) : std::nullopt;
  if (!claims) return untrusted();
  return *std::move(claims);
}

json::object TokenKeys::published() const {
  const auto* point = state_->point.data();
  return {{"keys", json::array{json::object{{"use", "sig"},
                                            {"kty", "EC"},
                                            {"kid", state_->id},
                                            {"crv", "P-256"},
                                            {"alg", "ES256"},
                                            {"x", encode(point + 1, kHalf)},
                                            {"y", encode(point + 1 + kHalf, kHalf)}}}}};
}

}  // namespace steer
