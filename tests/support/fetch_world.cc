// SPDX-License-Identifier: MIT
#include "tests/support/fetch_world.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/sha256.h"
#include "cache/store_impl.h"
#include "tests/support/content.h"

namespace regfs::test {
namespace {

class AnsweringReply : public fs::ReadReply {
 public:
  explicit AnsweringReply(std::shared_ptr<ReadAnswer> answer) : answer_(std::move(answer)) {}
  ~AnsweringReply() override {
    if (!answered_) answer_->give(Error(std::make_error_code(std::errc::io_error), "destroyed unanswered"));
  }

  void data(std::span<const std::byte> bytes) override {
    answered_ = true;
    answer_->give(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  }
  void failed(const Error& error) override {
    answered_ = true;
    answer_->give(error);
  }

 private:
  const std::shared_ptr<ReadAnswer> answer_;
  bool answered_ = false;
};

std::unique_ptr<cache::BlobStore> open_store(const std::string& path, const Clock& clock, Log& log,
                                             std::shared_ptr<FaultyDisk> disk, const cache::StoreOptions& options) {
  Result<std::unique_ptr<cache::BlobStore>> store = cache::open_store(path, clock, log, std::move(disk), options);
  REGFS_CHECK(store.has_value(), "the test's cache cannot be opened");
  return std::move(*store);
}

}  // namespace

void ReadAnswer::give(Result<std::string> answer) {
  MutexLock lock(mutex_);
  answer_ = std::move(answer);
  ++times_;
  changed_.notify_all();
}

std::string ReadAnswer::wait() {
  const Monotonic::time_point deadline = Monotonic::now() + std::chrono::seconds(20);
  MutexLock lock(mutex_);
  while (!answer_) {
    if (!changed_.wait_until(lock, deadline) && !answer_) return "error: no answer";
  }
  return *answer_ ? **answer_ : "error: " + answer_->error().context();
}

std::optional<Error> ReadAnswer::error() {
  MutexLock lock(mutex_);
  if (!answer_ || *answer_) return std::nullopt;
  return answer_->error();
}

bool ReadAnswer::given() const {
  return times_given() > 0;
}

size_t ReadAnswer::times_given() const {
  MutexLock lock(mutex_);
  return times_;
}

FetchWorld::FetchWorld(FetchWorldOptions options)
    : clock(options.real_time ? static_cast<const Clock&>(system_clock) : fake_clock),
      log(clock),
      store(open_store(directory / "cache", clock, log.log(), disk, {.budget_bytes = options.budget_bytes})),
      pool("pool", 2, 2, log.log()),
      replies("replies", 2, 2, log.log()),
      fetcher(source, *store, pool, timer, clock, log.log(), options.limits),
      services{replies, timer, clock, log.log(), options.read_timeout} {}

FetchWorld::~FetchWorld() {
  fetcher.shutdown();
  store->shutdown(Error(Errc::shutting_down, "the test is over"));
  replies.stop();
  pool.stop();
  timer.stop();
}

TestImage FetchWorld::image(const std::vector<uint64_t>& layer_bytes, uint32_t seed) {
  std::vector<std::string> layers;
  std::vector<fs::TarMember> members{{"manifest.json", std::string("[]")}};
  std::vector<registry::Descriptor> descriptors;
  for (const uint64_t size : layer_bytes) {
    layers.push_back(bytes_of(*seeded_bytes(seed + layers.size(), size)));
    source.hold(layers.back());
    const Digest digest = sha256_of(layers.back());
    members.push_back({"blobs/sha256/" + digest.hex(), fs::BlobMember{size}});
    descriptors.push_back({"application/vnd.oci.image.layer.v1.tar+gzip", digest, size, {}});
  }
  auto archive = std::make_shared<const fs::ImageArchive>(
      fs::ImageArchive{fs::TarLayout(std::move(members)), std::move(descriptors)});
  std::string bytes;
  for (const fs::Slice& slice : archive->layout.slices(0, archive->layout.size_bytes())) {
    bytes +=
        slice.blob ? layers[slice.blob->blob].substr(slice.blob->offset, slice.blob->length) : std::string(slice.bytes);
  }
  return {std::move(archive), std::move(layers), std::move(bytes)};
}

std::shared_ptr<fs::ImageFetch> FetchWorld::fetch(const TestImage& image, const std::string& name) {
  return fetcher.open(image.archive, {"docker.io", "library/nginx"}, name);
}

std::shared_ptr<fs::ImageFile> FetchWorld::open(const TestImage& image) {
  return std::make_shared<fs::ImageFile>(fetch(image), services);
}

std::shared_ptr<ReadAnswer> FetchWorld::read(fs::ImageFile& file, uint64_t offset, size_t length) {
  auto answer = std::make_shared<ReadAnswer>();
  file.read(offset, length, std::make_unique<AnsweringReply>(answer));
  return answer;
}

testing::AssertionResult same_bytes(const std::string& answer, const std::string& expected) {
  if (answer == expected) return testing::AssertionSuccess();
  if (answer.starts_with("error: ")) return testing::AssertionFailure() << answer;
  const auto parts = std::mismatch(answer.begin(), answer.end(), expected.begin(), expected.end());
  return testing::AssertionFailure() << answer.size() << " bytes for " << expected.size() << ", wrong from "
                                     << parts.first - answer.begin() << " on";
}

testing::AssertionResult no_byte_asked_twice(const std::vector<AskedRange>& asked) {
  std::map<Digest, std::map<uint64_t, uint64_t>> seen;  // offset → end
  for (const AskedRange& each : asked) {
    std::map<uint64_t, uint64_t>& ranges = seen[each.range.digest];
    const uint64_t begin = each.range.offset;
    const uint64_t end = begin + each.range.length;
    const auto after = ranges.lower_bound(begin);
    if ((after != ranges.end() && after->first < end) ||
        (after != ranges.begin() && std::prev(after)->second > begin)) {
      return testing::AssertionFailure() << each.range.digest.str() << ": [" << begin << ", " << end << ") again";
    }
    ranges.emplace(begin, end);
  }
  return testing::AssertionSuccess();
}

uint64_t bytes_asked(const std::vector<AskedRange>& asked) {
  uint64_t total = 0;
  for (const AskedRange& each : asked) total += each.range.length;
  return total;
}

}  // namespace regfs::test
