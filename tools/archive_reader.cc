// SPDX-License-Identifier: MIT
#include "tools/archive_reader.h"

#include <algorithm>
#include <future>
#include <utility>

namespace regfs {
namespace {

// Copies into a buffer of the thread that waits for the future, and so lives at least until then.
class WaitedReply : public fs::ReadReply {
 public:
  explicit WaitedReply(std::span<std::byte> out) : out_(out) {}
  ~WaitedReply() override {
    if (!answered_) answer_.set_value(Error(Errc::shutting_down, "the read was dropped"));
  }
  WaitedReply(const WaitedReply&) = delete;
  WaitedReply& operator=(const WaitedReply&) = delete;

  void data(std::span<const std::byte> bytes) override {
    std::copy(bytes.begin(), bytes.end(), out_.begin());
    answered_ = true;
    answer_.set_value(bytes.size());
  }
  void failed(const Error& error) override {
    answered_ = true;
    answer_.set_value(error);
  }

  std::future<Result<size_t>> answer() { return answer_.get_future(); }

 private:
  const std::span<std::byte> out_;
  bool answered_ = false;
  std::promise<Result<size_t>> answer_;
};

}  // namespace

ArchiveReader::ArchiveReader(std::shared_ptr<fs::ImageFetch> fetch, const fs::ReadServices& services)
    : file_(fetch, services) {
  if (!fetch->archive().blobs.empty()) fetch->prefetch_from(0, 0);
}

Result<size_t> ArchiveReader::read(uint64_t offset, std::span<std::byte> out) {
  auto reply = std::make_unique<WaitedReply>(out);
  std::future<Result<size_t>> answer = reply->answer();
  file_.read(offset, out.size(), std::move(reply));
  return answer.get();
}

}  // namespace regfs
