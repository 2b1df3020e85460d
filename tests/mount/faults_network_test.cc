// SPDX-License-Identifier: MIT
// What a network does to a transfer, row by row of the list of faults: N1 to N10 are connections that break, stall or
// crawl. N11 to N19 stand in faults_connection_test.cc; N20, proxies, is the environment's and not a fault of a peer.
#include "tests/mount/faults_fixture.h"

namespace regfs::test::faults_network_test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

TEST_F(NetworkFaults, N1_AResetHalfWayIsResumedWhereItBroke) {
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  for (const LayerUnderTest& one : push_layers({kSmall, kMiddle, kLarge})) {
    const uint64_t half = one.layer.content->size_bytes() / 2;
    break_layer(one, resets_once_at(half));
    expect_whole(mount, one);
    EXPECT_TRUE(resumed_before(one, half)) << asked_in_words(one);
  }
}

TEST_F(NetworkFaults, N2_ResetsAfterEachThirdAreGoodBytes) {
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  for (const LayerUnderTest& one : push_layers({kSmall, kMiddle, kLarge})) {
    break_layer(one, resets_after(one.layer.content->size_bytes() * 3 / 10));
    expect_whole(mount, one);
  }
}

TEST_F(NetworkFaults, N2_MoreResetsThanAttemptsAreGoodBytesWhileThereIsProgress) {
  constexpr uint64_t kPieces = 12;
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  for (const LayerUnderTest& one : push_layers({kSmall, kMiddle})) {
    break_layer(one, resets_after(one.layer.content->size_bytes() / kPieces));
    expect_whole(mount, one);
    EXPECT_GE(requests_for(one), kPieces);
  }
}

TEST_F(NetworkFaults, N3_ResetsBeforeAnyByteEndInABoundedNumberOfRequests) {
  MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  for (const Fault& fault : {resets_at(0), resets_at_once()}) {
    at_once(push_layers({kSmall, kMiddle, kLarge}), [&](const LayerUnderTest& one) {
      break_layer(one, fault);
      expect_error(mount, one, EIO);
      EXPECT_LE(requests_for(one), kManyRequests) << asked_in_words(one);
      EXPECT_GT(requests_for(one), 1u);
    });
  }
}

TEST_F(NetworkFaults, N3_ResetsOfEachParallelRangeAreBoundedTogether) {
  MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const LayerUnderTest one = push_layer(kLarge);
  break_layer(one, resets_at(kMiB));
  expect_error(mount, one, EIO);
  EXPECT_LE(requests_for(one), kManyRequests) << asked_in_words(one);
}

TEST_F(NetworkFaults, N4_AnEndHalfWayWithoutRangesIsAnError) {
  MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  at_once(push_layers({kSmall, kMiddle}), [&](const LayerUnderTest& one) {
    break_layer(one, speaks([](const ScriptedExchange& exchange) {
                  const RawAnswer answer = whole_answer(exchange);
                  exchange.client.send(answer.head() + answer.body.substr(0, answer.body.size() / 2));
                  return false;
                }));
    expect_error(mount, one, EIO);
    EXPECT_LE(requests_for(one), kManyRequests) << asked_in_words(one);
  });
}

TEST_F(NetworkFaults, N5_SilenceAfterTheHeadIsATimeOut) {
  MountedRegfs mount({.arguments = kMostImpatient});
  REGFS_ASSERT_MOUNTED(mount);
  at_once(push_layers({kSmall, kMiddle}), [&](const LayerUnderTest& one) {
    break_layer(one, stalls_at(0));
    expect_error(mount, one, ETIMEDOUT);
  });
}

TEST_F(NetworkFaults, N5_SilenceIsATimeOutWithinTheReadTimeout) {
  MountedRegfs mount({.arguments = {"--read-timeout", "2"}});
  REGFS_ASSERT_MOUNTED(mount);
  const LayerUnderTest one = push_layer(kSmall);
  break_layer(one, stalls_at(0));
  const auto begin = steady_clock::now();
  expect_error(mount, one, ETIMEDOUT);
  EXPECT_GE(steady_clock::now() - begin, seconds(2));
  EXPECT_LT(steady_clock::now() - begin, milliseconds(3500)) << "one read of a program, one time-out";
}

TEST_F(NetworkFaults, N6_SilenceHalfWayIsResumedThenATimeOut) {
  MountedRegfs mount({.arguments = kImpatient});
  REGFS_ASSERT_MOUNTED(mount);
  at_once(push_layers({kSmall, kMiddle}), [&](const LayerUnderTest& one) {
    const uint64_t half = one.layer.content->size_bytes() / 2;
    break_layer(one, stalls_at(half));
    expect_error(mount, one, ETIMEDOUT);
    EXPECT_TRUE(resumed_before(one, half)) << asked_in_words(one);
  });
}

TEST_F(NetworkFaults, N7_AConnectionWithoutAnAnswerIsATimeOut) {
  MountedRegfs mount({.arguments = kMostImpatient});
  REGFS_ASSERT_MOUNTED(mount);
  at_once(push_layers({kSmall, kMiddle}), [&](const LayerUnderTest& one) {
    break_layer(one, holds());
    expect_error(mount, one, ETIMEDOUT);
  });
}

TEST_F(NetworkFaults, N7_ANameWithoutAnAnswerIsATimeOut) {
  const LayerUnderTest one = push_layer(kSmall);
  registry_.break_path("/v2/*", holds());
  const MountedRegfs mount({.arguments = {"--timeout", "1", "--lookup-timeout", "2", "--list-timeout", "2"}});
  REGFS_ASSERT_MOUNTED(mount);
  const auto begin = steady_clock::now();
  EXPECT_EQ(open_error(tar_of(mount, one)), ETIMEDOUT);
  EXPECT_EQ(list_directory(mount / registry_.host() / one.repository).error, ETIMEDOUT);
  EXPECT_LT(steady_clock::now() - begin, kBounded);
}

TEST_F(NetworkFaults, N8_AByteASecondIsATimeOut) {
  MountedRegfs mount({.arguments = kImpatient});
  REGFS_ASSERT_MOUNTED(mount);
  at_once(push_layers({kSmall, kMiddle}), [&](const LayerUnderTest& one) {
    break_layer(one, paces(milliseconds(0), 1));
    expect_error(mount, one, ETIMEDOUT);
  });
}

TEST_F(NetworkFaults, N9_ASlowTransferThatIsAliveIsGoodBytes) {
  constexpr uint64_t kSeconds = 4;
  const MountedRegfs mount({.arguments = {"--timeout", "1", "--read-timeout", "2"}});
  REGFS_ASSERT_MOUNTED(mount);
  at_once(push_layers({kSmall, kMiddle}), [&](const LayerUnderTest& one) {
    break_layer(one, paces(milliseconds(0), one.layer.content->size_bytes() / kSeconds));
    expect_whole(mount, one);
  });
}

TEST_F(NetworkFaults, N10_AFirstByteThatTakesTwoSecondsIsGoodBytes) {
  const MountedRegfs mount({.arguments = {"--timeout", "4"}});
  REGFS_ASSERT_MOUNTED(mount);
  const LayerUnderTest one = push_layer(kSmall);
  registry_.break_path(one.tag_path, paces(seconds(2)));
  break_layer(one, paces(seconds(2)));
  expect_whole(mount, one);
  EXPECT_EQ(requests_for(one), 1u);
}

}  // namespace
}  // namespace regfs::test::faults_network_test
