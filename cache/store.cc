// SPDX-License-Identifier: MIT
#include "cache/store.h"

#include "cache/skeleton.h"
#include "cache/store_core.h"
#include "cache/store_impl.h"
#include "cache/unlinked_disk.h"

namespace regfs::cache {
namespace {

class OpenStore : public BlobStore {
 public:
  explicit OpenStore(std::shared_ptr<StoreCore> core) : core_(std::move(core)) {}
  ~OpenStore() override { core_->shutdown({Errc::shutting_down, "the cache is closed"}); }

  const std::string& directory() const override { return core_->directory(); }
  Result<std::shared_ptr<Blob>> blob(const Digest& digest, uint64_t size_bytes,
                                     std::optional<uint64_t> held_bytes) override {
    return core_->blob(digest, size_bytes, held_bytes);
  }
  void count_need(const Blob& blob) override { core_->count_need(blob); }
  std::optional<uint64_t> room_short_of(uint64_t bytes) override { return core_->room_short_of(bytes); }
  uint64_t present_bytes(const Digest& digest, uint64_t size_bytes) override {
    return core_->present_bytes(digest, size_bytes);
  }
  std::shared_ptr<const void> pin(const Digest& digest) override { return core_->pin(digest); }
  std::optional<std::string> document(const Digest& digest, uint64_t max_bytes) override {
    return core_->document(digest, max_bytes);
  }
  Result<void> put_document(const Digest& digest, const std::string& bytes) override {
    return core_->put_document(digest, bytes);
  }
  void on_dropped(std::function<void(const Digest&)> observer) override { core_->on_dropped(std::move(observer)); }
  void on_evicted(std::function<void(const std::vector<Digest>&)> observer) override {
    core_->on_evicted(std::move(observer));
  }
  bool settle(std::chrono::milliseconds patience) override { return core_->settle(patience); }
  void shutdown(Error error) override { core_->shutdown(error); }

 private:
  const std::shared_ptr<StoreCore> core_;
};

}  // namespace

Result<std::unique_ptr<BlobStore>> open_store(const std::string& directory, const Clock& clock, Log& log,
                                              std::shared_ptr<Disk> disk, const StoreOptions& options) {
  Result<std::string> root = root_of(directory);
  if (root && options.keep == Keep::no) root = directory_for_unlinked(*disk, *root);
  if (!root) return root.error();
  Layout layout(*root);
  if (options.keep == Keep::no) disk = unlinked_disk(std::move(disk), *root, layout.parts_directory());
  auto small_files = std::make_shared<SmallFiles>(disk, layout);
  if (options.keep == Keep::yes) {
    Result<void> prepared = prepare_directory(*disk, *small_files, layout, log);
    if (!prepared) return prepared.error();
    small_files->sweep();
  }
  auto core = std::make_shared<StoreCore>(std::move(disk), std::move(small_files), layout, clock, log, options);
  core->sweep();
  return std::unique_ptr<BlobStore>(std::make_unique<OpenStore>(std::move(core)));
}

Result<std::unique_ptr<BlobStore>> BlobStore::open(const std::string& directory, const Clock& clock, Log& log,
                                                   const StoreOptions& options) {
  return open_store(directory, clock, log, system_disk(), options);
}

}  // namespace regfs::cache
