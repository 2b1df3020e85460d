// SPDX-License-Identifier: MIT
// What the tests of faults have in common: layers of the sizes that are fetched in different ways, and what must be
// seen of a layer that comes whole and of one that does not.
#pragma once

#include <algorithm>
#include <future>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "tests/mount/mount_fixture.h"
#include "tests/support/rude_answers.h"

namespace regfs::test {

inline constexpr uint64_t kMiB = 1 << 20;
inline constexpr uint64_t kSmall = 600'000;            // asked for in one request, and withheld whole
inline constexpr uint64_t kMiddle = 3 * kMiB;          // windows, then the rest in one request
inline constexpr uint64_t kLarge = 48 * kMiB + 4'321;  // six ranges in parallel

// No question is asked more often than this of what keeps failing.
inline constexpr size_t kManyRequests = 12;
inline constexpr std::chrono::seconds kBounded{30};
inline constexpr std::chrono::seconds kPublishedWithin{20};

// Short patience, for faults that end in a time-out.
inline const std::vector<std::string> kImpatient{"--timeout", "1", "--read-timeout", "4", "--connect-timeout", "2"};
// With no time for a second attempt.
inline const std::vector<std::string> kMostImpatient{"--timeout", "1", "--read-timeout", "1"};

// An image of one layer, in a repository of its own.
struct LayerUnderTest {
  std::string repository;
  SampleLayer layer;
  SampleImage image;
  std::string tag_path;   // of the manifest
  std::string blob_path;  // of the layer
};

class FaultTest : public MountTest {
 protected:
  LayerUnderTest push_layer(uint64_t bytes) {
    // Each other bytes: the cache must know none of them from before.
    return push_layer(seeded_layer(static_cast<uint64_t>(pushed_), bytes));
  }
  LayerUnderTest push_layer(const SampleLayer& layer) {
    const std::string repository = "app" + std::to_string(++pushed_);
    const SampleImage image = make_image({.layers = {layer}});
    registry_.push(repository, "latest", image);
    return {repository, layer, image, FakeRegistry::manifest_path(repository, "latest"),
            FakeRegistry::blob_path(repository, layer.digest)};
  }
  std::vector<LayerUnderTest> push_layers(const std::vector<uint64_t>& sizes) {
    std::vector<LayerUnderTest> layers;
    for (const uint64_t bytes : sizes) layers.push_back(push_layer(bytes));
    return layers;
  }
  void break_layer(const LayerUnderTest& one, Fault fault) { registry_.break_path(one.blob_path, std::move(fault)); }

  std::string tar_of(const MountedRegfs& mount, const LayerUnderTest& one) const {
    return MountTest::tar_of(mount, one.repository, "latest");
  }
  ArchiveModel model_of(const LayerUnderTest& one) const {
    return MountTest::model_of(one.image, one.repository, "latest");
  }
  size_t requests_for(const LayerUnderTest& one) const { return registry_.journal().count("GET", one.blob_path); }
  uint64_t sent_bytes(const LayerUnderTest& one) const {
    uint64_t bytes = 0;
    for (const JournalEntry& entry : registry_.journal().entries()) {
      if (entry.path == one.blob_path) bytes += entry.sent_bytes;
    }
    return bytes;
  }
  bool is_published(const MountedRegfs& mount, const LayerUnderTest& one) const {
    return exists(published_path(mount.cache_directory(), one.layer.digest));
  }

  // Good bytes, and complete in the cache.
  void expect_whole(const MountedRegfs& mount, const LayerUnderTest& one) const {
    const ReadOutcome got = read_file(tar_of(mount, one));
    EXPECT_EQ(got.error, 0) << mount.log();
    EXPECT_TRUE(same_bytes(got.bytes, model_of(one).bytes()));
    EXPECT_TRUE(eventually(kPublishedWithin, [&] { return is_published(mount, one); })) << mount.log();
  }

  // The errno in time, no byte past what may be read of an unverified layer, nothing in the cache, and one line in the
  // log that says why. The bytes before the error are the layer's own, unless it is said to be wrong.
  enum class Before { own_bytes, any_bytes };
  void expect_error(MountedRegfs& mount, const LayerUnderTest& one, int error,
                    Before before = Before::own_bytes) const {
    const ReadOutcome got = read_in_time(mount, tar_of(mount, one));
    EXPECT_EQ(got.error, error) << mount.log();
    const ArchiveModel model = model_of(one);
    EXPECT_LE(got.bytes.size(), readable_before_verified(one));
    if (before == Before::own_bytes) {
      EXPECT_TRUE(same_bytes(got.bytes, model.read(0, got.bytes.size())));
    }
    EXPECT_FALSE(is_published(mount, one));
    EXPECT_EQ(lines_with(mount.log(), one.layer.digest.str()), 1u) << mount.log();
  }

  // For what a client may forgive, as long as it does not believe it: all of it and verified, or nothing of it.
  void expect_whole_or_error(MountedRegfs& mount, const LayerUnderTest& one, int error) const {
    const ReadOutcome got = read_in_time(mount, tar_of(mount, one));
    if (got.error == 0) {
      EXPECT_TRUE(same_bytes(got.bytes, model_of(one).bytes()));
    } else {
      EXPECT_EQ(got.error, error) << mount.log();
      EXPECT_FALSE(is_published(mount, one));
    }
  }

  // All at once, for checks that spend their time waiting.
  template <typename Check>
  static void at_once(const std::vector<LayerUnderTest>& layers, const Check& check) {
    std::vector<std::jthread> threads;
    for (const LayerUnderTest& one : layers) threads.emplace_back([&check, &one] { check(one); });
  }

  // A read that hangs ends with its mount, and fails the test rather than stopping it.
  ReadOutcome read_in_time(MountedRegfs& mount, const std::string& path,
                           std::chrono::seconds at_most = kBounded) const {
    auto reading = std::async(std::launch::async, [&path] { return read_file(path); });
    if (reading.wait_for(at_most) != std::future_status::ready) {
      ADD_FAILURE() << "a read has not ended within " << at_most.count() << " s\n" << mount.log();
      MutexLock lock(ending_);
      mount.stop();
    }
    return reading.get();
  }

  // All that was asked of the layer, in order, for the words of a failure.
  std::string asked_in_words(const LayerUnderTest& one) const {
    std::string words;
    for (const ByteSpan& span : asked_of(one.repository, one.layer)) {
      words += "[" + std::to_string(span.begin) + ", " + std::to_string(span.end) + ") ";
    }
    return words;
  }

  // Whether a request goes on where another one broke: begins inside of what that one asked for, and ends with it.
  bool resumed_before(const LayerUnderTest& one, uint64_t position) const {
    const std::vector<ByteSpan> asked = asked_of(one.repository, one.layer);
    for (auto broken = asked.begin(); broken != asked.end(); ++broken) {
      if (std::any_of(broken + 1, asked.end(), [&](const ByteSpan& next) {
            return next.end == broken->end && next.begin > broken->begin && next.begin <= position;
          })) {
        return true;
      }
    }
    return false;
  }

 private:
  // The 64 KiB that end 128 KiB before the end are withheld; of a layer up to 1 MiB all.
  uint64_t readable_before_verified(const LayerUnderTest& one) const {
    const ByteSpan member = span_of(one);
    return member.length() <= kMiB ? member.begin : member.end - (128 << 10);
  }
  ByteSpan span_of(const LayerUnderTest& one) const {
    const auto member = model_of(one).member(one.layer);
    return {member.offset, member.end()};
  }

  static size_t lines_with(const std::string& text, const std::string& part) {
    std::istringstream lines(text);
    size_t count = 0;
    for (std::string line; std::getline(lines, line);) count += line.find(part) != std::string::npos ? 1 : 0;
    return count;
  }

  int pushed_ = 0;
  mutable Mutex ending_;
};

// The rows of two check lists, each spread over some files: what the network does, and what a registry does.
class NetworkFaults : public FaultTest {};
class RegistryFaults : public FaultTest {};

}  // namespace regfs::test
