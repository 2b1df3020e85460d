// SPDX-License-Identifier: MIT
#include "tests/support/fake_transport.h"

#include <algorithm>
#include <span>

namespace regfs::test {
namespace {

using registry::TransportFailure;

// Small, so that an answer is many calls as in the real world.
constexpr size_t kPieceBytes = 1000;

Error error_for(TransportFailure failure) {
  switch (failure) {
    case TransportFailure::refused:
    case TransportFailure::unresolved: return {Errc::unreachable, "scripted: unreachable"};
    case TransportFailure::timed_out: return {Errc::timed_out, "scripted: timed out"};
    case TransportFailure::cancelled:
    case TransportFailure::stopped: return {Errc::cancelled, "scripted: cancelled"};
    case TransportFailure::none:
    case TransportFailure::not_tls:
    case TransportFailure::tls:
    case TransportFailure::broken: break;
  }
  return {Errc::bad_response, "scripted: broken"};
}

}  // namespace

FakeTransport::FakeTransport() : thread_([this] { run(); }) {}

FakeTransport::~FakeTransport() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    for (Pending& pending : held_) {
      pending.cancelled = true;
      ready_.push_back(std::move(pending));
    }
    held_.clear();
    changed_.notify_all();
  }
  thread_.join();
}

void FakeTransport::on(const std::string& url, ScriptedAnswer answer) {
  MutexLock lock(mutex_);
  script_[url].push_back(std::move(answer));
}

void FakeTransport::release() {
  MutexLock lock(mutex_);
  for (Pending& pending : held_) ready_.push_back(std::move(pending));
  held_.clear();
  for (auto& [url, answers] : script_) {
    for (ScriptedAnswer& answer : answers) answer.holds = false;
  }
  changed_.notify_all();
}

void FakeTransport::replace(const std::string& url, ScriptedAnswer answer) {
  MutexLock lock(mutex_);
  script_[url] = {std::move(answer)};
}

void FakeTransport::otherwise(ScriptedAnswer answer) {
  MutexLock lock(mutex_);
  otherwise_ = std::move(answer);
}

registry::Transport::RequestId FakeTransport::start(registry::HttpRequest request,
                                                    std::shared_ptr<registry::HttpHandler> handler) {
  MutexLock lock(mutex_);
  Pending pending{next_id_++, std::move(handler), next_answer(request.url), request.method};
  RequestId id = pending.id;
  requests_.push_back(std::move(request));
  if (pending.answer.holds) {
    held_.push_back(std::move(pending));
  } else {
    ready_.push_back(std::move(pending));
  }
  changed_.notify_all();
  return id;
}

void FakeTransport::cancel(RequestId id) {
  MutexLock lock(mutex_);
  auto same = [id](const Pending& pending) { return pending.id == id; };
  auto ready = std::find_if(ready_.begin(), ready_.end(), same);
  if (ready != ready_.end()) ready->cancelled = true;
  auto held = std::find_if(held_.begin(), held_.end(), same);
  if (held == held_.end()) return;
  held->cancelled = true;
  ready_.push_back(std::move(*held));
  held_.erase(held);
  changed_.notify_all();
}

std::vector<registry::HttpRequest> FakeTransport::requests() const {
  MutexLock lock(mutex_);
  return requests_;
}

std::vector<registry::HttpRequest> FakeTransport::requests_to(const std::string& url) const {
  std::vector<registry::HttpRequest> found;
  for (registry::HttpRequest& request : requests()) {
    if (request.url == url) found.push_back(std::move(request));
  }
  return found;
}

void FakeTransport::wait_until_held(size_t requests) {
  MutexLock lock(mutex_);
  while (held_.size() < requests) changed_.wait(lock);
}

ScriptedAnswer FakeTransport::next_answer(const std::string& url) {
  auto found = script_.find(url);
  if (found == script_.end()) return otherwise_;
  ScriptedAnswer answer = found->second.front();
  if (found->second.size() > 1) found->second.pop_front();
  return answer;
}

void FakeTransport::run() {
  MutexLock lock(mutex_);
  while (true) {
    if (ready_.empty()) {
      if (stopping_) return;
      changed_.wait(lock);
      continue;
    }
    Pending next = std::move(ready_.front());
    ready_.pop_front();
    lock.unlock();
    play(next);
    next = Pending();
    lock.lock();
  }
}

void FakeTransport::play(const Pending& pending) {
  auto done = [&pending](TransportFailure failure) {
    pending.handler->on_done(failure == TransportFailure::none ? Result<void>() : error_for(failure), failure);
  };
  if (pending.cancelled) return done(TransportFailure::cancelled);
  const ScriptedAnswer& answer = pending.answer;
  if (answer.status == 0) return done(answer.failure);
  registry::HttpHead head;
  head.status = answer.status;
  for (const auto& [name, value] : answer.headers) head.headers.add(name, value);
  if (!pending.handler->on_head(head)) return done(TransportFailure::stopped);
  std::span<const std::byte> left = std::as_bytes(std::span(answer.body.data(), answer.body.size()));
  if (pending.method == "HEAD") left = {};
  while (!left.empty()) {
    std::span<const std::byte> piece = left.first(std::min(left.size(), kPieceBytes));
    if (!pending.handler->on_body(piece)) return done(TransportFailure::stopped);
    left = left.subspan(piece.size());
  }
  done(answer.failure);
}

}  // namespace regfs::test
