// SPDX-License-Identifier: MIT
#include "registry/credential_helper.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "base/clock.h"
#include "registry/json_parse.h"
#include "registry/redact.h"
#include "registry/text.h"

namespace regfs::registry {
namespace {

constexpr std::string_view kNotFound = "credentials not found in native keychain";
constexpr size_t kMaxHelperValues = 100;

// As ::write, but a reader that has gone is EPIPE only, whatever the process does with SIGPIPE.
ssize_t write_without_signal(int fd, std::string_view bytes) {
  sigset_t broken_pipe;
  sigset_t before;
  sigset_t pending;
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  ::sigpending(&pending);
  const bool was_pending = sigismember(&pending, SIGPIPE) == 1;
  ::pthread_sigmask(SIG_BLOCK, &broken_pipe, &before);
  const ssize_t count = ::write(fd, bytes.data(), bytes.size());
  const int error = errno;
  const timespec none{};
  if (count < 0 && error == EPIPE && !was_pending) ::sigtimedwait(&broken_pipe, nullptr, &none);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return count;
}

// The program of that name in a list of directories; empty: none.
std::string program_in(std::string_view path, const std::string& program) {
  while (true) {
    const size_t colon = path.find(':');
    const std::string_view directory = path.substr(0, colon);
    // An empty item is the working directory, where nothing of ours is run from.
    if (directory.starts_with('/')) {
      std::string candidate = std::string(directory) + "/" + program;
      struct stat status {};
      if (::stat(candidate.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
          ::access(candidate.c_str(), X_OK) == 0) {
        return candidate;
      }
    }
    if (colon == std::string_view::npos) return {};
    path.remove_prefix(colon + 1);
  }
}

struct Pipe {
  UniqueFd read_end;
  UniqueFd write_end;
};

std::optional<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return std::nullopt;
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// A helper under way, alone in its process group. Killed and reaped at the latest by the destructor.
class Child {
 public:
  Child(const std::string& program, const std::string& path) {
    std::optional<Pipe> in = make_pipe();
    std::optional<Pipe> out = make_pipe();
    if (!in || !out) return;
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawnattr_init(&attributes);
    ::posix_spawn_file_actions_adddup2(&files, in->read_end.get(), STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&files, out->write_end.get(), STDOUT_FILENO);
    ::posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    ::posix_spawnattr_setpgroup(&attributes, 0);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    std::string path_variable = "PATH=" + path;
    std::vector<char*> environment{path_variable.data()};
    for (char** variable = ::environ; *variable != nullptr; ++variable) {
      if (!std::string_view(*variable).starts_with("PATH=")) environment.push_back(*variable);
    }
    environment.push_back(nullptr);
    std::string name = program;
    std::string verb = "get";
    char* words[] = {name.data(), verb.data(), nullptr};
    failure_ = ::posix_spawn(&pid_, program.c_str(), &files, &attributes, words, environment.data());
    ::posix_spawn_file_actions_destroy(&files);
    ::posix_spawnattr_destroy(&attributes);
    if (failure_ != 0) return;
    in_ = std::move(in->write_end);
    out_ = std::move(out->read_end);
    ended_ = UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  }
  ~Child() {
    if (failure_ != 0) return;
    kill();
    reap();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  int failure() const { return failure_; }  // errno of the start; 0: it runs
  int in() const { return in_.get(); }
  int out() const { return out_.get(); }
  int ended() const { return ended_.get(); }
  void close_in() { in_.reset(); }
  void kill() const {
    if (!status_) ::kill(-pid_, SIGKILL);
  }
  // Waits for its end.
  int reap() {
    int status = 0;
    while (!status_) {
      if (::waitpid(pid_, &status, 0) == pid_) {
        status_ = status;
      } else if (errno != EINTR) {
        status_ = -1;
      }
    }
    return *status_;
  }

 private:
  int failure_ = ENFILE;
  pid_t pid_ = 0;
  UniqueFd in_;
  UniqueFd out_;
  UniqueFd ended_;
  std::optional<int> status_;
};

enum class Ending { closed, exited, too_late, too_long, stopped };

// Hands over the question and collects the answer. A helper that has exited is not waited for any more, even when a
// child of it keeps its output open.
Ending converse(Child& child, std::string_view question, std::string& output, Monotonic::time_point deadline,
                int stopping) {
  ::fcntl(child.in(), F_SETFL, O_NONBLOCK);
  ::fcntl(child.out(), F_SETFL, O_NONBLOCK);
  for (bool exited = false;;) {
    if (question.empty()) child.close_in();
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Monotonic::now()).count();
    if (left <= 0) return Ending::too_late;
    pollfd events[] = {{stopping, POLLIN, 0},
                       {child.out(), POLLIN, 0},
                       {question.empty() ? -1 : child.in(), POLLOUT, 0},
                       {child.ended(), POLLIN, 0}};
    if (::poll(events, std::size(events), exited ? 0 : static_cast<int>(left)) < 0 && errno != EINTR) {
      return Ending::too_late;
    }
    if (events[0].revents != 0) return Ending::stopped;
    if (events[2].revents != 0) {
      const ssize_t count = write_without_signal(child.in(), question);
      if (count > 0) question.remove_prefix(static_cast<size_t>(count));
      // One that does not read its input may answer all the same.
      if (count < 0 && errno != EAGAIN && errno != EINTR) question = {};
    }
    if (events[1].revents != 0) {
      char buffer[4096];
      const ssize_t count = ::read(child.out(), buffer, sizeof(buffer));
      if (count == 0) return Ending::closed;
      if (count > 0) output.append(buffer, static_cast<size_t>(count));
      ::explicit_bzero(buffer, sizeof(buffer));
      if (output.size() > kMaxHelperBytes) return Ending::too_long;
    } else if (exited) {
      return Ending::exited;
    }
    exited = exited || events[3].revents != 0;
  }
}

// Waits for one that has closed its output. False: too late.
bool wait_for_end(const Child& child, Monotonic::time_point deadline, int stopping) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Monotonic::now()).count();
    if (left <= 0) return false;
    pollfd events[] = {{child.ended(), POLLIN, 0}, {stopping, POLLIN, 0}};
    if (::poll(events, std::size(events), static_cast<int>(left)) < 0 && errno != EINTR) return false;
    if (events[0].revents != 0) return true;
    if (events[1].revents != 0) return false;
  }
}

std::string first_line(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  text = text.substr(begin);
  return std::string(trim(text.substr(0, text.find_first_of("\r\n"))));
}

// What a helper says when it fails is a sentence. What is none may be what it holds.
std::string said(const std::string& words) {
  const bool is_sentence = !words.empty() && words.find_first_of("{}[]\"=") == std::string::npos;
  return is_sentence ? ": " + in_quotes(redact(words)) : "";
}

}  // namespace

HelperRunner::HelperRunner(std::string path, std::chrono::milliseconds time)
    : path_(path.empty() ? std::string(kFallbackPath) : std::move(path)),
      time_(time),
      stopping_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
HelperRunner::~HelperRunner() = default;

void HelperRunner::shutdown() {
  ::eventfd_write(stopping_.get(), 1);
}

Result<std::optional<Credential>> HelperRunner::get(const std::string& name, const std::string& server) {
  const std::string program = "docker-credential-" + name;
  const std::string file = program_in(path_, program);
  if (file.empty()) return Error{Errc::not_found, "there is no program " + program + " in " + path_};
  const Monotonic::time_point deadline = Monotonic::now() + time_;
  Child child(file, path_);
  if (child.failure() != 0) {
    return Error{Errc::unauthorized, file + " cannot be run: " + strerror(child.failure())};
  }
  std::string output;
  Ending ending = converse(child, server, output, deadline, stopping_.get());
  if (ending == Ending::closed && !wait_for_end(child, deadline, stopping_.get())) ending = Ending::too_late;
  child.close_in();
  pollfd stopping{stopping_.get(), POLLIN, 0};
  if (ending == Ending::stopped || ::poll(&stopping, 1, 0) > 0) {
    return Error{Errc::shutting_down, "regfs is shutting down"};
  }
  if (ending == Ending::too_late) {
    return Error{Errc::timed_out,
                 file + " was killed: no answer for " + server + " in " + std::to_string(time_.count()) + " ms"};
  }
  if (ending == Ending::too_long) return Error{Errc::unauthorized, file + " was killed: its answer is over 64 KiB"};
  const int status = child.reap();
  Result<std::optional<Credential>> answer = std::optional<Credential>();
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
    answer = parse_helper_answer(output, file);
  } else if (std::string words = first_line(output); words != kNotFound) {
    answer = Error{Errc::not_found, file + " failed for " + server + said(words)};
  }
  ::explicit_bzero(output.data(), output.size());
  return answer;
}

Result<std::optional<Credential>> parse_helper_answer(std::string_view output, const std::string& program) {
  Result<Json> document = parse_json(output, kMaxHelperValues);
  // The parser's own sentence may quote a key.
  if (!document || document->object() == nullptr) {
    return Error{Errc::unauthorized, program + " printed what is no JSON object"};
  }
  const Json* username = document->find("Username");
  const Json* secret = document->find("Secret");
  if (username == nullptr || username->string() == nullptr || secret == nullptr || secret->string() == nullptr ||
      username->string()->empty() || secret->string()->empty()) {
    return Error{Errc::unauthorized, program + " printed no Username and Secret"};
  }
  Credential credential;
  credential.source = program;
  if (*username->string() == "<token>") {
    credential.identity_token = Secret(*secret->string());
  } else {
    credential.username = *username->string();
    credential.password = Secret(*secret->string());
  }
  return std::optional<Credential>(std::move(credential));
}

}  // namespace regfs::registry
