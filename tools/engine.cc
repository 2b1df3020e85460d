// SPDX-License-Identifier: MIT
#include "tools/engine.h"

#include <utility>

namespace regfs {
namespace {

constexpr size_t kWorkers = 16;        // decisions of downloads; some wait for a token …
constexpr size_t kWorkersPerHost = 4;  // … of a registry that may be slow

registry::ClientOptions client_options(const SharedOptions& options, const std::optional<std::string>& login_host,
                                       const std::string& program, const Clock& clock, Log& log) {
  registry::ClientOptions out;
  out.connect_timeout = options.connect_timeout;
  out.timeout = options.timeout;
  out.insecure_hosts = options.insecure_registries;
  out.user_agent = program + "/" REGFS_VERSION;
  out.credentials = make_credentials(options.credentials, login_host, clock, log);
  out.tls = options.trust.tls;
  return out;
}

}  // namespace

Result<Cache> open_cache(const std::string& directory, const SharedOptions& options, cache::Withhold withhold,
                         const Clock& clock, Log& log) {
  Result<std::unique_ptr<cache::BlobStore>> store =
      cache::BlobStore::open(directory, clock, log,
                             {.withhold = withhold,
                              .keep = options.no_cache ? cache::Keep::no : cache::Keep::yes,
                              .budget_bytes = options.cache_bytes});
  if (!store) return store.error();
  Result<std::unique_ptr<cache::RefStore>> refs =
      options.no_cache ? cache::RefStore::in_memory(clock) : cache::RefStore::open(directory, clock);
  if (!refs) return refs.error();
  return Cache{*std::move(store), *std::move(refs)};
}

Engine::Engine(const SharedOptions& options, const std::optional<std::string>& login_host, const std::string& program,
               Cache cache, const Clock& clock, Log& log, std::shared_ptr<ReceivedBytes> count)
    : cache_(std::move(cache)),
      timer_(&log),
      workers_("work", kWorkers, kWorkersPerHost, log),
      client_(http_, workers_, timer_, clock, log, client_options(options, login_host, program, clock, log)),
      requests_(client_),
      nobody_(workers_),
      counted_(count ? std::make_unique<CountedSource>(requests_, std::move(count)) : nullptr),
      fetcher_(options.offline ? static_cast<fs::BlobSource&>(nobody_)
               : counted_      ? static_cast<fs::BlobSource&>(*counted_)
                               : requests_,
               *cache_.store, workers_, timer_, clock, log,
               {.per_image = static_cast<size_t>(options.max_concurrent_downloads)}) {}

Engine::~Engine() {
  stop();
}

void Engine::shutdown(const Error& ending) {
  fetcher_.shutdown();
  client_.shutdown();
  cache_.store->shutdown(ending);
}

void Engine::stop() {
  timer_.stop();
  http_.stop();
  workers_.stop();
}

}  // namespace regfs
