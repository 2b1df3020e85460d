// SPDX-License-Identifier: MIT
// Brings one range of a blob into a BodySink, through redirects, expired tokens, broken connections and
// servers that ignore Range; it holds no thread while it waits.
//
// A chain of steps, one at a time: a decision on the pool (keyed by host: it may wait for a token), a request
// whose bytes go from the http thread to the sink, or a pause by the timer. A new try goes on at the first
// byte that is missing, and always asks the registry, since a signed URL may have expired.
//
//   200             the whole blob: what lies outside of the missing bytes is offered to the sink as spare
//   206             only exactly the bytes asked for; else once more without Range
//   416             once more without Range
//   3xx             up to ten, without the token at another origin
//   400, 401, 403   of a redirect's target: the registry is asked once more
//   404, 410        of the registry: the URLs of a foreign layer, without credentials; else missing_content
//   408, 429, 5xx   again after a pause; a byte that arrived starts the count anew
//
// Owned by Client and by the step under way. Safe to use from any thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "base/mutex.h"
#include "registry/blob_attempt.h"
#include "registry/client.h"
#include "registry/endpoint.h"
#include "registry/gate.h"
#include "registry/rate_limit.h"
#include "registry/token_source.h"

namespace regfs::registry {

// What downloads work with. All but the gate is used only from inside the gate, so it may be gone once the
// gate has been closed and left.
struct DownloadServices {
  Transport& transport;
  WorkPool& pool;
  Timer& timer;
  const Clock& clock;
  Log& log;
  const ClientOptions& options;
  Caller& caller;
  Endpoints& endpoints;
  TokenSource& tokens;
  RateLimits& limits;
  Gate gate = {};
};

class BlobDownload : public BlobReceiver, public std::enable_shared_from_this<BlobDownload> {
 public:
  // `gone` runs once, after the sink's finished() has returned.
  BlobDownload(std::shared_ptr<DownloadServices> services, BlobRange range, std::shared_ptr<BodySink> sink,
               std::function<void()> gone);

  void start();
  // Tells the sink so, unless it has been told an end already. Waits for a call of the sink that runs now, so that none
  // follows. From inside the gate, or by its owner.
  void finish(Result<void> outcome);

 private:
  // The steps. Each runs on the pool, inside the gate.
  void submit(void (BlobDownload::*step)());
  // A step that throws, for want of memory, is the last, and the sink hears so: nothing else would end the download.
  template <typename Step>
  void last_if_thrown(Step step);
  void begin();
  void decide(BlobEnd end);
  void decide_by_status(const BlobEnd& end);
  void decide_by_failure(const BlobEnd& end);
  void follow(const BlobEnd& end);
  void renew_token(const BlobEnd& end);
  void ask_registry_again(const BlobEnd& end);
  void restart_without_range(const std::string& why);
  void try_next_url(Error why);
  void pause_then_retry(Error why, const BlobEnd& end);
  void give_up(const Error& why);

  void send(const std::string& url);
  HttpRequest request_for(const BlobWant& want) const;
  bool is_own(const std::string& url) const;  // the registry's own origin
  Error refusal(const BlobEnd& end) const;
  std::string what() const;
  uint64_t end_offset() const { return range_.offset + range_.length; }

  // On the http thread.
  void began(bool sends_all) override;
  std::optional<Result<void>> take(uint64_t offset, std::span<const std::byte> bytes) override;
  bool spare(uint64_t offset, std::span<const std::byte> bytes) override;
  void ended(BlobEnd end) override;

  // While a visit lasts the sink is not told the end by another thread; an ended download has no sink to visit.
  class Visit;

  bool over() const;

  const std::shared_ptr<DownloadServices> services_;
  const BlobRange range_;
  const std::function<void()> gone_;

  // Of the step under way; steps follow one another.
  Endpoint endpoint_;
  std::optional<Secret> token_;
  uint64_t reached_;                   // the first byte that is missing
  int tries_ = 0;                      // since a byte last arrived
  int challenges_ = 0;                 // the same
  bool asked_registry_again_ = false;  // the same
  int redirects_ = 0;                  // of this try
  size_t foreign_urls_tried_ = 0;      // 0: the registry is asked
  bool without_range_ = false;

  mutable Mutex mutex_;
  CondVar visited_;
  std::shared_ptr<BodySink> sink_ REGFS_GUARDED_BY(mutex_);
  std::optional<std::thread::id> visitor_ REGFS_GUARDED_BY(mutex_);  // who calls the sink now
  std::optional<Transport::RequestId> request_ REGFS_GUARDED_BY(mutex_);
  std::optional<Timer::Id> pause_ REGFS_GUARDED_BY(mutex_);
  bool over_ REGFS_GUARDED_BY(mutex_) = false;
};

}  // namespace regfs::registry
