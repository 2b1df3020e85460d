// SPDX-License-Identifier: MIT
#include "tools/import_plan.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "base/sha256.h"
#include "cache/verifier.h"
#include "registry/manifest.h"
#include "tools/docker_archive.h"

namespace regfs {
namespace {

constexpr int kMostDocuments = 10'000;

using Found = std::optional<ImportFile>;

std::string blob_name(const Digest& digest) {
  return "blobs/sha256/" + digest.hex();
}

bool is_compressed_type(std::string_view media_type) {
  return media_type.ends_with("gzip") || media_type.ends_with("zstd");
}

// By its first bytes: what a registry may have as a layer, and is not a plain tar.
Result<bool> looks_compressed(const ImportFile& file) {
  constexpr std::string_view kMagics[] = {"\x1f\x8b", "\x28\xb5\x2f\xfd"};
  std::array<char, 4> begin{};
  const size_t length = static_cast<size_t>(std::min<uint64_t>(file.size_bytes, begin.size()));
  Result<void> read = file.read(0, std::as_writable_bytes(std::span(begin.data(), length)));
  if (!read) return read.error();
  return std::any_of(std::begin(kMagics), std::end(kMagics),
                     [&](std::string_view magic) { return std::string_view(begin.data(), length).starts_with(magic); });
}

class Planner {
 public:
  Planner(const ImportSource& source, const ImportWatcher& watcher) : source_(source), watcher_(watcher) {}

  Result<ImportPlan> plan() {
    Result<Found> index = source_.find("index.json");
    if (!index) return index.error();
    Result<Found> docker = source_.find("manifest.json");
    if (!docker) return docker.error();
    if (!*index && !*docker) {
      return Error(Errc::malformed, "it is no image: there is neither an index.json nor a manifest.json in it");
    }
    Result<void> read = *index ? read_layout(**index) : read_docker(**docker);
    if (read) read = hash_all();
    if (!read) return read.error();
    return finished();
  }

 private:
  // --- an OCI layout ---

  Result<void> read_layout(const ImportFile& file) {
    Result<std::string> body = file.text(registry::kMaxManifestBytes);
    Result<registry::Document> document =
        body ? registry::parse_document(*body, registry::kOciIndex, registry::kOciIndex) : body.error();
    if (!document) return document.error().while_doing("index.json");
    for (const registry::IndexEntry& entry : std::get<registry::Index>(*document).entries) {
      Result<void> added = add_document(entry, 1);
      if (!added) return added;
    }
    return {};
  }

  // What an index names and the archive lacks is another platform's.
  Result<void> add_document(const registry::IndexEntry& entry, int depth) {
    const Digest& digest = entry.descriptor.digest;
    if (entry.attestation || !seen_.insert(digest).second) return {};
    if (depth > registry::kMaxIndexNesting || ++documents_ > kMostDocuments) {
      return Error(Errc::malformed, "its indexes are nested too deeply");
    }
    Result<Found> file = found(entry.descriptor);
    if (!file || !*file) return file ? Result<void>() : file.error();
    Result<std::string> body = (*file)->text(registry::kMaxManifestBytes);
    if (!body) return body.error().while_doing(blob_name(digest));
    // Its words are believed only if they are its own.
    if (sha256_of(*body) != digest) return wrong_digest(blob_name(digest), sha256_of(*body));
    Result<registry::Document> document =
        registry::parse_document(*body, entry.descriptor.media_type, entry.descriptor.media_type);
    if (!document && document.error().is(Errc::unsupported)) {
      unsupported_ = document.error().context();
      return {};
    }
    if (!document) return document.error().while_doing(blob_name(digest));
    Result<void> added = std::visit([&](const auto& parsed) { return add(entry, parsed, depth); }, *document);
    if (added && !left_out_of_.contains(digest)) documents_last_.push_back({digest, **file, true});
    return added;
  }

  Result<void> add(const registry::IndexEntry&, const registry::Index& index, int depth) {
    for (const registry::IndexEntry& entry : index.entries) {
      Result<void> added = add_document(entry, depth + 1);
      if (!added) return added;
    }
    return {};
  }

  Result<void> add(const registry::IndexEntry& entry, const registry::Manifest& manifest, int) {
    const Digest& digest = entry.descriptor.digest;
    for (const registry::Descriptor& layer : manifest.layers) {
      Result<void> added = add_layer(layer, digest);
      if (!added) return added;
    }
    std::string platform = entry.platform ? entry.platform->str() : std::string();
    Result<Found> config = found(manifest.config);
    if (!config) return config.error();
    if (!*config) return not_there(digest, manifest.config.digest);
    add_blob({manifest.config.digest, **config, true});
    if (platform.empty()) platform = platform_of(**config);
    // A manifest that was made for layers as they never were in a registry is nothing that a pull asks for.
    const bool whole = !left_out_of_.contains(digest);
    plan_.images.push_back({whole ? digest : manifest.config.digest, std::move(platform), whole});
    return {};
  }

  static Error not_there(const Digest& manifest, const Digest& blob) {
    return Error(Errc::missing_content, blob_name(manifest) + " names " + blob_name(blob) + ", which is not there");
  }

  Result<void> add_layer(const registry::Descriptor& layer, const Digest& manifest) {
    Result<Found> file = found(layer);
    if (!file) return file.error();
    // Foreign layers are where their urls say.
    if (!*file && layer.urls.empty()) return not_there(manifest, layer.digest);
    if (!*file) {
      if (seen_.insert(layer.digest).second) plan_.missing.push_back(layer.digest);
      return {};
    }
    Result<bool> compressed = is_compressed_type(layer.media_type) ? Result<bool>(true) : looks_compressed(**file);
    if (!compressed) return compressed.error();
    if (*compressed) {
      add_blob({layer.digest, **file, false});
      return {};
    }
    left_out_of_.insert(manifest);
    if (seen_.insert(layer.digest).second) plan_.uncompressed.push_back(blob_name(layer.digest));
    return {};
  }

  Result<Found> found(const registry::Descriptor& descriptor) const {
    const std::string name = blob_name(descriptor.digest);
    Result<Found> file = source_.find(name);
    if (!file || !*file || (*file)->size_bytes == descriptor.size_bytes) return file;
    return Error(Errc::wrong_length, name + " has " + std::to_string((*file)->size_bytes) + " bytes, not " +
                                         std::to_string(descriptor.size_bytes) + " as its descriptor says");
  }

  // --- docker save ---

  Result<void> read_docker(const ImportFile& file) {
    Result<std::string> body = file.text(kMaxDockerManifestBytes);
    Result<std::vector<DockerImage>> images = body ? parse_docker_manifest(*body) : body.error();
    if (!images) return images.error().while_doing("manifest.json");
    for (const DockerImage& image : *images) {
      Result<ImportFile> config = named(image.config);
      if (!config) return config.error();
      Result<std::string> bytes = config->text(registry::kMaxConfigBytes);
      if (!bytes) return bytes.error().while_doing(image.config);
      const Digest digest = sha256_of(*bytes);
      for (const std::string& layer : image.layers) {
        Result<void> added = add_named_layer(layer);
        if (!added) return added;
      }
      add_blob({digest, *config, true});
      plan_.images.push_back({digest, platform_of(*config), false});
    }
    return {};
  }

  Result<ImportFile> named(const std::string& name) const {
    Result<Found> file = source_.find(name);
    if (!file) return file.error();
    if (!*file) return Error(Errc::malformed, "manifest.json names '" + name + "', which is not there");
    return **file;
  }

  Result<void> add_named_layer(const std::string& name) {
    if (!named_layers_.insert(name).second) return {};
    Result<ImportFile> file = named(name);
    if (!file) return file.error();
    Result<bool> compressed = looks_compressed(*file);
    if (!compressed) return compressed.error();
    if (!*compressed) {
      plan_.uncompressed.push_back(name);
      return {};
    }
    nameless_.push_back(*std::move(file));
    return {};
  }

  // --- both ---

  static std::string platform_of(const ImportFile& config) {
    Result<std::string> bytes = config.text(registry::kMaxConfigBytes);
    if (!bytes) return {};
    Result<registry::ImageConfig> parsed = registry::parse_image_config(*bytes);
    return parsed ? parsed->platform.str() : std::string();
  }

  void add_blob(ImportPlan::Blob blob) {
    if (blobs_.insert(blob.digest).second) plan_.blobs.push_back(std::move(blob));
  }

  static Error wrong_digest(const std::string& name, const Digest& is) {
    return Error(Errc::digest_mismatch, name + " is damaged: its bytes hash to " + is.str());
  }

  Result<void> hash_all() {
    uint64_t whole = plan_.bytes();
    for (const ImportFile& file : nameless_) whole += file.size_bytes;
    watcher_.whole(whole);
    for (const ImportPlan::Blob& blob : plan_.blobs) {
      Result<Digest> digest = hash(blob.file);
      if (!digest) return digest.error();
      if (*digest != blob.digest) return wrong_digest(blob_name(blob.digest), *digest);
    }
    for (const ImportFile& file : nameless_) {
      Result<Digest> digest = hash(file);
      if (!digest) return digest.error();
      add_blob({*digest, file, false});
    }
    return {};
  }

  Result<Digest> hash(const ImportFile& file) const {
    return cache::digest_of(*file.file, file.offset, file.offset + file.size_bytes, watcher_.hashed);
  }

  Result<ImportPlan> finished() {
    for (ImportPlan::Blob& document : documents_last_) add_blob(std::move(document));
    std::stable_partition(plan_.blobs.begin(), plan_.blobs.end(), [](const auto& blob) { return !blob.document; });
    if (!plan_.images.empty()) return std::move(plan_);
    if (!unsupported_.empty()) return Error(Errc::unsupported, unsupported_);
    return Error(Errc::malformed, "there is no image in it");
  }

  const ImportSource& source_;
  const ImportWatcher& watcher_;
  ImportPlan plan_;
  std::vector<ImportPlan::Blob> documents_last_;
  std::vector<ImportFile> nameless_;  // compressed layers whose digest is not known yet
  std::set<Digest> seen_;             // of documents, and of layers that are left out
  std::set<Digest> blobs_;
  std::set<Digest> left_out_of_;  // manifests with a layer that is left out
  std::set<std::string> named_layers_;
  std::string unsupported_;
  int documents_ = 0;
};

}  // namespace

uint64_t ImportPlan::bytes() const {
  uint64_t sum = 0;
  for (const Blob& blob : blobs) sum += blob.file.size_bytes;
  return sum;
}

uint64_t ImportPlan::layers() const {
  return static_cast<uint64_t>(
      std::count_if(blobs.begin(), blobs.end(), [](const Blob& one) { return !one.document; }));
}

Result<ImportPlan> plan_import(const ImportSource& source, const ImportWatcher& watcher) {
  return Planner(source, watcher).plan();
}

}  // namespace regfs
