// SPDX-License-Identifier: MIT
// Runs questions about names on the resolver threads, and sees that each is answered in time.
//
// Equal questions are one request, however many ask. An answer comes from whichever is first: the
// registry; after 2 s the last known answer, if there is one; the time limit; an interrupt; the end of
// the mount. Except for the last the request goes on behind the answer, so that the next try finds it.
// A registry that is down or silent is remembered for 5 s and answers every name of it at once.
//
// A question that throws a std::exception is answered with words; where there is no memory for them, the answer is
// dropped ungiven.
//
// Owned by Filesystem; safe to use from any thread. Answers run on a resolver or reply thread, or on
// the thread that asks, never with a lock held.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/job.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/timer.h"
#include "base/work_pool.h"
#include "fs/expiring_map.h"
#include "fs/image_resolver.h"

namespace regfs::fs {

// With a last known answer in hand, the registry has this long to give a newer one.
inline constexpr std::chrono::milliseconds kRevalidationPatience{2'000};
inline constexpr std::chrono::seconds kOutageMemory{5};
inline constexpr size_t kEarlyCancels = 1'000;

// What every kind of question shares. All outlive the questions.
struct QuestionServices {
  WorkPool& resolvers;  // waits for registries; its key is the host
  WorkPool& replies;    // never waits for the network
  Timer& timer;
  Log& log;
  ExpiringMap<std::string, Error>& outages;  // by host
};

// The registry did not answer, or not sensibly: what was last known is better than nothing.
bool is_outage(const Error& error);
// It will not answer the next question either.
bool is_lasting_outage(const Error& error);
// Every failure has its line in the log, but for what is an answer ("does not exist") or the asker's wish.
void log_failed_question(Log& log, const Error& error);

using QuestionId = uint64_t;

// T is copied to everyone who asked the same.
template <typename T>
class Questions final : public std::enable_shared_from_this<Questions<T>> {
 public:
  using Work = std::function<Result<T>(Ask)>;
  using Answer = Once<Result<T>>;

  explicit Questions(QuestionServices services) : services_(services) {}

  // `what` is the question in words, equal for equal questions: "looking up ghcr.io/acme/api". `id` is
  // the asker's own, for cancel(), and never used twice.
  void ask(QuestionId id, const std::string& what, const std::string& host, std::chrono::milliseconds limit, Work work,
           Answer answer);
  // Answers Errc::cancelled, also if the question is still to be asked. No effect after the answer.
  void cancel(QuestionId id);
  // Answers what waits, and all that comes later, with `error`. Idempotent.
  void shutdown(const Error& error);

 private:
  struct Waiting {
    std::string what;
    Answer answer;
    std::vector<Timer::Id> timers;
  };

  void answer_from_memory(QuestionId id, Work work, Error outage);
  void start(const std::string& what, const std::string& host, Work work);
  void arm(QuestionId id, const std::string& what, const std::string& host, std::chrono::milliseconds limit, Work work);
  void end_in_time(QuestionId id, const std::string& what, const std::string& host, const Work& work,
                   const Error& late);
  void finish(const std::string& what, const Result<T>& result);
  bool deliver(QuestionId id, Result<T> result);
  void abandon(QuestionId id) noexcept;
  void abandon_all(const std::string& what) noexcept;
  bool waits(QuestionId id);
  Result<T> asked_or_words(const std::string& what, const std::string& host, const Work& work);
  Result<T> asked(const std::string& what, const std::string& host, const Work& work);
  Result<T> with_last_known(const std::string& what, const Work& work, const Error& failure);

  const QuestionServices services_;
  Mutex mutex_;
  std::map<QuestionId, Waiting> waiting_ REGFS_GUARDED_BY(mutex_);
  std::map<std::string, std::set<QuestionId>> running_ REGFS_GUARDED_BY(mutex_);  // by what is asked
  std::set<QuestionId> cancelled_early_ REGFS_GUARDED_BY(mutex_);
  std::optional<Error> ended_ REGFS_GUARDED_BY(mutex_);
};

template <typename T>
void Questions<T>::ask(QuestionId id, const std::string& what, const std::string& host, std::chrono::milliseconds limit,
                       Work work, Answer answer) {
  auto outage = services_.outages.get(host);
  bool first = false;
  {
    MutexLock lock(mutex_);
    bool cancelled = cancelled_early_.erase(id) > 0;
    if (cancelled || ended_) {
      Error error = ended_ ? *ended_ : Error(Errc::cancelled, what);
      lock.unlock();
      return answer(std::move(error));
    }
    waiting_.emplace(id, Waiting{what, std::move(answer), {}});
    if (!outage) {
      auto [running, made] = running_.try_emplace(what);
      running->second.insert(id);
      first = made;
    }
  }
  if (outage) return answer_from_memory(id, std::move(work), outage->value.while_doing(what));
  try {
    arm(id, what, host, limit, work);
    if (first) start(what, host, std::move(work));
  } catch (const std::exception&) {
    if (first) abandon_all(what);
    abandon(id);
    throw;
  }
}

template <typename T>
void Questions<T>::answer_from_memory(QuestionId id, Work work, Error outage) {
  services_.replies.submit([self = this->shared_from_this(), id, work = std::move(work), outage] {
    try {
      Result<T> known = work(Ask::last_known);
      self->deliver(id, known ? std::move(known) : Result<T>(outage));
    } catch (const std::exception&) {
      self->abandon(id);
      throw;
    }
  });
}

template <typename T>
void Questions<T>::start(const std::string& what, const std::string& host, Work work) {
  services_.resolvers.submit(host, [self = this->shared_from_this(), what, host, work = std::move(work)] {
    std::optional<Result<T>> result;
    try {
      result.emplace(self->asked_or_words(what, host, work));
    } catch (const std::exception&) {
      self->abandon_all(what);
      throw;
    }
    self->finish(what, *result);  // drops its own askers if it throws; by then others may ask the same anew
  });
}

template <typename T>
Result<T> Questions<T>::asked_or_words(const std::string& what, const std::string& host, const Work& work) {
  try {
    return asked(what, host, work);
  } catch (const std::exception& error) {  // whoever waits is answered all the same
    return Error(Errc::bad_response, what + ": an internal error: " + error.what());
  }
}

template <typename T>
Result<T> Questions<T>::asked(const std::string& what, const std::string& host, const Work& work) {
  Result<T> result = work(Ask::registry);
  if (result) {
    services_.outages.drop(host);
    return result;
  }
  Error error = result.error();
  if (is_lasting_outage(error)) services_.outages.put(host, error, kOutageMemory);
  if (is_outage(error)) return with_last_known(what, work, error);
  return result;
}

template <typename T>
Result<T> Questions<T>::with_last_known(const std::string& what, const Work& work, const Error& failure) {
  Result<T> known = work(Ask::last_known);
  if (!known) return failure.while_doing(what);
  services_.log.failure(what + ": serving the last known answer, because " + failure.context());
  return known;
}

template <typename T>
void Questions<T>::arm(QuestionId id, const std::string& what, const std::string& host, std::chrono::milliseconds limit,
                       Work work) {
  std::weak_ptr<Questions> weak = this->weak_from_this();
  Error late(Errc::timed_out, "no answer from " + host + " within " + std::to_string(limit.count()) + " ms");
  Timer::Id patience = services_.timer.after(std::min(kRevalidationPatience, limit), [=, this] {
    auto self = weak.lock();
    if (!self) return;
    services_.replies.submit([=] {
      Result<T> known = work(Ask::last_known);
      if (known && self->deliver(id, std::move(known))) {
        self->services_.log.failure(what + ": serving the last known answer, because " + host + " is slow");
      }
    });
  });
  Timer::Id end = services_.timer.after(limit, [=, this] {
    auto self = weak.lock();
    if (!self) return;
    try {
      services_.replies.submit([=] { self->end_in_time(id, what, host, work, late); });
    } catch (const std::exception&) {
      self->abandon(id);
      throw;
    }
  });
  std::vector<Timer::Id> timers{patience, end};
  MutexLock lock(mutex_);
  auto waiting = waiting_.find(id);
  if (waiting != waiting_.end()) {
    waiting->second.timers = std::move(timers);
    return;
  }
  lock.unlock();
  for (const Timer::Id& timer : timers) services_.timer.cancel(timer);
}

template <typename T>
void Questions<T>::end_in_time(QuestionId id, const std::string& what, const std::string& host, const Work& work,
                               const Error& late) {
  try {
    Result<T> known = work(Ask::last_known);
    if (!waits(id)) return;
    services_.outages.put(host, late, kOutageMemory);  // first: the asker's next question comes at once
    deliver(id, known ? std::move(known) : Result<T>(late.while_doing(what)));
  } catch (const std::exception&) {
    abandon(id);
    throw;
  }
}

template <typename T>
void Questions<T>::finish(const std::string& what, const Result<T>& result) {
  std::set<QuestionId> ids;
  {
    MutexLock lock(mutex_);
    auto running = running_.find(what);
    if (running == running_.end()) return;
    ids = std::move(running->second);
    running_.erase(running);
  }
  try {
    for (QuestionId id : ids) deliver(id, result);
  } catch (const std::exception&) {
    for (QuestionId id : ids) abandon(id);
    throw;
  }
}

// An exception is on its way to a fence, maybe for want of memory: no words then, and nothing is allocated. An answer
// that is dropped ungiven says so by itself.
template <typename T>
void Questions<T>::abandon(QuestionId id) noexcept {
  MutexLock lock(mutex_);
  auto dropped = waiting_.extract(id);
  lock.unlock();
  if (dropped.empty()) return;
  for (const Timer::Id& timer : dropped.mapped().timers) services_.timer.cancel(timer);
}

template <typename T>
void Questions<T>::abandon_all(const std::string& what) noexcept {
  MutexLock lock(mutex_);
  auto dropped = running_.extract(what);
  lock.unlock();
  if (dropped.empty()) return;
  for (QuestionId id : dropped.mapped()) abandon(id);
}

template <typename T>
bool Questions<T>::waits(QuestionId id) {
  MutexLock lock(mutex_);
  return waiting_.contains(id);
}

// False when the question has been answered before.
template <typename T>
bool Questions<T>::deliver(QuestionId id, Result<T> result) {
  MutexLock lock(mutex_);
  auto waiting = waiting_.find(id);
  if (waiting == waiting_.end()) return false;
  Waiting taken = std::move(waiting->second);
  waiting_.erase(waiting);
  lock.unlock();
  for (const Timer::Id& timer : taken.timers) services_.timer.cancel(timer);
  if (!result) log_failed_question(services_.log, result.error());
  taken.answer(std::move(result));
  return true;
}

template <typename T>
void Questions<T>::cancel(QuestionId id) {
  {
    MutexLock lock(mutex_);
    if (!waiting_.contains(id)) {
      // Most come before their question; one that came after its answer must not stay for ever.
      if (cancelled_early_.size() >= kEarlyCancels) cancelled_early_.erase(cancelled_early_.begin());
      cancelled_early_.insert(id);
      return;
    }
  }
  deliver(id, Error(Errc::cancelled, "interrupted"));
}

template <typename T>
void Questions<T>::shutdown(const Error& error) {
  std::vector<QuestionId> ids;
  {
    MutexLock lock(mutex_);
    ended_ = error;
    for (const auto& [id, waiting] : waiting_) ids.push_back(id);
  }
  for (QuestionId id : ids) deliver(id, error);
}

}  // namespace regfs::fs
