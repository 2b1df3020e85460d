// SPDX-License-Identifier: MIT
// The Blob there is: its bytes in one file, first a part, later the published one.
//
// Made by the store only (start() once it is in a shared_ptr). Three phases:
//
//   checking  an old cached file is verified again; nothing is readable and nothing can be claimed
//   arriving  bytes come in any order and are hashed behind the contiguous front
//   complete  the digest has matched; publishing (fsync, rename) happens behind the readers' backs
//
// checking → complete or arriving (empty: the file was wrong), arriving → complete or arriving (empty:
// wrong digest, failed), complete → checking (a read found the file too short or unreadable).
// What the disk has to do for it is asked of its BlobHost, never with the lock held.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "base/mutex.h"
#include "base/sha256.h"
#include "cache/blob.h"
#include "cache/interval_set.h"
#include "cache/part_shelf.h"
#include "cache/stream_window.h"
#include "cache/verifier.h"

namespace regfs::cache {

class BlobImpl;

// What is left of a Blob when its last owner lets go.
struct Remains {
  std::shared_ptr<PartFile> part;  // null when nothing was written, or it is published
  IntervalSet present;
};

// What a Blob needs of the store. Outlives it. Called with no lock of the Blob held.
class BlobHost {
 public:
  virtual ~BlobHost() = default;
  virtual const Clock& clock() const = 0;
  // Before that many bytes are written; and when the disk would not take them, to try once more.
  virtual Result<void> take_room(uint64_t bytes) = 0;
  virtual Result<void> make_room(uint64_t bytes) = 0;
  // One that is not `lasting` is known to nobody else, and gone with its Blob.
  virtual Result<PartShelf::Found> open_part(const Digest& digest, uint64_t size_bytes, bool lasting) = 0;
  virtual void verify(std::shared_ptr<BlobImpl> blob) = 0;                   // on the verifier threads
  virtual void checkpoint(std::shared_ptr<BlobImpl> blob) = 0;               // record_part() on the publish thread
  virtual void publish(std::shared_ptr<BlobImpl> blob) = 0;                  // publish thread, ends in published()
  virtual void found_right(const Digest& digest, const DiskFile& file) = 0;  // an old cached file
  virtual void found_wrong(const Digest& digest, const DiskFile& file, const std::string& why) = 0;
  virtual void dropped(const Digest& digest) = 0;  // bytes that readers may have seen
  virtual void let_go(const Digest& digest, uint64_t size_bytes, Remains remains) = 0;  // from the destructor
};

class BlobImpl : public Blob, public Verifier::Subject {
 public:
  // Empty, nothing on the disk yet.
  BlobImpl(std::shared_ptr<BlobHost> host, const Digest& digest, uint64_t size_bytes, Withhold withhold);
  ~BlobImpl() override;
  BlobImpl(const BlobImpl&) = delete;
  BlobImpl& operator=(const BlobImpl&) = delete;

  // Before start(), one of them at most.
  void begin_complete(std::shared_ptr<DiskFile> file);                       // a sealed cached file
  void begin_checking(std::shared_ptr<DiskFile> file, uint64_t file_bytes);  // one that is not
  void begin_resumed(std::shared_ptr<PartFile> part, IntervalSet present);
  void begin_stream(uint64_t held_bytes);
  void start();

  // For the store, on its publish thread.
  std::shared_ptr<PartFile> part_to_publish() const;  // null unless complete and not yet published
  void published(const std::shared_ptr<PartFile>& part);
  void record_part();
  // Tells the processes that fill the same part what has come here, and learns what has come there. False when it is
  // not arriving any more.
  bool exchange_with_others();
  // For good: it never becomes readable or claimable again, unless it is complete.
  void shut_down(const Error& error);

  const Digest& digest() const override { return digest_; }
  uint64_t size_bytes() const override { return size_; }
  ByteRange withheld() const override { return window_; }
  bool complete() const override;
  uint64_t present_bytes() const override;
  uint64_t arrived_bytes() const override;
  Monotonic::time_point last_progress() const override;

  bool is_stream() const override;
  void reader_at(const void* reader, uint64_t offset) override;
  void reader_left(const void* reader) override;
  ByteRange needed_for(const ByteRange& asked) const override;
  ByteRange worth_prefetching() const override;

  Readable readable(uint64_t offset, uint64_t length) const override;
  std::optional<Error> failure() const override;
  Result<void> read(uint64_t offset, std::span<std::byte> out) const override;
  WaitId when_readable(uint64_t offset, uint64_t length, Job waiter) override;
  bool cancel(WaitId id) override;

  std::optional<Claim> claim(uint64_t offset, uint64_t length) override;
  bool covered(uint64_t offset, uint64_t length) const override;
  void fail(Error error) override;
  bool retry_if_due() override;

  bool verify_step() override;

 protected:
  Result<void> write(uint64_t offset, std::span<const std::byte> bytes) override;
  void release(ByteRange range) override;

 private:
  enum class Phase { checking, arriving, complete };
  struct Waiter {
    ByteRange range;
    Job job;
  };
  struct Failure {
    Error error;
    Monotonic::time_point since;
    bool for_good = false;
  };

  std::shared_ptr<BlobImpl> self();
  Readable readable_now(ByteRange range) const REGFS_REQUIRES(mutex_);
  // Waiters are taken under the lock and run after it.
  std::vector<Job> take_waiters_touching(ByteRange range) REGFS_REQUIRES(mutex_);
  std::vector<Job> take_all_waiters() REGFS_REQUIRES(mutex_);
  static void run(std::vector<Job> jobs);

  Result<std::shared_ptr<PartFile>> part_for_writing();
  Result<void> write_to(DiskFile& file, uint64_t offset, std::span<const std::byte> bytes);
  void learn(const std::shared_ptr<PartFile>& part, const IntervalSet& recorded);
  void lost(const std::shared_ptr<PartFile>& part);
  Result<void> record(const std::shared_ptr<PartFile>& part, const IntervalSet& present);
  std::optional<ByteRange> gap_to_claim(ByteRange within) REGFS_REQUIRES(mutex_);
  bool needs_part() const;
  std::optional<ByteRange> lock_gap(ByteRange within) REGFS_REQUIRES(mutex_);
  Result<std::vector<ByteRange>> missing_of(ByteRange range);
  Result<void> arrived(const std::shared_ptr<PartFile>& part, ByteRange range);

  uint64_t hashable_end() const REGFS_REQUIRES(mutex_);
  bool take_verify_turn() REGFS_REQUIRES(mutex_);  // true when the caller must ask for verification
  bool verify_ended(Result<void> hashed);          // all bytes of the file hashed, or it cannot be read
  void matched();
  void check_ended_wrong(const std::string& why);
  void arrived_wrong(Error error);
  void suspect(const std::shared_ptr<DiskFile>& file);

  // Of a stream; see blob_stream.cc.
  struct ChunkWork;
  bool streamed_through() const REGFS_REQUIRES(mutex_);  // and the digest of the whole has matched
  bool is_readable_stream(const ByteRange& range) const REGFS_REQUIRES(mutex_);
  Result<void> check_held(uint64_t more_bytes) const REGFS_REQUIRES(mutex_);
  bool take_chunk_turn() REGFS_REQUIRES(mutex_);
  std::optional<ChunkWork> next_chunk() REGFS_REQUIRES(mutex_);
  enum class Tended { all, some, dropped };
  Tended tend_chunks();
  Result<void> tend(const ChunkWork& work);

  const std::shared_ptr<BlobHost> host_;
  const Digest digest_;
  const uint64_t size_;
  const ByteRange window_;

  // Of the one verify_step() that runs: turns are handed over under mutex_.
  Sha256 hash_;

  mutable Mutex mutex_;
  Phase phase_ REGFS_GUARDED_BY(mutex_) = Phase::arriving;
  std::shared_ptr<DiskFile> file_ REGFS_GUARDED_BY(mutex_);  // null until the first byte
  std::shared_ptr<PartFile> part_ REGFS_GUARDED_BY(mutex_);  // while file_ is not published
  IntervalSet present_ REGFS_GUARDED_BY(mutex_);             // while arriving
  IntervalSet claimed_ REGFS_GUARDED_BY(mutex_);
  std::optional<Failure> failure_ REGFS_GUARDED_BY(mutex_);  // never while complete
  Monotonic::time_point last_progress_ REGFS_GUARDED_BY(mutex_);
  uint64_t checkpoint_bytes_ REGFS_GUARDED_BY(mutex_) = 0;  // present when last recorded
  bool was_shared_ REGFS_GUARDED_BY(mutex_) = false;        // since what others brought was last learnt

  uint64_t check_bytes_ REGFS_GUARDED_BY(mutex_) = 0;  // length of the file being checked
  uint64_t hashed_ REGFS_GUARDED_BY(mutex_) = 0;
  bool verifying_ REGFS_GUARDED_BY(mutex_) = false;  // a verify_step() is queued or runs

  std::optional<StreamWindow> stream_ REGFS_GUARDED_BY(mutex_);
  uint64_t given_up_ REGFS_GUARDED_BY(mutex_) = 0;  // how often something was

  WaitId next_wait_ REGFS_GUARDED_BY(mutex_) = 1;
  std::map<WaitId, Waiter> waiters_ REGFS_GUARDED_BY(mutex_);
};

}  // namespace regfs::cache
