#include "cli/mark_painter.h"

#include "cli/terminal.h"

namespace steer::cli {
namespace {

Colour colourOf(Mark mark) {
  switch (mark) {
    case Mark::add:
      return Colour::green;
    case Mark::remove:
      return Colour::red;
    case Mark::change:
      return Colour::yellow;
    case Mark::plain:
      break;
  }
  return Colour::bold;
}

}  // namespace

std::function<std::string(Mark, const std::string&)> markPainter() {
  if (!colourWanted()) return {};
  return [](Mark mark, const std::string& text) { return paint(colourOf(mark), text); };
}

}  // namespace steer::cli
