// SPDX-License-Identifier: MIT
#include "base/digest.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace regfs::digest_test {
namespace {

const std::string kHex = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

TEST(Digest, RefusesWhatIsNoDigest) {
  const std::string refused[] = {"",
                                 "sha256",
                                 "sha256:",
                                 kHex,
                                 "sha256:" + kHex.substr(1),
                                 "sha256:" + kHex + "0",
                                 "sha256:" + kHex.substr(1) + "g",
                                 "sha256:" + kHex.substr(1) + "A",
                                 "sha256:../../../../../../../../../../../../../../../../etc/passwd-padding",
                                 "sha256:" + kHex.substr(2) + "\r\n",
                                 "sha256:" + kHex.substr(1) + std::string(1, '\0'),
                                 " sha256:" + kHex,
                                 "SHA256:" + kHex,
                                 ":" + kHex};
  for (const std::string& text : refused) {
    Result<Digest> digest = Digest::parse(text);
    ASSERT_FALSE(digest) << text;
    EXPECT_TRUE(digest.error().is(Errc::malformed)) << text;
  }
}

TEST(Digest, CallsAnotherAlgorithmUnsupportedRatherThanMalformed) {
  for (const char* text : {"sha512:00", "md5:d41d8cd98f00b204e9800998ecf8427e", "sha256+b64:xx"}) {
    Result<Digest> digest = Digest::parse(text);
    ASSERT_FALSE(digest) << text;
    EXPECT_TRUE(digest.error().is(Errc::unsupported)) << text;
  }
}

TEST(Digest, SaysNothingOfTheWireInItsSentence) {
  EXPECT_EQ(Digest::parse("sha256:\x1b[31m").error().context().find('\x1b'), std::string::npos);
  EXPECT_EQ(Digest::parse("\x1b[31m:00").error().context().find('\x1b'), std::string::npos);
}

TEST(Digest, PrintsBackWhatItWasParsedFrom) {
  Result<Digest> digest = Digest::parse("sha256:" + kHex);
  ASSERT_TRUE(digest) << digest.error().context();
  EXPECT_EQ(digest->hex(), kHex);
  EXPECT_EQ(digest->str(), "sha256:" + kHex);
  EXPECT_EQ(digest->bytes()[1], 0x23);
}

TEST(Digest, ComparesAsBytes) {
  Digest::Bytes low{}, high{};
  high[0] = 0x80;
  EXPECT_LT(Digest(low), Digest(high));
  EXPECT_EQ(Digest(low), Digest(low));
  EXPECT_NE(std::hash<Digest>()(Digest(low)), std::hash<Digest>()(Digest(high)));
}

}  // namespace
}  // namespace regfs::digest_test
