// SPDX-License-Identifier: MIT
#include "registry/content_range.h"

#include <gtest/gtest.h>

namespace regfs::registry::content_range_test {
namespace {

TEST(ContentRange, RefusesWhatSaysNoRange) {
  for (const char* text : {"", "bytes", "bytes 0-99", "bytes 0-99/", "bytes 5-4/10", "bytes 0-10/10", "bytes */10",
                           "bytes -5-9/10", "bytes 0-9/10x", "bytes 0-18446744073709551616/*", "items 0-9/10"}) {
    EXPECT_FALSE(parse_content_range(text)) << text;
  }
}

TEST(ContentRange, ReadsBothForms) {
  std::optional<ContentRange> range = parse_content_range("bytes 10-19/200243");
  ASSERT_TRUE(range);
  EXPECT_EQ(range->first, 10u);
  EXPECT_EQ(range->last, 19u);
  EXPECT_EQ(range->size_bytes, 200243u);
  EXPECT_FALSE(parse_content_range("bytes 10-19/*")->size_bytes);
}

}  // namespace
}  // namespace regfs::registry::content_range_test
