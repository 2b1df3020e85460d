#!/bin/bash
# SPDX-License-Identifier: MIT
# Every test, on what users get: installs what is missing, builds the release preset, and runs ctest. Tests that
# cannot run here say why and are listed as skipped. Arguments go to ctest (./test.sh -L unit).
# They run side by side, but for those with real programs and those that measure, which run alone.
# Leaves no process and no mount behind, however it ends.
set -euo pipefail
cd "$(dirname "$0")"

scratch=$(mktemp -d "${TMPDIR:-/tmp}/regfs-test-XXXXXX")
chmod 711 "$scratch"  # tests that run regfs as another user pass through it
tests=

# Every test inherits $TMPDIR and makes its private directories below it: what is mounted there, or was
# started with it, is a test's.
cleanup() {
  local status=$? mount type directory
  trap - EXIT HUP INT TERM
  set +e
  [ -z "$tests" ] || kill -TERM -- "-$tests" 2> /dev/null
  while read -r _ mount type _; do
    case $mount:$type in
      "$scratch"/*:fuse*) fusermount3 -u -z "$mount" || umount -l "$mount" ;;
      "$scratch"/*) umount -l "$mount" ;;
    esac
  done < /proc/self/mounts 2> /dev/null
  for directory in /proc/[0-9]*; do
    if tr '\0' '\n' < "$directory/environ" | grep -qxF "TMPDIR=$scratch"; then kill -KILL "${directory#/proc/}"; fi
  done 2> /dev/null
  rm -rf --one-file-system "$scratch"
  exit $status
}
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

run() {
  echo "\$ $*"
  "$@"
}

run scripts/install-dependencies.sh --tests
preset=${REGFS_PRESET:-release}
run cmake --preset "$preset"
run cmake --build --preset "$preset"

# A process group of its own, in the background, so that a signal ends all of it at once.
echo "\$ ctest --preset $preset $*"
set -m
TMPDIR=$scratch ctest --preset "$preset" --parallel "$(nproc)" --output-log "$scratch/log" "$@" < /dev/null &
tests=$!
set +m
status=0
wait $tests || status=$?
tests=

echo
if [ $status -eq 0 ]; then
  echo "test.sh: passed: $(grep -a 'tests passed' "$scratch/log")"
else
  echo "test.sh: FAILED: $(grep -a 'tests passed' "$scratch/log" || echo 'ctest did not finish')" >&2
fi
exit $status
