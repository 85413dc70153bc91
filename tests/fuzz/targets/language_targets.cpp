#include "core/cron.h"
#include "core/ip_address.h"
#include "core/selector.h"
#include "core/source_address.h"
#include "core/time_zone.h"
#include "reconciler/git/remote_url.h"
#include "reconciler/git/semver.h"
#include "tests/fuzz/target.h"

namespace steer::fuzz {
namespace {

/// A selector that parses keeps its meaning in text form.
bool selector(std::string_view text) {
  static const auto pod = Object::make(json::parse(R"({"metadata":{"name":"a"},"spec":{"nodeName":"n"}})").as_object());
  if (const auto fields = FieldSelector::parse(text); fields.ok()) fields->matches(*pod);
  const auto read = LabelSelector::parse(text);
  if (!read.ok()) return true;
  const auto again = LabelSelector::parse(read->text());
  const json::object labels{{"app", "web"}, {"env", "a"}, {"size", "5"}};
  return again.ok() && again->text() == read->text() && again->matches(labels) == read->matches(labels);
}

/// The next fitting minute lies ahead, and is the latest that fits at itself.
bool cron(std::string_view text) {
  const auto schedule = CronSchedule::parse(text);
  if (!schedule.ok()) return !schedule.error().message.empty();
  const Time now{seconds(1'767'225'600)};
  const auto next = schedule->next(now, TimeZone{});
  if (!next) return true;
  return *next > now && schedule->latest(*next, now, TimeZone{}) == next;
}

/// Comparing is an order, and a range answers for any version.
bool semver(std::string_view text) {
  const auto end = std::min(text.find('\n'), text.size());
  const auto a = Version::parse(text.substr(0, end));
  const auto rest = text.substr(std::min(end + 1, text.size()));
  const auto b = Version::parse(rest);
  if (a && b && (a->compare(*b) > 0) != (b->compare(*a) < 0)) return false;
  const auto range = VersionRange::parse(rest);
  if (!range.ok()) return !range.error().message.empty();
  if (a) range->contains(*a);
  return true;
}

/// An address that is understood is understood the same way again, and its password stands nowhere in it.
bool remoteAddress(std::string_view text) {
  const std::string asText(text);
  namesThisMachine(text);
  isLocalAddress(text);
  const auto comparable = comparableSource(text);
  const auto url = RemoteUrl::parse(asText);
  if (!url.ok()) return !url.error().message.empty();
  if (comparableSource(comparable) != comparable) return false;
  if (url->password.size() > 8 && url->url.find(url->password) != std::string::npos &&
      asText.find(url->password) == asText.rfind(url->password))
    return false;
  // A directory may have a name that reads as an address.
  if (url->kind == RemoteUrl::Kind::local) return true;
  const auto again = RemoteUrl::parse(url->url);
  return again.ok() && again->host == url->host && again->password.empty();
}

}  // namespace

std::vector<Target> languageTargets() {
  return {
      {"selector", selector, {",", "=", "==", "!=", "!", " in ", " notin ", "(", ")", ">", "<", " ", "a.b/c", "\\"}},
      {"cron",
       cron,
       {"*", "/", "-", ",", "@daily", "@every", " ", "JAN", "sun", "0", "59", "31", "?", "L", "CRON_TZ="}},
      {"semver",
       semver,
       {"~", "^", ">=", "<", "||", " - ", "x", "*", "-rc.1", "+b", ".", "18446744073709551616", "\n"}},
      {"remote_address",
       remoteAddress,
       {"ssh://", "https://", "file://", "@", ":", "/", "[::1]", "127.1", "..", "%2e", "%00", "user:password99",
        "2130706433", "0x7f.1", "\\"}},
  };
}

}  // namespace steer::fuzz
