// SPDX-License-Identifier: MIT
#include "tests/support/scripted_source.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <new>
#include <random>
#include <utility>

#include "base/sha256.h"

namespace regfs::test {
namespace {

Monotonic::time_point patience() {
  return Monotonic::now() + std::chrono::seconds(20);
}

}  // namespace

ScriptedSource::~ScriptedSource() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  if (server_.joinable()) server_.join();
}

void ScriptedSource::hold(const std::string& bytes) {
  hold(sha256_of(bytes), bytes);
}

void ScriptedSource::hold(const Digest& digest, const std::string& bytes) {
  MutexLock lock(mutex_);
  contents_.insert_or_assign(digest, bytes);
}

std::vector<AskedRange> ScriptedSource::those(const std::function<bool(const Request&)>& which) const {
  std::vector<AskedRange> found;
  MutexLock lock(mutex_);
  for (const auto& [id, request] : requests_) {
    if (which(request)) found.push_back({id, request.range});
  }
  return found;
}

std::vector<AskedRange> ScriptedSource::asked() const {
  return those([](const Request&) { return true; });
}

std::vector<AskedRange> ScriptedSource::running() const {
  return those([](const Request& request) { return request.sink != nullptr; });
}

std::vector<AskedRange> ScriptedSource::cancelled() const {
  return those([](const Request& request) { return request.cancelled; });
}

size_t ScriptedSource::most_at_once() const {
  MutexLock lock(mutex_);
  return most_at_once_;
}

bool ScriptedSource::wait_asked(size_t count) {
  const Monotonic::time_point deadline = patience();
  MutexLock lock(mutex_);
  while (requests_.size() < count) {
    if (!changed_.wait_until(lock, deadline)) return requests_.size() >= count;
  }
  return true;
}

bool ScriptedSource::wait_running(size_t count) {
  const Monotonic::time_point deadline = patience();
  MutexLock lock(mutex_);
  while (running_ != count) {
    if (!changed_.wait_until(lock, deadline)) return running_ == count;
  }
  return true;
}

void ScriptedSource::begin(uint64_t id, bool sends_all) {
  std::shared_ptr<registry::BodySink> sink;
  {
    MutexLock lock(mutex_);
    Request& request = requests_.at(id);
    if (!request.sink || (request.begun && !sends_all)) return;
    request.begun = true;
    sink = request.sink;
  }
  sink->began(sends_all);
}

void ScriptedSource::spare(uint64_t id, uint64_t offset, uint64_t length) {
  std::shared_ptr<registry::BodySink> sink;
  std::string bytes;
  {
    MutexLock lock(mutex_);
    const Request& request = requests_.at(id);
    if (!request.sink) return;
    sink = request.sink;
    bytes = contents_.at(request.range.digest).substr(offset, length);
  }
  sink->spare(offset, std::as_bytes(std::span(bytes)));
}

void ScriptedSource::interrupt(uint64_t id) {
  std::shared_ptr<registry::BodySink> sink;
  {
    MutexLock lock(mutex_);
    Request& request = requests_.at(id);
    request.begun = false;
    sink = request.sink;
  }
  if (sink) sink->interrupted();
}

void ScriptedSource::send(uint64_t id, uint64_t length) {
  end_those_cancelled();
  begin(id);
  std::shared_ptr<registry::BodySink> sink;
  std::string bytes;
  uint64_t offset = 0;
  bool last = false;
  {
    MutexLock lock(mutex_);
    Request& request = requests_.at(id);
    if (!request.sink) return;
    sink = request.sink;
    offset = request.range.offset + request.sent;
    bytes = contents_.at(request.range.digest).substr(offset, std::min(length, request.range.length - request.sent));
    request.sent += bytes.size();
    last = request.sent == request.range.length;
  }
  const Result<void> written = sink->write(offset, std::as_bytes(std::span(bytes)));
  if (!written || last) end(id, written, false);
}

void ScriptedSource::fail(uint64_t id, const Error& error) {
  end_those_cancelled();
  end(id, error, false);
}

void ScriptedSource::send_all() {
  for (std::vector<AskedRange> open = running(); !open.empty(); open = running()) {
    for (const AskedRange& each : open) send(each.id);
  }
}

void ScriptedSource::serve(uint32_t seed, Mishaps mishaps) {
  server_ = std::thread([this, seed, mishaps = std::move(mishaps)] { run(seed, mishaps); });
}

void ScriptedSource::spare_the_rest() {
  MutexLock lock(mutex_);
  sparing_ = true;
}

void ScriptedSource::run(uint32_t seed, const Mishaps& mishaps) {
  std::mt19937 random(seed);
  const std::array failures{
      Error(Errc::unreachable, "connection refused"), Error(Errc::timed_out, "no byte for a long time"),
      Error(Errc::bad_response, "connection reset"),  Error(Errc::server_error, "503: come again"),
      Error(Errc::wrong_length, "the body was cut"),  Error(Errc::missing_content, "404: blob unknown")};
  while (true) {
    const std::vector<AskedRange> open = running();
    bool mishap = false;
    {
      MutexLock lock(mutex_);
      while (running_ == 0 && cancelled_later_.empty() && !stopping_) changed_.wait(lock);
      if (stopping_ && running_ == 0) return;
      mishap = mishaps.one_in > 0 && !sparing_ && random() % mishaps.one_in == 0;
    }
    end_those_cancelled();
    if (open.empty()) continue;
    const AskedRange& next = open[random() % open.size()];
    if (mishap) {
      mishaps.meet(next.range.digest, [&] { fail(next.id, failures[random() % failures.size()]); });
    } else {
      send(next.id, 1 + random() % mishaps.piece_bytes);
    }
  }
}

fs::BlobSource::DownloadId ScriptedSource::download(registry::BlobRange range,
                                                    std::shared_ptr<registry::BodySink> sink) {
  MutexLock lock(mutex_);
  if (out_of_memory_) throw std::bad_alloc();
  const uint64_t id = requests_.size() + 1;
  requests_.emplace(id, Request{std::move(range), std::move(sink)});
  most_at_once_ = std::max(most_at_once_, ++running_);
  changed_.notify_all();
  return id;
}

void ScriptedSource::run_out_of_memory(bool out) {
  MutexLock lock(mutex_);
  out_of_memory_ = out;
}

int ScriptedSource::deepest_cancel() const {
  MutexLock lock(mutex_);
  return deepest_cancel_;
}

void ScriptedSource::cancel(DownloadId id) {
  thread_local int depth = 0;
  {
    MutexLock lock(mutex_);
    deepest_cancel_ = std::max(deepest_cancel_, depth + 1);
    if (depth + 1 >= kDeepest) {
      cancelled_later_.push_back(id);
      changed_.notify_all();
      return;
    }
  }
  ++depth;
  end(id, Error(Errc::cancelled, "cancelled"), true);
  --depth;
}

void ScriptedSource::end_those_cancelled() {
  std::vector<uint64_t> cancelled;
  {
    MutexLock lock(mutex_);
    cancelled.swap(cancelled_later_);
  }
  for (const uint64_t id : cancelled) end(id, Error(Errc::cancelled, "cancelled"), true);
}

void ScriptedSource::end(uint64_t id, Result<void> outcome, bool by_cancel) {
  std::shared_ptr<registry::BodySink> sink;
  {
    MutexLock lock(mutex_);
    Request& request = requests_.at(id);
    if (!request.sink) return;
    sink = std::move(request.sink);
    request.sink = nullptr;
    request.cancelled = by_cancel;
    --running_;
    changed_.notify_all();
  }
  sink->finished(std::move(outcome));
}

}  // namespace regfs::test
