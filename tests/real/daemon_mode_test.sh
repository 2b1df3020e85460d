#!/bin/bash
# SPDX-License-Identifier: MIT
# The parent returns when the mount answers, with an exit code that means it; the daemon logs to its file and
# leaves nothing behind. What cannot be mounted is one sentence and a non-zero exit code.
source "$(dirname "$0")/common.sh"
need docker-registry curl
need_fuse
start_registry
push_sample 1.0
mnt=$work/mnt

# expect_failure CODE WORDS ARGUMENT...
expect_failure() {
  local expected=$1 words=$2 status=0
  shift 2
  "$REGFS" --cache-dir "$work/cache" "$@" > "$work/stdout" 2> "$work/stderr" < /dev/null || status=$?
  [ $status -eq "$expected" ] || fail "regfs $* gave exit code $status, not $expected: $(cat "$work/stderr")"
  grep -q -- "$words" "$work/stderr" || fail "regfs $* does not say '$words': $(cat "$work/stderr")"
  [ "$(wc -l < "$work/stderr")" -eq 1 ] || fail "regfs $* says more than one sentence: $(cat "$work/stderr")"
  [ ! -s "$work/stdout" ] || fail "regfs $* writes to standard output: $(cat "$work/stdout")"
}

"$REGFS" --help | grep -q '^Usage: regfs' || fail "no usage in --help"
"$REGFS" --version | grep -q '^regfs [0-9]' || fail "no version in --version"

expect_failure 2 "mountpoint is missing"
expect_failure 2 "'--frobnicate'" --frobnicate "$mnt"
expect_failure 2 "'soon'" --tag-ttl soon "$mnt"
expect_failure 1 "$mnt" "$mnt"
touch "$work/file"
expect_failure 1 "$work/file" "$work/file"
no_process_of "$work/cache" || fail "a mount that failed left a process"

mount_regfs
is_mounted "$mnt" || fail "the parent returned before the mount was there"
[ -f "$mnt/$registry/demo/hello/1.0/linux-amd64.tar" ] || fail "the mount does not answer"
[ -n "$(processes_of "$work/cache")" ] || fail "no daemon is running"
expect_failure 1 "$mnt" "$mnt"
[ -f "$mnt/$registry/demo/hello/1.0/linux-amd64.tar" ] || fail "a refused second mount harmed the first"
unmount_regfs

# A relative mountpoint and log file; and no pipe of the parent is held open, or this would never return.
output=$(cd "$work" && "$REGFS" --cache-dir "$work/cache" --log-file regfs.log mnt 2>&1 < /dev/null)
[ -z "$output" ] || fail "a good mount is not silent: $output"
is_mounted "$mnt" || fail "a relative mountpoint is not mounted"
# The cause of a failure stands in the log.
cat "$mnt/127.0.0.1:1/demo/hello/1.0/linux-amd64.tar" 2> /dev/null && fail "a dead registry gave an archive"
grep -q '127.0.0.1:1' "$work/regfs.log" || fail "the log does not name the dead registry: $(cat "$work/regfs.log")"

unmount_regfs

if [ "$(id -u)" = 0 ]; then
  mount_regfs
  umount "$mnt"
  wait_until 10 no_process_of "$work/cache" || fail "regfs is still running after umount"
fi

mount_regfs
kill -TERM $(processes_of "$work/cache")
wait_until 5 no_process_of "$work/cache" || fail "regfs is still running 5 s after SIGTERM"
is_mounted "$mnt" && fail "still mounted after SIGTERM"
true
