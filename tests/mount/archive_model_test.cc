// SPDX-License-Identifier: MIT
// The model that mounts are compared with is itself compared with GNU tar, byte for byte.
#include "tests/support/archive_model.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/sha256.h"
#include "tests/support/child_process.h"
#include "tests/support/posix_file.h"
#include "tests/support/temp_dir.h"
#include "tests/support/ustar.h"

namespace regfs::test::archive_model_test {
namespace {

SampleImage small_image() {
  const SampleLayer first = seeded_layer(1, 70'000);
  return make_image({.layers = {first, seeded_layer(2, 512), first, tar_layer("hello", "hello\n")}});
}

TEST(ArchiveModel, IsWhatGnuTarWritesOfTheSameFiles) {
  const ArchiveModel model(small_image(), "127.0.0.1:5000", "app", "latest");
  const TempDir files;
  std::vector<std::string> command{"tar",        "--format=ustar", "--owner=0",      "--group=0", "--numeric-owner",
                                   "--mtime=@0", "--blocking=1",   "--no-recursion", "-C",        files / "tree",
                                   "-cf",        files / "tar"};
  std::filesystem::create_directories(files / "tree/blobs/sha256");
  for (const ArchiveModel::Member& member : model.members()) {
    if (!member.name.ends_with('/')) std::ofstream(files / ("tree/" + member.name)) << bytes_of(*member.content);
    command.push_back(member.name);
  }
  const Finished tar = run(command);
  ASSERT_EQ(tar.status, 0) << tar.error;
  EXPECT_TRUE(text_file(files / "tar") == model.bytes());
}

TEST(ArchiveModel, WritesSizesOverEightGibInBaseTwoHundredAndFiftySix) {
  constexpr uint64_t kNineGiB = 9ull << 30;
  const std::string header = ustar_header("a", kNineGiB);
  EXPECT_EQ(header.substr(124, 12), std::string("\x80\0\0\0\0\0\0\x02\x40\0\0\0", 12));
  EXPECT_EQ(ustar_header("a", kNineGiB - (1ull << 30) - 1).substr(124, 12), std::string("77777777777\0", 12));
}

TEST(ArchiveModel, ReadsAnyPieceAsTheWholeHasIt) {
  const ArchiveModel model(small_image(), std::nullopt);
  const std::string whole = model.bytes();
  EXPECT_EQ(whole.size(), model.size_bytes());
  for (const uint64_t offset : {uint64_t{0}, uint64_t{1}, uint64_t{511}, uint64_t{5000}, model.size_bytes() - 1030}) {
    EXPECT_TRUE(model.read(offset, 3000) == whole.substr(offset, 3000)) << offset;
  }
  EXPECT_EQ(model.read(model.size_bytes(), 10), "");
  EXPECT_EQ(model.digest(), sha256_of(whole));
}

TEST(SampleImages, HoldGzipThatGzipTakes) {
  const SampleLayer layer = gzip_layer("hello", std::string(200'000, 'x'));
  const TempDir files;
  std::ofstream(files / "layer.tar.gz") << bytes_of(*layer.content);
  const Finished tar = run({"tar", "-xzOf", files / "layer.tar.gz", "hello"});
  EXPECT_EQ(tar.status, 0) << tar.error;
  EXPECT_EQ(tar.output, std::string(200'000, 'x'));
}

TEST(SampleImages, AreTheSameOnEveryMachine) {
  EXPECT_EQ(multi_platform(1, 100'000).digest.hex(),
            "ab31d17b6a370496238d8b90d171c30aacd2ca646861dd5500d2dced5bdc3325");
  EXPECT_EQ(multi_platform(1, 100'000, Flavour::docker).digest.hex(),
            "ffff633932ef90eb326035ac9f6068d7218d4b4fa738f23a8921047df349601b");
}

}  // namespace
}  // namespace regfs::test::archive_model_test
