// SPDX-License-Identifier: MIT
// Layers that a registry does not hold and a manifest says to be had elsewhere: A17 of the list of faults.
#include "tests/mount/mount_fixture.h"

namespace regfs::test::foreign_layers_test {
namespace {

class ForeignLayers : public MountTest {
 protected:
  // The image, its last layer under a media type that says so, with the URL; the registry has all but that layer.
  void push(const std::string& media_type, const std::string& url) {
    SampleImage image = image_;
    const SampleLayer& foreign = image_.layers[1];
    std::string& text = image.manifest;
    const std::string old_type = "\"" + foreign.media_type + "\"";
    text.replace(text.rfind(old_type), old_type.size(),
                 "\"" + media_type + "\",\"urls\":[\"ftp://files.example/layer\",\"" + url + "\"]");
    registry_.push("app", "latest", image_);
    registry_.put_manifest("app", "latest", image.media_type, text);
    registry_.break_path(FakeRegistry::blob_path("app", foreign.digest), answers(404));
    elsewhere_.push("files", "x", image_);
  }
  std::string url_of_layer() const {
    return "http://" + elsewhere_.host() + FakeRegistry::blob_path("files", image_.layers[1].digest);
  }
  ReadOutcome read(const MountedRegfs& mount) const { return read_file(tar_of(mount, "app", "latest")); }

  const SampleImage image_ = make_image({.layers = {seeded_layer(1, 300'000), seeded_layer(2, 2 << 20)}});
  FakeRegistry elsewhere_;
};

TEST_F(ForeignLayers, A17_AreReadFromTheirUrlWithoutACredential) {
  for (const char* type : {"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
                           "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"}) {
    push(type, url_of_layer());
    registry_.require_basic({"ann", "hunter2"});
    elsewhere_.journal().forget();
    const MountedRegfs mount({.arguments = {"--username", "ann", "--password", "hunter2"}, .host = registry_.host()});
    REGFS_ASSERT_MOUNTED(mount);
    const ReadOutcome got = read_file(mount / "app" / "latest" / "linux-amd64.tar");
    EXPECT_EQ(got.error, 0) << type << "\n" << mount.log();
    EXPECT_NE(got.bytes.find(bytes_of(*image_.layers[1].content)), std::string::npos) << type;
    EXPECT_FALSE(elsewhere_.journal().entries().empty());
    for (const JournalEntry& entry : elsewhere_.journal().entries()) {
      EXPECT_FALSE(entry.authorized);
      EXPECT_FALSE(entry.cookie);
    }
  }
}

TEST_F(ForeignLayers, A17_OfOtherBytesAreAnErrorAndNotKept) {
  push("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", url_of_layer());
  elsewhere_.break_path("/v2/files/blobs/*", flips_byte_at(1 << 20));
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(read(mount).error, EIO);
  EXPECT_NE(stat_error(published_path(mount.cache_directory(), image_.layers[1].digest)), 0);
}

TEST_F(ForeignLayers, A17_ThatAreNowhereAreAnErrorAtTheReadAndNotAtTheLookup) {
  push("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", url_of_layer());
  elsewhere_.break_path("/v2/files/blobs/*", answers(404));
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(stat_error(tar_of(mount, "app", "latest")), 0);
  EXPECT_EQ(read(mount).error, EIO);
}

TEST_F(ForeignLayers, A17_UrlsOfAnOrdinaryLayerAreNotAsked) {
  push(image_.layers[1].media_type, url_of_layer());
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(read(mount).error, EIO);
  EXPECT_TRUE(elsewhere_.journal().entries().empty());
}

}  // namespace
}  // namespace regfs::test::foreign_layers_test
