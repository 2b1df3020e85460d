// SPDX-License-Identifier: MIT
// Random reads of archives whose layers arrive in random pieces, in random order and with failures, over the
// real cache, against bytes that were put together by nothing of the program. Seeds are fixed and told.
#include <gtest/gtest.h>

#include <atomic>
#include <iostream>
#include <random>
#include <thread>

#include "fs/image_archive.h"
#include "fs/image_file.h"
#include "tests/support/archive_model.h"
#include "tests/support/fetch_world.h"

namespace regfs::fs::read_model_test {
namespace {

using test::ArchiveModel;
using test::FetchWorld;
using test::ReadAnswer;
using test::SampleImage;
using test::SampleLayer;

constexpr uint64_t kKiB = 1024;
constexpr uint64_t kMiB = 1024 * kKiB;
constexpr uint64_t kPieceBytes = 48 * kKiB;
constexpr std::chrono::seconds kFailureMemory{5};

// Withheld whole and in part, of one byte, of a window and one more; one twice.
SampleImage varied_image(uint32_t seed) {
  const SampleLayer repeated = test::seeded_layer(seed + 1, 300 * kKiB + 1);
  return test::make_image(
      {.layers = {test::seeded_layer(seed + 2, 2 * kMiB + 77), repeated, test::seeded_layer(seed + 3, 1),
                  test::seeded_layer(seed + 4, kMiB), repeated, test::seeded_layer(seed + 5, 256 * kKiB + 1),
                  test::seeded_layer(seed + 6, 5 * kMiB + 512)}});
}

std::shared_ptr<const ImageArchive> archive_of(const SampleImage& image) {
  Result<registry::Document> document = registry::parse_document(image.manifest, image.media_type);
  Result<registry::ImageConfig> config = registry::parse_image_config(image.config);
  if (!document || !config) throw std::runtime_error("the test's image cannot be parsed");
  return std::make_shared<const ImageArchive>(
      image_archive({.repository = {"docker.io", "library/nginx"},
                     .tag = std::nullopt,
                     .manifest_digest = image.digest,
                     .manifest_media_type = image.media_type,
                     .manifest_bytes = image.manifest,
                     .config_bytes = image.config,
                     .manifest = std::get<registry::Manifest>(*std::move(document)),
                     .config = *std::move(config)}));
}

// When a layer last failed, by the fake clock, which must not move between a failure and its being written down. Safe
// to use from any thread.
class FailureBook {
 public:
  FailureBook(const FetchWorld& world, const ImageArchive& archive, const ArchiveModel& model)
      : world_(world), archive_(archive), times_(archive.blobs.size()) {
    for (const registry::Descriptor& blob : archive.blobs) {
      places_.push_back(model.member("blobs/sha256/" + blob.digest.hex()).offset);
    }
  }

  void write_down(const Digest& digest) {
    for (size_t layer = 0; layer < times_.size(); ++layer) {
      if (archive_.blobs[layer].digest == digest) times_[layer] = now();
    }
    ++failures_;
  }
  int64_t now() const { return world_.clock.now().time_since_epoch().count(); }
  int failures() const { return failures_; }

  // Whether some layer under this range has failed lately enough for a read that began at that time to hear of it.
  bool explains(uint64_t offset, uint64_t length, int64_t began) const {
    for (size_t layer = 0; layer < times_.size(); ++layer) {
      const uint64_t begin = places_[layer];
      if (offset >= begin + archive_.blobs[layer].size_bytes || offset + length <= begin) continue;
      if (times_[layer] != 0 && began - times_[layer] < std::chrono::nanoseconds(kFailureMemory).count()) return true;
    }
    return false;
  }

 private:
  const FetchWorld& world_;
  const ImageArchive& archive_;
  std::vector<uint64_t> places_;
  std::vector<std::atomic<int64_t>> times_;
  std::atomic<int> failures_{0};
};

// An open handle, and where its reader stands if it reads in sequence, which is what starts a prefetch.
struct Handle {
  std::shared_ptr<ImageFile> file;
  bool in_sequence = false;
  uint64_t position = 0;
};

struct Asked {
  uint64_t offset;
  size_t length;
  int64_t began;
  std::shared_ptr<ReadAnswer> answer;
};

class ReadModel : public testing::Test {
 protected:
  explicit ReadModel(FetchLimits limits = {.per_image = 3, .per_mount = 8}) : world_({.limits = limits}) {}

  void make(uint32_t seed) {
    std::cout << "seed " << seed << "\n";
    const SampleImage image = varied_image(seed);
    model_ = std::make_unique<ArchiveModel>(image, std::nullopt);
    bytes_ = model_->bytes();
    image_.archive = archive_of(image);
    for (const SampleLayer& layer : image.layers) world_.source.hold(layer.digest, test::bytes_of(*layer.content));
    book_ = std::make_unique<FailureBook>(world_, *image_.archive, *model_);
    ASSERT_EQ(image_.archive->layout.size_bytes(), bytes_.size());
  }

  // Mostly small, some across layers, some beyond the end.
  Asked ask(std::mt19937_64& random, Handle& handle) {
    const uint64_t anywhere = random() % (bytes_.size() + 64 * kKiB);
    const bool goes_on = handle.in_sequence && random() % 20 != 0 && handle.position < bytes_.size();
    const uint64_t offset = goes_on ? handle.position : anywhere;
    const size_t length = random() % (random() % 8 == 0 ? kMiB : handle.in_sequence ? 128 * kKiB : 20 * kKiB);
    handle.position = offset + length;
    const int64_t began = book_->now();
    return {offset, length, began, world_.read(*handle.file, offset, length)};
  }

  // The bytes of the model, or an error that a failure explains.
  testing::AssertionResult right(const Asked& asked) {
    const std::string got = asked.answer->wait();
    const std::string where = std::to_string(asked.length) + " bytes from " + std::to_string(asked.offset);
    if (asked.answer->times_given() != 1) return testing::AssertionFailure() << where << ": answered twice, or not";
    if (const std::optional<Error> error = asked.answer->error()) {
      ++errors_;
      if (book_->explains(asked.offset, asked.length, asked.began)) return testing::AssertionSuccess();
      return testing::AssertionFailure() << where << ": an error out of nothing: " << error->context();
    }
    ++successes_;
    const std::string_view all = bytes_;
    const std::string_view wanted = asked.offset < all.size() ? all.substr(asked.offset, asked.length) : "";
    if (got == wanted) return testing::AssertionSuccess();
    return testing::AssertionFailure() << where << ": other bytes, or " << got.size() << " of them";
  }

  void pass_time(std::chrono::seconds time) {
    MutexLock lock(clock_moves_);
    world_.fake_clock.advance(time);
  }

  testing::AssertionResult whole_archive_is_right() {
    pass_time(kFailureMemory);
    const auto file = world_.open(image_);
    const std::shared_ptr<ReadAnswer> answer = world_.read(*file, 0, bytes_.size());
    return test::same_bytes(answer->wait(), bytes_);
  }

  // A run without failures, or without success, has shown nothing.
  void tell() {
    std::cout << successes_ << " right, " << errors_ << " errors after " << book_->failures() << " failures, "
              << world_.source.cancelled().size() << " of " << world_.source.asked().size() << " requests cancelled, "
              << world_.source.deepest_cancel() << " deep\n";
    EXPECT_GT(book_->failures(), 0);
    EXPECT_GT(errors_, 0);
    EXPECT_GT(successes_, 0);
  }

  test::TestImage image_;
  std::unique_ptr<ArchiveModel> model_;
  std::string bytes_;
  std::unique_ptr<FailureBook> book_;
  std::atomic<int> errors_{0};
  std::atomic<int> successes_{0};
  Mutex clock_moves_;
  FetchWorld world_;  // last: its threads use all of the above
};

// One step at a time, each carried out before the next: what happens follows from the seed, but for when a layer that
// has come whole is found right.
class ReadModelSteps : public ReadModel, public testing::WithParamInterface<uint32_t> {
 protected:
  using ReadModel::ReadModel;

  void settle() { ASSERT_TRUE(world_.replies.drain(std::chrono::seconds(20))); }

  std::shared_ptr<ImageFile> open() {
    std::shared_ptr<ImageFetch> fetch = world_.fetch(image_);
    for (size_t layer = 0; layer < image_.archive->blobs.size(); ++layer) {
      EXPECT_TRUE(fetch->blob(layer));  // so that no other thread has a part in it
    }
    return std::make_shared<ImageFile>(std::move(fetch), world_.services);
  }

  void step(std::mt19937_64& random) {
    const std::vector<test::AskedRange> running = world_.source.running();
    const uint64_t what = random() % 100;
    if (what < 30 || running.empty()) {
      asked_.push_back(ask(random, handles_[random() % handles_.size()]));
    } else if (what < 90) {
      world_.source.send(running[random() % running.size()].id, 1 + random() % kPieceBytes);
    } else if (what < 92) {
      const test::AskedRange& victim = running[random() % running.size()];
      book_->write_down(victim.range.digest);
      world_.source.fail(victim.id, Error(Errc::bad_response, "connection reset"));
    } else if (what < 97) {
      pass_time(std::chrono::seconds(random() % 4));
    } else {
      handles_[random() % handles_.size()].file = open();
    }
    settle();
  }

  void walk() {
    make(GetParam());
    std::mt19937_64 random(GetParam());
    for (const bool in_sequence : {false, false, true}) handles_.push_back({open(), in_sequence});
    for (int count = 0; count < 1500; ++count) ASSERT_NO_FATAL_FAILURE(step(random));
    world_.source.serve(GetParam());
    for (const Asked& asked : asked_) ASSERT_TRUE(right(asked));
    EXPECT_TRUE(whole_archive_is_right());
    tell();
  }

  std::vector<Handle> handles_;
  std::vector<Asked> asked_;
};

TEST_P(ReadModelSteps, EveryReadIsTheModelOrAnErrorThatWasMade) {
  walk();
}

INSTANTIATE_TEST_SUITE_P(Seeds, ReadModelSteps, testing::Values(11u, 12u, 13u, 14u, 15u, 16u));

// Fewer slots than there are images whose readers wait: somebody has to give way, and must not take it back at once.
class ReadModelFewSlots : public ReadModelSteps {
 protected:
  ReadModelFewSlots() : ReadModelSteps({.per_image = 3, .per_mount = 4}) {}
};

TEST_P(ReadModelFewSlots, NoTwoReadersTakeEachOthersSlotsInTurn) {
  walk();
  EXPECT_LT(world_.source.deepest_cancel(), test::ScriptedSource::kDeepest);
}

INSTANTIATE_TEST_SUITE_P(Seeds, ReadModelFewSlots, testing::Values(22u, 56u));

class ReadModelThreads : public ReadModel, public testing::WithParamInterface<uint32_t> {};

TEST_P(ReadModelThreads, EveryReadIsTheModelOrAnErrorThatWasMade) {
  constexpr int kThreads = 6;
  constexpr int kRounds = 25;
  constexpr int kReadsAtOnce = 8;
  make(GetParam());
  world_.source.serve(GetParam(), {.one_in = 40,
                                   .meet =
                                       [this](const Digest& digest, const auto& fail) {
                                         MutexLock lock(clock_moves_);
                                         book_->write_down(digest);
                                         fail();
                                       },
                                   .piece_bytes = kPieceBytes});
  // Two threads share a handle; the others let theirs go, which cancels what nobody else waits for.
  const std::shared_ptr<ImageFile> file = world_.open(image_);
  std::vector<testing::AssertionResult> outcomes(kThreads, testing::AssertionSuccess());
  std::vector<std::thread> readers;
  for (uint32_t reader = 0; reader < kThreads; ++reader) {
    readers.emplace_back([&, reader] {
      std::mt19937_64 random(GetParam() * 1000 + reader);
      Handle own{reader < 2 ? file : world_.open(image_), reader % 2 == 0};
      for (int round = 0; round < kRounds && outcomes[reader]; ++round) {
        std::vector<Asked> asked;
        for (int count = 0; count < kReadsAtOnce; ++count) asked.push_back(ask(random, own));
        if (reader >= 2 && random() % 3 == 0) own.file = world_.open(image_);
        for (const Asked& each : asked) {
          if (const testing::AssertionResult outcome = right(each); !outcome) outcomes[reader] = outcome;
          // Else all that has failed would stay so.
          if (each.answer->error() && random() % 4 == 0) pass_time(kFailureMemory);
        }
      }
    });
  }
  for (std::thread& reader : readers) reader.join();
  for (const testing::AssertionResult& outcome : outcomes) EXPECT_TRUE(outcome);
  world_.source.spare_the_rest();
  EXPECT_TRUE(whole_archive_is_right());
  tell();
}

INSTANTIATE_TEST_SUITE_P(Seeds, ReadModelThreads, testing::Values(21u, 22u, 23u, 24u, 25u, 26u));

}  // namespace
}  // namespace regfs::fs::read_model_test
