// SPDX-License-Identifier: MIT
#include "tools/cache_import.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "cache/inventory.h"
#include "cache/store.h"
#include "registry/manifest.h"
#include "tools/blob_filing.h"
#include "tools/byte_progress.h"
#include "tools/cache_output.h"
#include "tools/cache_report.h"
#include "tools/exit_code.h"
#include "tools/import_plan.h"
#include "tools/import_source.h"
#include "tools/process.h"
#include "tools/pull_screen.h"

namespace regfs {
namespace {

// A disk that syncs 10 MB/s gets 20 GB there.
constexpr std::chrono::minutes kSyncPatience{35};
// For what mounts bring meanwhile.
constexpr uint64_t kSlackBytes = 1ull << 30;

class ErrorSink : public LogSink {
 public:
  void write(LogLevel, std::string_view line) override {
    write_standard_error("regfs-cache: " + std::string(line) + "\n");
  }
};

Result<ImportPlan> planned(const std::string& path, const Clock& clock) {
  Result<std::unique_ptr<ImportSource>> source = ImportSource::open(path);
  if (!source) return source.error();
  std::optional<ByteProgress> progress;
  const ImportWatcher watcher{[&](uint64_t bytes) {
                                progress.emplace("checking", bytes, standard_error_terminal(), clock,
                                                 write_standard_error);
                              },
                              [&](uint64_t bytes) { progress->add(bytes); }};
  Result<ImportPlan> plan = plan_import(**source, watcher);
  if (!plan) return plan.error().while_doing(path);
  if (plan->layers() == 0 && !plan->uncompressed.empty()) {
    return Error(Errc::unsupported, path + ": nothing is imported, for no layer in it is compressed: " + kUncompressed +
                                        "; carry an archive that regfs-pull wrote instead");
  }
  return plan;
}

// Nothing that is in the cache has to go for it: that is for the next mount, by its --cache-size, or gc.
uint64_t budget_for(const cache::Inventory* inventory, const ImportPlan& plan) {
  uint64_t held = 0;
  if (inventory != nullptr) {
    for (const cache::Inventory::Item& item : inventory->items()) held += item.allocated_bytes;
  }
  return held + plan.bytes() + kSlackBytes;
}

class Filing {
 public:
  Filing(cache::BlobStore& store, const ImportPlan& plan, const Clock& clock)
      : store_(store),
        plan_(plan),
        progress_("filing", plan.bytes(), standard_error_terminal(), clock, write_standard_error) {
    summary_.images = plan.images;
    summary_.uncompressed = plan.uncompressed;
    summary_.missing = plan.missing;
  }

  Result<ImportSummary> run() {
    for (const ImportPlan::Blob& blob : plan_.blobs) {
      Result<bool> was_there = blob.document ? file_document(blob) : file_layer(blob);
      if (!was_there) return was_there.error().while_doing("filing " + blob.digest.str());
      ImportSummary::Sum& sum = *was_there ? summary_.present : summary_.filed;
      ++sum.count;
      sum.bytes += blob.file.size_bytes;
    }
    Result<void> kept = wait_until_kept();
    if (!kept) return kept.error();
    return std::move(summary_);
  }

 private:
  Result<bool> file_layer(const ImportPlan::Blob& blob) {
    Result<FiledBlob> filed = file_blob(store_, blob.digest, blob.file, [&](uint64_t bytes) { progress_.add(bytes); });
    if (!filed) return filed.error();
    held_.push_back(std::move(filed->blob));
    return filed->was_there;
  }

  Result<bool> file_document(const ImportPlan::Blob& blob) {
    Result<std::string> bytes = blob.file.text(registry::kMaxManifestBytes);
    if (!bytes) return bytes.error();
    const bool was_there = store_.document(blob.digest, registry::kMaxManifestBytes).has_value();
    Result<void> put = store_.put_document(blob.digest, *bytes);
    if (!put) return put.error();
    progress_.add(bytes->size());
    return was_there;
  }

  Result<void> wait_until_kept() {
    const bool settled = store_.settle(kSyncPatience);
    for (const std::shared_ptr<cache::Blob>& blob : held_) {
      if (blob->size_bytes() == 0 || store_.pin(blob->digest())) continue;
      // Why it could not be has been logged.
      return Error(std::make_error_code(std::errc::io_error),
                   blob->digest().str() + (settled ? " could not be kept" : " is not on the disk after a long time"));
    }
    return {};
  }

  cache::BlobStore& store_;
  const ImportPlan& plan_;
  ByteProgress progress_;
  std::vector<std::shared_ptr<cache::Blob>> held_;  // so that none is evicted for another
  ImportSummary summary_;
};

}  // namespace

int import_into_cache(const CacheOptions& options, const Clock& clock) {
  Result<std::unique_ptr<cache::Inventory>> present = cache::Inventory::open(options.cache_dir);
  // None yet is fine. One of a newer format need not wait for the archive to be hashed.
  if (!present && !present.error().is(Errc::not_found)) return cache_failure(present.error());
  Result<ImportPlan> plan = planned(options.source, clock);
  if (!plan) return cache_failure(plan.error());
  raise_file_limit();
  Log log(std::make_unique<ErrorSink>(), options.log_level, clock);
  Result<std::unique_ptr<cache::BlobStore>> store = cache::BlobStore::open(
      options.cache_dir, clock, log, {.budget_bytes = budget_for(present ? present->get() : nullptr, *plan)});
  if (!store) return cache_failure(store.error());
  Result<ImportSummary> summary = Filing(**store, *plan, clock).run();
  if (!summary) return cache_failure(summary.error());
  return print_report(import_report(*summary, options.json ? Form::json : Form::text));
}

}  // namespace regfs
