// SPDX-License-Identifier: MIT
// An image as one deterministic tar that every loader takes: an OCI image layout and the archive of
// `docker save` at once, over the same blobs.
//
// In this order: oci-layout, index.json, manifest.json, blobs/, blobs/sha256/, then under blobs/sha256/
// the manifest, the config, and each layer, base first. Every blob is verbatim what the registry
// stores and appears once, however often the image names it. The bytes follow from the ResolvedImage
// alone, so any two machines make the same archive. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "fs/resolved_image.h"
#include "fs/tar_layout.h"
#include "registry/manifest.h"

namespace regfs::fs {

struct ImageArchive {
  TarLayout layout;
  // The layers that are members of their own, base first; the index is TarLayout's blob number. Of
  // descriptors with one digest, the first. A layer that is also the config or the manifest is not here.
  std::vector<registry::Descriptor> blobs;
};

// Needs an image whose layer sizes sum up to a signed 64-bit archive size, as the manifest parser grants.
ImageArchive image_archive(const ResolvedImage& image);

// The three small documents, compact, without a final newline. A string from the wire that is no UTF-8
// has U+FFFD in place of its bad bytes.
std::string oci_layout_json();
std::string index_json(const ResolvedImage& image);            // one descriptor; names unless addressed by digest
std::string docker_manifest_json(const ResolvedImage& image);  // what docker load reads

}  // namespace regfs::fs
