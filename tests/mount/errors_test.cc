// SPDX-License-Identifier: MIT
// Each failure is its own errno for the reader and a sentence in the log; what can be mended by asking
// again is.
#include <sys/xattr.h>

#include <ostream>

#include "base/sha256.h"
#include "tests/mount/mount_fixture.h"

namespace regfs::test::errors_test {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr uint64_t kMiB = 1 << 20;
// Five attempts with a back-off of at most 8 s between them would be a minute; names give up sooner.
constexpr seconds kBounded{30};
// No failing path is asked more often than this for one question.
constexpr size_t kManyRequests = 12;

class ErrorsTest : public MountTest {
 protected:
  void SetUp() override {
    MountTest::SetUp();
    if (!IsSkipped()) registry_.push("app", "latest", image_);
  }

  std::string wanted() const { return model_of(image_, "app", "latest").bytes(); }

  const SampleLayer layer_ = seeded_layer(1, 3 * kMiB);
  const SampleImage image_ = make_image({.layers = {layer_, seeded_layer(2, 5000)}});
  const std::string tag_path_ = FakeRegistry::manifest_path("app", "latest");
  const std::string layer_path_ = FakeRegistry::blob_path("app", layer_.digest);
};

struct StatusCase {
  int status;
  int error;
  friend std::ostream& operator<<(std::ostream& out, const StatusCase& each) { return out << "Status" << each.status; }
};

class StatusErrorsTest : public ErrorsTest, public testing::WithParamInterface<StatusCase> {};

TEST_P(StatusErrorsTest, ATagThatIsAnsweredSoIsThatErrno) {
  registry_.break_path(tag_path_, answers(GetParam().status));
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const auto begin = steady_clock::now();
  EXPECT_EQ(open_error(tar_of(mount, "app", "latest")), GetParam().error);
  EXPECT_LT(steady_clock::now() - begin, kBounded);
  EXPECT_LE(registry_.journal().count("", tag_path_), kManyRequests);
  EXPECT_TRUE(contains(mount.log(), std::to_string(GetParam().status)));
  EXPECT_TRUE(contains(mount.log(), registry_.host() + "/app"));

  registry_.mend(tag_path_);
  EXPECT_TRUE(eventually(kAfterFailureMemory, [&] { return open_error(tar_of(mount, "app", "latest")) == 0; }));
}

INSTANTIATE_TEST_SUITE_P(Names, StatusErrorsTest,
                         testing::Values(StatusCase{401, EACCES}, StatusCase{403, EACCES}, StatusCase{429, EBUSY},
                                         StatusCase{500, EREMOTEIO}, StatusCase{503, EREMOTEIO}),
                         testing::PrintToStringParamName());

class LayerErrorsTest : public ErrorsTest, public testing::WithParamInterface<StatusCase> {};

TEST_P(LayerErrorsTest, ALayerThatIsAnsweredSoIsThatErrno) {
  registry_.break_path(layer_path_, answers(GetParam().status));
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const auto begin = steady_clock::now();
  const ReadOutcome got = read_file(tar_of(mount, "app", "latest"));
  EXPECT_EQ(got.error, GetParam().error);
  EXPECT_LE(got.bytes.size(), model_of(image_, "app", "latest").member(layer_).offset);
  EXPECT_LT(steady_clock::now() - begin, kBounded);
  EXPECT_LE(registry_.journal().count("GET", layer_path_), kManyRequests);
  EXPECT_TRUE(contains(mount.log(), std::to_string(GetParam().status)));

  registry_.mend(layer_path_);
  EXPECT_TRUE(eventually(kAfterFailureMemory, [&] { return read_file(tar_of(mount, "app", "latest")).error == 0; }));
  EXPECT_TRUE(same_bytes(read_file(tar_of(mount, "app", "latest")).bytes, wanted()));
}

INSTANTIATE_TEST_SUITE_P(Layers, LayerErrorsTest,
                         testing::Values(StatusCase{404, EIO}, StatusCase{403, EACCES}, StatusCase{429, EBUSY},
                                         StatusCase{500, EREMOTEIO}),
                         testing::PrintToStringParamName());

TEST_F(ErrorsTest, ARetryAfterBeyondPatienceIsAnAnswerInTime) {
  registry_.break_path(tag_path_, answers(429, "86400"));
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const auto begin = steady_clock::now();
  EXPECT_EQ(open_error(tar_of(mount, "app", "latest")), EBUSY);
  EXPECT_LT(steady_clock::now() - begin, kBounded);
}

TEST_F(ErrorsTest, ARefusedConnectionIsUnreachableAtOnceAndNotAbsent) {
  registry_.refuse_connections();
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const auto begin = steady_clock::now();
  EXPECT_EQ(open_error(tar_of(mount, "app", "latest")), EHOSTUNREACH);
  EXPECT_EQ(list_directory(mount / registry_.host() / "app").error, EHOSTUNREACH);
  EXPECT_LT(steady_clock::now() - begin, seconds(8));
  EXPECT_TRUE(contains(mount.log(), registry_.host()));

  registry_.accept_connections();
  EXPECT_TRUE(eventually(kAfterFailureMemory, [&] { return open_error(tar_of(mount, "app", "latest")) == 0; }));
  EXPECT_TRUE(same_bytes(read_file(tar_of(mount, "app", "latest")).bytes, wanted()));
}

TEST_F(ErrorsTest, AConfigThatIsNotThereIsNotAnAbsentPlatform) {
  registry_.break_path(FakeRegistry::blob_path("app", image_.config_digest), answers(404));
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(list_directory(mount / registry_.host() / "app" / "latest").error, EIO);
}

TEST_F(ErrorsTest, AListThatCannotBeHadIsNeverAnEmptyDirectory) {
  registry_.break_path(FakeRegistry::tags_path("app"), answers(500));
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_EQ(list_directory(mount / registry_.host() / "app").error, EREMOTEIO);
  EXPECT_EQ(stat_error(tar_of(mount, "app", "latest")), 0) << "the direct path still opens";
}

TEST_F(ErrorsTest, FailuresThatPassAreNotSeen) {
  registry_.break_path(tag_path_, answers(500).only(2));
  registry_.break_path(layer_path_, answers(503, "1").only(2));
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  EXPECT_TRUE(same_bytes(read_file(tar_of(mount, "app", "latest")).bytes, wanted()));
}

TEST_F(ErrorsTest, ABrokenTransferGoesOnWhereItBroke) {
  for (const Fault& fault : {resets_at(2 * kMiB), hangs_up_at(2 * kMiB)}) {
    registry_.break_path(layer_path_, Fault(fault).only(1));
    registry_.journal().forget();
    const MountedRegfs mount;
    REGFS_ASSERT_MOUNTED(mount);
    EXPECT_TRUE(same_bytes(read_file(tar_of(mount, "app", "latest")).bytes, wanted()));
    EXPECT_EQ(merged(asked_of("app", layer_)), (std::vector<ByteSpan>{{0, 3 * kMiB}}));
  }
}

TEST_F(ErrorsTest, ARegistryThatIgnoresRangesIsRead) {
  registry_.break_path(layer_path_, ignores_range());
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  const ArchiveModel model = model_of(image_, "app", "latest");
  const OpenOutcome file = open_file(tar_of(mount, "app", "latest"));
  const uint64_t middle = model.member(layer_).offset + 2 * kMiB;
  EXPECT_TRUE(same_bytes(read_at(file.fd.get(), middle, 5000).bytes, model.read(middle, 5000)));
  EXPECT_TRUE(same_bytes(read_file(tar_of(mount, "app", "latest")).bytes, wanted()));
}

TEST_F(ErrorsTest, AnExtendedAttributeThatItLacksIsNoData) {
  const MountedRegfs mount;
  REGFS_ASSERT_MOUNTED(mount);
  char value[16];
  errno = 0;
  EXPECT_EQ(::getxattr(tar_of(mount, "app", "latest").c_str(), "user.nothing", value, sizeof(value)), -1);
  EXPECT_EQ(errno, ENODATA);
  errno = 0;
  EXPECT_EQ(::getxattr(tar_of(mount, "app", "latest").c_str(), "security.selinux", value, sizeof(value)), -1);
  EXPECT_EQ(errno, ENODATA);
}

}  // namespace
}  // namespace regfs::test::errors_test
