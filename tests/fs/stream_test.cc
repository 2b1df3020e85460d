// SPDX-License-Identifier: MIT
// Images that do not fit in the cache: read in order they are read through, out of order only as far as there is room.
#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "fs/prefetch_plan.h"
#include "tests/fs/fetcher_words.h"

namespace regfs::fs::stream_test {
namespace {

using test::FetchWorld;
using test::same_bytes;
using test::TestImage;

constexpr uint64_t kBudget = 32 * kMiB;

struct SmallCacheWorld : FetchWorld {
  SmallCacheWorld() : FetchWorld({.budget_bytes = kBudget}) {}

  // In order, and as it is sent ahead: four at once.
  void expect_read_through(ImageFile& file, const TestImage& image) {
    constexpr uint64_t kPiece = 128 * kKiB;
    for (uint64_t at = 0; at < image.bytes.size(); at += 4 * kPiece) {
      std::vector<std::shared_ptr<test::ReadAnswer>> answers;
      for (uint64_t each = at; each < std::min<uint64_t>(at + 4 * kPiece, image.bytes.size()); each += kPiece) {
        answers.push_back(read(file, each, kPiece));
      }
      for (size_t i = 0; i < answers.size(); ++i) {
        ASSERT_TRUE(same_bytes(answers[i]->wait(), image.bytes.substr(at + i * kPiece, kPiece))) << at + i * kPiece;
      }
      most_on_disk = std::max(most_on_disk, on_disk());
    }
  }
  uint64_t on_disk() const {
    uint64_t bytes = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory / "cache")) {
      const Result<cache::FileFacts> facts = cache::system_disk()->facts(entry.path());
      if (facts && facts->regular) bytes += facts->allocated_bytes;
    }
    return bytes;
  }
  uint64_t most_on_disk = 0;
};

TEST(Streaming, AnImageOfOneLayerLargerThanTheCacheIsReadThrough) {
  SmallCacheWorld world;
  const TestImage image = world.image({48 * kMiB, 700});
  const auto file = world.open(image);
  world.source.serve(1);
  world.expect_read_through(*file, image);
  EXPECT_LE(world.most_on_disk, kBudget);
  EXPECT_EQ(world.log.count("is read as a stream"), 1u);
}

TEST(Streaming, EachByteIsAskedForOnceByAReaderInOrder) {
  SmallCacheWorld world;
  const TestImage image = world.image({40 * kMiB});
  const auto file = world.open(image);
  world.source.serve(1);
  world.expect_read_through(*file, image);
  EXPECT_TRUE(no_byte_asked_twice(world.source.asked()));
}

TEST(Streaming, AnImageOfManyLayersLargerThanTheCacheIsReadThrough) {
  SmallCacheWorld world;
  const TestImage image = world.image({7 * kMiB, 12 * kMiB, 7 * kMiB, 3 * kMiB, 20 * kMiB, 7 * kMiB, 5});
  const auto file = world.open(image);
  world.source.serve(2);
  world.expect_read_through(*file, image);
  EXPECT_LE(world.most_on_disk, kBudget);
}

TEST(Streaming, IsReadOnceMoreFromItsBeginning) {
  SmallCacheWorld world;
  const TestImage image = world.image({40 * kMiB, kMiB});
  const auto file = world.open(image);
  world.source.serve(3);
  world.expect_read_through(*file, image);
  world.expect_read_through(*file, image);
}

TEST(Streaming, TwoReadersOfOneImageBothGetThrough) {
  SmallCacheWorld world;
  const TestImage image = world.image({40 * kMiB});
  const auto fetch = world.fetch(image);
  const auto one = std::make_shared<ImageFile>(fetch, world.services);
  const auto two = std::make_shared<ImageFile>(fetch, world.services);
  world.source.serve(4);
  // The one has gone far before the other begins.
  for (uint64_t at = 0; at < 25 * kMiB; at += kMiB) {
    ASSERT_TRUE(same_bytes(world.read(*one, at, kMiB)->wait(), image.bytes.substr(at, kMiB)));
  }
  world.expect_read_through(*two, image);
  for (uint64_t at = 25 * kMiB; at < image.bytes.size(); at += kMiB) {
    ASSERT_TRUE(same_bytes(world.read(*one, at, kMiB)->wait(), image.bytes.substr(at, kMiB)));
  }
}

TEST(Streaming, AnImageThatWouldFitSharesTheStreamOfOneThatDoesNot) {
  SmallCacheWorld world;
  const TestImage large = world.image({10 * kMiB, 30 * kMiB});
  const TestImage small = world.image({10 * kMiB});
  const auto one = world.open(large);
  world.source.serve(7);
  ASSERT_TRUE(same_bytes(world.read(*one, 0, 9 * kMiB)->wait(), large.bytes.substr(0, 9 * kMiB)));
  const auto two = world.open(small);
  world.expect_read_through(*two, small);
  world.expect_read_through(*one, large);
}

// What two reads of one handle wait for, far from each other, is kept for both.
TEST(Streaming, ReadsHereAndThereOfWhatWasPassedAreAnswered) {
  SmallCacheWorld world;
  const TestImage image = world.image({40 * kMiB});
  const auto file = world.open(image);
  world.source.serve(8);
  world.expect_read_through(*file, image);
  std::mt19937 random(8);
  for (int round = 0; round < 20; ++round) {
    std::vector<std::pair<uint64_t, std::shared_ptr<test::ReadAnswer>>> answers;
    for (int i = 0; i < 4; ++i) {
      const uint64_t offset = random() % (39 * kMiB);
      answers.emplace_back(offset, world.read(*file, offset, 64 * kKiB));
    }
    for (const auto& [offset, answer] : answers) {
      EXPECT_TRUE(same_bytes(answer->wait(), image.bytes.substr(offset, 64 * kKiB))) << offset;
    }
  }
}

TEST(Streaming, OutOfOrderIsAnErrorWithASentenceOnceThereIsNoRoom) {
  SmallCacheWorld world;
  const TestImage image = world.image({64 * kMiB});
  const auto file = world.open(image);
  world.source.serve(5);
  std::optional<Error> error;
  for (uint64_t at = image.at(0, 62 * kMiB); at > image.at(0, 20 * kMiB) && !error; at -= kMiB) {
    const auto answer = world.read(*file, at, kMiB);
    if (answer->wait() != image.bytes.substr(at, kMiB)) error = answer->error();
  }
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), std::errc::no_space_on_device) << error->context();
  EXPECT_NE(error->context().find("can only be read in order"), std::string::npos) << error->context();
}

TEST(Streaming, AnImageThatFitsIsKept) {
  SmallCacheWorld world;
  const TestImage image = world.image({20 * kMiB, 5 * kMiB});
  const auto file = world.open(image);
  world.source.serve(6);
  world.expect_read_through(*file, image);
  ASSERT_TRUE(world.store->settle(std::chrono::seconds(20)));
  for (const registry::Descriptor& layer : image.archive->blobs) {
    EXPECT_EQ(world.store->present_bytes(layer.digest, layer.size_bytes), layer.size_bytes);
  }
}

TEST(Streaming, AnImageWithoutLayersHasReadersToo) {
  SmallCacheWorld world;
  const TestImage image = world.image({});
  auto file = world.open(image);
  EXPECT_TRUE(same_bytes(world.read(*file, 0, image.bytes.size())->wait(), image.bytes));
  file.reset();
}

TEST(PrefetchPlan, OfWhatDoesNotFitIsOnlyAheadAndNoMoreThanSoMuch) {
  const std::vector<LayerSpan> order = prefetch_order({10, 20, 30, 40}, 1, 5, 22);
  EXPECT_EQ(order, (std::vector<LayerSpan>{{1, {5, 15}}, {2, {0, 7}}}));
}

}  // namespace
}  // namespace regfs::fs::stream_test
