// SPDX-License-Identifier: MIT
#include "tests/support/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <sstream>
#include <thread>

#include "tests/support/posix_file.h"
#include "tests/support/temp_dir.h"

namespace regfs::test {
namespace {

// glibc 2.36 declares pidfd_open() without C linkage.
int pidfd_of(pid_t pid) {
  return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
}

// Where the developer's own credentials are.
bool names_credentials(std::string_view name) {
  return name == "REGISTRY_AUTH_FILE" || name == "DOCKER_AUTH_CONFIG" || name == "DOCKER_CONFIG" ||
         name == "XDG_CONFIG_HOME" || name == "XDG_RUNTIME_DIR" || name.starts_with("REGFS_USERNAME") ||
         name.starts_with("REGFS_PASSWORD");
}

// The environment without anything that would lead requests to loopback through a proxy, or to credentials.
std::vector<char*> environment() {
  static char docker[] = "DOCKER_CONFIG=/nonexistent";
  static char configuration[] = "XDG_CONFIG_HOME=/nonexistent";
  static char runtime[] = "XDG_RUNTIME_DIR=/nonexistent";
  std::vector<char*> out;
  for (char** each = environ; *each != nullptr; ++each) {
    const std::string_view variable(*each);
    const std::string_view name = variable.substr(0, variable.find('='));
    if (!name.ends_with("_proxy") && !name.ends_with("_PROXY") && !names_credentials(name)) out.push_back(*each);
  }
  out.insert(out.end(), {docker, configuration, runtime});
  out.push_back(nullptr);
  return out;
}

pid_t spawn(const std::vector<std::string>& arguments, const ChildProcess::Output& output) {
  constexpr int kNewFile = O_WRONLY | O_CREAT | O_TRUNC;
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output.standard.c_str(), kNewFile, 0644);
  ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, output.error.c_str(), kNewFile, 0644);
  std::vector<char*> words;
  for (const std::string& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  // Tests that run in the background of a script inherit signals that are ignored, and their children would.
  sigset_t usual;
  sigemptyset(&usual);
  for (int signal : {SIGHUP, SIGINT, SIGQUIT}) sigaddset(&usual, signal);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setsigdefault(&attributes, &usual);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, words[0], &actions, &attributes, words.data(), environment().data());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  return error == 0 ? pid : -1;
}

// "PID (NAME) STATE PARENT …", where NAME may hold anything.
struct ProcessStat {
  char state = 0;
  pid_t parent = 0;
};

ProcessStat process_stat(pid_t pid) {
  const std::string text = text_file("/proc/" + std::to_string(pid) + "/stat");
  ProcessStat stat;
  if (const size_t name_end = text.rfind(')'); name_end != std::string::npos) {
    std::istringstream(text.substr(name_end + 1)) >> stat.state >> stat.parent;
  }
  return stat;
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& arguments, const Output& output)
    : pid_(spawn(arguments, output)) {
  if (pid_ < 0) {
    status_ = 127;
  } else {
    pid_fd_.reset(pidfd_of(pid_));
  }
}

ChildProcess::ChildProcess(pid_t inherited) : pid_(inherited), pid_fd_(pidfd_of(inherited)) {}

ChildProcess::~ChildProcess() {
  if (status_) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void ChildProcess::send(int signal) {
  if (!status_) ::kill(pid_, signal);
}

std::optional<int> ChildProcess::wait(std::chrono::milliseconds at_most) {
  if (status_) return status_;
  pollfd ended{.fd = pid_fd_.get(), .events = POLLIN, .revents = 0};
  if (::poll(&ended, 1, static_cast<int>(at_most.count())) != 1) return std::nullopt;
  int status = 0;
  if (::waitpid(pid_, &status, 0) != pid_) return std::nullopt;
  status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return status_;
}

Finished run(const std::vector<std::string>& arguments) {
  const TempDir scratch;
  ChildProcess child(arguments, {.standard = scratch / "output", .error = scratch / "error"});
  const int status = child.wait(std::chrono::minutes(1)).value_or(-1);
  return {status, text_file(scratch / "output"), text_file(scratch / "error")};
}

void adopt_orphans() {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

std::vector<pid_t> children_with(const std::string& text) {
  std::vector<pid_t> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const pid_t pid = std::stoi(name);
    if (process_stat(pid).parent != ::getpid()) continue;
    if (text_file(entry.path().string() + "/cmdline").find(text) != std::string::npos) found.push_back(pid);
  }
  return found;
}

char process_state(pid_t pid) {
  return process_stat(pid).state;
}

void yield_processor() {
  ::poll(nullptr, 0, 10);
}

}  // namespace regfs::test
