#!/bin/bash
# SPDX-License-Identifier: MIT
# skopeo reads the archive in both of its forms. As an OCI archive it keeps the registry's manifest, digest
# and all; as a Docker archive it keeps the config, and so the image ID.
source "$(dirname "$0")/common.sh"
need docker-registry skopeo curl
need_fuse
start_registry
push_sample 1.0
# skopeo ends a path at the first ':', so the registry must not be part of it.
mount_regfs "$registry"

copy() { skopeo --insecure-policy copy --quiet "$1" "dir:$2"; }
digest_of() { echo "sha256:$(sha256sum "$1" | cut -d' ' -f1)"; }

while read -r platform manifest config; do
  archive=$work/mnt/demo/hello/1.0/$platform.tar
  copy "oci-archive:$archive" "$work/oci-$platform"
  found=$(digest_of "$work/oci-$platform/manifest.json")
  [ "$found" = "$manifest" ] || fail "$platform: oci-archive gives manifest $found, the registry has $manifest"

  copy "docker-archive:$archive" "$work/docker-$platform"
  [ -f "$work/docker-$platform/${config#sha256:}" ] || fail "$platform: docker-archive lost the config $config"
done < "$work/platforms"

unmount_regfs
