// SPDX-License-Identifier: MIT
#include "tools/mount.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <future>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "fs/filesystem.h"
#include "fs/fuse_session.h"
#include "tools/credential_options.h"
#include "tools/daemon.h"
#include "tools/engine.h"
#include "tools/mountpoint.h"
#include "tools/process.h"
#include "tools/program.h"

namespace regfs {
namespace {

constexpr size_t kResolvers = 16;        // registries that may be slow at once, times …
constexpr size_t kResolversPerHost = 2;  // … what one dead registry may hold
constexpr size_t kRepliers = 2;          // copies from the page cache to the kernel
// An unmount is promised within 5 s whatever hangs: what is left of a tear-down then is left to the kernel.
constexpr std::chrono::seconds kTearDown{3};
constexpr std::chrono::milliseconds kLastReplies{500};

Error ending() {
  return {Errc::shutting_down, "the mount is going away"};
}

// Every object of a mount, in the order they are built; destroyed in reverse.
class Mount {
 public:
  Mount(const MountOptions& options, Cache cache, const Clock& clock, Log& log)
      : log_(log),
        engine_(options, options.host, "regfs", std::move(cache), clock, log),
        resolvers_("resolve", kResolvers, kResolversPerHost, log),
        repliers_("reply", kRepliers, kRepliers, log),
        notifier_("notify", 1, 1, log),
        filesystem_({engine_.client(), engine_.store(), engine_.refs(), engine_.fetcher(), resolvers_, repliers_,
                     engine_.timer(), clock, log},
                    filesystem_options(options)),
        ended_(::eventfd(0, EFD_CLOEXEC)) {}

  ~Mount() {
    if (session_) stop();
  }

  Result<void> start(const std::string& mountpoint, const MountOptions& options) {
    engine_.store().on_dropped([this](const Digest& digest) { drop_pages(digest); });
    engine_.store().on_evicted([this](const std::vector<Digest>& digests) { refresh_attributes(digests); });
    auto ended = [fd = ended_.get()] { ::eventfd_write(fd, 1); };
    auto session = fs::FuseSession::mount(filesystem_, log_,
                                          {mountpoint, options.host.value_or("regfs"), options.allow_other,
                                           // Without it the kernel lets one user's answer pass for another's.
                                           options.default_permissions || options.allow_other},
                                          ended);
    if (!session) return session.error();
    session_ = *std::move(session);
    return session_->wait_until_it_answers();
  }

  std::string fuse_settings() const { return session_->settings(); }

  // Until a signal comes, or the mount is gone.
  void serve(const UniqueFd& signals) {
    pollfd waits[] = {{signals.get(), POLLIN, 0}, {ended_.get(), POLLIN, 0}};
    while (::poll(waits, 2, -1) < 0 && errno == EINTR) {
    }
    log_.info(waits[0].revents ? "ending, as told by a signal" : "unmounted");
  }

  // Answers what waits while the workers still serve, then unmounts; no reply is under way after it.
  void stop() {
    filesystem_.shutdown();
    engine_.shutdown(ending());
    session_->stop();
    engine_.stop();
    repliers_.drain(kLastReplies);  // a reply that is dropped would say EIO
    for (WorkPool* pool : {&resolvers_, &repliers_, &notifier_}) pool->stop();
    session_.reset();
  }

 private:
  static fs::FilesystemOptions filesystem_options(const MountOptions& options) {
    return {options.host,         options.tag_ttl,      options.lookup_timeout,
            options.list_timeout, options.read_timeout, options.offline};
  }

  // After the reads that met the wrong layer were answered, and on a thread that answers none: the kernel
  // makes it wait for their pages.
  void drop_pages(const Digest& digest) {
    repliers_.submit([this, digest] {
      notifier_.submit([this, digest] {
        if (session_) session_->invalidate(filesystem_.places_of(digest));
      });
    });
  }

  // What du shows of the archives that held them.
  void refresh_attributes(const std::vector<Digest>& digests) {
    notifier_.submit([this, digests] {
      for (const Digest& digest : digests) {
        if (session_) session_->invalidate_attributes(filesystem_.places_of(digest));
      }
    });
  }

  Log& log_;
  Engine engine_;
  WorkPool resolvers_;
  WorkPool repliers_;
  WorkPool notifier_;
  fs::Filesystem filesystem_;
  UniqueFd ended_;
  std::unique_ptr<fs::FuseSession> session_;
};

int fail(const Error& error) {
  tell_failure("regfs", error);
  return kMountFailedExitCode;
}

// A disk that hangs in fsync must not keep the mount from going: after kTearDown the mount is detached
// and the process just ends. Nothing is lost by that, for what is not published yet is resumed or fetched again.
// Its thread is made while all is well: when the mount ends, there may be no memory for one.
class TearDownLimit {
 public:
  explicit TearDownLimit(const std::string& mountpoint) {
    std::thread([mountpoint, unmounted = unmounted_, begun = begun_.get_future()] {
      begun.wait();
      std::this_thread::sleep_for(kTearDown);
      if (!*unmounted) detach_mount(mountpoint);
      ::_exit(0);
    }).detach();
  }
  void begin() { begun_.set_value(); }
  // The mountpoint may be somebody else's from now on.
  void unmounted() { *unmounted_ = true; }

 private:
  std::promise<void> begun_;
  const std::shared_ptr<std::atomic<bool>> unmounted_ = std::make_shared<std::atomic<bool>>(false);
};

Result<std::unique_ptr<LogSink>> lasting_sink(const MountOptions& options) {
  if (!options.log_file.empty()) return file_sink(options.log_file);
  return options.foreground ? stderr_sink() : syslog_sink();
}

// What the mount itself opens while it serves: through itself it would wait for itself.
Result<void> check_all_outside(const MountOptions& options, const std::string& cache_directory,
                               const std::string& mountpoint) {
  struct Place {
    std::string path;
    const char* what;
    const char* option;
  };
  std::vector<Place> places{{cache_directory, "the cache directory", "--cache-dir"},
                            {options.log_file, "the log file", "--log-file"},
                            {options.trust.tls.ca_file, "the file of certificates", "SSL_CERT_FILE"},
                            {options.trust.tls.ca_directory, "the directory of certificates", "SSL_CERT_DIR"}};
  for (std::string& file : credential_files(options.credentials)) {
    places.push_back({std::move(file), "the file of credentials", "--authfile"});
  }
  for (const Place& place : places) {
    if (place.path.empty()) continue;
    Result<void> outside = check_outside(place.path, mountpoint, place.what, place.option);
    if (!outside) return outside.error();
  }
  return {};
}

Result<void> serve(const MountOptions& options, const std::string& mountpoint, const std::string& cache_directory,
                   const SystemClock& clock, Log& log, Daemon& daemon) {
  // Opened while the terminal can still be told that it cannot.
  Result<std::unique_ptr<LogSink>> sink = lasting_sink(options);
  if (!sink) return sink.error();
  Result<UniqueFd> signals = take_signals();
  if (!signals) return signals.error();
  raise_file_limit();

  Result<Cache> cache = open_cache(cache_directory, options,
                                   options.verify_before ? cache::Withhold::all : cache::Withhold::window, clock, log);
  if (!cache) return cache.error();

  Mount mount(options, *std::move(cache), clock, log);
  close_all_on_exec();
  Result<void> started = mount.start(mountpoint, options);
  if (!started) return started.error();
  log.set_sink(*std::move(sink));
  daemon.ready();
  log.info("mounted " + options.host.value_or("every registry") + " on " + mountpoint +
           (options.no_cache ? ", without a cache" : ", cache in " + cache_directory));
  log.debug(mount.fuse_settings());
  TearDownLimit limit(mountpoint);
  mount.serve(*signals);
  limit.begin();
  mount.stop();
  limit.unmounted();
  return {};
}

}  // namespace

int run_mount(const MountOptions& options) {
  SystemClock clock;
  Log log(stderr_sink(), options.log_level, clock);
  Result<std::string> mountpoint = prepare_mountpoint(options.mountpoint, log);
  if (!mountpoint) return fail(mountpoint.error());
  MountOptions settled = options;
  std::string cache_directory = std::filesystem::absolute(options.cache_dir).lexically_normal().string();
  if (!settled.log_file.empty()) settled.log_file = std::filesystem::absolute(settled.log_file).string();
  if (Result<void> outside = check_all_outside(settled, cache_directory, *mountpoint); !outside) {
    return fail(outside.error());
  }

  Result<Daemon> daemon = settled.foreground ? Result<Daemon>(Daemon::foreground()) : Daemon::start();
  if (!daemon) return fail(daemon.error());
  Result<void> served = serve(settled, *mountpoint, cache_directory, clock, log, *daemon);
  if (served) return 0;
  int code = fail(served.error());
  daemon->failed(code);
  return code;
}

}  // namespace regfs
