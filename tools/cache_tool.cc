// SPDX-License-Identifier: MIT
#include "tools/cache_tool.h"

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "cache/inventory.h"
#include "cache/ref_store.h"
#include "cache/skeleton.h"
#include "tools/cache_import.h"
#include "tools/cache_output.h"
#include "tools/cache_report.h"
#include "tools/cache_verify.h"
#include "tools/cached_images.h"
#include "tools/exit_code.h"

namespace regfs {
namespace {

using cache::Inventory;

Form form_of(const CacheOptions& options) {
  return options.json ? Form::json : Form::text;
}

int list(const CacheOptions& options, const Inventory& inventory, const Clock& clock) {
  Result<std::unique_ptr<cache::RefStore>> refs = cache::RefStore::open(inventory.directory(), clock);
  if (!refs) return cache_failure(refs.error());
  return print_report(list_report(cached_images(inventory, **refs), inventory.items(), form_of(options)));
}

int stats(const CacheOptions& options, const Inventory& inventory, const Clock& clock) {
  Result<std::unique_ptr<cache::RefStore>> refs = cache::RefStore::open(inventory.directory(), clock);
  if (!refs) return cache_failure(refs.error());
  CacheStats sums = cache_stats(inventory.directory(), inventory.items());
  for (const std::string& repository : (*refs)->repositories()) {
    ++sums.repositories;
    for (const cache::RefStore::KnownTag& known : (*refs)->known_tags(repository)) {
      if (!known.is_digest()) ++sums.tags;
    }
  }
  sums.usage = inventory.usage();
  return print_report(stats_report(sums, form_of(options)));
}

int path(const CacheOptions& options) {
  if (!options.digest) {
    const Result<std::string> root = cache::root_of(options.cache_dir);
    if (!root) return cache_failure(root.error());
    return print_report(path_report(*root, std::nullopt, form_of(options)));
  }
  Result<std::unique_ptr<Inventory>> inventory = Inventory::open(options.cache_dir);
  if (!inventory) return cache_failure(inventory.error());
  const std::optional<std::string> file = (*inventory)->path_of(*options.digest);
  if (!file) return cache_failure(Error(Errc::not_found, options.digest->str() + " is not in the cache"));
  return print_report(path_report(*file, options.digest, form_of(options)));
}

int gc(const CacheOptions& options, Inventory& inventory) {
  GcSummary summary{
      .to_bytes = options.to_bytes.value_or(inventory.default_bytes()), .evicted = {}, .swept = inventory.sweep()};
  summary.evicted = inventory.evict_to(summary.to_bytes);
  return print_report(gc_report(summary, form_of(options)));
}

}  // namespace

int run_cache(const CacheOptions& options) {
  const SystemClock clock;
  if (options.command == CacheCommand::path) return path(options);
  if (options.command == CacheCommand::import) return import_into_cache(options, clock);
  Result<std::unique_ptr<Inventory>> inventory = Inventory::open(options.cache_dir);
  if (!inventory) return cache_failure(inventory.error());
  switch (options.command) {
    case CacheCommand::list: return list(options, **inventory, clock);
    case CacheCommand::stats: return stats(options, **inventory, clock);
    case CacheCommand::verify: return verify_cache(options, **inventory, clock);
    case CacheCommand::gc: return gc(options, **inventory);
    case CacheCommand::import:
    case CacheCommand::path: break;
  }
  return kInternal;
}

}  // namespace regfs
