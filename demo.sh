#!/bin/bash
# SPDX-License-Identifier: MIT
# From nothing to an image in Docker, on a bare Debian 12: installs what is missing, builds regfs, starts a
# private registry with a small multi-platform image, mounts it, and loads an archive from the mount into a
# private Docker (or, where none can run, reads it with skopeo). Each command is shown as it is run.
# Ends what it started, however it ends; only the packages and the build directory stay.
cd "$(dirname "$0")"
root=$PWD
source tests/real/common.sh

say() { printf '\n# %s\n' "$*"; }
show() { printf '$ %s\n' "${1//$work/\$work}"; }
# run 'COMMAND': shows a line of shell, then runs it. The private directory is shown as $work.
run() {
  show "$1"
  eval "$1"
}

say 'Install what is missing, and build.'
run 'scripts/install-dependencies.sh --tests'
run 'cmake --preset release > "$work/configure.log"' || { cat "$work/configure.log"; exit 1; }
run 'cmake --build --preset release --target regfs'
PATH=$root/build/release/tools:$PATH
need_fuse

say 'A registry of our own on loopback, with an image for three platforms (and an attestation).'
show 'docker-registry serve registry.yml &'
start_registry
run "scripts/sample-image.sh http://$registry demo/hello 1.0 latest | tee $work/platforms"

repository=$work/mnt/demo/hello
archive=$repository/1.0/linux-amd64.tar

mount_and_show() {
  mkdir -p "$work/mnt"
  run "regfs --cache-dir $work/cache --log-file $work/regfs.log $registry $work/mnt"
}

look() {
  run "ls $repository"
  run "ls -l $repository/1.0"
  run "tar tf $archive"
}

# load: gives the archive to Docker or skopeo, and tells how long that took.
load() {
  local start
  start=$(date +%s%N)
  if [ $engine = docker ]; then
    run "docker load < $archive"
  else
    rm -rf "$work/copy"
    run "skopeo --insecure-policy copy --quiet oci-archive:$archive dir:$work/copy"
  fi
  seconds=$(awk "BEGIN { printf \"%.2f\", ($(date +%s%N) - $start) / 1e9 }")
}

# What the registry was asked for, by its own access log: REQUESTS BYTES, of blobs.
blobs_sent() { awk '$6 == "\"GET" && $7 ~ "/blobs/" { ++n; bytes += $10 } END { print n + 0, bytes + 0 }' "$work/registry.log"; }

engine=docker
say 'A private Docker engine, that knows no image yet.'
show 'dockerd --data-root … -H unix://…/sock &'
if start_dockerd; then
  run 'docker images'
else
  engine=skopeo
  say 'No Docker engine can run here (it needs root and control groups); skopeo takes its place.'
fi

say 'The first run: nothing is cached. Names cost no layer byte; the layers are fetched as they are read.'
mount_and_show
look
load
first_seconds=$seconds
if [ $engine = docker ]; then
  run 'docker images'
  id=$(docker image inspect --format '{{.Id}}' "$registry/demo/hello:1.0")
  config=$(awk '$1 == "linux-amd64" { print $3 }' "$work/platforms")
  [ "$id" = "$config" ] || fail "the image ID $id is not the registry's config $config"
  echo "The image ID is the digest of the config in the registry: $id"
  run "docker image rm $registry/demo/hello:1.0 > /dev/null"
fi
run "sha256sum < $archive | tee $work/first"
run "fusermount3 -u $work/mnt"
wait_until 10 no_process_of "$work/cache"
read -r requests bytes < <(blobs_sent)
[ "$requests" -gt 0 ] || fail "the first run asked the registry for nothing"

say 'The second run: a new mount with the same cache.'
mount_and_show
load
run "sha256sum < $archive | cmp - $work/first && echo the same bytes"
run "fusermount3 -u $work/mnt"
[ "$(blobs_sent)" = "$requests $bytes" ] || fail "the second run asked the registry for blobs"

say 'Done.'
echo "first run:  $requests requests for blobs, $bytes bytes; loaded in $first_seconds s"
echo "second run: no request for a blob, every byte came from the cache; loaded in $seconds s"
