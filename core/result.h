#pragma once
// Result<T>: a value or an Error. The normal way an operation fails; exceptions stop at the
// library call that throws them. Thread rule: a plain value.
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/errc.h"

namespace steer {

/// One reason inside an error, as metav1.StatusCause.
struct Cause {
  std::string reason;  ///< FieldValueInvalid, FieldValueRequired, FieldManagerConflict, …
  std::string field;   ///< JSON path such as spec.containers[0].image
  std::string message;
};

struct Error {
  Errc code = Errc::internal;
  std::string message;  ///< a sentence for a person; never the content of a secret
  std::vector<Cause> causes{};
  int retryAfterSeconds = 0;  ///< 0 = not said
};

inline Error makeError(Errc code, std::string message) { return Error{code, std::move(message), {}, 0}; }

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T valueOr(T fallback) && { return ok() ? std::move(*this).value() : std::move(fallback); }

  Error& error() & { return std::get<1>(state_); }
  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT: implicit

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const& { return *error_; }
  Error&& error() && { return std::move(*error_); }

 private:
  std::optional<Error> error_;
};

}  // namespace steer

#define STEER_CONCAT2(a, b) a##b
#define STEER_CONCAT(a, b) STEER_CONCAT2(a, b)
/// STEER_TRY(auto x, expr): unwraps a Result into x, or returns its error from this function.
#define STEER_TRY(decl, expr) STEER_TRY_IMPL(STEER_CONCAT(steerTry_, __LINE__), decl, expr)
#define STEER_TRY_IMPL(tmp, decl, expr)         \
  auto tmp = (expr);                            \
  if (!tmp.ok()) return std::move(tmp).error(); \
  decl = std::move(tmp).value()
/// STEER_CHECK(expr): returns the error of a Result<void> from this function.
#define STEER_CHECK(expr)                                         \
  do {                                                            \
    auto steerCheck_ = (expr);                                    \
    if (!steerCheck_.ok()) return std::move(steerCheck_).error(); \
  } while (false)
