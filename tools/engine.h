// SPDX-License-Identifier: MIT
// What every program that reads images needs: the cache, the connections, and the fetcher between them, with
// their threads. Built in order, destroyed in reverse. Owned by the program's one run.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "base/timer.h"
#include "base/work_pool.h"
#include "cache/ref_store.h"
#include "cache/store.h"
#include "fs/blob_source.h"
#include "fs/fetcher.h"
#include "fs/offline_source.h"
#include "registry/client.h"
#include "registry/http_loop.h"
#include "tools/counted_source.h"
#include "tools/shared_options.h"

namespace regfs {

// An open cache directory, or what stands in for one with --no-cache.
struct Cache {
  std::unique_ptr<cache::BlobStore> store;
  std::unique_ptr<cache::RefStore> refs;
};

// `directory` is absolute; `clock` and `log` must outlive the cache. The error says what to do.
Result<Cache> open_cache(const std::string& directory, const SharedOptions& options, cache::Withhold withhold,
                         const Clock& clock, Log& log);

class Engine {
 public:
  // A name and a password of `options` are for `login_host`. `program` is for the user agent: "regfs". What comes from
  // registries is counted if `count` is given. `clock` and `log` must outlive the engine.
  Engine(const SharedOptions& options, const std::optional<std::string>& login_host, const std::string& program,
         Cache cache, const Clock& clock, Log& log, std::shared_ptr<ReceivedBytes> count = nullptr);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  cache::BlobStore& store() { return *cache_.store; }
  cache::RefStore& refs() { return *cache_.refs; }
  Timer& timer() { return timer_; }
  registry::Client& client() { return client_; }
  fs::Fetcher& fetcher() { return fetcher_; }

  // Every request and every wait ends, now and later: names with Errc::shutting_down, reads with `ending`. What
  // has come is kept. Idempotent; any thread.
  void shutdown(const Error& ending);
  // No callback and no transfer runs after it. Idempotent; not on a thread of the engine.
  void stop();

 private:
  const Cache cache_;
  Timer timer_;
  WorkPool workers_;
  registry::HttpLoop http_;
  registry::Client client_;
  fs::ClientBlobSource requests_;
  fs::OfflineSource nobody_;
  const std::unique_ptr<CountedSource> counted_;  // null: nobody counts
  fs::Fetcher fetcher_;
};

}  // namespace regfs
