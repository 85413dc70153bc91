#pragma once
// Structured logs: a constant message plus key=value, to standard error. An error is logged once,
// by the loop that decides what happens next. Never pass the content of a secret.
// Thread rule: thread-safe.
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace steer::log {

enum class Level { debug, info, warn, error, off };
using Field = std::pair<std::string_view, std::string>;

void setLevel(Level level);
void write(Level level, std::string_view message, std::initializer_list<Field> fields);

inline void debug(std::string_view m, std::initializer_list<Field> f = {}) { write(Level::debug, m, f); }
inline void info(std::string_view m, std::initializer_list<Field> f = {}) { write(Level::info, m, f); }
inline void warn(std::string_view m, std::initializer_list<Field> f = {}) { write(Level::warn, m, f); }
inline void error(std::string_view m, std::initializer_list<Field> f = {}) { write(Level::error, m, f); }

}  // namespace steer::log
