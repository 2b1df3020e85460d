#!/bin/bash
# SPDX-License-Identifier: MIT
# Installs the Debian packages that building and running regfs needs, those that are missing only.
#
#   scripts/install-dependencies.sh           to build and run
#   scripts/install-dependencies.sh --tests   also what the tests and ./demo.sh use
#
# README.md says what each package is for. Safe to run again: with nothing missing it does nothing.
set -euo pipefail

packages=(
  ca-certificates cmake fuse3 g++ libcli11-dev libcurl4-openssl-dev libfuse3-dev libssl-dev
  ninja-build nlohmann-json3-dev pkg-config
)
test_packages=(
  containerd curl docker.io docker-registry iproute2 libgtest-dev mandoc podman skopeo tar
)

case ${1-} in
  '') ;;
  --tests) packages+=("${test_packages[@]}") ;;
  *)
    echo "usage: $0 [--tests]" >&2
    exit 2
    ;;
esac

is_installed() { dpkg-query --show --showformat='${db:Status-Status}\n' "$1" 2> /dev/null | grep -qx installed; }

missing=()
for package in "${packages[@]}"; do
  is_installed "$package" || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  echo "every package is installed: ${packages[*]}"
  exit 0
fi

run() {
  echo "\$ $*"
  "$@"
}
as_root=()
if [ "$(id -u)" != 0 ]; then
  command -v sudo > /dev/null || {
    echo "$0: run it as root, or install: ${missing[*]}" >&2
    exit 1
  }
  as_root=(sudo)
fi
# Package servers have bad moments; a broken connection is tried again.
options=(-o Acquire::Retries=5)
run "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get "${options[@]}" -qq update
run "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get "${options[@]}" -qq -y --no-install-recommends install "${missing[@]}"
