// SPDX-License-Identifier: MIT
#include "tools/pull_options.h"

#include <algorithm>
#include <utility>

#include "tools/command_line.h"
#include "tools/option_setters.h"
#include "tools/option_value.h"

namespace regfs {
namespace {

Result<void> set_platform(std::string_view value, SharedOptions& options) {
  Result<registry::Platform> platform = registry::parse_platform(value);
  if (!platform) return platform.error();
  option_field(&PullOptions::platform, options) = *platform;
  return {};
}

Result<void> set_progress(std::string_view value, SharedOptions& options) {
  constexpr std::pair<std::string_view, ProgressStyle> kStyles[] = {{"auto", ProgressStyle::automatic},
                                                                    {"plain", ProgressStyle::plain},
                                                                    {"json", ProgressStyle::json},
                                                                    {"none", ProgressStyle::none}};
  for (const auto& [word, style] : kStyles) {
    if (word != value) continue;
    option_field(&PullOptions::progress, options) = style;
    return {};
  }
  return usage_error("'" + std::string(value) + "' is no way to show progress; give auto, plain, json or none");
}

OptionRow with_help(OptionRow row, std::string_view help) {
  row.help = help;
  return row;
}

// What one would type the option for, when a word is no reference.
Result<registry::Reference> parse_image(const std::string& word) {
  if (word.find("://") != std::string::npos) {
    return usage_error("'" + word + "': give the image without a scheme, as in " + word.substr(word.find("://") + 3));
  }
  Result<registry::Reference> reference = registry::parse_reference(word);
  if (!reference) return usage_error(reference.error().context());
  return reference;
}

Result<void> check(const PullOptions& options) {
  if (options.images.empty()) {
    return usage_error("the image is missing: regfs-pull IMAGE[:TAG|@DIGEST] (see 'regfs-pull --help')");
  }
  if (!options.output.empty() && options.images.size() > 1) {
    return usage_error("-o names one file, for one image; without it each image gets a file of its own name");
  }
  if (options.offline && options.no_cache) {
    return usage_error("--offline takes what the cache holds, and --no-cache has none: give one of them");
  }
  const bool login = !options.credentials.username.empty() || options.credentials.password.has_value() ||
                     options.credentials.password_stdin;
  if (login && !options.login_host()) {
    return usage_error(
        "--username is for one registry, but the images are of several; pull them one after the other, "
        "or run 'docker login' for each");
  }
  return {};
}

}  // namespace

std::optional<std::string> PullOptions::login_host() const {
  if (images.empty()) return std::nullopt;
  const std::string& first = images.front().repository.host;
  const bool same = std::all_of(images.begin(), images.end(),
                                [&](const registry::Reference& image) { return image.repository.host == first; });
  return same ? std::optional(first) : std::nullopt;
}

const OptionTable& pull_option_table() {
  static const OptionTable table(
      "regfs-pull",
      {
          {"platform", '\0', "PLATFORM", "linux/arm64, linux/arm/v7, ... (this machine's)", set_platform},
          {"output", 'o', "FILE", "the archive, or - for standard output", set_path<&PullOptions::output>},
          {"dry-run", '\0', "", "say what would be downloaded", set_switch<&PullOptions::dry_run>},
          {"progress", '\0', "STYLE", "auto, plain, json or none (auto)", set_progress},
          {"quiet", 'q', "", "print errors only", set_switch<&PullOptions::quiet>},
          shared_option("max-concurrent-downloads"),
          shared_option("cache-dir"),
          shared_option("cache-size"),
          shared_option("no-cache"),
          with_help(shared_option("offline"), "ask no registry, take what is cached"),
          with_help(shared_option("username"), "who you are to the registry"),
          shared_option("password"),
          shared_option("password-stdin"),
          shared_option("authfile"),
          shared_option("ca-cert"),
          shared_option("insecure-registry"),
          shared_option("connect-timeout"),
          shared_option("timeout"),
          with_help(shared_option("read-timeout"), "without a byte over all attempts (90s)"),
          with_help(shared_option("log-level"), "error, warning, info or debug (warning)"),
          shared_option("help"),
          shared_option("version"),
      });
  return table;
}

std::string pull_help_text() {
  return "Usage: regfs-pull [options] [REGISTRY/][REPOSITORY/]IMAGE[:TAG|@DIGEST]...\n"
         "Downloads images, each as one archive that docker load takes. No Docker needed.\n"
         "  regfs-pull nginx && docker load -i docker.io_library_nginx_latest_linux-amd64.tar\n"
         "  regfs-pull --platform linux/arm64 -o - ghcr.io/acme/api:v1 | ssh host docker load\n\n" +
         pull_option_table().help() +
         "TIME is 10 (seconds), 500ms, 90s, 5m or 1h. More, with examples: man regfs-pull\n";
}

Result<ParsedPull> parse_pull_command_line(int argc, const char* const* argv, const Environment& environment) {
  CommandLine line(pull_option_table());
  Result<void> read = line.read(argc, argv);
  if (!read) return read.error();
  if (line.given("--help")) return ParsedPull(ShowHelp{pull_help_text()});
  if (line.given("--version")) return ParsedPull(ShowVersion{"regfs-pull " REGFS_VERSION "\n"});

  PullOptions options;
  Result<void> applied = line.apply(options);
  if (!applied) return applied.error();
  Result<std::vector<std::string>> words = line.words();
  if (!words) return words.error();
  for (const std::string& word : *words) {
    Result<registry::Reference> image = parse_image(word);
    if (!image) return image.error();
    options.images.push_back(*std::move(image));
  }
  Result<void> checked = check(options);
  if (!checked) return checked.error();
  Result<void> settled = settle_cache_dir(options, environment);
  if (!settled) return settled.error();
  return ParsedPull(std::move(options));
}

}  // namespace regfs
