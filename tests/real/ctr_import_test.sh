#!/bin/bash
# SPDX-License-Identifier: MIT
# From a real registry through the mount into a real containerd: every platform imports, under its full name, as the
# manifest that the registry stores, and no blob of it is missing.
source "$(dirname "$0")/common.sh"
need docker-registry ctr containerd curl
need_fuse
[ "$(id -u)" = 0 ] || skip "containerd needs root"
start_containerd || skip "no containerd can run here: $(tail -n 1 "$work/containerd.log")"
start_registry
push_sample 1.0 latest
mount_regfs

image=$registry/demo/hello
while read -r platform manifest config; do
  ctr_here images import --no-unpack --all-platforms "$work/mnt/$image/1.0/$platform.tar"
  imported=$(ctr_here images ls "name==$image:1.0" | awk -v name="$image:1.0" '$1 == name { print $3 }')
  [ "$imported" = "$manifest" ] || fail "$platform: imported as $imported, the registry has $manifest"
  ctr_here content get "$config" | sha256sum | grep -q "^${config#sha256:} " || fail "$platform: the config differs"
  ctr_here images check "name==$image:1.0" | grep -q ' complete ' || fail "$platform: blobs are missing"
  ctr_here images rm --sync "$image:1.0" > /dev/null
done < "$work/platforms"

unmount_regfs
