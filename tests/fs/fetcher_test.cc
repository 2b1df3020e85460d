// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <cerrno>

#include "fs/fetch_planner.h"
#include "tests/fs/fetcher_words.h"

namespace regfs::fs::fetcher_test {
namespace {

using cache::Blob;
using test::AskedRange;
using test::FetchWorld;
using test::no_byte_asked_twice;
using test::TestImage;

// --- what fails ---

TEST(Fetcher, ABlobWhoseTransferFailsHasFailedAndItsOtherTransfersEnd) {
  FetchWorld world;
  const TestImage image = world.image({40 * kMiB, 3 * kMiB});
  const auto fetch = world.fetch(image);
  const std::shared_ptr<Blob> blob = blob_of(*fetch, 0);
  open_layers(*fetch);
  fetch->prefetch_from(0, 0);
  ASSERT_TRUE(world.source.wait_running(2));
  ASSERT_EQ(let_all_join(world), 11u);  // ten parts, and the second layer
  world.source.fail(world.source.asked()[2].id, Error(Errc::server_error, "the registry answered 500"));

  ASSERT_TRUE(blob->failure().has_value());
  EXPECT_EQ(blob->failure()->context(), "the registry answered 500");
  const std::vector<AskedRange> left = world.source.running();
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].range.digest, image.archive->blobs[1].digest);
}

TEST(Fetcher, AFailedBlobIsNotAskedForAgainWhileItIsRemembered) {
  FetchWorld world;
  const auto fetch = world.fetch(world.image({3 * kMiB}));
  const std::shared_ptr<Blob> blob = blob_of(*fetch, 0);
  const Demand demand = fetch->demand(0, 0, 10);
  world.source.fail(1, Error(Errc::unreachable, "gone"));
  const Demand another = fetch->demand(0, 0, 10);
  EXPECT_EQ(world.source.asked().size(), 1u);

  world.fake_clock.advance(cache::kFailureMemory);
  ASSERT_TRUE(blob->retry_if_due());
  const Demand later = fetch->demand(0, 0, 10);
  EXPECT_EQ(world.source.asked().size(), 2u);
}

TEST(Fetcher, AFullDiskEndsTheTransferAndIsTheFailure) {
  FetchWorld world;
  const auto fetch = world.fetch(world.image({3 * kMiB}));
  const std::shared_ptr<Blob> blob = blob_of(*fetch, 0);
  const Demand demand = fetch->demand(0, 0, 10);
  world.disk->set_room(0);
  world.source.send(1);
  ASSERT_TRUE(blob->failure().has_value());
  EXPECT_EQ(blob->failure()->code().value(), ENOSPC);
}

TEST(Fetcher, TheOtherLayersAreFetchedWhenOneCannotBeOpened) {
  FetchWorld world;
  const TestImage image = world.image({3 * kMiB, 3 * kMiB});
  auto lying = std::make_shared<ImageArchive>(*image.archive);
  lying->blobs[0].size_bytes = 5;  // not what the same digest has in the cache
  const auto right = world.fetch(image);
  const Demand all = right->demand(0, 0, 3 * kMiB);
  world.source.send_all();
  const auto ready = std::make_shared<test::ReadAnswer>();
  blob_of(*right, 0)->when_readable(0, 3 * kMiB, [ready] { ready->give(std::string()); });
  ASSERT_EQ(ready->wait(), "");
  const size_t before = world.source.asked().size();

  const auto wrong = world.fetcher.open(lying, {"docker.io", "library/nginx"}, "lying");
  EXPECT_FALSE(wrong->blob(0));
  wrong->prefetch_from(0, 0);
  ASSERT_TRUE(world.source.wait_asked(before + 1));
  EXPECT_EQ(world.source.asked().back().range.digest, image.archive->blobs[1].digest);
  world.pool.stop();
  EXPECT_EQ(world.log.count("left out of the prefetch"), 1u);
}

// --- what a demand asks for ---

TEST(Fetcher, AsksForNothingUntilSomebodyWaits) {
  FetchWorld world;
  const auto fetch = world.fetch(world.image({3 * kMiB}));
  blob_of(*fetch, 0);
  EXPECT_TRUE(world.source.asked().empty());
}

TEST(Fetcher, AsksForOneWindowAroundADemand) {
  FetchWorld world;
  const TestImage image = world.image({3 * kMiB});
  const auto fetch = world.fetch(image);
  const Demand demand = fetch->demand(0, 300 * kKiB, 10);
  ASSERT_EQ(world.source.asked().size(), 1u);
  const registry::BlobRange asked = world.source.asked()[0].range;
  EXPECT_EQ(asked.repository.str(), "docker.io/library/nginx");
  EXPECT_EQ(asked.digest, image.archive->blobs[0].digest);
  EXPECT_EQ(asked.size_bytes, 3 * kMiB);
  EXPECT_EQ(range(world.source.asked()[0]), Range(256 * kKiB, 256 * kKiB));
}

TEST(Fetcher, PassesOnTheUrlsOfAForeignLayer) {
  FetchWorld world;
  ImageArchive archive = *world.image({3 * kMiB}).archive;
  archive.blobs[0].urls = {"https://example.com/layer"};
  const auto fetch = world.fetcher.open(std::make_shared<ImageArchive>(archive), {"docker.io", "library/nginx"}, "x");
  const Demand demand = fetch->demand(0, 0, 1);
  EXPECT_EQ(world.source.asked().at(0).range.urls, archive.blobs[0].urls);
}

TEST(Fetcher, ALongDemandComesInWindows) {
  FetchWorld world;
  const auto fetch = world.fetch(world.image({3 * kMiB}));
  const Demand demand = fetch->demand(0, 0, 600 * kKiB);
  EXPECT_EQ(let_all_join(world), 3u);
  const std::vector<AskedRange> asked = world.source.asked();
  ASSERT_EQ(asked.size(), 3u);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(range(asked[i]), Range(i * 256 * kKiB, 256 * kKiB));
}

TEST(Fetcher, ASmallLayerComesWhole) {
  FetchWorld world;
  const auto fetch = world.fetch(world.image({kMiB}));
  const Demand demand = fetch->demand(0, 500, 10);
  ASSERT_EQ(world.source.asked().size(), 1u);
  EXPECT_EQ(range(world.source.asked()[0]), Range(0, kMiB));
}

TEST(Fetcher, ForWithheldBytesTheWholeLayerComesFromItsBeginning) {
  FetchWorld world;
  const uint64_t size = 20 * kMiB;
  const auto fetch = world.fetch(world.image({size}));
  const Demand demand = fetch->demand(0, size - 150 * kKiB, 10);
  EXPECT_EQ(let_all_join(world), 5u);
  const std::vector<AskedRange> asked = world.source.asked();
  EXPECT_EQ(asked.front().range.offset, 0u);
  EXPECT_EQ(test::bytes_asked(asked), size);
  EXPECT_TRUE(no_byte_asked_twice(asked));
}

TEST(Fetcher, TheTailOfALayerNeedsNoMoreThanItsWindow) {
  FetchWorld world;
  const uint64_t size = 20 * kMiB;
  const auto fetch = world.fetch(world.image({size}));
  const Demand demand = fetch->demand(0, size - 128 * kKiB, 128 * kKiB);
  ASSERT_EQ(world.source.asked().size(), 1u);
  EXPECT_EQ(range(world.source.asked()[0]), Range(size - 256 * kKiB, 256 * kKiB));
}

TEST(Fetcher, AHoleBeforeWhatIsWaitedForIsLeftForLater) {
  FetchWorld world;
  const TestImage image = world.image({3 * kMiB});
  auto before = world.fetch(image);
  open_layers(*before);
  before->prefetch_from(0, 300 * kKiB);
  world.source.send(1, 6 * kKiB);
  EXPECT_TRUE(settled(world));  // its first byte lets a second transfer join
  before.reset();
  EXPECT_TRUE(settled(world));

  const auto fetch = world.fetch(image);
  const size_t asked = world.source.asked().size();
  const Demand demand = fetch->demand(0, 307 * kKiB, 10);
  ASSERT_EQ(world.source.asked().size(), asked + 1);
  EXPECT_EQ(range(world.source.asked().back()), Range(307 * kKiB, 205 * kKiB));
}

TEST(Fetcher, DemandsThatOverlapAskForEachByteOnce) {
  // A slot for each: a transfer that gives way to a reader without one is asked for again.
  FetchWorld world({.limits = {.per_image = 64, .per_mount = 64}});
  const TestImage image = world.image({3 * kMiB});
  const auto fetch = world.fetch(image);
  const auto of_another_tag = world.fetch(image, "nginx:1.27 linux/amd64");
  std::vector<Demand> demands;
  for (uint64_t offset = 0; offset < 2 * kMiB; offset += 100 * kKiB) {
    demands.push_back((offset % 200 ? fetch : of_another_tag)->demand(0, offset, 150 * kKiB));
  }
  EXPECT_GE(let_all_join(world), 8u);
  EXPECT_TRUE(no_byte_asked_twice(world.source.asked()));
}

// --- ends ---

TEST(Fetcher, ThePrefetchEndsWithTheLastHandleAndWhatCameIsKept) {
  FetchWorld world;
  const TestImage image = world.image({20 * kMiB, 3 * kMiB});
  auto fetch = world.fetch(image);
  const std::shared_ptr<Blob> blob = blob_of(*fetch, 0);
  open_layers(*fetch);
  fetch->prefetch_from(0, 0);
  ASSERT_TRUE(world.source.wait_running(2));
  world.source.send(1, kMiB);
  ASSERT_EQ(let_all_join(world), 6u);  // five parts, and the second layer
  fetch.reset();
  EXPECT_EQ(world.source.cancelled().size(), 6u);
  EXPECT_EQ(blob->readable(0, kMiB), Blob::Readable::yes);
}

TEST(Fetcher, ATransferThatAnotherImagePrefetchesGoesOn) {
  FetchWorld world;
  const TestImage image = world.image({3 * kMiB});
  auto one = world.fetch(image);
  const auto two = world.fetch(image, "nginx:1.27 linux/amd64");
  open_layers(*one);
  one->prefetch_from(0, 0);
  open_layers(*two);
  two->prefetch_from(0, 0);
  ASSERT_EQ(world.source.asked().size(), 1u);
  one.reset();
  EXPECT_TRUE(world.source.cancelled().empty());
}

TEST(Fetcher, ATransferThatSomebodyStillWaitsForOutlivesTheHandlesButNoLonger) {
  FetchWorld world;
  auto fetch = world.fetch(world.image({3 * kMiB}));
  auto demand = std::make_unique<Demand>(fetch->demand(0, 0, 10));
  fetch.reset();
  EXPECT_TRUE(world.source.cancelled().empty());
  demand.reset();
  EXPECT_EQ(world.source.cancelled().size(), 1u);
}

TEST(Fetcher, ADemandTakesOverWhatWasCancelledUnderIt) {
  FetchWorld world;
  const TestImage image = world.image({3 * kMiB});
  auto one = world.fetch(image);
  const auto two = world.fetch(image, "nginx:1.27 linux/amd64");
  open_layers(*one);
  one->prefetch_from(0, 0);
  ASSERT_TRUE(world.source.wait_running(1));
  one.reset();
  const Demand demand = two->demand(0, 0, 10);
  ASSERT_EQ(world.source.running().size(), 1u);
  EXPECT_EQ(range(world.source.running()[0]), Range(0, 256 * kKiB));
}

TEST(Fetcher, ShutdownCancelsEverythingAndLaterDemandsAskForNothing) {
  FetchWorld world;
  const TestImage image = world.image({20 * kMiB, 3 * kMiB});
  const auto fetch = world.fetch(image);
  const Demand waits = fetch->demand(0, 0, 10);
  open_layers(*fetch);
  fetch->prefetch_from(0, 0);
  ASSERT_TRUE(world.source.wait_running(2));
  ASSERT_EQ(let_all_join(world), 7u);  // the window, the rest in five parts, the second layer
  world.fetcher.shutdown();
  world.fetcher.shutdown();
  EXPECT_TRUE(world.source.running().empty());
  EXPECT_FALSE(blob_of(*fetch, 0)->failure().has_value());
  const Demand late = fetch->demand(1, 0, 10);
  fetch->prefetch_from(0, 0);
  EXPECT_EQ(world.source.asked().size(), 7u);
}

}  // namespace
}  // namespace regfs::fs::fetcher_test
