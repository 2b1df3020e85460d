// SPDX-License-Identifier: MIT
// An HttpLoop against a real server on a loopback port that says whatever a test wants.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "base/unique_fd.h"
#include "registry/http_loop.h"
#include "tests/support/http_server.h"

namespace regfs::registry {

using namespace std::chrono_literals;
using test::HttpConnection;
using test::HttpServer;
using test::HttpServerRequest;

class Recorder : public HttpHandler {
 public:
  bool on_head(const HttpHead& head) override {
    MutexLock lock(mutex_);
    head_ = head;
    thread_ = std::this_thread::get_id();
    return !stop_at_head;
  }
  bool on_body(std::span<const std::byte> bytes) override {
    MutexLock lock(mutex_);
    body_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    changed_.notify_all();
    return body_.size() < stop_after;
  }
  void on_done(Result<void> outcome, TransportFailure failure) override {
    MutexLock lock(mutex_);
    EXPECT_FALSE(outcome_) << "on_done() twice";
    EXPECT_EQ(outcome.has_value(), failure == TransportFailure::none);
    outcome_ = std::move(outcome);
    failure_ = failure;
    changed_.notify_all();
  }

  TransportFailure wait() {
    MutexLock lock(mutex_);
    while (!outcome_) changed_.wait(lock);
    return failure_;
  }
  void wait_for_bytes(size_t bytes) {
    MutexLock lock(mutex_);
    while (body_.size() < bytes && !outcome_) changed_.wait(lock);
  }
  HttpHead head() {
    MutexLock lock(mutex_);
    return head_;
  }
  std::string body() {
    MutexLock lock(mutex_);
    return body_;
  }
  std::string words() {
    MutexLock lock(mutex_);
    return outcome_ && !*outcome_ ? outcome_->error().context() : "";
  }

  bool stop_at_head = false;
  size_t stop_after = SIZE_MAX;

 private:
  Mutex mutex_;
  CondVar changed_;
  HttpHead head_ REGFS_GUARDED_BY(mutex_);
  std::string body_ REGFS_GUARDED_BY(mutex_);
  std::thread::id thread_ REGFS_GUARDED_BY(mutex_);
  std::optional<Result<void>> outcome_ REGFS_GUARDED_BY(mutex_);
  TransportFailure failure_ REGFS_GUARDED_BY(mutex_) = TransportFailure::none;
};

// Says the same bytes to everybody, then hangs up or waits until the client does.
class Server {
 public:
  explicit Server(std::string says, bool hangs_up = true)
      : server_([this, says = std::move(says), hangs_up](HttpConnection& client, const HttpServerRequest& request) {
          remember(request);
          if (!client.send(says)) return false;
          return !hangs_up;
        }) {}

  std::string url(const std::string& path = "/", const std::string& scheme = "http") const {
    return scheme + "://127.0.0.1:" + std::to_string(server_.port()) + path;
  }
  std::vector<HttpServerRequest> requests() const {
    MutexLock lock(mutex_);
    return requests_;
  }

 private:
  void remember(const HttpServerRequest& request) {
    MutexLock lock(mutex_);
    requests_.push_back(request);
  }

  mutable Mutex mutex_;
  std::vector<HttpServerRequest> requests_ REGFS_GUARDED_BY(mutex_);
  HttpServer server_;
};

inline HttpRequest get(const std::string& url) {
  HttpRequest request;
  request.url = url;
  request.stall_timeout = 1s;
  return request;
}

inline std::string answer(const std::string& body, const std::string& more = "") {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + more + "\r\n" + body;
}

class HttpLoopTest : public ::testing::Test {
 protected:
  TransportFailure ask(HttpRequest request) {
    loop_.start(std::move(request), recorder_);
    return recorder_->wait();
  }
  std::shared_ptr<Recorder> recorder_ = std::make_shared<Recorder>();
  HttpLoop loop_;
};

}  // namespace regfs::registry
