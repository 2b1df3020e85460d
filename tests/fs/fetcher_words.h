// SPDX-License-Identifier: MIT
// What the tests of the Fetcher say again and again.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <utility>

#include "tests/support/fetch_world.h"

namespace regfs::fs {

inline constexpr uint64_t kKiB = 1024;
inline constexpr uint64_t kMiB = 1024 * kKiB;

inline std::shared_ptr<cache::Blob> blob_of(ImageFetch& fetch, size_t layer) {
  Result<std::shared_ptr<cache::Blob>> blob = fetch.blob(layer);
  EXPECT_TRUE(blob);
  return *blob;
}

// Then every decision is made on the test's own thread.
inline void open_layers(ImageFetch& fetch) {
  for (size_t layer = 0; layer < fetch.archive().blobs.size(); ++layer) blob_of(fetch, layer);
}

// What the pool decides is decided.
inline bool settled(test::FetchWorld& world) {
  return world.pool.drain(std::chrono::seconds(20));
}

// Each transfer brings its first byte, and so lets others join it, until none does. How many run then.
inline size_t let_all_join(test::FetchWorld& world) {
  EXPECT_TRUE(settled(world));
  for (size_t asked = 0; asked != world.source.asked().size();) {
    asked = world.source.asked().size();
    for (const test::AskedRange& each : world.source.running()) world.source.begin(each.id);
    EXPECT_TRUE(settled(world));
  }
  return world.source.running().size();
}

inline std::pair<uint64_t, uint64_t> range(const test::AskedRange& asked) {
  return {asked.range.offset, asked.range.length};
}

using Range = std::pair<uint64_t, uint64_t>;

}  // namespace regfs::fs
