#!/bin/bash
# SPDX-License-Identifier: MIT
# What users of docker_pull.py type, with regfs-pull in its place, against a real registry; then every archive is
# given to those who load it. A loader that is not installed is left out aloud.
source "$(dirname "$0")/common.sh"
need docker-registry curl skopeo tar

case $(uname -m) in
  x86_64) machine=linux-amd64 ;;
  aarch64) machine=linux-arm64 ;;
  *) skip "the sample image is not for this machine" ;;
esac

start_registry
push_sample latest 1.0
# ann with the password s3cret, as htpasswd -B writes it.
start_private_registry 'ann:$2b$05$pYDfIJRDIGrfSZjdLulhdOs1uinBaWr/aviOPy9BAYXYtdA7HCa4y'
image=$registry/demo/hello

mkdir "$work/here"
cd "$work/here"
export HOME=$work

# regfs-pull ...: what a user types, but with a private cache; what it says stays in $work/said.
regfs-pull() {
  "${REGFS_PULL:-regfs-pull}" --cache-dir "$work/cache" "$@" 2> "$work/said" || fail "regfs-pull $*: $(cat "$work/said")"
}
said() { grep -qF -- "$1" "$work/said" || fail "it did not say '$1' but: $(cat "$work/said")"; }

# archive REFERENCE PLATFORM-NAME: the file's name.
archive() { echo "$(tr /: __ <<< "$1")_$2.tar"; }
# fact PLATFORM-NAME 2|3: the manifest's or the config's digest.
fact() { awk -v name="$1" -v field="$2" '$1 == name {print $field}' "$work/platforms"; }
tags_in() { tar -xOf "$1" manifest.json; }

# --- an image ---
regfs-pull "$image:latest"
latest=$(archive "$image:latest" $machine)
[ -s "$latest" ] || fail "no $latest but $(ls)"
said 'from the cache, 0 B saved'
said "docker load -i $latest"

# --- for another platform ---
regfs-pull --platform linux/arm64 "$image:1.0"
arm64=$(archive "$image:1.0" linux-arm64)
[ -s "$arm64" ] || fail "no $arm64 but $(ls)"

# --- with a number of downloads at once ---
regfs-pull --max-concurrent-downloads 5 "$image:1.0"
tags_in "$(archive "$image:1.0" $machine)" | grep -qF "\"$image:1.0\"" || fail "the tag is not $image:1.0"

# --- without a cache, and with one elsewhere ---
regfs-pull --no-cache -o fresh.tar "$image:latest"
said 'layers 0 of'
cmp fresh.tar "$latest"
regfs-pull --cache-dir "$work/elsewhere" -o fresh.tar "$image:latest"
said 'layers 0 of'
cmp fresh.tar "$latest"
regfs-pull --cache-dir "$work/elsewhere" -o fresh.tar "$image:latest"
if grep -q 'layers 0 of' "$work/said"; then fail "the cache in another directory is not used"; fi
cmp fresh.tar "$latest"

# --- as a stream ---
regfs-pull -o - "$image:latest" > stream.tar
cmp stream.tar "$latest"

# --- from a private registry, with name and password ---
regfs-pull "$private/demo/hello:1.0" --username ann --password s3cret
said '--password-stdin'
regfs-pull "$private/demo/hello:latest" --username ann --password-stdin <<< s3cret
export REGISTRY_USER=ann REGISTRY_PASS=s3cret
regfs-pull -o env.tar "$private/demo/hello:1.0" --username $REGISTRY_USER --password $REGISTRY_PASS
cmp env.tar "$(archive "$private/demo/hello:1.0" $machine)"
tags_in env.tar | grep -qF "\"$private/demo/hello:1.0\"" || fail "the tag lacks the private registry"
for login in '' '--username ann --password wrong'; do
  status=0
  "${REGFS_PULL:-regfs-pull}" --no-cache $login -o denied.tar "$private/demo/hello:1.0" 2> "$work/said" || status=$?
  [ $status = 77 ] || fail "exit code $status with '$login': $(cat "$work/said")"
  said "$private/demo/hello:1.0"
done

# --- for many platforms from a private registry ---
for platform in linux/amd64 linux/arm64 linux/arm/v7; do
  regfs-pull "$private/demo/hello:1.0" --platform $platform --username ann --password s3cret
  [ -s "$(archive "$private/demo/hello:1.0" "${platform//\//-}")" ] || fail "no archive for $platform but $(ls)"
done

# --- by digest ---
manifest=$(fact $machine 2)
regfs-pull -o digest.tar "$image@$manifest"
if tags_in digest.tar | grep -qF demo/hello; then fail "an image by digest has a tag: $(tags_in digest.tar)"; fi

# --- for a platform that is none, and one that does not exist ---
status=0
"${REGFS_PULL:-regfs-pull}" --cache-dir "$work/cache" "$image:1.0" --platform invalid 2> "$work/said" || status=$?
[ $status = 64 ] || fail "exit code $status for a platform that is none"
status=0
"${REGFS_PULL:-regfs-pull}" --cache-dir "$work/cache" "$image:1.0" --platform linux/s390x 2> "$work/said" || status=$?
[ $status = 66 ] || fail "exit code $status for a platform that does not exist"
for platform in linux/amd64 linux/arm64 linux/arm/v7; do said $platform; done

# --- skopeo takes it, in both of its forms ---
ln "$latest" latest.tar  # skopeo ends a path at the first ':'
skopeo --insecure-policy copy --quiet oci-archive:latest.tar "dir:$work/oci"
[ "sha256:$(sha256sum < "$work/oci/manifest.json" | cut -d' ' -f1)" = "$manifest" ] || fail "oci-archive: another manifest"
skopeo --insecure-policy copy --quiet docker-archive:latest.tar "dir:$work/docker-archive"
config=$(fact $machine 3)
[ -f "$work/docker-archive/${config#sha256:}" ] || fail "docker-archive lost the config $config"

# --- docker load takes it ---
if command -v docker dockerd > /dev/null && start_dockerd; then
  docker load -i "$latest"
  [ "$(docker image inspect --format '{{.Id}}' "$image:latest")" = "$config" ] || fail "docker: another image ID"
  docker image rm "$image:latest" > /dev/null
  docker load < digest.tar
  [ "$(docker image inspect --format '{{len .RepoTags}}' "$config")" = 0 ] || fail "docker: a tag for a digest"
  docker load < "$arm64"
  [ "$(docker image inspect --format '{{.Architecture}}' "$image:1.0")" = arm64 ] || fail "docker: another architecture"
else
  echo "left out: docker load; no Docker engine can run here"
fi

# --- podman load takes it ---
podman() { command podman --root "$work/podman" --runroot "$work/podman-run" --storage-driver vfs "$@"; }
if command -v podman > /dev/null && podman info > /dev/null 2>&1; then
  podman load -i "$latest"
  [ "sha256:$(podman image inspect --format '{{.Id}}' "$image:latest")" = "$config" ] || fail "podman: another image ID"
  podman image rm "$image:latest" > /dev/null
  podman load -i digest.tar
  podman image inspect "${config#sha256:}" > /dev/null || fail "podman lost the image by digest"
  [ "$(podman image inspect --format '{{len .RepoTags}}' "${config#sha256:}")" = 0 ] || fail "podman: a tag for a digest"
else
  echo "left out: podman load; no podman can run here"
fi
