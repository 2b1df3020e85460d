// SPDX-License-Identifier: MIT
#include "base/sha256.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace regfs::sha256_test {
namespace {

// The examples of FIPS 180-2, appendix B.
constexpr std::string_view kOfNothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr std::string_view kOfAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr std::string_view kOfTwoBlocks = "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1";
constexpr std::string_view kOfAMillionTimesA = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

TEST(Sha256, OfNothingIsADigestToo) {
  EXPECT_EQ(Sha256().finish().hex(), kOfNothing);
  EXPECT_EQ(sha256_of("").hex(), kOfNothing);
}

TEST(Sha256, AgreesWithThePublishedExamples) {
  EXPECT_EQ(sha256_of("abc").hex(), kOfAbc);
  EXPECT_EQ(sha256_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq").hex(), kOfTwoBlocks);
  EXPECT_EQ(sha256_of(std::string(1'000'000, 'a')).hex(), kOfAMillionTimesA);
}

TEST(Sha256, DoesNotDependOnHowTheBytesArrive) {
  const std::string text(1'000'000, 'a');
  for (size_t piece : {size_t{1}, size_t{63}, size_t{64}, size_t{65}, size_t{999'999}}) {
    Sha256 hasher;
    for (size_t at = 0; at < text.size(); at += piece) hasher.update(std::string_view(text).substr(at, piece));
    EXPECT_EQ(hasher.finish().hex(), kOfAMillionTimesA) << piece;
  }
}

TEST(Sha256, TakesNulBytesAsBytes) {
  EXPECT_NE(sha256_of(std::string_view("a\0b", 3)), sha256_of("a"));
  EXPECT_NE(sha256_of(std::string_view("\0", 1)), sha256_of(""));
}

TEST(Sha256, GoesOnWhereItWasAfterAMove) {
  Sha256 first;
  first.update("a");
  Sha256 second = std::move(first);
  second.update("bc");
  EXPECT_EQ(second.finish().hex(), kOfAbc);
}

}  // namespace
}  // namespace regfs::sha256_test
