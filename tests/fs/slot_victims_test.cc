// SPDX-License-Identifier: MIT
#include "fs/slot_victims.h"

#include <gtest/gtest.h>

namespace regfs::fs::slot_victims_test {
namespace {

const int kOneImage = 1;
const int kOtherImage = 2;
const void* const kOne = &kOneImage;
const void* const kOther = &kOtherImage;

TEST(SlotVictims, NothingIsTakenFromReadersThatHaveOneTransferEach) {
  SlotVictims victims({{kOne, false, {1}}, {kOne, false, {2}}});
  EXPECT_EQ(victims.take_of(kOne), std::nullopt);
  EXPECT_EQ(victims.take_any(false), std::nullopt);
}

TEST(SlotVictims, AnOnlyTransferOfAnImageIsNeverTakenForAnother) {
  SlotVictims victims({{kOne, false, {1}}, {kOther, false, {2}}});
  EXPECT_EQ(victims.take_any(true), std::nullopt);
}

TEST(SlotVictims, OneThatIsBeingCancelledAlreadyComesFirst) {
  SlotVictims victims({{kOne, true, {}}, {kOne, false, {}}});
  EXPECT_EQ(victims.take_of(kOne), 0u);
  EXPECT_EQ(victims.take_of(kOne), 1u);
  EXPECT_EQ(victims.take_of(kOne), std::nullopt);
}

TEST(SlotVictims, TheNewestOfThoseThatServeNobodyGoes) {
  SlotVictims victims({{kOne, false, {}}, {kOne, false, {}}, {kOne, false, {1}}, {kOther, false, {}}});
  EXPECT_EQ(victims.take_of(kOne), 1u);
  EXPECT_EQ(victims.take_of(kOne), 0u);
  EXPECT_EQ(victims.take_of(kOne), std::nullopt);
}

TEST(SlotVictims, AReaderWithSeveralKeepsOne) {
  SlotVictims victims({{kOne, false, {1}}, {kOne, false, {1}}, {kOne, false, {1}}});
  EXPECT_EQ(victims.take_of(kOne), 2u);
  EXPECT_EQ(victims.take_of(kOne), 1u);
  EXPECT_EQ(victims.take_of(kOne), std::nullopt);
}

TEST(SlotVictims, AnIdleImageTakesFromTheBusiest) {
  SlotVictims victims({{kOther, false, {1}}, {kOne, false, {2}}, {kOne, false, {3}}});
  EXPECT_EQ(victims.take_any(false), std::nullopt);
  EXPECT_EQ(victims.take_any(true), 2u);
  EXPECT_EQ(victims.take_any(true), std::nullopt);
}

}  // namespace
}  // namespace regfs::fs::slot_victims_test
