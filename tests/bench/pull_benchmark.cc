// SPDX-License-Identifier: MIT
// How fast regfs-pull makes a file of an image, beside curl of its layers and skopeo into a docker-archive, on the same
// registry in the same run. Prints ratios; asserts nothing about speed, but that every byte is right.
//
//   pull_benchmark [ROUNDS]
//
// Six layers of 21 MB of gzip, as fast as loopback goes; nothing is cached, and every round begins in an empty
// directory.
#include <functional>

#include "tests/bench/stopwatch.h"
#include "tests/support/archive_model.h"
#include "tests/support/fake_registry.h"
#include "tests/support/posix_file.h"
#include "tests/support/temp_dir.h"

namespace regfs::test {
namespace {

constexpr size_t kLayers = 6;
constexpr uint64_t kLayerBytes = 21'000'000;

struct Puller {
  std::string name;
  std::function<std::vector<std::string>(const std::string& directory)> command;
  std::vector<double> seconds = {};
};

SampleImage unpackable_image() {
  std::vector<SampleLayer> layers;
  for (uint64_t i = 0; i < kLayers; ++i) {
    layers.push_back(gzip_layer("file" + std::to_string(i), bytes_of(*seeded_bytes(i + 1, kLayerBytes))));
  }
  return make_image({.layers = layers});
}

std::vector<Puller> pullers(const std::string& host, const SampleImage& image) {
  const auto curl = [host, image](const std::string& directory) {
    std::vector<std::string> words{"curl", "-sS", "--fail", "--parallel", "--parallel-max", "16"};
    for (const SampleLayer& layer : image.layers) {
      const std::string url = "http://" + host + FakeRegistry::blob_path("app", layer.digest);
      words.insert(words.end(), {"-o", directory + "/" + layer.digest.hex(), url});
    }
    return words;
  };
  const auto pull = [host](const std::vector<std::string>& options) {
    return [host, options](const std::string& directory) {
      std::vector<std::string> words{REGFS_PULL_BINARY, "-q", "--platform=linux/amd64"};
      words.insert(words.end(), options.begin(), options.end());
      words.insert(words.end(),
                   {"--cache-dir", directory + "/cache", "-o", directory + "/a.tar", host + "/app:latest"});
      return words;
    };
  };
  const auto skopeo = [host](const std::string& directory) {
    return std::vector<std::string>{"skopeo",
                                    "--insecure-policy",
                                    "copy",
                                    "--quiet",
                                    "--src-tls-verify=false",
                                    "docker://" + host + "/app:latest",
                                    "docker-archive:" + directory + "/a.tar"};
  };
  return {{"curl, layers into files", curl},
          {"regfs-pull", pull({})},
          {"regfs-pull --no-cache", pull({"--no-cache"})},
          {"skopeo copy", skopeo}};
}

void check_bytes(Puller& puller, const Digest& wanted) {
  const TempDir directory;
  seconds_of(puller.command(directory.path()));
  if (digest_of_file(directory / "a.tar").digest == wanted) return;
  std::fprintf(stderr, "the bytes of %s are wrong\n", puller.name.c_str());
  std::exit(1);
}

void run_benchmark(int rounds) {
  FakeRegistry registry;
  const SampleImage image = unpackable_image();
  registry.push("app", "latest", image);
  std::vector<Puller> all = pullers(registry.host(), image);
  const Digest wanted = ArchiveModel(image, registry.host(), "app", "latest").digest();
  for (Puller& puller : all) {
    if (puller.name.starts_with("regfs-pull")) check_bytes(puller, wanted);
  }
  for (int round = 0; round < rounds; ++round) {
    for (Puller& puller : all) {
      const TempDir directory;
      puller.seconds.push_back(seconds_of(puller.command(directory.path())));
    }
  }
  const double curl = median(all.front().seconds);
  for (const Puller& puller : all) {
    std::printf("%-24s %7.2f s   %.2f times curl (%d rounds, medians)\n", puller.name.c_str(), median(puller.seconds),
                median(puller.seconds) / curl, rounds);
  }
}

}  // namespace
}  // namespace regfs::test

int main(int argc, char** argv) {
  regfs::test::run_benchmark(argc > 1 ? std::max(1, std::atoi(argv[1])) : 5);
}
