// SPDX-License-Identifier: MIT
#include "fs/read_sequence.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

namespace regfs::fs::read_sequence_test {
namespace {

constexpr uint64_t kKiB = 1024;
constexpr uint64_t kMiB = 1024 * kKiB;

TEST(ReadSequence, LooksHereAndThereAreNone) {
  ReadSequence sequence;
  for (uint64_t i = 0; i < 1'000; ++i) EXPECT_FALSE(sequence.note(i * kMiB, 128 * kKiB, 128 * kKiB));
}

TEST(ReadSequence, ListingAnArchiveOfSmallLayersIsNone) {
  ReadSequence sequence;
  for (uint64_t i = 0; i < 1'000; ++i) EXPECT_FALSE(sequence.note(i * 30 * kKiB, 10 * kKiB, 9 * kKiB));
}

TEST(ReadSequence, ReadingTheSameBytesAgainIsNone) {
  ReadSequence sequence;
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(sequence.note(0, 128 * kKiB, 128 * kKiB));
}

TEST(ReadSequence, BytesOfNoLayerDoNotCount) {
  ReadSequence sequence;
  EXPECT_FALSE(sequence.note(0, 4 * kMiB, 0));
  EXPECT_FALSE(sequence.note(4 * kMiB, 128 * kKiB, 128 * kKiB));
}

TEST(ReadSequence, StartsWith256KiBOfLayersInARow) {
  ReadSequence sequence;
  EXPECT_FALSE(sequence.note(0, 128 * kKiB, 120 * kKiB));
  EXPECT_FALSE(sequence.note(128 * kKiB, 128 * kKiB, 128 * kKiB));
  EXPECT_TRUE(sequence.note(256 * kKiB, 128 * kKiB, 128 * kKiB));
}

TEST(ReadSequence, ReadaheadMayArriveInAnyOrder) {
  std::mt19937 random(3);
  for (int round = 0; round < 100; ++round) {
    std::vector<uint64_t> pages(32);
    std::iota(pages.begin(), pages.end(), 0);
    std::shuffle(pages.begin(), pages.end(), random);
    ReadSequence sequence;
    size_t told = 0;
    for (uint64_t page : pages) told += sequence.note(page * 8 * kKiB, 8 * kKiB, 8 * kKiB) ? 1 : 0;
    EXPECT_EQ(told, 1u);
  }
}

TEST(ReadSequence, MovesOnEvery8MiB) {
  ReadSequence sequence;
  size_t told = 0;
  for (uint64_t at = 0; at < 64 * kMiB; at += 128 * kKiB) {
    told += sequence.note(at, 128 * kKiB, 128 * kKiB) ? 1 : 0;
  }
  EXPECT_EQ(told, 8u);
}

TEST(ReadSequence, FollowsAReaderThatJumpsOnceItReadsOnThere) {
  ReadSequence sequence;
  EXPECT_TRUE(sequence.note(0, kMiB, kMiB));
  EXPECT_FALSE(sequence.note(100 * kMiB, 128 * kKiB, 128 * kKiB));
  EXPECT_TRUE(sequence.note(100 * kMiB + 128 * kKiB, 128 * kKiB, 128 * kKiB));
}

}  // namespace
}  // namespace regfs::fs::read_sequence_test
