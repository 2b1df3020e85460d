// SPDX-License-Identifier: MIT
// A Transport without a network: answers as scripted, by URL, from a thread of its own as the real one
// does, and remembers what was asked. Safe to use from any thread.
//
//   FakeTransport transport;
//   transport.on("https://ghcr.io/v2/a/tags/list", {.status = 503});
//   transport.on("https://ghcr.io/v2/a/tags/list", {.body = R"({"name": "a", "tags": ["v1"]})"});
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "registry/transport.h"

namespace regfs::test {

struct ScriptedAnswer {
  int status = 200;  // 0: no answer, only the failure
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
  registry::TransportFailure failure = registry::TransportFailure::none;  // after the body
  bool holds = false;  // nothing comes until the request is cancelled or release() is called
};

inline ScriptedAnswer fails(registry::TransportFailure failure) {
  return {.status = 0, .failure = failure};
}
inline ScriptedAnswer held() {
  return {.holds = true};
}

class FakeTransport : public registry::Transport {
 public:
  FakeTransport();
  ~FakeTransport() override;  // cancels what is held

  // Adds an answer for that URL. Answers are used in order; the last one stays. A URL without any is refused.
  void on(const std::string& url, ScriptedAnswer answer);
  // From now on that URL has this answer only.
  void replace(const std::string& url, ScriptedAnswer answer);
  // What a URL without any answer gets.
  void otherwise(ScriptedAnswer answer);
  // What is held now is answered as if it had not been held, and held no more.
  void release();

  RequestId start(registry::HttpRequest request, std::shared_ptr<registry::HttpHandler> handler) override;
  void cancel(RequestId id) override;

  std::vector<registry::HttpRequest> requests() const;
  std::vector<registry::HttpRequest> requests_to(const std::string& url) const;
  size_t count(const std::string& url) const { return requests_to(url).size(); }
  // Waits until so many requests are held.
  void wait_until_held(size_t requests);

 private:
  struct Pending {
    RequestId id = 0;
    std::shared_ptr<registry::HttpHandler> handler;
    ScriptedAnswer answer;
    std::string method;
    bool cancelled = false;
  };
  void run();
  static void play(const Pending& pending);
  ScriptedAnswer next_answer(const std::string& url) REGFS_REQUIRES(mutex_);

  mutable Mutex mutex_;
  CondVar changed_;
  std::map<std::string, std::deque<ScriptedAnswer>> script_ REGFS_GUARDED_BY(mutex_);
  ScriptedAnswer otherwise_ REGFS_GUARDED_BY(mutex_) = fails(registry::TransportFailure::refused);
  std::vector<registry::HttpRequest> requests_ REGFS_GUARDED_BY(mutex_);
  std::deque<Pending> ready_ REGFS_GUARDED_BY(mutex_);
  std::vector<Pending> held_ REGFS_GUARDED_BY(mutex_);
  RequestId next_id_ REGFS_GUARDED_BY(mutex_) = 1;
  bool stopping_ REGFS_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace regfs::test
