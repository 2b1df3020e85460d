// SPDX-License-Identifier: MIT
// How fast an image comes through a mount, beside curl on the same registry in the same run. Prints ratios; asserts
// nothing about speed, but that every byte is right.
//
//   speed_benchmark [ROUNDS [SCENE]]
//
//   slow link   one layer of 100 MB behind 20 ms and 5 MB/s for each connection; curl: one stream of it
//   fast link   six layers of 127 MB, as fast as loopback goes; curl: all of them in parallel, thrown away
//   fast, kept  the same; curl: all of them in parallel into files, as regfs keeps them in its cache
//   small layers  sixty layers of 64 KiB behind 50 ms; curl: one after the other over one connection
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "tests/bench/stopwatch.h"
#include "tests/support/archive_model.h"
#include "tests/support/child_process.h"
#include "tests/support/fake_registry.h"
#include "tests/support/mounted_regfs.h"
#include "tests/support/temp_dir.h"

namespace regfs::test {
namespace {

using std::chrono::milliseconds;

constexpr uint64_t kMegabyte = 1'000'000;

struct Scene {
  std::string name;
  std::vector<SampleLayer> layers;
  std::optional<Fault> link;  // of every blob
  std::vector<std::string> curl_options;
  bool kept = false;  // by curl, in files
};

std::vector<SampleLayer> layers_of(size_t count, uint64_t bytes) {
  std::vector<SampleLayer> layers;
  for (size_t i = 0; i < count; ++i) layers.push_back(seeded_layer(i + 1, bytes));
  return layers;
}

double by_curl(const FakeRegistry& registry, const Scene& scene) {
  std::vector<std::string> command{"curl", "-sS", "--fail"};
  command.insert(command.end(), scene.curl_options.begin(), scene.curl_options.end());
  const TempDir files;
  for (const SampleLayer& layer : scene.layers) {
    command.insert(command.end(), {"-o", scene.kept ? files / layer.digest.hex() : "/dev/null",
                                   "http://" + registry.host() + FakeRegistry::blob_path("app", layer.digest)});
  }
  return seconds_of(command);
}

double by_regfs(const FakeRegistry& registry) {
  const MountedRegfs mount;
  if (!mount.mounted()) {
    std::fprintf(stderr, "%s\n", mount.log().c_str());
    std::exit(1);
  }
  const std::string tar = mount / registry.host() / "app" / "latest" / "linux-amd64.tar";
  return seconds_of({"cat", tar});
}

void check_bytes(const FakeRegistry& registry, const SampleImage& image) {
  const MountedRegfs mount;
  const std::string tar = mount / registry.host() / "app" / "latest" / "linux-amd64.tar";
  const Finished sum = run({"sha256sum", tar});
  const std::string wanted = ArchiveModel(image, registry.host(), "app", "latest").digest().hex();
  if (sum.output.starts_with(wanted)) return;
  std::fprintf(stderr, "the bytes are wrong\n%s", mount.log().c_str());
  std::exit(1);
}

void show(const Scene& scene, int rounds) {
  FakeRegistry registry;
  const SampleImage image = make_image({.layers = scene.layers});
  registry.push("app", "latest", image);
  if (scene.link) registry.break_path("/v2/app/blobs/*", *scene.link);
  check_bytes(registry, image);

  std::vector<double> curl;
  std::vector<double> regfs;
  for (int round = 0; round < rounds; ++round) {
    curl.push_back(by_curl(registry, scene));
    regfs.push_back(by_regfs(registry));
  }
  const double ratio = median(curl) / median(regfs);
  std::printf("%-13s curl %7.2f s   regfs %7.2f s   regfs is %.2f times as fast (%d rounds, medians)\n",
              scene.name.c_str(), median(curl), median(regfs), ratio, rounds);
  std::fflush(stdout);
}

int run_benchmark(int rounds, const std::string& only) {
  if (const std::string reason = why_no_mounts(); !reason.empty()) {
    std::fprintf(stderr, "%s\n", reason.c_str());
    return 1;
  }
  const std::vector<Scene> scenes{
      {"slow link", layers_of(1, 100 * kMegabyte), paces(milliseconds(20), 5 * kMegabyte), {}},
      {"fast link", layers_of(6, 127 * kMegabyte), std::nullopt, {"--parallel", "--parallel-max", "16"}},
      {"fast, kept", layers_of(6, 127 * kMegabyte), std::nullopt, {"--parallel", "--parallel-max", "16"}, true},
      {"small layers", layers_of(60, 64 << 10), paces(milliseconds(50)), {}}};
  for (const Scene& scene : scenes) {
    if (only.empty() || only == scene.name) show(scene, rounds);
  }
  return 0;
}

}  // namespace
}  // namespace regfs::test

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 3;
  return regfs::test::run_benchmark(rounds, argc > 2 ? argv[2] : "");
}
