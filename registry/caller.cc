// SPDX-License-Identifier: MIT
#include "registry/caller.h"

#include <algorithm>

#include "registry/refusal.h"

namespace regfs::registry {
namespace {

bool is_good(int status) {
  return status >= 200 && status <= 299;
}

Answer ended_by_shutdown(std::string url) {
  Answer answer;
  answer.url = std::move(url);
  answer.error = shutting_down();
  answer.failure = TransportFailure::cancelled;
  return answer;
}

Answer late(std::chrono::milliseconds at_most) {
  Answer answer;
  answer.error = Error{Errc::timed_out, "no whole answer within " + std::to_string(at_most.count()) + " ms"};
  answer.failure = TransportFailure::timed_out;
  return answer;
}

bool worth_another_try(const Answer& answer) {
  if (!answer.error) return is_retryable_status(answer.head.status);
  return answer.failure == TransportFailure::broken || answer.failure == TransportFailure::timed_out;
}

}  // namespace

// Collects one answer. The transport may hold it longer than the caller lives, so it knows nobody.
class Caller::Waiting : public HttpHandler {
 public:
  explicit Waiting(size_t body_limit) : limit_(body_limit) {}

  bool on_head(const HttpHead& head) override {
    MutexLock lock(mutex_);
    answer_.head = head;
    if (!is_good(head.status)) limit_ = kMaxErrorBodyBytes;
    // The 416 of docker-registry announces the length of the blob and sends a sentence.
    return !abandoned_ && head.status != 416;
  }

  bool on_body(std::span<const std::byte> bytes) override {
    MutexLock lock(mutex_);
    size_t wanted = std::min(bytes.size(), limit_ - answer_.body.size());
    answer_.body.append(reinterpret_cast<const char*>(bytes.data()), wanted);
    answer_.cut = wanted < bytes.size();
    return !abandoned_ && !answer_.cut;
  }

  void on_done(Result<void> outcome, TransportFailure failure) override {
    MutexLock lock(mutex_);
    bool answered = answer_.head.status != 0 && (!is_good(answer_.head.status) || answer_.cut);
    if (!outcome && !answered) {
      answer_.error = outcome.error();
      answer_.failure = failure;
    }
    done_ = true;
    changed_.notify_all();
  }

  void abandon() {
    MutexLock lock(mutex_);
    abandoned_ = true;
    changed_.notify_all();
  }

  // nullopt: abandoned.
  std::optional<Answer> wait(const std::optional<std::chrono::milliseconds>& at_most) {
    const Monotonic::time_point deadline = Monotonic::now() + at_most.value_or(std::chrono::milliseconds(0));
    MutexLock lock(mutex_);
    while (!done_ && !abandoned_) {
      if (!at_most) {
        changed_.wait(lock);
      } else if (Monotonic::now() < deadline) {
        changed_.wait_until(lock, deadline);
      } else {
        abandoned_ = true;
        return late(*at_most);
      }
    }
    if (!done_) return std::nullopt;
    return std::move(answer_);
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  size_t limit_ REGFS_GUARDED_BY(mutex_);
  Answer answer_ REGFS_GUARDED_BY(mutex_);
  bool done_ REGFS_GUARDED_BY(mutex_) = false;
  bool abandoned_ REGFS_GUARDED_BY(mutex_) = false;
};

Error shutting_down() {
  return {Errc::shutting_down, "regfs is shutting down"};
}

Caller::Caller(Transport& transport) : transport_(transport), random_(std::random_device{}()) {}
Caller::~Caller() = default;

Answer Caller::send(HttpRequest request, size_t body_limit, std::optional<std::chrono::milliseconds> at_most) {
  auto waiting = std::make_shared<Waiting>(body_limit);
  std::string url = request.url;
  {
    MutexLock lock(mutex_);
    if (stopped_) return ended_by_shutdown(url);
    waiting_.insert(waiting);
  }
  Transport::RequestId id = transport_.start(std::move(request), waiting);
  std::optional<Answer> answer = waiting->wait(at_most);
  {
    MutexLock lock(mutex_);
    waiting_.erase(waiting);
  }
  const bool is_late = answer && answer->failure == TransportFailure::timed_out;
  if (!answer || (at_most && is_late)) transport_.cancel(id);
  // Nobody else cancels: the transport itself has stopped.
  if (!answer || answer->failure == TransportFailure::cancelled) return ended_by_shutdown(url);
  answer->url = url;
  return std::move(*answer);
}

bool Caller::pause(std::chrono::milliseconds duration) {
  Monotonic::time_point deadline = Monotonic::now() + duration;
  MutexLock lock(mutex_);
  while (!stopped_ && Monotonic::now() < deadline) stopping_.wait_until(lock, deadline);
  return !stopped_;
}

Answer Caller::with_retries(const RetryPolicy& policy, const Clock& clock, const std::function<Answer()>& once) {
  bool timed_out_before = false;
  for (int attempts = 1;; ++attempts) {
    Answer answer = once();
    if (!worth_another_try(answer)) return answer;
    bool timed_out = answer.failure == TransportFailure::timed_out;
    if (timed_out && timed_out_before) return answer;
    timed_out_before = timed_out_before || timed_out;
    std::optional<std::chrono::seconds> retry_after;
    if (std::optional<std::string> value = answer.head.headers.first("Retry-After")) {
      retry_after = parse_retry_after(*value, clock.wall_now());
    }
    std::optional<std::chrono::milliseconds> delay = next_delay(policy, attempts, retry_after, jitter());
    if (!delay) return answer;
    if (!pause(*delay)) return ended_by_shutdown(answer.url);
  }
}

double Caller::jitter() {
  MutexLock lock(mutex_);
  return std::uniform_real_distribution<double>(0.0, 1.0)(random_);
}

bool Caller::stopped() const {
  MutexLock lock(mutex_);
  return stopped_;
}

void Caller::shutdown() {
  std::set<std::shared_ptr<Waiting>> waiting;
  {
    MutexLock lock(mutex_);
    stopped_ = true;
    waiting = waiting_;
    stopping_.notify_all();
  }
  for (const std::shared_ptr<Waiting>& one : waiting) one->abandon();
}

}  // namespace regfs::registry
