// SPDX-License-Identifier: MIT
#include "registry/base64.h"

#include <gtest/gtest.h>

namespace regfs::registry::base64_test {
namespace {

TEST(Base64, RefusesWhatIsNone) {
  for (const char* text : {"A", "AAAAA", "A=AA", "dXNlcjpwYXNz!", "d XNl", "dXNl=cjpw", "\xff\xff\xff\xff", "-_-_"}) {
    EXPECT_FALSE(from_base64(text)) << text;
  }
}

TEST(Base64, AgreesWithTheVectorsOfItsSpecification) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : vectors) {
    EXPECT_EQ(to_base64(plain), encoded);
    EXPECT_EQ(from_base64(encoded), plain);
  }
}

TEST(Base64, KeepsEveryByte) {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) bytes += static_cast<char>(byte);
  EXPECT_EQ(from_base64(to_base64(bytes)), bytes);
}

TEST(Base64, ToleratesMissingPaddingAndWhiteSpaceAround) {
  EXPECT_EQ(from_base64(" dXNlcjpwYXNzdw\n"), "user:passw");
  EXPECT_EQ(from_base64("Zg"), "f");
}

}  // namespace
}  // namespace regfs::registry::base64_test
