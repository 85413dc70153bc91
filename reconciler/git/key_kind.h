#pragma once
// KeyKind: what sort of key a private key file holds, read from its unencrypted part. Pure.
#include <string_view>

namespace steer {

/// Whether the text of a private key file, PEM or OpenSSH's own format (also under a passphrase), is an RSA key.
bool isRsaKey(std::string_view text);

}  // namespace steer
