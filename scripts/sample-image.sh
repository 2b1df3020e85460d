#!/bin/bash
# SPDX-License-Identifier: MIT
# Builds a small multi-platform image out of nothing and pushes it to a registry.
#
#   scripts/sample-image.sh URL REPOSITORY TAG...
#   scripts/sample-image.sh http://127.0.0.1:5000 demo/hello 1.0 latest
#
# The image is an OCI index: linux/amd64, linux/arm64, linux/arm/v7, and an attestation entry, which
# is no platform. Layers are real tar.gz files with the same bytes on every run; one of them is over
# 1 MiB and shared. Needs bash, awk, coreutils, tar, gzip and curl; no network but the registry.
# Standard output has one line per platform: NAME MANIFEST-DIGEST CONFIG-DIGEST.
set -euo pipefail

if [ $# -lt 3 ]; then
  echo "usage: $0 URL REPOSITORY TAG..." >&2
  exit 2
fi
url=${1%/} repository=$2
shift 2
tags=("$@")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/blobs"

created=2024-05-01T12:00:00Z
media=application/vnd.oci.image

digest_of() { printf 'sha256:%s' "$(sha256sum "$1" | cut -d' ' -f1)"; }

# descriptor MEDIA-TYPE FILE: files the blob and prints its descriptor, without the closing brace.
descriptor() {
  local digest
  digest=$(digest_of "$2")
  printf '{"mediaType":"%s","digest":"%s","size":%d' "$1" "$digest" "$(stat -c %s "$2")"
  cp "$2" "$work/blobs/${digest#sha256:}"
}

# layer NAME: packs $work/NAME/ into NAME.tar and NAME.tar.gz.
layer() {
  tar --format=ustar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX \
      -C "$work/$1" -cf "$work/$1.tar" .
  gzip -n -9 -c "$work/$1.tar" > "$work/$1.tar.gz"
}

# image NAME ARCHITECTURE VARIANT LAYER...: prints the image's entry in the index.
image() {
  local name=$1 architecture=$2 variant=$3 diff_ids='' layers='' platform
  shift 3
  platform="\"architecture\":\"$architecture\",\"os\":\"linux\"${variant:+,\"variant\":\"$variant\"}"
  local part
  for part in "$@"; do
    diff_ids+="${diff_ids:+,}\"$(digest_of "$work/$part.tar")\""
    layers+="${layers:+,}$(descriptor $media.layer.v1.tar+gzip "$work/$part.tar.gz")}"
  done
  printf '{%s,"created":"%s","config":{"Cmd":["/hello"],"Env":["PATH=/bin"]},"rootfs":{"type":"layers","diff_ids":[%s]}}' \
      "$platform" $created "$diff_ids" > "$work/$name.config"
  printf '{"schemaVersion":2,"mediaType":"%s","config":%s},"layers":[%s]}' \
      $media.manifest.v1+json "$(descriptor $media.config.v1+json "$work/$name.config")" "$layers" > "$work/$name.manifest"
  printf '%s,"platform":{%s}}' "$(descriptor $media.manifest.v1+json "$work/$name.manifest")" "$platform"
}

# attestation NAME: prints the index entry of a statement about image NAME.
attestation() {
  local subject
  subject=$(digest_of "$work/$1.manifest")
  printf '{"_type":"https://in-toto.io/Statement/v0.1","subject":[{"digest":{"sha256":"%s"}}],"predicate":{}}' \
      "${subject#sha256:}" > "$work/statement"
  printf '{"architecture":"unknown","os":"unknown","config":{},"rootfs":{"type":"layers","diff_ids":["%s"]}}' \
      "$(digest_of "$work/statement")" > "$work/statement.config"
  printf '{"schemaVersion":2,"mediaType":"%s","config":%s},"layers":[%s}]}' $media.manifest.v1+json \
      "$(descriptor $media.config.v1+json "$work/statement.config")" \
      "$(descriptor application/vnd.in-toto+json "$work/statement")" > "$work/statement.manifest"
  printf '%s,"platform":{"architecture":"unknown","os":"unknown"},"annotations":{%s,%s}}' \
      "$(descriptor $media.manifest.v1+json "$work/statement.manifest")" \
      '"vnd.docker.reference.type":"attestation-manifest"' "\"vnd.docker.reference.digest\":\"$subject\""
}

fill_layers() {
  local architecture
  for architecture in amd64 arm64 arm; do
    mkdir -p "$work/base-$architecture/etc" "$work/base-$architecture/bin"
    printf 'NAME="regfs sample"\nARCHITECTURE=%s\n' $architecture > "$work/base-$architecture/etc/os-release"
    mkdir -p "$work/app-$architecture"
    printf '#!/bin/sh\necho "hello from linux/%s"\n' $architecture > "$work/app-$architecture/hello"
    chmod 755 "$work/app-$architecture/hello"
    layer base-$architecture
    layer app-$architecture
  done
  # Numbers without a pattern (Lehmer's generator), so that the layer stays large when it is packed.
  mkdir -p "$work/data/usr/share/sample"
  awk 'BEGIN { for (x = i = 1; i <= 400000; ++i) { x = x * 16807 % 2147483647; printf "%08x\n", x } }' \
      > "$work/data/usr/share/sample/numbers"
  layer data
}

push_blob() {
  local digest=sha256:$(basename "$1") location
  curl -fsSI -o /dev/null "$url/v2/$repository/blobs/$digest" 2> /dev/null && return
  location=$(curl -fsS -X POST -D - -o /dev/null "$url/v2/$repository/blobs/uploads/" |
      tr -d '\r' | sed -n 's/^[Ll]ocation: //p')
  case $location in
    '') echo "$0: $url gave no place to upload to" >&2; return 1 ;;
    /*) location=$url$location ;;
  esac
  case $location in
    *\?*) location+="&digest=$digest" ;;
    *) location+="?digest=$digest" ;;
  esac
  curl -fsS -X PUT -H 'Content-Type: application/octet-stream' --data-binary "@$1" -o /dev/null "$location"
}

# push_manifest FILE NAME MEDIA-TYPE
push_manifest() {
  curl -fsS -X PUT -H "Content-Type: $3" --data-binary "@$1" -o /dev/null "$url/v2/$repository/manifests/$2"
}

fill_layers
entries="$(image linux-amd64 amd64 '' base-amd64 data app-amd64)"
entries+=",$(image linux-arm64 arm64 '' base-arm64 data app-arm64)"
entries+=",$(image linux-arm-v7 arm v7 base-arm app-arm)"
entries+=",$(attestation linux-amd64)"
printf '{"schemaVersion":2,"mediaType":"%s","manifests":[%s]}' $media.index.v1+json "$entries" > "$work/index"

for blob in "$work"/blobs/*; do push_blob "$blob"; done
for manifest in "$work"/*.manifest; do
  push_manifest "$manifest" "$(digest_of "$manifest")" $media.manifest.v1+json
done
for tag in "${tags[@]}"; do push_manifest "$work/index" "$tag" $media.index.v1+json; done

for name in linux-amd64 linux-arm64 linux-arm-v7; do
  echo "$name $(digest_of "$work/$name.manifest") $(digest_of "$work/$name.config")"
done
