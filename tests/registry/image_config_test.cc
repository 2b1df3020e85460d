// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <string>

#include "registry/manifest.h"
#include "tests/registry/hostile_documents.h"

namespace regfs::registry::image_config_test {
namespace {

std::string config(const std::string& more) {
  return R"({"os":"linux","architecture":"arm64","variant":"v8","rootfs":{"type":"layers","diff_ids":["sha256:a","sha256:b"]})" +
         more + "}";
}

int64_t created(const std::string& json) {
  Result<ImageConfig> parsed = parse_image_config(config(R"(,"created":)" + json));
  EXPECT_TRUE(parsed) << json;
  return parsed ? parsed->created_seconds : -1;
}

TEST(ImageConfig, IsNoHostileDocument) {
  for (const HostileDocument& hostile : hostile_documents()) {
    Result<ImageConfig> parsed = parse_image_config(hostile.body);
    ASSERT_FALSE(parsed) << hostile.name;
    EXPECT_TRUE(parsed.error().is(Errc::malformed) || parsed.error().is(Errc::too_large)) << hostile.name;
  }
}

TEST(ImageConfig, OfAnArtifactIsUnsupported) {
  for (const char* body : {"{}", R"({"name":"chart","version":"1.0"})"}) {
    EXPECT_TRUE(parse_image_config(body).error().is(Errc::unsupported)) << body;
  }
}

TEST(ImageConfig, HasMembersOfTheRightTypes) {
  for (const char* body :
       {R"({"os":"linux"})", R"({"os":"linux","rootfs":null})", R"({"rootfs":7})", R"({"rootfs":[]})",
        R"({"rootfs":{"diff_ids":{}}})", R"({"rootfs":{"diff_ids":"a"}})", R"({"rootfs":{"diff_ids":[7]}})",
        R"({"rootfs":{"diff_ids":[null]}})", R"({"rootfs":{},"os":7})", R"({"rootfs":{},"architecture":[]})",
        R"({"rootfs":{},"variant":{}})", R"({"rootfs":{},"os.version":1})"}) {
    Result<ImageConfig> parsed = parse_image_config(body);
    ASSERT_FALSE(parsed) << body;
    EXPECT_TRUE(parsed.error().is(Errc::malformed)) << body;
    EXPECT_TRUE(parsed.error().context().starts_with("the image config: ")) << parsed.error().context();
  }
}

TEST(ImageConfig, IsBounded) {
  EXPECT_TRUE(parse_image_config(config("") + std::string(kMaxConfigBytes + 1, ' ')).error().is(Errc::too_large));
  std::string ids = "\"a\"" + repeated(",\"a\"", kMaxLayers - 1);
  EXPECT_EQ(parse_image_config(R"({"rootfs":{"diff_ids":[)" + ids + "]}}")->diff_ids, kMaxLayers);
  EXPECT_TRUE(parse_image_config(R"({"rootfs":{"diff_ids":[)" + ids + ",\"a\"]}}").error().is(Errc::malformed));
}

TEST(ImageConfig, WithoutAUsableTimeIsOf1970) {
  for (const char* time : {"null",
                           "7",
                           "[]",
                           "\"\"",
                           "\"yesterday\"",
                           "\"0001-01-01T00:00:00Z\"",
                           "\"1969-12-31T23:59:59Z\"",
                           "\"1970-01-01T00:30:00+01:00\"",
                           "\"2021-02-29T00:00:00Z\"",
                           "\"2021-13-01T00:00:00Z\"",
                           "\"2021-00-01T00:00:00Z\"",
                           "\"2021-04-28T24:00:00Z\"",
                           "\"2021-04-28T00:60:00Z\"",
                           "\"2021-04-28T00:00:61Z\"",
                           "\"2021-04-28T00:00:00\"",
                           "\"2021-04-28T00:00:00.Z\"",
                           "\"2021-04-28T00:00:00+2400\"",
                           "\"2021-04-28T00:00:00+24:00\"",
                           "\"2021-04-28T00:00:00Zx\"",
                           "\"2021-04-28 00:00:00Z\"",
                           "\"12021-04-28T00:00:00Z\"",
                           "\"-021-04-28T00:00:00Z\"",
                           "\"2021-04-28T00:00:00Z\\u0000\""}) {
    EXPECT_EQ(created(time), 0) << time;
  }
  EXPECT_EQ(parse_image_config(config(""))->created_seconds, 0);
}

TEST(ImageConfig, ReadsItsTimeInEveryZone) {
  EXPECT_EQ(created("\"2021-04-28T13:05:30.289632369Z\""), 1'619'615'130);
  EXPECT_EQ(created("\"2021-04-28T15:05:30+02:00\""), 1'619'615'130);
  EXPECT_EQ(created("\"2021-04-28t05:35:30.5-07:30\""), 1'619'615'130);
  EXPECT_EQ(created("\"2020-02-29T00:00:00z\""), 1'582'934'400);
  EXPECT_EQ(created("\"2016-12-31T23:59:60Z\""), 1'483'228'800) << "a leap second";
  EXPECT_EQ(created("\"9999-12-31T23:59:59Z\""), 253'402'300'799);
}

TEST(ImageConfig, NamesItsPlatformAndCountsItsLayers) {
  Result<ImageConfig> parsed =
      parse_image_config(config(R"(,"os.version":"10.0.1","config":{"Env":["A=b"]},"history":[])"));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->platform, (Platform{"linux", "arm64", "v8", "10.0.1"}));
  EXPECT_EQ(parsed->diff_ids, 2u);
}

TEST(ImageConfig, WithoutLayersMayLeaveDiffIdsOut) {
  EXPECT_EQ(parse_image_config(R"({"os":"linux","architecture":"amd64","rootfs":{"type":"layers"}})")->diff_ids, 0u);
  EXPECT_EQ(parse_image_config(R"({"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":null}})")
                ->diff_ids,
            0u);
}

}  // namespace
}  // namespace regfs::registry::image_config_test
