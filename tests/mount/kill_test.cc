// SPDX-License-Identifier: MIT
// The crash harness: the daemon is killed at random instants of random reads, again and again, on one cache directory.
// After each death every published blob is right, none that must be there is gone, and the next life goes on from what
// had come.
#include <atomic>
#include <filesystem>
#include <random>
#include <set>
#include <thread>

#include "tests/mount/mount_fixture.h"
#include "tests/support/process_facts.h"

namespace regfs::test {
namespace {

constexpr uint64_t kMiB = 1 << 20;
constexpr int kReaders = 3;
constexpr int kImages = 3;
// What a life may leave unrecorded of each layer (its ranges are written every 4 MiB), and what was on the wire.
constexpr uint64_t kLostAtMost = (4 + 4) * kMiB;

class Kills : public MountTest {
 protected:
  void SetUp() override {
    MountTest::SetUp();
    if (IsSkipped()) return;
    for (int image = 0; image < kImages; ++image) {
      const auto seed = static_cast<uint64_t>(10 * image + 1);
      images_.push_back(make_image({.layers = {seeded_layer(seed, 17 * kMiB), seeded_layer(seed + 1, 3 * kMiB),
                                               seeded_layer(seed + 2, 300'000)}}));
      registry_.push("app", tag(image), images_.back());
      bytes_.push_back(model_of(images_.back(), "app", tag(image)).bytes());
      // Slow enough that a life ends in the middle of things.
      for (const SampleLayer& layer : images_.back().layers) {
        registry_.break_path(FakeRegistry::blob_path("app", layer.digest),
                             paces(std::chrono::milliseconds(0), 40 * kMiB));
      }
    }
  }

  // Of each scenario; three of them make the three hundred. A sanitized program is slow, and dies no differently.
  static int kills() { return memory_is_the_programs_own() ? 100 : 15; }
  static std::string tag(int image) { return std::to_string(image); }

  // A life of a daemon: three readers read at random, and it is killed when so many reads have been answered, while
  // the others go on.
  void live_and_die(const MountSpec& spec) {
    MountedRegfs mount(spec);
    REGFS_ASSERT_MOUNTED(mount);
    std::atomic<unsigned> answered{0};
    std::atomic<bool> ends{false};
    const auto answers = static_cast<unsigned>(random_() % 40);
    std::vector<std::thread> readers;
    for (int reader = 0; reader < kReaders; ++reader) {
      readers.emplace_back([&, seed = static_cast<uint32_t>(random_())] { read_at_random(mount, seed, answered, ends); });
    }
    EXPECT_TRUE(eventually(std::chrono::seconds(30), [&] { return answered >= answers; })) << mount.log();
    ends = true;
    mount.kill();
    for (std::thread& reader : readers) reader.join();
    ++deaths_;
  }

  // Until the daemon is to die. Every answer is right or an error, and an error comes of its death only.
  void read_at_random(const MountedRegfs& mount, uint32_t seed, std::atomic<unsigned>& answered,
                      const std::atomic<bool>& ends) const {
    std::mt19937 random(seed);
    while (true) {
      const size_t image = random() % kImages;
      const OpenOutcome file = open_file(tar_of(mount, "app", tag(static_cast<int>(image))));
      // In sequence it is prefetched, elsewhere not.
      uint64_t offset = random() % 3 == 0 ? 0 : random() % bytes_[image].size();
      for (int reads = 0; file.error == 0 && reads < 12; ++reads, offset += 64 << 10) {
        const uint64_t length = 1 + random() % (64 << 10);
        const ReadOutcome read = read_at(file.fd.get(), offset, length);
        if (read.error != 0) {
          EXPECT_TRUE(ends) << "error " << read.error << " at " << offset << " of image " << image;
          break;
        }
        const std::string wanted = offset < bytes_[image].size() ? bytes_[image].substr(offset, length) : std::string();
        EXPECT_TRUE(same_bytes(read.bytes, wanted)) << "at " << offset << " of image " << image;
        ++answered;
      }
      if (ends) return;
      EXPECT_EQ(file.error, 0) << "opening image " << image;
    }
  }

  std::set<std::string> published() const {
    std::set<std::string> names;
    std::error_code none_yet;
    for (const auto& entry : std::filesystem::directory_iterator(cache() + "/blobs/sha256", none_yet)) {
      names.insert(entry.path().filename());
    }
    return names;
  }
  void expect_right_blobs() const {
    for (const std::string& name : published()) {
      const DigestOutcome found = digest_of_file(cache() + "/blobs/sha256/" + name);
      ASSERT_TRUE(found.digest) << name;
      EXPECT_EQ(found.digest->hex(), name);
    }
  }
  bool all_published() const {
    const std::set<std::string> names = published();
    for (const SampleImage& image : images_) {
      for (const SampleLayer& layer : image.layers) {
        if (!names.contains(layer.digest.hex())) return false;
      }
    }
    return true;
  }
  void expect_whole_images(const MountSpec& spec) const {
    const MountedRegfs mount(spec);
    REGFS_ASSERT_MOUNTED(mount);
    for (int image = 0; image < kImages; ++image) {
      const ReadOutcome read = read_file(tar_of(mount, "app", tag(image)));
      EXPECT_EQ(read.error, 0) << mount.log();
      EXPECT_TRUE(read.bytes == bytes_[static_cast<size_t>(image)]) << "image " << image;
    }
  }
  uint64_t sent_of_layers() const {
    uint64_t sent = 0;
    for (const JournalEntry& entry : registry_.journal().entries()) {
      if (entry.path.find("/blobs/") != std::string::npos) sent += entry.sent_bytes;
    }
    return sent;
  }
  uint64_t image_bytes() const {
    uint64_t bytes = 0;
    for (const std::string& each : bytes_) bytes += each.size();
    return bytes;
  }
  std::string cache() const { return scratch_ / "cache"; }

  std::mt19937 random_{20260101};
  std::vector<SampleImage> images_;
  std::vector<std::string> bytes_;
  const TempDir scratch_;
  uint64_t deaths_ = 0;
};

TEST_F(Kills, AHundredOfAColdCacheLeaveNoWrongBlob) {
  const MountSpec spec{.cache_directory = cache()};
  for (int kill = 0; kill < kills() && !HasFailure(); ++kill) {
    std::filesystem::remove_all(cache());
    live_and_die(spec);
    expect_right_blobs();
  }
  expect_whole_images(spec);
}

TEST_F(Kills, AHundredOfOneThatIsResumedLoseNothingAndFetchLittleTwice) {
  const MountSpec spec{.cache_directory = cache()};
  uint64_t generations = 1;
  for (int kill = 0; kill < kills() && !HasFailure(); ++kill) {
    const std::set<std::string> before = published();
    live_and_die(spec);
    expect_right_blobs();
    const std::set<std::string> after = published();
    for (const std::string& name : before) EXPECT_TRUE(after.contains(name)) << name << " is lost";
    if (all_published()) {
      std::filesystem::remove_all(cache());
      ++generations;
    }
  }
  expect_whole_images(spec);
  const uint64_t again = sent_of_layers() - std::min(sent_of_layers(), generations * image_bytes());
  std::printf("%llu kills, %llu caches filled: %llu KiB came again for each kill\n",
              static_cast<unsigned long long>(deaths_), static_cast<unsigned long long>(generations),
              static_cast<unsigned long long>((again / std::max<uint64_t>(deaths_, 1)) >> 10));
  EXPECT_LE(again, deaths_ * kImages * kLostAtMost);
}

TEST_F(Kills, AHundredOfOneThatEvictsLeaveNoWrongBlob) {
  const MountSpec spec{.arguments = {"--cache-size", "32M"}, .cache_directory = cache()};
  for (int kill = 0; kill < kills() && !HasFailure(); ++kill) {
    live_and_die(spec);
    expect_right_blobs();
  }
  expect_whole_images(spec);
}

}  // namespace
}  // namespace regfs::test
