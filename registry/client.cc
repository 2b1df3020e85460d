// SPDX-License-Identifier: MIT
#include "registry/client.h"

#include <map>

#include "registry/blob_download.h"
#include "registry/caller.h"
#include "registry/endpoint.h"
#include "registry/exchange.h"
#include "registry/gate.h"
#include "registry/names.h"
#include "registry/token_source.h"

namespace regfs::registry {
namespace {

// Tells a sink its end, by the pool or, when that has stopped, by whoever drops the job.
class Farewell {
 public:
  Farewell(std::shared_ptr<BodySink> sink, Error why) : sink_(std::move(sink)), why_(std::move(why)) {}
  ~Farewell() { sink_->finished(why_); }
  Farewell(const Farewell&) = delete;
  Farewell& operator=(const Farewell&) = delete;

 private:
  const std::shared_ptr<BodySink> sink_;
  const Error why_;
};

}  // namespace

class Client::Impl {
 public:
  Impl(Transport& transport, WorkPool& pool, Timer& timer, const Clock& clock, Log& log, ClientOptions options)
      : pool_(pool),
        options_(std::move(options)),
        caller_(transport),
        endpoints_(options_.insecure_hosts, options_.tls),
        tokens_(caller_, endpoints_, clock, options_),
        limits_(log),
        exchange_(caller_, endpoints_, tokens_, clock, options_, limits_),
        names_(exchange_, clock, log),
        services_(new DownloadServices{transport, pool, timer, clock, log, options_, caller_, endpoints_, tokens_,
                                       limits_}) {}

  ~Impl() {
    shutdown();
    services_->gate.wait_empty();
  }

  // Runs a call on names, unless the client has shut down.
  template <typename Call>
  auto on_names(Call call) -> decltype(call(std::declval<Names&>())) {
    std::shared_ptr<DownloadServices> services = services_;  // so that the gate outlives its pass
    Gate::Pass pass(services->gate);
    if (!pass) return shutting_down();
    return call(names_);
  }

  DownloadId download(BlobRange range, std::shared_ptr<BodySink> sink) {
    MutexLock lock(mutex_);
    DownloadId id = next_id_++;
    if (shut_down_) {
      lock.unlock();
      pool_.submit([farewell = std::make_unique<Farewell>(std::move(sink), shutting_down())] {});
      return id;
    }
    auto one = std::make_shared<BlobDownload>(services_, std::move(range), std::move(sink), [this, id] { forget(id); });
    downloads_.emplace(id, one);
    lock.unlock();
    try {
      one->start();
    } catch (const std::exception&) {
      forget(id);
      throw;
    }
    return id;
  }

  void cancel(DownloadId id) {
    // Whoever waits for finished() may destroy the client next, before this returns.
    std::shared_ptr<DownloadServices> services = services_;
    Gate::Pass pass(services->gate);
    if (!pass) return;  // shutdown() ends it
    std::shared_ptr<BlobDownload> one;
    {
      MutexLock lock(mutex_);
      auto found = downloads_.find(id);
      if (found == downloads_.end()) return;
      one = found->second;
    }
    one->finish(Error{Errc::cancelled, "nobody waits for it any more"});
  }

  void shutdown() {
    std::map<DownloadId, std::shared_ptr<BlobDownload>> downloads;
    {
      MutexLock lock(mutex_);
      shut_down_ = true;
      downloads = downloads_;
    }
    services_->gate.close();
    caller_.shutdown();
    if (options_.credentials) options_.credentials->shutdown();
    for (const auto& [id, one] : downloads) one->finish(shutting_down());
  }

 private:
  void forget(DownloadId id) {
    std::shared_ptr<BlobDownload> one;  // dies outside the lock
    MutexLock lock(mutex_);
    auto found = downloads_.find(id);
    if (found == downloads_.end()) return;
    one = std::move(found->second);
    downloads_.erase(found);
    lock.unlock();
  }

  WorkPool& pool_;
  const ClientOptions options_;
  Caller caller_;
  Endpoints endpoints_;
  TokenSource tokens_;
  RateLimits limits_;
  Exchange exchange_;
  Names names_;
  const std::shared_ptr<DownloadServices> services_;

  Mutex mutex_;
  std::map<DownloadId, std::shared_ptr<BlobDownload>> downloads_ REGFS_GUARDED_BY(mutex_);
  DownloadId next_id_ REGFS_GUARDED_BY(mutex_) = 1;
  bool shut_down_ REGFS_GUARDED_BY(mutex_) = false;
};

Client::Client(Transport& transport, WorkPool& pool, Timer& timer, const Clock& clock, Log& log, ClientOptions options)
    : impl_(std::make_unique<Impl>(transport, pool, timer, clock, log, std::move(options))) {}
Client::~Client() = default;

Result<TagList> Client::tags(const Repository& repository) {
  return impl_->on_names([&](Names& names) { return names.tags(repository); });
}
Result<Catalog> Client::catalog(const std::string& host, std::chrono::milliseconds at_most) {
  return impl_->on_names([&](Names& names) { return names.catalog(host, at_most); });
}
Result<ManifestHead> Client::head_manifest(const Reference& reference) {
  return impl_->on_names([&](Names& names) { return names.head_manifest(reference); });
}
Result<FetchedManifest> Client::manifest(const Reference& reference) {
  return impl_->on_names([&](Names& names) { return names.manifest(reference); });
}
Result<std::string> Client::small_blob(const Repository& repository, const Descriptor& descriptor) {
  return impl_->on_names([&](Names& names) { return names.small_blob(repository, descriptor); });
}

Client::DownloadId Client::download(BlobRange range, std::shared_ptr<BodySink> sink) {
  return impl_->download(std::move(range), std::move(sink));
}
void Client::cancel(DownloadId id) {
  impl_->cancel(id);
}
void Client::shutdown() {
  impl_->shutdown();
}

}  // namespace regfs::registry
