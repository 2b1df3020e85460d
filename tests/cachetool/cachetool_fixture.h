// SPDX-License-Identifier: MIT
// What every test of regfs-cache begins with: what a test of regfs-pull has, and the program that looks after the
// cache.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/pull/pull_fixture.h"
#include "tests/support/mounted_regfs.h"

namespace regfs::test {

inline std::string cache_program() {
  const char* const given = std::getenv("REGFS_CACHE_BINARY");
  return given != nullptr ? given : REGFS_CACHE_BINARY;
}

class CacheToolTest : public PullTest {
 protected:
  static constexpr uint64_t kMiB = 1 << 20;

  Finished tool(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {cache_program(), "--cache-dir", cache_});
    return run(arguments);
  }
  nlohmann::json tool_json(std::vector<std::string> arguments, int status = 0) const {
    arguments.insert(arguments.begin(), "--json");
    const Finished finished = tool(std::move(arguments));
    EXPECT_EQ(finished.status, status) << finished.error;
    nlohmann::json report = nlohmann::json::parse(finished.output, nullptr, /*allow_exceptions=*/false);
    EXPECT_TRUE(report.is_object()) << finished.output;
    return report;
  }

  // Two layers in the cache, and the image that has them.
  SampleImage pulled_image(const std::string& repository = "app") {
    SampleImage image = make_image({.layers = {seeded_layer(1, 2 * kMiB), seeded_layer(2, kMiB)}});
    registry_.push(repository, "1", image);
    const Pulled pulled = pull({"--platform=linux/amd64", "-o", "first.tar", name_of(repository, "1")});
    EXPECT_EQ(pulled.status, 0) << pulled.error;
    return image;
  }
  bool has(const Digest& digest) const { return exists(published_path(cache_, digest)); }

  // One bit of a published blob, with size and mtime as before.
  void flip_a_bit(const Digest& digest) const {
    const std::string path = published_path(cache_, digest);
    struct stat before {};
    ASSERT_EQ(::stat(path.c_str(), &before), 0);
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    const std::streamoff middle = before.st_size / 2;
    file.seekg(middle);
    const int byte = file.get();
    file.seekp(middle);
    file.put(static_cast<char>(byte ^ 1));
    file.close();
    const timespec times[2] = {before.st_atim, before.st_mtim};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  }
};

}  // namespace regfs::test
