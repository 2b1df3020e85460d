// SPDX-License-Identifier: MIT
// Answers that lie about their length, are no HTTP, or lead elsewhere, row by row of the list of faults: R15 to R17 and
// R19 to R21, of layers.
#include <atomic>
#include <cstdlib>
#include <memory>

#include "tests/mount/faults_fixture.h"
#include "tests/support/process_facts.h"

namespace regfs::test::faults_registry_answers_test {
namespace {

bool is_partial(const RawAnswer& answer) {
  return answer.field("Content-Range").has_value();
}

TEST_F(RegistryFaults, R15_WhatFollowsATooShortBodyIsNoAnswer) {
  MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const LayerUnderTest one = push_layer(kSmall);
  const LayerUnderTest next = push_layer(kSmall + 1);
  const std::string forged = "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: " +
                             std::to_string(next.layer.content->size_bytes()) + "\r\n\r\n" +
                             std::string(next.layer.content->size_bytes(), '!');
  break_layer(one, rewrites([&forged](const ScriptedExchange&, RawAnswer& answer) {
                answer.set_body("").body = forged;
                if (is_partial(answer)) answer.remove("Content-Range").line = "HTTP/1.1 200 OK";
              }));
  expect_error(mount, one, EIO);
  EXPECT_TRUE(contains(mount.log(), "announced with another length"));
  EXPECT_LE(requests_for(one), kManyRequests);
  expect_whole(mount, next);
}

TEST_F(RegistryFaults, R15_ALengthThatIsAlwaysTooShortEndsInABoundedNumberOfRequests) {
  MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const LayerUnderTest one = push_layer(kSmall);
  break_layer(one, rewrites([](const ScriptedExchange&, RawAnswer& answer) { answer.set("Content-Length", "5"); }));
  expect_error(mount, one, EIO);
  EXPECT_LE(requests_for(one), kManyRequests);
}

// The honest answer, but for what it says of its length.
Fault with_lengths(const std::vector<std::string>& values) {
  return rewrites([values](const ScriptedExchange&, RawAnswer& answer) {
    const std::string right = *answer.field("Content-Length");
    answer.remove("Content-Length");
    for (const std::string& value : values) answer.add("Content-Length", value == "right" ? right : value);
  });
}

TEST_F(RegistryFaults, R16_ALengthOfSixtyThreeBitsIsAnErrorAndNothingIsReserved) {
  MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const LayerUnderTest one = push_layer(kSmall);
  break_layer(one, with_lengths({"9223372036854775807"}));
  expect_error(mount, one, EIO);
  if (memory_is_the_programs_own()) {
    EXPECT_LT(mount.anonymous_bytes(), 64u << 20);
  }
}

TEST_F(RegistryFaults, R16_LengthsThatCannotBeAreNotBelieved) {
  MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  for (const std::vector<std::string>& values : std::vector<std::vector<std::string>>{
           {"-1"}, {"18446744073709551616"}, {"right", "5"}, {"5", "right"}, {"right", "right"}}) {
    const LayerUnderTest one = push_layer(kSmall);
    break_layer(one, with_lengths(values));
    expect_whole_or_error(mount, one, EIO);
  }
}

TEST_F(RegistryFaults, R17_ABodyWithoutEndIsLeftBehindTheLayersEnd) {
  constexpr uint64_t kInSockets = 32 * kMiB;  // what the kernel takes though nobody reads it
  MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  for (const bool right_at_first : {false, true}) {
    for (const LayerUnderTest& one : push_layers({kSmall, kMiddle})) {
      const auto sent = std::make_shared<std::atomic<uint64_t>>(0);
      break_layer(one, speaks([sent, right_at_first](const ScriptedExchange& exchange) {
                    RawAnswer answer = whole_answer(exchange);
                    if (!right_at_first) answer.body.assign(answer.body.size(), '!');
                    if (!exchange.client.send(answer.remove("Content-Length").head())) return false;
                    while (exchange.client.send(answer.body)) *sent += answer.body.size();
                    return false;
                  }));
      // Wrong in two ways, it may be told of either.
      expect_error(mount, one, EIO, right_at_first ? Before::own_bytes : Before::any_bytes);
      EXPECT_LT(*sent, kInSockets);
    }
  }
}

TEST_F(RegistryFaults, R17_RightBytesWithoutALengthThatGoOnByOneByteAreAnErrorInOneLine) {
  MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  for (const LayerUnderTest& one : push_layers({kSmall, kMiddle})) {
    break_layer(one, speaks([](const ScriptedExchange& exchange) {
                  RawAnswer answer = whole_answer(exchange);
                  exchange.client.send(answer.remove("Content-Length").head() + answer.body + "x");
                  return false;
                }));
    expect_error(mount, one, EIO);
    EXPECT_TRUE(contains(mount.log(), "more bytes than")) << mount.log();
    EXPECT_LE(requests_for(one), kManyRequests);
  }
}

TEST_F(RegistryFaults, R17_ABodyThatIsSaidToBeOneByteLongerIsAnError) {
  MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const LayerUnderTest one = push_layer(kSmall);
  break_layer(one, rewrites([](const ScriptedExchange&, RawAnswer& answer) { answer.set_body(answer.body + "x"); }));
  expect_error(mount, one, EIO);
  EXPECT_LE(requests_for(one), 2u);
}

TEST_F(RegistryFaults, R19_WhatIsNotHttpIsAnError) {
  MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  for (const char* const words : {"SSH-2.0-OpenSSH_9.2\r\n", "\r\n\r\n\r\n", "HTTP/1.1 abc\r\n\r\n"}) {
    const LayerUnderTest one = push_layer(kSmall);
    break_layer(one, babbles(words));
    expect_error(mount, one, EIO);
    EXPECT_LE(requests_for(one), kManyRequests) << words;
  }
  const LayerUnderTest name = push_layer(kSmall);
  registry_.break_path(name.tag_path, babbles("SSH-2.0-OpenSSH_9.2\r\n"));
  EXPECT_EQ(open_error(tar_of(mount, name)), EIO);
  EXPECT_LE(registry_.journal().count("", name.tag_path), kManyRequests);
}

TEST_F(RegistryFaults, R19_EightMebibytesOfHeadersAreAnErrorInBoundedMemory) {
  MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const LayerUnderTest one = push_layer(kSmall);
  std::string headers = "HTTP/1.1 200 OK\r\n";
  while (headers.size() < 8 * kMiB) headers += "X-Header: " + std::string(1'000, 'x') + "\r\n";
  break_layer(one, babbles(headers + "\r\n"));
  expect_error(mount, one, EIO);
  EXPECT_LE(requests_for(one), kManyRequests);
  if (const char* const sanitized = std::getenv("REGFS_SANITIZED"); sanitized == nullptr || *sanitized == '\0') {
    if (memory_is_the_programs_own()) {
      EXPECT_LT(mount.anonymous_bytes(), 48u << 20);
    }
  }
}

TEST_F(RegistryFaults, R20_ARedirectLoopEndsAfterTenHops) {
  MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const LayerUnderTest one = push_layer(kSmall);
  break_layer(one, redirects_to(one.blob_path));
  expect_error(mount, one, EIO);
  EXPECT_GE(requests_for(one), 2u);
  EXPECT_LE(requests_for(one), 11u);

  const LayerUnderTest name = push_layer(kSmall);
  registry_.break_path(name.tag_path, redirects_to(name.tag_path));
  EXPECT_EQ(open_error(tar_of(mount, name)), EIO);
  EXPECT_GE(registry_.journal().count("", name.tag_path), 2u);
  EXPECT_LE(registry_.journal().count("", name.tag_path), 11u);
}

TEST_F(RegistryFaults, R20_SomeHopsAreFollowed) {
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const LayerUnderTest one = push_layer(kMiddle);
  FakeRegistry store;
  store.push(one.repository, "latest", one.image);
  store.break_path("/one", redirects_to("two"));
  store.break_path("/two", redirects_to("//" + store.host() + "/three?signed=yes"));
  store.break_path("/three", redirects_to("http://" + store.host() + one.blob_path));
  break_layer(one, redirects_to("http://" + store.host() + "/one"));
  expect_whole(mount, one);
}

TEST_F(RegistryFaults, R20_ARedirectWithoutAPlaceIsAnError) {
  MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const Fault nowhere = rewrites([](const ScriptedExchange&, RawAnswer& answer) {
    answer = RawAnswer{.line = "HTTP/1.1 302 Found"}.set_body("");
  });
  const LayerUnderTest one = push_layer(kSmall);
  break_layer(one, nowhere);
  expect_error(mount, one, EIO);
  EXPECT_EQ(requests_for(one), 1u);
  const LayerUnderTest name = push_layer(kSmall);
  registry_.break_path(name.tag_path, nowhere);
  EXPECT_EQ(open_error(tar_of(mount, name)), EIO);
}

TEST_F(RegistryFaults, R21_ARedirectToAnotherSchemeIsRefused) {
  MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  for (const std::string place : {"file:///etc/hostname", "gopher://127.0.0.1/x", "ftp://127.0.0.1/x",
                                  "dict://127.0.0.1/x", "FILE:/etc/hostname", "data:,x"}) {
    const LayerUnderTest one = push_layer(kSmall);
    break_layer(one, redirects_to(place));
    expect_error(mount, one, EIO);
    EXPECT_EQ(requests_for(one), 1u) << place;
    const LayerUnderTest name = push_layer(kSmall);
    registry_.break_path(name.tag_path, redirects_to(place));
    EXPECT_EQ(open_error(tar_of(mount, name)), EIO) << place;
  }
}

}  // namespace
}  // namespace regfs::test::faults_registry_answers_test
