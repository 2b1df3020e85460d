#!/bin/bash
# SPDX-License-Identifier: MIT
# From a real registry through the mount into a real podman with a store of its own: every platform loads, under its
# name, and the image ID is the digest of the config that the registry stores. It is given the archive as its input,
# since a path with a colon in it is something else to podman.
source "$(dirname "$0")/common.sh"
need docker-registry podman curl
need_fuse

podman_here() {
  podman --root "$work/podman/root" --runroot "$work/podman/run" --tmpdir "$work/podman/tmp" --storage-driver vfs \
      --cgroup-manager cgroupfs --events-backend none "$@"
}
mkdir "$work/podman"
podman_here info > "$work/podman.log" 2>&1 || skip "no podman can run here: $(tail -n 1 "$work/podman.log")"
# A store may answer and yet be unable to unpack anything.
tar -cf - -T /dev/null | podman_here import - probe > "$work/podman.log" 2>&1 ||
    skip "podman cannot unpack here: $(tail -n 1 "$work/podman.log")"
start_registry
push_sample 1.0 latest
mount_regfs

image=$registry/demo/hello
while read -r platform manifest config; do
  podman_here load < "$work/mnt/$image/1.0/$platform.tar"
  id=$(podman_here image inspect --format '{{.Id}}' "$image:1.0")
  [ "$id" = "${config#sha256:}" ] || fail "$platform: the image ID is $id, the registry's config is $config"
  podman_here image rm "$image:1.0" > /dev/null

  podman_here load < "$work/mnt/$image/$manifest/$platform.tar"
  podman_here image inspect "${config#sha256:}" > /dev/null || fail "$platform did not load by digest"
  podman_here image rm "${config#sha256:}" > /dev/null
done < "$work/platforms"

unmount_regfs
