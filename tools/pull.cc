// SPDX-License-Identifier: MIT
#include "tools/pull.h"

#include <unistd.h>

#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "tools/exit_code.h"
#include "tools/image_pull.h"
#include "tools/process.h"

namespace regfs {
namespace {

constexpr size_t kRepliers = 1;  // one reader waits at a time

// What a read fails with is told once, by the pull that it ends.
class Nowhere : public LogSink {
 public:
  void write(LogLevel, std::string_view) override {}
};

int fail(PullScreen& screen, const Error& error, int code) {
  screen.fail({}, "regfs-pull: " + error.context());
  return code;
}

// Of a cache that cannot be opened.
int code_of(const Error& error) {
  if (error.is(Errc::unsupported)) return kBadData;  // of a newer format, as regfs-cache says it
  const bool cannot_be_meant = error.is(Errc::invalid_argument) || error.code() == std::errc::not_a_directory;
  return cannot_be_meant ? kUsage : kDiskFailure;
}

}  // namespace

int run_pull(const PullOptions& options) {
  SystemClock clock;
  PullScreen screen(standard_error_view(options.progress, options.quiet));
  Log log(screen_sink(screen), options.log_level, clock);
  if (options.output == "-" && !options.dry_run && ::isatty(STDOUT_FILENO) == 1) {
    return fail(screen, Error(Errc::invalid_argument, "standard output is a terminal; send it to a file or a pipe"),
                kUsage);
  }
  Result<UniqueFd> signals = take_signals();
  if (!signals) return fail(screen, signals.error(), kInternal);
  raise_file_limit();

  const std::string cache_directory = std::filesystem::absolute(options.cache_dir).lexically_normal().string();
  std::error_code ignored;
  if (std::filesystem::exists(cache_directory, ignored) && !std::filesystem::is_directory(cache_directory, ignored)) {
    const std::string words = "--cache-dir: " + cache_directory + " is a file; give a directory";
    return fail(screen, Error(Errc::invalid_argument, words), kUsage);
  }
  Result<Cache> cache = open_cache(cache_directory, options, cache::Withhold::window, clock, log);
  if (!cache) return fail(screen, cache.error(), code_of(cache.error()));

  WorkPool repliers("reply", kRepliers, kRepliers, log);
  auto received = std::make_shared<ReceivedBytes>();
  Engine engine(options, options.login_host(), "regfs-pull", *std::move(cache), clock, log, received);
  close_all_on_exec();
  Log silence(std::make_unique<Nowhere>(), options.log_level, clock);
  const fs::ReadServices reads{repliers, engine.timer(), clock, silence, options.read_timeout};
  fs::ImageResolver resolver(engine.client(), engine.store(), engine.refs(), clock, log,
                             std::chrono::milliseconds(0),  // a pull asks anew what a tag means
                             options.offline);
  const Error ending(Errc::shutting_down, "interrupted");
  int code = 0;
  {
    const Interrupt interrupt(*std::move(signals), [&] { engine.shutdown(ending); });
    for (const registry::Reference& image : options.images) {
      const int result =
          ImagePull({engine, resolver, reads, received, options, screen, interrupt, clock, log}, image).run();
      if (result > kSignalled) {
        code = result;
        break;
      }
      if (code == 0) code = result;
    }
    engine.shutdown(ending);
    engine.stop();
    repliers.stop();
  }
  return code;
}

}  // namespace regfs
