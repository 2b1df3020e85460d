// SPDX-License-Identifier: MIT
#define FUSE_USE_VERSION 312
#include "fs/fuse_session.h"

#include <fuse_log.h>
#include <fuse_lowlevel.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdarg>
#include <cstdio>
#include <fstream>
#include <thread>

#include "fs/fuse_ops.h"

namespace regfs::fs {
namespace {

// Handlers never wait, so this is about cores and the copy of a read, not about readers.
constexpr size_t kWorkers = 6;
// Against the kernel's 128 KiB: a quarter more throughput, a third less CPU.
constexpr int kReadAheadKib = 1024;
constexpr std::chrono::milliseconds kAskAgain{5};

// What libfuse says while it mounts, for the error message: its log hook has no user data.
thread_local std::string* told_while_mounting = nullptr;

void take_libfuse_message(fuse_log_level, const char* format, va_list arguments) {
  char line[512];
  std::vsnprintf(line, sizeof line, format, arguments);
  if (told_while_mounting) *told_while_mounting += line;
}

std::string one_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  std::replace(text.begin(), text.end(), '\n', ';');
  return text;
}

std::string escaped_for_fuse(const std::string& value) {
  std::string escaped;
  for (char c : value) {
    if (c == ',' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

class Arguments {
 public:
  explicit Arguments(const FuseMountOptions& options) {
    fuse_opt_add_arg(&arguments_, "regfs");
    std::string words = "ro,subtype=regfs,fsname=" + escaped_for_fuse(options.fsname);
    if (options.allow_other) words += ",allow_other";
    if (options.default_permissions) words += ",default_permissions";
    fuse_opt_add_arg(&arguments_, ("-o" + words).c_str());
  }
  ~Arguments() { fuse_opt_free_args(&arguments_); }
  Arguments(const Arguments&) = delete;
  Arguments& operator=(const Arguments&) = delete;
  fuse_args* get() { return &arguments_; }

 private:
  fuse_args arguments_ = FUSE_ARGS_INIT(0, nullptr);
};

// Interrupts a worker's read of the device; does nothing else.
int wake_signal() {
  return SIGRTMIN;
}

void install_wake_signal() {
  struct sigaction action {};
  action.sa_handler = [](int) {};  // without SA_RESTART: the read returns
  sigaction(wake_signal(), &action, nullptr);
}

class MountedSession : public FuseSession {
 public:
  MountedSession(Filesystem& filesystem, Log& log, FuseMountOptions options, std::function<void()> ended)
      : options_(std::move(options)),
        ended_(std::move(ended)),
        context_(filesystem, log, Owner{::getuid(), ::getgid()}) {}

  ~MountedSession() override {
    stop();
    if (mounted_) fuse_session_unmount(session_);
    context_.drop_all();
    if (session_) fuse_session_destroy(session_);
  }

  Result<void> start();
  Result<void> wait_until_it_answers() override;
  std::string settings() const override;
  void invalidate(const std::vector<Tree::Place>& places) override;
  void invalidate_attributes(const std::vector<Tree::Place>& places) override;
  void stop() override;

 private:
  void work(size_t index);

  const FuseMountOptions options_;
  const std::function<void()> ended_;
  FuseContext context_;
  fuse_session* session_ = nullptr;
  bool mounted_ = false;
  std::atomic<size_t> working_{0};
  std::vector<std::thread> workers_;
};

Result<void> MountedSession::start() {
  Arguments arguments(options_);
  std::string told;
  told_while_mounting = &told;
  fuse_set_log_func(take_libfuse_message);
  session_ = fuse_session_new(arguments.get(), &fuse_operations(), sizeof(fuse_lowlevel_ops), &context_);
  mounted_ = session_ && fuse_session_mount(session_, options_.mountpoint.c_str()) == 0;
  told_while_mounting = nullptr;
  if (!mounted_) {
    std::string why = told.empty() ? "see the message above" : one_line(told);
    return Error(Errc::invalid_argument, "cannot mount on " + options_.mountpoint + ": " + why);
  }
  install_wake_signal();
  working_ = kWorkers;
  for (size_t i = 0; i < kWorkers; ++i) workers_.emplace_back([this, i] { work(i); });
  return {};
}

void MountedSession::work(size_t index) {
  pthread_setname_np(pthread_self(), ("fuse-" + std::to_string(index)).c_str());
  sigset_t wake;
  sigemptyset(&wake);
  sigaddset(&wake, wake_signal());
  pthread_sigmask(SIG_UNBLOCK, &wake, nullptr);

  fuse_buf buffer{};
  while (!fuse_session_exited(session_)) {
    int received = fuse_session_receive_buf(session_, &buffer);
    if (received == -EINTR || received == -EAGAIN) continue;
    if (received <= 0) break;  // unmounted, or the connection is aborted
    fuse_session_process_buf(session_, &buffer);
  }
  std::free(buffer.mem);
  if (--working_ == 0) ended_();
}

Result<void> MountedSession::wait_until_it_answers() {
  struct statvfs statistics {};
  if (::statvfs(options_.mountpoint.c_str(), &statistics) != 0) {
    return Error::from_errno(errno, "the mount at " + options_.mountpoint + " does not answer");
  }
  struct stat root {};
  if (::geteuid() == 0 && ::stat(options_.mountpoint.c_str(), &root) == 0) {
    std::ofstream knob("/sys/class/bdi/" + std::to_string(major(root.st_dev)) + ":" +
                       std::to_string(minor(root.st_dev)) + "/read_ahead_kb");
    knob << kReadAheadKib;  // only for speed: a container without /sys does without
  }
  return {};
}

std::string MountedSession::settings() const {
  const std::string agreed = context_.agreed();
  return agreed.empty() ? agreed : agreed + ", workers " + std::to_string(kWorkers);
}

void MountedSession::invalidate(const std::vector<Tree::Place>& places) {
  for (const Tree::Place& place : places) {
    // An inode that the kernel has let go of has no pages: the error says just that.
    fuse_lowlevel_notify_inval_inode(session_, place.inode, static_cast<off_t>(place.offset),
                                     static_cast<off_t>(place.length));
  }
}

void MountedSession::invalidate_attributes(const std::vector<Tree::Place>& places) {
  constexpr off_t kAttributesOnly = -1;
  for (const Tree::Place& place : places) {
    fuse_lowlevel_notify_inval_inode(session_, place.inode, kAttributesOnly, 0);
  }
}

void MountedSession::stop() {
  if (!session_) return;
  fuse_session_exit(session_);
  // A signal that comes just before a worker enters its read is lost, so it is repeated.
  while (working_ > 0) {
    for (std::thread& worker : workers_) pthread_kill(worker.native_handle(), wake_signal());
    std::this_thread::sleep_for(kAskAgain);
  }
  for (std::thread& worker : workers_) {
    if (worker.joinable()) worker.join();
  }
  workers_.clear();
}

}  // namespace

Result<std::unique_ptr<FuseSession>> FuseSession::mount(Filesystem& filesystem, Log& log, FuseMountOptions options,
                                                        std::function<void()> ended) {
  auto session = std::make_unique<MountedSession>(filesystem, log, std::move(options), std::move(ended));
  Result<void> started = session->start();
  if (!started) return started.error();
  return std::unique_ptr<FuseSession>(std::move(session));
}

}  // namespace regfs::fs
