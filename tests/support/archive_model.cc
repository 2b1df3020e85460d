// SPDX-License-Identifier: MIT
#include "tests/support/archive_model.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/check.h"
#include "base/sha256.h"
#include "tests/support/ustar.h"

namespace regfs::test {
namespace {

std::string blob_name(const Digest& digest) {
  return "blobs/sha256/" + digest.hex();
}
std::string quoted(const std::string& text) {
  return '"' + text + '"';
}  // no test's name needs escapes

std::string platform_json(const SamplePlatform& platform) {
  std::string json = R"({"architecture":)" + quoted(platform.architecture) + R"(,"os":)" + quoted(platform.os);
  if (!platform.variant.empty()) json += R"(,"variant":)" + quoted(platform.variant);
  return json + "}";
}

std::string index_json(const SampleImage& image, const std::optional<ArchiveNames>& names) {
  std::string json = R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[)";
  json += R"({"mediaType":)" + quoted(image.media_type) + R"(,"digest":)" + quoted(image.digest.str());
  json += R"(,"size":)" + std::to_string(image.manifest.size()) + R"(,"platform":)" + platform_json(image.platform);
  if (names) {
    json += R"(,"annotations":{"io.containerd.image.name":)" + quoted(names->full);
    json += R"(,"org.opencontainers.image.ref.name":)" + quoted(names->tag) + "}";
  }
  return json + "}]}";
}

std::string docker_json(const SampleImage& image, const std::optional<ArchiveNames>& names) {
  std::string layers;
  for (const SampleLayer& layer : image.layers) {
    layers += (layers.empty() ? "" : ",") + quoted(blob_name(layer.digest));
  }
  return R"([{"Config":)" + quoted(blob_name(image.config_digest)) + R"(,"Layers":[)" + layers + R"(],"RepoTags":[)" +
         (names ? quoted(names->familiar) : "") + "]}]";
}

}  // namespace

ArchiveModel::ArchiveModel(const SampleImage& image, const std::optional<ArchiveNames>& names) {
  add("oci-layout", kept_bytes(R"({"imageLayoutVersion":"1.0.0"})"));
  add("index.json", kept_bytes(index_json(image, names)));
  add("manifest.json", kept_bytes(docker_json(image, names)));
  add("blobs/", kept_bytes(""));
  add("blobs/sha256/", kept_bytes(""));
  add(blob_name(image.digest), kept_bytes(image.manifest));
  add(blob_name(image.config_digest), kept_bytes(image.config));
  std::set<Digest> seen;
  for (const SampleLayer& layer : image.layers) {
    if (seen.insert(layer.digest).second) add(blob_name(layer.digest), layer.content);
  }
  size_bytes_ += 2 * kTarBlockBytes;
}

ArchiveModel::ArchiveModel(const SampleImage& image, const std::string& host, const std::string& repository,
                           const std::string& tag)
    : ArchiveModel(image, ArchiveNames{host + "/" + repository + ":" + tag, host + "/" + repository + ":" + tag, tag}) {
}

const ArchiveModel::Member& ArchiveModel::member(std::string_view name) const {
  const auto found =
      std::find_if(members_.begin(), members_.end(), [name](const Member& member) { return member.name == name; });
  REGFS_CHECK(found != members_.end(), "a test asks for a member that the archive does not have");
  return *found;
}

const ArchiveModel::Member& ArchiveModel::member(const SampleLayer& layer) const {
  return member(blob_name(layer.digest));
}

std::string ArchiveModel::read(uint64_t offset, uint64_t length) const {
  const uint64_t begin = std::min(offset, size_bytes_);
  const uint64_t end = begin + std::min(length, size_bytes_ - begin);
  std::string out(static_cast<size_t>(end - begin), '\0');
  // The part of [at, at + size) that lies in [begin, end), as a place in `out` and an offset in the part.
  const auto clipped = [&](uint64_t at, uint64_t size, auto&& fill) {
    const uint64_t from = std::max(at, begin);
    const uint64_t to = std::min(at + size, end);
    if (from < to)
      fill(std::span(out).subspan(static_cast<size_t>(from - begin), static_cast<size_t>(to - from)), from - at);
  };
  for (const Member& member : members_) {
    const std::string header = ustar_header(member.name, member.content->size_bytes());
    clipped(member.header_offset, header.size(), [&](std::span<char> place, uint64_t inside) {
      std::copy_n(header.begin() + static_cast<ptrdiff_t>(inside), place.size(), place.begin());
    });
    clipped(member.offset, member.content->size_bytes(), [&](std::span<char> place, uint64_t inside) {
      member.content->read(inside, std::as_writable_bytes(place));
    });
  }
  return out;
}

Digest ArchiveModel::digest() const {
  constexpr uint64_t kPieceBytes = 1 << 20;
  Sha256 hasher;
  for (uint64_t at = 0; at < size_bytes_; at += kPieceBytes) hasher.update(read(at, kPieceBytes));
  return hasher.finish();
}

void ArchiveModel::add(const std::string& name, ContentPtr content) {
  const uint64_t offset = size_bytes_ + kTarBlockBytes;
  size_bytes_ = offset + padded_to_block(content->size_bytes());
  members_.push_back({name, offset - kTarBlockBytes, offset, std::move(content)});
}

}  // namespace regfs::test
