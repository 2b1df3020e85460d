#!/bin/bash
# SPDX-License-Identifier: MIT
# From a real registry through the mount into a real Docker: every platform loads, under its name, and the
# image ID is the digest of the config that the registry stores.
source "$(dirname "$0")/common.sh"
need docker-registry docker dockerd curl
need_fuse
start_dockerd || skip "no Docker engine can run here: $(tail -n 1 "$work/docker.log" 2> /dev/null || echo 'not root')"
start_registry
push_sample 1.0 latest
mount_regfs

image=$registry/demo/hello
while read -r platform manifest config; do
  docker load < "$work/mnt/$image/1.0/$platform.tar"
  id=$(docker image inspect --format '{{.Id}}' "$image:1.0")
  [ "$id" = "$config" ] || fail "$platform: the image ID is $id, the registry's config is $config"
  docker image rm "$image:1.0" > /dev/null

  docker load < "$work/mnt/$image/$manifest/$platform.tar"
  docker image inspect "$config" > /dev/null || fail "$platform did not load by digest"
done < "$work/platforms"

unmount_regfs
