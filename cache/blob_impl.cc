// SPDX-License-Identifier: MIT
#include "cache/blob_impl.h"

#include <algorithm>
#include <new>

#include "cache/withheld.h"

namespace regfs::cache {
namespace {

// How much of a blob may have to come again when the process is killed: a small record is written each time, which
// costs some 0.1 ms, and the bytes are sent on their way to the disk, so that a final fsync meets few.
constexpr uint64_t kCheckpointBytes = 4ull << 20;

}  // namespace

BlobImpl::BlobImpl(std::shared_ptr<BlobHost> host, const Digest& digest, uint64_t size_bytes, Withhold withhold)
    : host_(std::move(host)),
      digest_(digest),
      size_(size_bytes),
      window_(withheld_window(size_bytes, withhold)),
      last_progress_(host_->clock().now()) {}

BlobImpl::~BlobImpl() {
  Remains remains;
  {
    MutexLock lock(mutex_);
    remains.part = std::move(part_);
    if (phase_ == Phase::arriving) remains.present = std::move(present_);
    if (phase_ == Phase::complete) remains.present = IntervalSet({0, size_});
  }
  host_->let_go(digest_, size_, std::move(remains));
}

std::shared_ptr<BlobImpl> BlobImpl::self() {
  return std::static_pointer_cast<BlobImpl>(shared_from_this());
}

// --- how it begins ---

void BlobImpl::begin_complete(std::shared_ptr<DiskFile> file) {
  MutexLock lock(mutex_);
  phase_ = Phase::complete;
  file_ = std::move(file);
}

void BlobImpl::begin_checking(std::shared_ptr<DiskFile> file, uint64_t file_bytes) {
  MutexLock lock(mutex_);
  phase_ = Phase::checking;
  file_ = std::move(file);
  check_bytes_ = file_bytes;
}

void BlobImpl::begin_resumed(std::shared_ptr<PartFile> part, IntervalSet present) {
  MutexLock lock(mutex_);
  file_ = part->file();
  part_ = std::move(part);
  present_ = std::move(present);
  checkpoint_bytes_ = present_.total();
  was_shared_ = part_->shared();
}

void BlobImpl::start() {
  bool due = false;
  {
    MutexLock lock(mutex_);
    if (size_ == 0 && phase_ == Phase::arriving) {
      // No byte will ever come, so the answer is known now.
      if (digest_ == sha256_of("")) {
        phase_ = Phase::complete;
      } else {
        Error lie{Errc::digest_mismatch, digest_.str() + " is not the digest of an empty blob"};
        failure_ = Failure{std::move(lie), host_->clock().now(), true};
      }
    }
    due = take_verify_turn();
  }
  if (due) host_->verify(self());
}

// --- what is there ---

bool BlobImpl::complete() const {
  MutexLock lock(mutex_);
  return phase_ == Phase::complete;
}

uint64_t BlobImpl::present_bytes() const {
  MutexLock lock(mutex_);
  switch (phase_) {
    case Phase::checking: return std::min(check_bytes_, size_);  // local, if it proves right
    case Phase::arriving: return present_.total();
    case Phase::complete: break;
  }
  return size_;
}

Monotonic::time_point BlobImpl::last_progress() const {
  MutexLock lock(mutex_);
  return last_progress_;
}

std::optional<Error> BlobImpl::failure() const {
  MutexLock lock(mutex_);
  if (!failure_) return std::nullopt;
  return failure_->error;
}

// --- readers ---

Blob::Readable BlobImpl::readable_now(ByteRange range) const {
  REGFS_CHECK(range.length <= size_ && range.offset <= size_ - range.length, "a range outside its blob");
  if (range.length == 0 || phase_ == Phase::complete) return Readable::yes;
  bool there = phase_ == Phase::arriving && present_.contains(range);
  if (there && (stream_ ? is_readable_stream(range) : !overlap(range, window_))) return Readable::yes;
  return failure_ ? Readable::failed : Readable::not_yet;
}

Blob::Readable BlobImpl::readable(uint64_t offset, uint64_t length) const {
  MutexLock lock(mutex_);
  return readable_now({offset, length});
}

Result<void> BlobImpl::read(uint64_t offset, std::span<std::byte> out) const {
  std::shared_ptr<DiskFile> file;
  bool verified = false;
  Result<void> read;
  std::optional<uint64_t> given_up;  // before it was read
  for (;;) {
    {
      MutexLock lock(mutex_);
      // What was given up while it was read may have been read as zeros.
      if (given_up && *given_up == given_up_) break;
      Readable now = readable_now({offset, out.size()});
      if (now == Readable::failed) return failure_->error;
      if (now == Readable::not_yet) {
        return Error{std::make_error_code(std::errc::io_error),
                     "bytes of " + digest_.str() + " are not there any more"};
      }
      file = file_;
      verified = phase_ == Phase::complete;
      given_up = given_up_;
    }
    if (out.empty()) return {};
    read = read_exactly(*file, offset, out);
    if (verified) break;
  }
  if (read || !verified) return read;
  // Whoever holds a const Blob promises not to fill it; that its file went bad is not their doing.
  const_cast<BlobImpl*>(this)->suspect(file);
  return read.error().while_doing("reading " + digest_.str());
}

Blob::WaitId BlobImpl::when_readable(uint64_t offset, uint64_t length, Job waiter) {
  {
    MutexLock lock(mutex_);
    if (readable_now({offset, length}) == Readable::not_yet) {
      WaitId id = next_wait_++;
      waiters_.emplace(id, Waiter{{offset, length}, std::move(waiter)});
      return id;
    }
  }
  waiter();
  return 0;
}

bool BlobImpl::cancel(WaitId id) {
  Job unrun;  // destroyed after the lock is gone: what it owns may answer
  MutexLock lock(mutex_);
  auto it = waiters_.find(id);
  if (it == waiters_.end()) return false;
  unrun = std::move(it->second.job);
  waiters_.erase(it);
  lock.unlock();
  return true;
}

std::vector<Job> BlobImpl::take_waiters_touching(ByteRange range) {
  std::vector<Job> jobs;
  for (auto it = waiters_.begin(); it != waiters_.end();) {
    Waiter& waiter = it->second;
    if (!overlap(waiter.range, range) || readable_now(waiter.range) == Readable::not_yet) {
      ++it;
      continue;
    }
    jobs.push_back(std::move(waiter.job));
    it = waiters_.erase(it);
  }
  return jobs;
}

std::vector<Job> BlobImpl::take_all_waiters() {
  std::vector<Job> jobs;
  for (auto& [id, waiter] : waiters_) jobs.push_back(std::move(waiter.job));
  waiters_.clear();
  return jobs;
}

void BlobImpl::run(std::vector<Job> jobs) {
  for (Job& job : jobs) job();
}

// --- producers ---

std::optional<Claim> BlobImpl::claim(uint64_t offset, uint64_t length) {
  for (;;) {
    std::optional<ByteRange> gap;
    std::shared_ptr<PartFile> part;
    bool was_shared = false;
    if (needs_part()) (void)part_for_writing();  // where none can be made, the first write says so
    {
      MutexLock lock(mutex_);
      if (phase_ != Phase::arriving || failure_) return std::nullopt;
      if (offset >= size_) return std::nullopt;
      gap = gap_to_claim({offset, std::min(length, size_ - offset)});
      if (!gap) return std::nullopt;
      claimed_.add(*gap);
      part = part_;
      was_shared = was_shared_;
    }
    if (!part || (!part->shared() && !was_shared)) return Claim(shared_from_this(), *gap);
    // It may have come since the record was last read, by one that has left since, too: whoever brings a range keeps it
    // locked until the record says so.
    record_part();
    {
      MutexLock lock(mutex_);
      bool here = phase_ != Phase::arriving || present_.gaps(*gap) != std::vector<ByteRange>{*gap};
      if (!here) return Claim(shared_from_this(), *gap);
    }
    release(*gap);
  }
}

bool BlobImpl::needs_part() const {
  MutexLock lock(mutex_);
  return phase_ == Phase::arriving && !failure_ && !part_;
}

// The first stretch that is neither here nor claimed, now locked against other processes.
std::optional<ByteRange> BlobImpl::lock_gap(ByteRange within) {
  while (std::optional<ByteRange> gap = first_gap_of_both(present_, claimed_, within)) {
    std::optional<ByteRange> locked = part_ ? part_->lock(*gap) : gap;
    if (locked) return locked;
    within = {gap->end(), within.end() - gap->end()};
  }
  return std::nullopt;
}

bool BlobImpl::covered(uint64_t offset, uint64_t length) const {
  MutexLock lock(mutex_);
  if (phase_ != Phase::arriving || offset >= size_) return true;
  ByteRange within{offset, std::min(length, size_ - offset)};
  while (std::optional<ByteRange> gap = first_gap_of_both(present_, claimed_, within)) {
    if (!part_ || !part_->locked_elsewhere(*gap)) return false;
    within = {gap->end(), within.end() - gap->end()};
  }
  return true;
}

void BlobImpl::release(ByteRange range) try {
  MutexLock lock(mutex_);
  claimed_.remove(range);
  // What has come stays locked until the record tells of it.
  if (!part_ || phase_ != Phase::arriving) return;
  for (const ByteRange& gap : present_.gaps(range)) part_->unlock(gap);
  const bool due = take_chunk_turn();
  lock.unlock();
  if (due) host_->verify(self());
} catch (const std::bad_alloc&) {
  // A neighbour's claim that was joined to it is forgotten too: its bytes may be asked for twice, and are kept once.
}

Result<void> BlobImpl::write(uint64_t offset, std::span<const std::byte> bytes) {
  Result<std::vector<ByteRange>> missing = missing_of({offset, bytes.size()});
  if (!missing) return missing.error();
  if (missing->empty()) return {};
  Result<std::shared_ptr<PartFile>> part = part_for_writing();
  if (!part) return part.error().while_doing("caching " + digest_.str());
  for (const ByteRange& range : *missing) {
    Result<void> done = write_to(*(*part)->file(), range.offset, bytes.subspan(range.offset - offset, range.length));
    if (!done) return done.error().while_doing("caching " + digest_.str());
    done = arrived(*part, range);
    if (!done) return done;
  }
  return {};
}

Result<void> BlobImpl::write_to(DiskFile& file, uint64_t offset, std::span<const std::byte> bytes) {
  Result<void> taken = host_->take_room(bytes.size());
  if (!taken) return taken;
  Result<void> done = write_all(file, offset, bytes);
  if (done || !is_full(done.error())) return done;
  Result<void> made = host_->make_room(bytes.size());
  return made ? write_all(file, offset, bytes) : made;
}

Result<std::vector<ByteRange>> BlobImpl::missing_of(ByteRange range) {
  MutexLock lock(mutex_);
  if (failure_ && (failure_->for_good || failure_->error.is(Errc::digest_mismatch))) return failure_->error;
  if (phase_ != Phase::arriving) return std::vector<ByteRange>();
  Result<void> held = check_held(range.length);
  if (!held) return held.error();
  return present_.gaps(range);
}

Result<std::shared_ptr<PartFile>> BlobImpl::part_for_writing() {
  bool lasting = true;
  {
    MutexLock lock(mutex_);
    if (part_) return part_;
    lasting = !stream_;
  }
  Result<PartShelf::Found> opened = host_->open_part(digest_, size_, lasting);
  if (!opened) return opened.error();
  std::shared_ptr<PartFile> winner;
  {
    MutexLock lock(mutex_);
    if (!part_) {
      part_ = opened->part;
      file_ = part_->file();
    }
    winner = part_;
  }
  if (winner == opened->part) {
    learn(winner, opened->present);
  } else {
    opened->part->discard_unless_shared();
  }
  return winner;
}

Result<void> BlobImpl::arrived(const std::shared_ptr<PartFile>& part, ByteRange range) {
  std::vector<Job> ready;
  bool verify_due = false;
  bool checkpoint_due = false;
  Monotonic::time_point now = host_->clock().now();
  {
    MutexLock lock(mutex_);
    if (part_ != part || phase_ != Phase::arriving) {
      if (failure_) return failure_->error;
      return Error{Errc::cancelled, "the bytes of " + digest_.str() + " were dropped meanwhile"};
    }
    present_.add(range);
    last_progress_ = now;
    ready = take_waiters_touching(range);
    verify_due = take_verify_turn();
    checkpoint_due = present_.total() - checkpoint_bytes_ >= kCheckpointBytes;
    if (checkpoint_due) checkpoint_bytes_ = present_.total();
  }
  if (verify_due) host_->verify(self());
  if (checkpoint_due) host_->checkpoint(self());
  run(std::move(ready));
  return {};
}

void BlobImpl::fail(Error error) {
  std::vector<Job> ready;
  Monotonic::time_point now = host_->clock().now();
  {
    MutexLock lock(mutex_);
    if (phase_ == Phase::complete || failure_) return;
    failure_ = Failure{std::move(error), now};
    ready = take_all_waiters();
  }
  run(std::move(ready));
}

void BlobImpl::shut_down(const Error& error) {
  std::vector<Job> ready;
  Monotonic::time_point now = host_->clock().now();
  {
    MutexLock lock(mutex_);
    if (phase_ == Phase::complete) return;
    failure_ = Failure{error, now, true};
    ready = take_all_waiters();
  }
  run(std::move(ready));
}

bool BlobImpl::retry_if_due() {
  Monotonic::time_point now = host_->clock().now();
  MutexLock lock(mutex_);
  if (!failure_) return true;
  if (failure_->for_good || now - failure_->since < kFailureMemory) return false;
  failure_.reset();
  return true;
}

}  // namespace regfs::cache
