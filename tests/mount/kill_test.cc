// SPDX-License-Identifier: MIT
// The crash harness: the daemon is killed at random instants of random reads, again and again, on one cache directory.
// After each death every published blob is right, and nothing that was published or recorded is gone.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <map>
#include <random>
#include <set>
#include <sstream>
#include <thread>

#include "tests/mount/mount_fixture.h"
#include "tests/support/process_facts.h"

namespace regfs::test::kill_test {
namespace {

constexpr uint64_t kMiB = 1 << 20;
constexpr int kReaders = 3;
constexpr int kImages = 3;
// Of the largest layer, which no life brings whole; the others come and are published on the way.
constexpr uint64_t kLargeLayerBytes = 24 * kMiB;
constexpr uint64_t kMostOfALifeBytes = 16 * kMiB;

class Kills : public MountTest {
 protected:
  void SetUp() override {
    MountTest::SetUp();
    if (IsSkipped()) return;
    for (int image = 0; image < kImages; ++image) {
      const auto seed = static_cast<uint64_t>(10 * image + 1);
      images_.push_back(make_image({.layers = {seeded_layer(seed, kLargeLayerBytes), seeded_layer(seed + 1, 3 * kMiB),
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

  // A life of a daemon: three readers read one image at random, and it is killed when so much has been sent or so many
  // reads have been answered, while they go on.
  void live_and_die(const MountSpec& spec) {
    const uint64_t bytes = random_() % kMostOfALifeBytes;
    const unsigned long answers = random_() % 400;
    const size_t image = random_() % kImages;
    MountedRegfs mount(spec);
    REGFS_ASSERT_MOUNTED(mount);
    std::atomic<unsigned long> answered{0};
    std::atomic<bool> ends{false};
    std::vector<std::thread> readers;
    for (int reader = 0; reader < kReaders; ++reader) {
      readers.emplace_back(
          [&, seed = static_cast<uint32_t>(random_())] { read_at_random(mount, image, seed, answered, ends); });
    }
    EXPECT_TRUE(eventually(std::chrono::seconds(30), [&] { return answered >= answers || sent_of_layers() >= bytes; }))
        << mount.log();
    ends = true;
    mount.kill();
    for (std::thread& reader : readers) reader.join();
    ++deaths_;
    sent_before_ += sent_of_layers();
    registry_.journal().forget();
  }

  // Until the daemon is to die. Every answer is right or an error, and an error comes of its death only.
  void read_at_random(const MountedRegfs& mount, size_t image, uint32_t seed, std::atomic<unsigned long>& answered,
                      const std::atomic<bool>& ends) const {
    std::mt19937 random(seed);
    const std::string& bytes = bytes_[image];
    while (!ends) {
      const OpenOutcome file = open_file(tar_of(mount, "app", tag(static_cast<int>(image))));
      if (file.error != 0) {
        EXPECT_TRUE(ends) << "error " << file.error << " opening image " << image;
        return;
      }
      // In sequence it is prefetched, elsewhere not.
      uint64_t offset = random() % 3 == 0 ? 0 : random() % bytes.size();
      for (int reads = 0; reads < 12; ++reads, offset += 64 << 10) {
        const uint64_t length = 1 + random() % (64 << 10);
        const ReadOutcome read = read_at(file.fd.get(), offset, length);
        if (read.error != 0) {
          EXPECT_TRUE(ends) << "error " << read.error << " at " << offset << " of image " << image;
          return;
        }
        const std::string wanted = offset < bytes.size() ? bytes.substr(offset, length) : std::string();
        EXPECT_TRUE(same_bytes(read.bytes, wanted)) << "at " << offset << " of image " << image;
        ++answered;
      }
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
  // What the cache has of each layer: all of it, or what its record tells (cache/README.md).
  std::map<std::string, uint64_t> present() const {
    std::map<std::string, uint64_t> bytes;
    std::error_code none_yet;
    for (const auto& entry : std::filesystem::directory_iterator(cache() + "/parts", none_yet)) {
      if (entry.path().extension() != ".ranges") continue;
      std::istringstream record(text_file(entry.path()));
      uint64_t sum = 0;
      for (std::string line; std::getline(record, line);) {
        unsigned long long offset = 0, length = 0;
        if (std::sscanf(line.c_str(), "range %llu %llu", &offset, &length) == 2) sum += length;
      }
      const std::string digits = entry.path().filename().string().substr(0, 64);
      bytes[digits] = std::max(bytes[digits], sum);
    }
    for (const std::string& digits : published()) bytes[digits] = UINT64_MAX;
    return bytes;
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
  // In this life.
  uint64_t sent_of_layers() const {
    uint64_t sent = 0;
    for (const JournalEntry& entry : registry_.journal().entries()) {
      if (entry.path.find("/blobs/") != std::string::npos) sent += entry.sent_bytes;
    }
    return sent;
  }
  std::string cache() const { return scratch_ / "cache"; }

  std::mt19937 random_{20260101};
  std::vector<SampleImage> images_;
  std::vector<std::string> bytes_;
  const TempDir scratch_;
  uint64_t deaths_ = 0;
  uint64_t sent_before_ = 0;
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

TEST_F(Kills, AHundredOfOneThatIsResumedLoseNothingOfWhatWasRecorded) {
  const MountSpec spec{.cache_directory = cache()};
  uint64_t filled = 0;
  uint64_t resumed = 0;
  for (int kill = 0; kill < kills() && !HasFailure(); ++kill) {
    const std::map<std::string, uint64_t> before = present();
    live_and_die(spec);
    expect_right_blobs();
    std::map<std::string, uint64_t> after = present();
    for (const auto& [digits, bytes] : before) {
      EXPECT_GE(after[digits], bytes) << digits << " has less than before";
      resumed += bytes != UINT64_MAX && after[digits] > bytes ? 1 : 0;
    }
    if (!all_published()) continue;
    std::filesystem::remove_all(cache());
    ++filled;
  }
  EXPECT_GT(resumed, 0u) << "no part was gone on with";
  expect_whole_images(spec);
  std::printf("%llu kills: %llu MiB sent, the cache filled %llu times, parts gone on with %llu times\n",
              static_cast<unsigned long long>(deaths_), static_cast<unsigned long long>(sent_before_ / kMiB),
              static_cast<unsigned long long>(filled), static_cast<unsigned long long>(resumed));
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
}  // namespace regfs::test::kill_test
