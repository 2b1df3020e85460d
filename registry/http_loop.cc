// SPDX-License-Identifier: MIT
#include "registry/http_loop.h"

#include <curl/curl.h>
#include <pthread.h>

#include <algorithm>
#include <exception>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "registry/http_transfer.h"
#include "registry/open_sockets.h"
#include "registry/tls_trust.h"
#include "registry/transport_failure.h"

namespace regfs::registry {
namespace {

constexpr int kIdlePollMilliseconds = 60'000;  // a wakeup ends it early
constexpr int kPollWithoutMemoryMilliseconds = 100;
constexpr size_t kMaxIdleHandles = 64;

struct EasyDeleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
using Easy = std::unique_ptr<CURL, EasyDeleter>;

}  // namespace

class HttpLoop::Impl {
 public:
  Impl() {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    idle_.reserve(kMaxIdleHandles);
    multi_ = curl_multi_init();
    REGFS_CHECK(multi_ != nullptr, "libcurl has no multi handle");
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kMaxIdleConnections);
    curl_multi_setopt(multi_, CURLMOPT_MAX_HOST_CONNECTIONS, kMaxHostConnections);
    curl_multi_setopt(multi_, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_NOTHING));
    thread_ = std::thread([this] { run(); });
  }
  ~Impl() {
    stop();
    idle_.clear();
    curl_multi_cleanup(multi_);
    curl_global_cleanup();
  }

  RequestId start(HttpRequest request, std::shared_ptr<HttpHandler> handler) {
    auto transfer = std::make_unique<Transfer>(std::move(request), std::move(handler));
    MutexLock lock(mutex_);
    RequestId id = next_id_++;
    if (stopping_) {
      lock.unlock();
      transfer->finish_as(TransportFailure::cancelled, "");
      return id;
    }
    started_.emplace_back(id, std::move(transfer));
    lock.unlock();
    curl_multi_wakeup(multi_);
    return id;
  }

  void cancel(RequestId id) {
    MutexLock lock(mutex_);
    if (stopping_) return;
    cancelled_.push_back(id);
    lock.unlock();
    curl_multi_wakeup(multi_);
  }

  void stop() {
    {
      MutexLock lock(mutex_);
      stopping_ = true;
    }
    curl_multi_wakeup(multi_);
    if (thread_.joinable()) thread_.join();
  }

 private:
  struct Active {
    std::unique_ptr<Transfer> transfer;
    Easy easy;
  };
  using Started = std::vector<std::pair<RequestId, std::unique_ptr<Transfer>>>;

  void run() {
    pthread_setname_np(pthread_self(), "http");
    while (step()) {
    }
    while (!active_.empty()) end(active_.begin()->first, TransportFailure::cancelled);
  }

  // False when it is time to stop. What finds no memory is dropped, and the rest goes on.
  bool step() {
    int patience = kPollWithoutMemoryMilliseconds;
    try {
      if (!take_inbox()) return false;
      int running = 0;
      curl_multi_perform(multi_, &running);
      if (Transfer* holder = pieces_.owner()) holder->hand_over();
      reap();
      end_stopped();
      patience = end_silent();
    } catch (const std::exception&) {
      // The exception fence of this thread.
    }
    curl_multi_poll(multi_, nullptr, 0, patience, nullptr);
    return true;
  }

  // False when it is time to stop.
  bool take_inbox() {
    Started started;
    std::vector<RequestId> cancelled;
    bool stopping = false;
    {
      MutexLock lock(mutex_);
      started.swap(started_);
      cancelled.swap(cancelled_);
      stopping = stopping_;
    }
    for (auto& [id, transfer] : started) {
      if (stopping) {
        transfer->finish_as(TransportFailure::cancelled, "");
      } else {
        add(id, std::move(transfer));
      }
    }
    for (RequestId id : cancelled) {
      if (active_.count(id) != 0) end(id, TransportFailure::cancelled);
    }
    return !stopping;
  }

  void add(RequestId id, std::unique_ptr<Transfer> transfer) {
    if (std::optional<Error> objection = objection_to(transfer->request())) return transfer->refuse(*objection);
    Easy easy = idle_handle();
    if (!easy) return transfer->finish_as(TransportFailure::broken, "no memory for a request");
    transfer->prepare(easy.get(), pieces_, sockets_);
    CURL* const handle = easy.get();
    ids_[handle] = id;
    active_.emplace(id, Active{std::move(transfer), std::move(easy)});
    curl_multi_add_handle(multi_, handle);
  }

  void reap() {
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      CURLcode code = message->data.result;
      RequestId id = ids_.at(message->easy_handle);
      std::unique_ptr<Transfer> transfer = detach(id);
      if (transfer->wants_new_connection()) {
        add(id, std::move(transfer));
      } else {
        transfer->finish(code);
      }
    }
  }

  // Whose handler has had enough, and to whom libcurl has not said so in a callback.
  void end_stopped() {
    std::vector<RequestId> stopped;
    for (const auto& [id, active] : active_) {
      if (active.transfer->stopped()) stopped.push_back(id);
    }
    for (RequestId id : stopped) end(id, TransportFailure::stopped);
  }

  // Ends what has fallen silent, and says in how many milliseconds to look again. libcurl notices a trickle, and a
  // first byte that does not come; of a transfer that was fast it believes the average for seconds.
  int end_silent() {
    std::chrono::milliseconds next{kIdlePollMilliseconds};
    std::vector<RequestId> silent;
    const Monotonic::time_point now = Monotonic::now();
    for (const auto& [id, active] : active_) {
      const std::optional<Monotonic::time_point> deadline = active.transfer->silent_from();
      if (!deadline) continue;
      if (*deadline <= now) silent.push_back(id);
      next = std::min(next, std::chrono::ceil<std::chrono::milliseconds>(std::max(*deadline - now, {})));
    }
    for (RequestId id : silent) detach(id)->finish_as(TransportFailure::timed_out, "no byte for the time of --timeout");
    return static_cast<int>(next.count());
  }

  void end(RequestId id, TransportFailure failure) { detach(id)->finish_as(failure, ""); }

  std::unique_ptr<Transfer> detach(RequestId id) {
    auto found = active_.find(id);
    Active ended = std::move(found->second);
    active_.erase(found);
    ids_.erase(ended.easy.get());
    curl_multi_remove_handle(multi_, ended.easy.get());
    curl_easy_reset(ended.easy.get());  // its pointers into the transfer end here
    if (idle_.size() < kMaxIdleHandles) idle_.push_back(std::move(ended.easy));
    return std::move(ended.transfer);
  }

  Easy idle_handle() {
    if (idle_.empty()) return Easy(curl_easy_init());
    Easy easy = std::move(idle_.back());
    idle_.pop_back();
    return easy;
  }

  Pieces pieces_;
  OpenSockets sockets_;
  CURLM* multi_ = nullptr;  // the http thread's, but for wakeups
  std::unordered_map<RequestId, Active> active_;
  std::unordered_map<CURL*, RequestId> ids_;
  std::vector<Easy> idle_;
  std::thread thread_;

  Mutex mutex_;
  Started started_ REGFS_GUARDED_BY(mutex_);
  std::vector<RequestId> cancelled_ REGFS_GUARDED_BY(mutex_);
  RequestId next_id_ REGFS_GUARDED_BY(mutex_) = 1;
  bool stopping_ REGFS_GUARDED_BY(mutex_) = false;
};

HttpLoop::HttpLoop() : impl_(std::make_unique<Impl>()) {}
HttpLoop::~HttpLoop() = default;

Transport::RequestId HttpLoop::start(HttpRequest request, std::shared_ptr<HttpHandler> handler) {
  return impl_->start(std::move(request), std::move(handler));
}
void HttpLoop::cancel(RequestId id) {
  impl_->cancel(id);
}
void HttpLoop::stop() {
  impl_->stop();
}

}  // namespace regfs::registry
