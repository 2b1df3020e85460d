// SPDX-License-Identifier: MIT
#include "fs/image_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <map>
#include <random>
#include <thread>

#include "cache/layout.h"
#include "tests/support/fetch_world.h"

namespace regfs::fs::image_file_test {
namespace {

using test::FetchWorld;
using test::no_byte_asked_twice;
using test::ReadAnswer;
using test::same_bytes;
using test::TestImage;

constexpr uint64_t kKiB = 1024;
constexpr uint64_t kMiB = 1024 * kKiB;

using Answers = std::vector<std::shared_ptr<ReadAnswer>>;

// --- what fails ---

TEST(ImageFile, AFailedLayerAnswersEverybodyWhoWaitsForItWithOneLineInTheLog) {
  FetchWorld world;
  const TestImage image = world.image({2 * kMiB, 3 * kMiB});
  const auto file = world.open(image);
  Answers answers;
  for (int i = 0; i < 20; ++i) answers.push_back(world.read(*file, image.at(1, 0), 4096));
  world.source.fail(1, Error(Errc::missing_content, "404: blob unknown"));

  const std::string sentence =
      "nginx:latest linux/amd64: layer 2 of 2 (" + image.archive->blobs[1].digest.str() + "): 404: blob unknown";
  for (const auto& answer : answers) {
    EXPECT_EQ(answer->wait(), "error: " + sentence);
    EXPECT_TRUE(answer->error()->is(Errc::missing_content));
    EXPECT_EQ(answer->times_given(), 1u);
  }
  EXPECT_EQ(world.log.count(sentence), 1u);
}

TEST(ImageFile, AFailureIsRememberedFiveSecondsAndThenTriedAnewOnAnOldHandle) {
  FetchWorld world;
  const TestImage image = world.image({3 * kMiB});
  const auto file = world.open(image);
  const auto first = world.read(*file, image.at(0, 0), 4096);
  world.source.fail(1, Error(Errc::unreachable, "connection refused"));
  first->wait();

  world.fake_clock.advance(std::chrono::milliseconds(4999));
  EXPECT_TRUE(world.read(*file, image.at(0, 0), 4096)->given());
  EXPECT_EQ(world.source.asked().size(), 1u);

  world.fake_clock.advance(std::chrono::milliseconds(1));
  const auto again = world.read(*file, image.at(0, 0), 4096);
  ASSERT_EQ(world.source.asked().size(), 2u);
  world.source.send_all();
  EXPECT_TRUE(same_bytes(again->wait(), image.bytes.substr(image.at(0, 0), 4096)));
}

TEST(ImageFile, BytesThatCameStayReadableAfterAFailure) {
  FetchWorld world;
  const TestImage image = world.image({3 * kMiB});
  const auto file = world.open(image);
  const auto first = world.read(*file, image.at(0, 0), 4096);
  world.source.send(1, 4096);
  EXPECT_TRUE(same_bytes(first->wait(), image.bytes.substr(image.at(0, 0), 4096)));
  world.source.fail(1, Error(Errc::unreachable, "connection refused"));
  EXPECT_TRUE(same_bytes(world.read(*file, image.at(0, 0), 4096)->wait(), image.bytes.substr(image.at(0, 0), 4096)));
}

TEST(ImageFile, AReaderOfALayerWithWrongBytesGetsAnErrorBeforeItsEnd) {
  FetchWorld world;
  const TestImage image = world.image({2 * kMiB});
  std::string wrong = image.layers[0];
  wrong[5] = static_cast<char>(wrong[5] ^ 1);
  world.source.hold(image.archive->blobs[0].digest, wrong);
  const auto file = world.open(image);
  const auto withheld = world.read(*file, image.at(0, 2 * kMiB - 150 * kKiB), 4096);
  world.source.send_all();
  EXPECT_EQ(withheld->wait().substr(0, 6), "error:");
  EXPECT_TRUE(withheld->error()->is(Errc::digest_mismatch));
}

TEST(ImageFile, ADiskThatCannotBeReadIsAnErrorAndNeverZeros) {
  FetchWorld world;
  const TestImage image = world.image({3 * kMiB});
  const auto file = world.open(image);
  const auto first = world.read(*file, image.at(0, 0), 4096);
  world.source.send(1, 4096);
  first->wait();
  world.disk->fail(test::FaultyDisk::Call::reading, EIO);
  const auto broken = world.read(*file, image.at(0, 0), 4096);
  EXPECT_EQ(broken->wait().substr(0, 6), "error:");
  EXPECT_EQ(broken->error()->code().value(), EIO);
  EXPECT_TRUE(world.log.contains("layer 1 of 1"));
}

TEST(ImageFile, ACacheThatLosesALayerWhileItIsReadFetchesItAgain) {
  FetchWorld world;
  const TestImage image = world.image({2 * kMiB});
  const auto file = world.open(image);
  world.source.serve(1);
  const auto all = world.read(*file, 0, image.bytes.size());
  ASSERT_TRUE(same_bytes(all->wait(), image.bytes));
  const cache::Layout layout(world.directory / "cache");
  const Digest digest = image.archive->blobs[0].digest;
  ASSERT_TRUE(world.disk->wait_renamed_to(layout.seal(digest)));  // the last of its publication
  ASSERT_EQ(::truncate(layout.blob(digest).c_str(), 0), 0);

  const size_t before = world.source.asked().size();
  EXPECT_TRUE(same_bytes(world.read(*file, 0, image.bytes.size())->wait(), image.bytes));
  EXPECT_GT(world.source.asked().size(), before);
}

TEST(ImageFile, AReadWithoutAByteForTooLongTimesOut) {
  FetchWorld world({.read_timeout = std::chrono::milliseconds(50), .real_time = true});
  const TestImage image = world.image({3 * kMiB});
  const auto file = world.open(image);
  const auto answer = world.read(*file, image.at(0, 0), 4096);
  answer->wait();
  ASSERT_TRUE(answer->error().has_value());
  EXPECT_TRUE(answer->error()->is(Errc::timed_out));
  EXPECT_EQ(world.log.count("--read-timeout"), 1u);

  world.source.send_all();  // the transfer goes on, and the next try finds its bytes
  EXPECT_EQ(answer->times_given(), 1u);
  EXPECT_TRUE(same_bytes(world.read(*file, image.at(0, 0), 4096)->wait(), image.bytes.substr(image.at(0, 0), 4096)));
}

TEST(ImageFile, ShutdownAnswersWhatIsParkedAndIsNobodysFault) {
  FetchWorld world;
  const TestImage image = world.image({3 * kMiB});
  const auto file = world.open(image);
  const auto answer = world.read(*file, image.at(0, 0), 4096);
  world.fetcher.shutdown();
  world.store->shutdown(Error(Errc::shutting_down, "the mount is going away"));
  answer->wait();
  ASSERT_TRUE(answer->error().has_value());
  EXPECT_TRUE(answer->error()->is(Errc::shutting_down));
  EXPECT_FALSE(world.log.contains("going away"));
  EXPECT_TRUE(world.read(*file, image.at(0, 0), 4096)->given());
}

TEST(ImageFile, AReadWhoseAnswerCannotBeGivenAnyMoreIsDestroyedUnanswered) {
  FetchWorld world;
  const TestImage image = world.image({3 * kMiB});
  const auto file = world.open(image);
  const auto answer = world.read(*file, image.at(0, 0), 4096);
  world.replies.stop();
  world.source.send_all();
  EXPECT_EQ(answer->wait(), "error: destroyed unanswered");
}

// --- what is answered at once ---

TEST(ImageFile, BeyondTheEndThereAreNoBytes) {
  FetchWorld world;
  const TestImage image = world.image({700});
  const auto file = world.open(image);
  EXPECT_EQ(file->size_bytes(), image.bytes.size());
  EXPECT_EQ(world.read(*file, image.bytes.size(), 4096)->wait(), "");
  EXPECT_EQ(world.read(*file, UINT64_MAX - 5, 4096)->wait(), "");
  EXPECT_EQ(world.read(*file, 0, 0)->wait(), "");
}

TEST(ImageFile, HeadersAndPaddingNeedNoLayer) {
  FetchWorld world;
  const TestImage image = world.image({3 * kMiB});
  const auto file = world.open(image);
  const uint64_t end = image.at(0, 3 * kMiB);
  EXPECT_TRUE(same_bytes(world.read(*file, 0, image.at(0, 0))->wait(), image.bytes.substr(0, image.at(0, 0))));
  EXPECT_TRUE(same_bytes(world.read(*file, end, 99'999)->wait(), image.bytes.substr(end)));
  EXPECT_TRUE(world.source.asked().empty());
}

TEST(ImageFile, WhatIsInTheCacheIsAnsweredOnTheCallingThread) {
  FetchWorld world;
  const TestImage image = world.image({2 * kMiB, 700});
  const auto file = world.open(image);
  world.source.serve(1);
  const auto cold = world.read(*file, 0, image.bytes.size());
  ASSERT_TRUE(same_bytes(cold->wait(), image.bytes));
  world.replies.stop();
  const auto warm = world.read(*file, 0, image.bytes.size());
  ASSERT_TRUE(warm->given());
  EXPECT_TRUE(same_bytes(warm->wait(), image.bytes));
}

// --- what waits ---

TEST(ImageFile, BytesAreDeliveredBeforeTheLayerIsComplete) {
  FetchWorld world;
  const TestImage image = world.image({3 * kMiB});
  const auto file = world.open(image);
  const auto answer = world.read(*file, image.at(0, 0), 4096);
  world.source.send(1, 4095);
  EXPECT_FALSE(answer->given());
  world.source.send(1, 1);
  EXPECT_TRUE(same_bytes(answer->wait(), image.bytes.substr(image.at(0, 0), 4096)));
}

TEST(ImageFile, AReadAcrossLayersAsksForAllOfThemAtOnce) {
  FetchWorld world;
  const TestImage image = world.image({700, 800, 900});
  const auto file = world.open(image);
  const auto answer = world.read(*file, 0, image.bytes.size());
  EXPECT_EQ(world.source.asked().size(), 3u);
  world.source.send_all();
  EXPECT_TRUE(same_bytes(answer->wait(), image.bytes));
}

TEST(ImageFile, ListingTheArchiveAsksForTwoWindowsOfEachLayerAtMost) {
  FetchWorld world;
  const TestImage image = world.image({3 * kMiB, 40 * kKiB, 2 * kMiB, 5 * kMiB, 5, 5, 5});
  const auto file = world.open(image);
  for (size_t layer = 0; layer < image.layers.size(); ++layer) {
    // As GNU tar does: a record of 10 KiB with the header in it, which the kernel rounds to pages and reads ahead.
    const uint64_t record = image.at(layer, 0) / 10240 * 10240;
    const auto answer = world.read(*file, record / 4096 * 4096, 128 * kKiB);
    world.source.send_all();
    EXPECT_TRUE(same_bytes(answer->wait(), image.bytes.substr(record / 4096 * 4096, 128 * kKiB)));
  }
  std::map<Digest, uint64_t> windows;
  for (const test::AskedRange& asked : world.source.asked()) {
    if (asked.range.size_bytes <= kMiB) continue;
    EXPECT_LE(asked.range.length, 256 * kKiB);
    EXPECT_LE(++windows[asked.range.digest], 2u);
  }
  EXPECT_TRUE(no_byte_asked_twice(world.source.asked()));
}

TEST(ImageFile, ReadingInSequenceStartsThePrefetch) {
  FetchWorld world;
  const TestImage image = world.image({3 * kMiB, 3 * kMiB});
  const auto file = world.open(image);
  world.source.serve(1);
  for (uint64_t at = 0; at < 512 * kKiB; at += 128 * kKiB) {
    world.read(*file, image.at(0, at), 128 * kKiB)->wait();
  }
  // Its first window; then the rest, and the other layer, for which nobody has asked.
  ASSERT_TRUE(world.source.wait_asked(3));
  EXPECT_EQ(test::bytes_asked(world.source.asked()), 6 * kMiB);
}

TEST(ImageFile, ReleaseStopsThePrefetchAndAnswersWhatIsParked) {
  FetchWorld world;
  const TestImage image = world.image({3 * kMiB, 3 * kMiB, 3 * kMiB});
  auto fetch = world.fetch(image);
  for (size_t layer = 0; layer < 3; ++layer)
    ASSERT_TRUE(fetch->blob(layer));  // so that no other thread has a part in it
  auto file = std::make_shared<ImageFile>(std::move(fetch), world.services);
  const auto first = world.read(*file, image.at(0, 0), 256 * kKiB);
  const auto parked = world.read(*file, image.at(1, 0), 4096);
  ASSERT_EQ(world.source.running().size(), 3u);
  file.reset();
  ASSERT_EQ(world.source.cancelled().size(), 1u);
  EXPECT_EQ(world.source.cancelled()[0].range.digest, image.archive->blobs[2].digest);
  world.source.send_all();
  EXPECT_TRUE(same_bytes(first->wait(), image.bytes.substr(image.at(0, 0), 256 * kKiB)));
  EXPECT_TRUE(same_bytes(parked->wait(), image.bytes.substr(image.at(1, 0), 4096)));
}

// --- everything at once ---

TEST(ImageFile, AnyReadInAnyOrderGivesTheBytesOfTheArchive) {
  for (uint32_t seed = 1; seed <= 6; ++seed) {
    FetchWorld world({.limits = {.per_image = 1 + seed, .per_mount = 8}});
    const TestImage image = world.image({2 * kMiB, 0, 700, 18 * kMiB, kMiB, 1, 3 * kMiB + 5}, seed);
    std::mt19937_64 random(seed);
    std::vector<std::shared_ptr<ImageFile>> files{world.open(image), world.open(image)};
    world.source.serve(seed);
    for (int round = 0; round < 15; ++round) {
      std::vector<std::pair<uint64_t, size_t>> ranges;
      Answers answers;
      for (int i = 0; i < 10; ++i) {
        const uint64_t offset = random() % (image.bytes.size() + 4096);
        const size_t length = random() % ((i == 0 ? 3 : 1) * 256 * kKiB);
        ranges.emplace_back(offset, length);
        answers.push_back(world.read(*files[random() % 2], offset, length));
      }
      for (size_t i = 0; i < answers.size(); ++i) {
        const uint64_t offset = std::min<uint64_t>(ranges[i].first, image.bytes.size());
        ASSERT_TRUE(same_bytes(answers[i]->wait(), image.bytes.substr(offset, ranges[i].second)))
            << "seed " << seed << ", " << ranges[i].second << " bytes from " << ranges[i].first;
        ASSERT_EQ(answers[i]->times_given(), 1u);
      }
      if (random() % 4 == 0) files[random() % 2] = world.open(image);
    }
  }
}

TEST(ImageFile, SixtyFourReadersOfAColdImageAskForEachByteOnce) {
  FetchWorld world;
  const TestImage image = world.image({2 * kMiB, 3 * kMiB, 100 * kKiB, 1'500 * kKiB});
  world.source.serve(64);
  const std::shared_ptr<ImageFetch> shared = world.fetch(image);
  std::vector<std::thread> readers;
  std::atomic<int> right{0};
  for (int reader = 0; reader < 64; ++reader) {
    readers.emplace_back([&] {
      const auto file = std::make_shared<ImageFile>(shared, world.services);
      for (uint64_t at = 0; at < image.bytes.size(); at += kMiB) {
        const size_t length = std::min<uint64_t>(kMiB, image.bytes.size() - at);
        if (world.read(*file, at, length)->wait() != std::string_view(image.bytes).substr(at, length)) return;
      }
      ++right;
    });
  }
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(right, 64);
  EXPECT_TRUE(world.source.cancelled().empty());
  EXPECT_TRUE(no_byte_asked_twice(world.source.asked()));
  EXPECT_EQ(test::bytes_asked(world.source.asked()), 5 * kMiB + 1'600 * kKiB);
}

}  // namespace
}  // namespace regfs::fs::image_file_test
