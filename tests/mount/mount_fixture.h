// SPDX-License-Identifier: MIT
// What every mount test begins with: a registry of its own, and a skip where nothing can be mounted.
#pragma once

#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/archive_model.h"
#include "tests/support/fake_registry.h"
#include "tests/support/mounted_regfs.h"
#include "tests/support/posix_file.h"

namespace regfs::test {

// A failure is remembered for 5 s; then the next question tries anew.
inline constexpr std::chrono::seconds kAfterFailureMemory{15};

class MountTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string reason = why_no_mounts(); !reason.empty()) GTEST_SKIP() << reason;
  }

  // The path of an image's archive in a mount of every registry.
  std::string tar_of(const MountedRegfs& mount, const std::string& repository, const std::string& tag,
                     const std::string& platform = "linux-amd64") const {
    return mount / registry_.host() / repository / tag / (platform + ".tar");
  }
  ArchiveModel model_of(const SampleImage& image, const std::string& repository, const std::string& tag) const {
    return {image, registry_.host(), repository, tag};
  }
  // What GETs asked of a layer.
  std::vector<ByteSpan> asked_of(const std::string& repository, const SampleLayer& layer) const {
    return registry_.journal().spans_of(FakeRegistry::blob_path(repository, layer.digest));
  }
  size_t layer_requests(const std::string& repository, const SampleImage& image) const {
    size_t requests = 0;
    for (const SampleLayer& layer : image.layers) requests += asked_of(repository, layer).size();
    return requests;
  }

  FakeRegistry registry_;
};

// Bytes compare by length and first difference: a failure must not print megabytes.
inline testing::AssertionResult same_bytes(const std::string& got, const std::string& wanted) {
  size_t at = 0;
  while (at < got.size() && at < wanted.size() && got[at] == wanted[at]) ++at;
  if (at == got.size() && at == wanted.size()) return testing::AssertionSuccess();
  return testing::AssertionFailure() << got.size() << " bytes instead of " << wanted.size()
                                     << ", the first difference at " << at;
}

inline testing::AssertionResult contains(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "no \"" << part << "\" in:\n" << text;
}

}  // namespace regfs::test

// A mount that did not come about ends the test, with the program's own words.
#define REGFS_ASSERT_MOUNTED(mount) ASSERT_TRUE((mount).mounted()) << (mount).log()
