// SPDX-License-Identifier: MIT
#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "registry/json_parse.h"
#include "registry/manifest.h"

namespace regfs::registry {
namespace {

Error malformed_config(std::string sentence) {
  return {Errc::malformed, "the image config: " + std::move(sentence)};
}

// ---- "2021-04-28T13:05:30.289632369+02:00" ---------------------------------------------------------

std::optional<int> take_number(std::string_view& rest, size_t digits) {
  if (rest.size() < digits) return std::nullopt;
  int value = 0;
  for (char c : rest.substr(0, digits)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  rest.remove_prefix(digits);
  return value;
}

bool take(std::string_view& rest, std::string_view any_of) {
  if (rest.empty() || any_of.find(rest.front()) == std::string_view::npos) return false;
  rest.remove_prefix(1);
  return true;
}

std::optional<std::chrono::sys_days> take_date(std::string_view& rest) {
  std::optional<int> year = take_number(rest, 4);
  if (!year || !take(rest, "-")) return std::nullopt;
  std::optional<int> month = take_number(rest, 2);
  if (!month || !take(rest, "-")) return std::nullopt;
  std::optional<int> day = take_number(rest, 2);
  if (!day) return std::nullopt;
  std::chrono::year_month_day date(std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                   std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date);
}

std::optional<std::chrono::minutes> take_clock(std::string_view& rest) {
  std::optional<int> hour = take_number(rest, 2);
  if (!hour || *hour > 23 || !take(rest, ":")) return std::nullopt;
  std::optional<int> minute = take_number(rest, 2);
  if (!minute || *minute > 59) return std::nullopt;
  return std::chrono::hours(*hour) + std::chrono::minutes(*minute);
}

std::optional<std::chrono::minutes> take_offset(std::string_view& rest) {
  if (take(rest, "Zz")) return std::chrono::minutes(0);
  bool west = !rest.empty() && rest.front() == '-';
  if (!take(rest, "+-")) return std::nullopt;
  std::optional<std::chrono::minutes> offset = take_clock(rest);
  if (!offset) return std::nullopt;
  return west ? -*offset : *offset;
}

// RFC 3339, its fraction thrown away.
std::optional<int64_t> parse_time(std::string_view text) {
  std::optional<std::chrono::sys_days> date = take_date(text);
  if (!date || !take(text, "Tt")) return std::nullopt;
  std::optional<std::chrono::minutes> clock = take_clock(text);
  if (!clock || !take(text, ":")) return std::nullopt;
  std::optional<int> second = take_number(text, 2);
  if (!second || *second > 60) return std::nullopt;  // 60: a leap second
  if (take(text, ".")) {
    size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    if (digits == 0) return std::nullopt;
    text.remove_prefix(digits);
  }
  std::optional<std::chrono::minutes> offset = take_offset(text);
  if (!offset || !text.empty()) return std::nullopt;
  std::chrono::seconds since_epoch = date->time_since_epoch() + *clock - *offset + std::chrono::seconds(*second);
  return since_epoch.count();
}

// ---- the document ----------------------------------------------------------------------------------

Result<Platform> parse_platform(const Json& config) {
  Platform platform;
  const std::pair<const char*, std::string*> parts[] = {{"os", &platform.os},
                                                        {"architecture", &platform.architecture},
                                                        {"variant", &platform.variant},
                                                        {"os.version", &platform.os_version}};
  for (const auto& [name, part] : parts) {
    const Json* value = config.find(name);
    if (value == nullptr) continue;
    if (value->string() == nullptr)
      return malformed_config(std::string("'") + name + "' is " + value->kind() + ", not a string");
    *part = *value->string();
  }
  return platform;
}

Result<size_t> count_diff_ids(const Json& config) {
  const Json* rootfs = config.find("rootfs");
  if (rootfs == nullptr) return malformed_config("'rootfs' is missing");
  if (rootfs->object() == nullptr)
    return malformed_config(std::string("'rootfs' is ") + rootfs->kind() + ", not an object");
  const Json* ids = rootfs->find("diff_ids");
  if (ids == nullptr) return size_t{0};  // Docker leaves it out of an image without layers
  if (ids->array() == nullptr) return malformed_config(std::string("'diff_ids' is ") + ids->kind() + ", not an array");
  if (ids->array()->size() > kMaxLayers)
    return malformed_config("it names more than " + std::to_string(kMaxLayers) + " layers");
  for (const Json& id : *ids->array()) {
    if (id.string() == nullptr)
      return malformed_config(std::string("'diff_ids' holds ") + id.kind() + ", not a string");
  }
  return ids->array()->size();
}

int64_t created_seconds(const Json& config) {
  const Json* created = config.find("created");
  if (created == nullptr || created->string() == nullptr) return 0;
  return std::max<int64_t>(0, parse_time(*created->string()).value_or(0));
}

}  // namespace

Result<ImageConfig> parse_image_config(std::string_view body) {
  if (body.size() > kMaxConfigBytes) {
    return Error{Errc::too_large, "an image config of " + std::to_string(body.size()) + " bytes is over " +
                                      std::to_string(kMaxConfigBytes)};
  }
  Result<Json> config = parse_json(body);
  if (!config) return config.error().while_doing("the image config");
  if (config->object() == nullptr) return malformed_config(std::string("it is ") + config->kind() + ", not an object");
  if (!config->names("rootfs") && !config->names("os") && !config->names("architecture")) {
    return Error{Errc::unsupported, "it is not an image: its config names no platform and no layers"};
  }
  Result<Platform> platform = parse_platform(*config);
  if (!platform) return platform.error();
  Result<size_t> diff_ids = count_diff_ids(*config);
  if (!diff_ids) return diff_ids.error();
  return ImageConfig{std::move(*platform), created_seconds(*config), *diff_ids};
}

}  // namespace regfs::registry
