// SPDX-License-Identifier: MIT
// What a registry does wrong with a layer, row by row of the list of faults: R1 to R14 and R26. Those of
// lengths, heads and redirects stand in faults_registry_answers_test.cc, those of names in
// faults_registry_names_test.cc.
#include <atomic>
#include <memory>

#include "tests/mount/faults_fixture.h"

namespace regfs::test::faults_registry_test {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

// The range of a partial answer, moved.
std::string content_range(const ScriptedExchange& exchange, uint64_t moved_by) {
  return "bytes " + std::to_string(exchange.wanted.begin + moved_by) + "-" +
         std::to_string(exchange.wanted.end - 1 + moved_by) + "/" + std::to_string(exchange.honest.body->size_bytes());
}

bool is_partial(const RawAnswer& answer) {
  return answer.field("Content-Range").has_value();
}

// Breaks once half way, so that the rest is asked for by range, and then answers that range so.
Fault resumed_by(std::function<void(const ScriptedExchange&, RawAnswer&)> change) {
  const auto broken = std::make_shared<std::atomic<bool>>(false);
  return speaks([change = std::move(change), broken](const ScriptedExchange& exchange) {
    RawAnswer answer = honest_answer(exchange);
    const uint64_t half = exchange.honest.body->size_bytes() / 2;
    const bool reaches = exchange.wanted.begin < half && half < exchange.wanted.end;
    if (reaches && !broken->exchange(true)) {
      exchange.client.send(answer.head() + answer.body.substr(0, half - exchange.wanted.begin));
      return false;
    }
    if (*broken && is_partial(answer)) change(exchange, answer);
    return send_answer(exchange, answer);
  });
}

TEST_F(RegistryFaults, R1_StatusesThatPassAreNotSeen) {
  const MountedRegfs mount({.arguments = {"--log-level", "warning"}});
  REGFS_ASSERT_MOUNTED(mount);
  for (const Fault& fault : {answers(500).only(2), answers(502).only(1), answers(504).only(1), answers(408).only(1)}) {
    for (const LayerUnderTest& one : push_layers({kSmall, kMiddle})) {
      break_layer(one, fault);
      expect_whole(mount, one);
    }
  }
  const LayerUnderTest one = push_layer(kSmall);
  registry_.break_path(one.tag_path, answers(500).only(2));
  expect_whole(mount, one);
  EXPECT_EQ(mount.log(), "");
}

TEST_F(RegistryFaults, R2_A500ForEverIsRemoteInABoundedNumberOfRequests) {
  MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  at_once(push_layers({kSmall, kMiddle, kLarge}), [&](const LayerUnderTest& one) {
    break_layer(one, answers(500));
    expect_error(mount, one, EREMOTEIO);
    EXPECT_LE(requests_for(one), kManyRequests) << asked_in_words(one);
    EXPECT_GT(requests_for(one), 1u);
  });
}

TEST_F(RegistryFaults, R2_A500ForEachParallelRangeIsBoundedTogether) {
  MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const LayerUnderTest one = push_layer(kLarge);
  break_layer(one, rewrites([](const ScriptedExchange& exchange, RawAnswer& answer) {
                if (exchange.wanted.begin > 0) answer = RawAnswer{.line = "HTTP/1.1 500 Broken"}.set_body("");
              }));
  expect_error(mount, one, EREMOTEIO);
  EXPECT_LE(requests_for(one), kManyRequests) << asked_in_words(one);
}

TEST_F(RegistryFaults, R3_ARetryAfterIsWaitedFor) {
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  for (const int status : {429, 503}) {
    const LayerUnderTest one = push_layer(kSmall);
    break_layer(one, answers(status, "2").only(1));
    const auto begin = steady_clock::now();
    expect_whole(mount, one);
    EXPECT_GE(steady_clock::now() - begin, seconds(2));
    EXPECT_EQ(requests_for(one), 2u);
  }
}

TEST_F(RegistryFaults, R4_ARetryAfterThatIsADateOrGarbageIsTheUsualPause) {
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  for (const char* const value : {"Sun, 06 Nov 1994 08:49:37 GMT", "soon", "-1", "1e9", ";;;"}) {
    const LayerUnderTest one = push_layer(kSmall);
    break_layer(one, answers(503, value).only(1));
    expect_whole(mount, one);
    EXPECT_EQ(requests_for(one), 2u) << value;
  }
}

TEST_F(RegistryFaults, R5_ARetryAfterOfADayIsBusyInTime) {
  MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  for (const char* const value : {"86400", "99999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"}) {
    const LayerUnderTest one = push_layer(kSmall);
    break_layer(one, answers(429, value));
    const auto begin = steady_clock::now();
    expect_error(mount, one, EBUSY);
    EXPECT_LT(steady_clock::now() - begin, seconds(5)) << value;
  }
}

TEST_F(RegistryFaults, R6_A429ForEverIsBusyInABoundedNumberOfRequests) {
  MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  at_once(push_layers({kSmall, kMiddle}), [&](const LayerUnderTest& one) {
    break_layer(one, answers(429));
    expect_error(mount, one, EBUSY);
    EXPECT_LE(requests_for(one), kManyRequests);
  });
}

TEST_F(RegistryFaults, R7_ALayerThatIsNotThereIsBrokenAndNotAbsent) {
  MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  for (const LayerUnderTest& one : push_layers({kSmall, kMiddle})) {
    break_layer(one, answers(404));
    EXPECT_EQ(open_error(tar_of(mount, one)), 0);
    expect_error(mount, one, EIO);
  }
}

TEST_F(RegistryFaults, R8_RefusalsOfALayerAreNotRetried) {
  MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  for (const auto& [status, error] : {std::pair(403, EACCES), std::pair(451, EACCES), std::pair(410, EIO)}) {
    const LayerUnderTest one = push_layer(kSmall);
    break_layer(one, answers(status));
    expect_error(mount, one, error);
    EXPECT_EQ(requests_for(one), 1u) << status;
  }
}

TEST_F(RegistryFaults, R9_A416ToAResumeStartsOver) {
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  for (const LayerUnderTest& one : push_layers({kSmall, kMiddle})) {
    break_layer(one, resumed_by([](const ScriptedExchange&, RawAnswer& answer) {
                  answer = RawAnswer{.line = "HTTP/1.1 416 Range Not Satisfiable"}.set_body("no such range");
                }));
    expect_whole(mount, one);
  }
}

TEST_F(RegistryFaults, R10_ARangeThatIsIgnoredOnAResumeIsGoodBytes) {
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  for (const LayerUnderTest& one : push_layers({kSmall, kMiddle})) {
    break_layer(
        one, resumed_by([](const ScriptedExchange& exchange, RawAnswer& answer) { answer = whole_answer(exchange); }));
    expect_whole(mount, one);
  }
}

TEST_F(RegistryFaults, R10_AServerWithoutRangesSendsALayerAtMostTwice) {
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  for (const LayerUnderTest& one : push_layers({kSmall, kMiddle})) {
    break_layer(one, ignores_range());
    expect_whole(mount, one);
    EXPECT_LE(sent_bytes(one), 2 * one.layer.content->size_bytes()) << asked_in_words(one);
  }
}

TEST_F(RegistryFaults, R10_ParallelRangesOfAServerWithoutRangesSendALayerAtMostTwice) {
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const LayerUnderTest one = push_layer(kLarge);
  break_layer(one, ignores_range());
  expect_whole(mount, one);
  EXPECT_LE(sent_bytes(one), 2 * kLarge) << asked_in_words(one);
}

TEST_F(RegistryFaults, R11_APartFromAnotherOffsetIsNeverSpliced) {
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  for (const LayerUnderTest& one : push_layers({kSmall, kMiddle})) {
    break_layer(one, resumed_by([](const ScriptedExchange& exchange, RawAnswer& answer) {
                  answer.set("Content-Range", content_range(exchange, 1));
                }));
    expect_whole(mount, one);
  }
}

TEST_F(RegistryFaults, R12_WrongBytesUnderARightHeaderAreCaughtByTheDigest) {
  MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  for (const LayerUnderTest& one : push_layers({kSmall, kMiddle})) {
    break_layer(one, resumed_by([](const ScriptedExchange&, RawAnswer& answer) {
                  answer.body[answer.body.size() / 2] = static_cast<char>(answer.body[answer.body.size() / 2] ^ 1);
                }));
    expect_error(mount, one, EIO, Before::any_bytes);
  }
}

TEST_F(RegistryFaults, R13_MultipartRangesAreNeverSpliced) {
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  for (const LayerUnderTest& one : push_layers({kSmall, kMiddle})) {
    break_layer(one, resumed_by([](const ScriptedExchange& exchange, RawAnswer& answer) {
                  answer.set("Content-Type", "multipart/byteranges; boundary=EDGE").remove("Content-Range");
                  answer.set_body("--EDGE\r\nContent-Range: " + content_range(exchange, 0) + "\r\n\r\n" + answer.body +
                                  "\r\n--EDGE--\r\n");
                }));
    expect_whole(mount, one);
  }
}

TEST_F(RegistryFaults, R14_APartThatNobodyAskedForIsNeverTheWhole) {
  MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const LayerUnderTest one = push_layer(kSmall);
  break_layer(one, rewrites([](const ScriptedExchange&, RawAnswer& answer) {
                const uint64_t size_bytes = answer.body.size();
                answer.line = "HTTP/1.1 206 Partial Content";
                answer.set("Content-Range", "bytes 0-99/" + std::to_string(size_bytes));
                answer.set_body(answer.body.substr(0, 100));
              }));
  expect_error(mount, one, EIO);
  EXPECT_LE(requests_for(one), kManyRequests);
}

TEST_F(RegistryFaults, R26_ALayerThatIsLabelledAsEncodedIsNotDecoded) {
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  for (const SampleLayer& layer :
       {gzip_layer("a file", "its text"), gzip_layer("large", std::string(3 * kMiB, 'x')), seeded_layer(26, kSmall)}) {
    const LayerUnderTest one = push_layer(layer);
    const auto encodings = std::make_shared<std::atomic<int>>(0);
    break_layer(one, rewrites([encodings](const ScriptedExchange& exchange, RawAnswer& answer) {
                  const auto accepted = exchange.request.headers.find("accept-encoding");
                  if (accepted == exchange.request.headers.end() || accepted->second != "identity") ++*encodings;
                  answer.set("Content-Encoding", "gzip");
                }));
    expect_whole(mount, one);
    EXPECT_EQ(*encodings, 0) << "a blob is asked for as it is";
  }
}

}  // namespace
}  // namespace regfs::test::faults_registry_test
