#!/bin/bash
# SPDX-License-Identifier: MIT
# mount(8) mounts regfs: by type and source, and from a line of fstab with what such lines carry.
source "$(dirname "$0")/common.sh"
need docker-registry curl mount umount findmnt
need_fuse
[ "$(id -u)" = 0 ] || skip "mount(8) needs root"
command -v mount.fuse3 > /dev/null || [ -x /sbin/mount.fuse3 ] || skip "mount.fuse3 is not installed"
start_registry
push_sample 1.0
mnt=$work/mnt
mkdir "$mnt"

expect_mounted_read_only() {
  [ "$(findmnt -n -o FSTYPE "$mnt")" = fuse.regfs ] || fail "the type is $(findmnt -n -o FSTYPE "$mnt")"
  findmnt -n -o OPTIONS "$mnt" | grep -q '^ro,' || fail "mounted as $(findmnt -n -o OPTIONS "$mnt")"
}

unmount() {
  umount "$mnt"
  wait_until 10 no_process_of "$work/cache" || fail "regfs is still running after umount"
}

# One registry as the source: its repositories are at the top.
mount -t "fuse.$REGFS" "$registry" "$mnt" -o "cache_dir=$work/cache,tag_ttl=5m,nodev,nosuid"
expect_mounted_read_only
ls "$mnt/demo/hello/1.0" | grep -qx linux-arm-v7.tar || fail "no linux-arm-v7.tar below the mount of one registry"
unmount

# The older spelling, program and source in one word.
mount -t fuse "$REGFS#$registry" "$mnt" -o "cache_dir=$work/cache"
expect_mounted_read_only
unmount

# A source that is no host means every registry.
echo "regfs $mnt fuse.$REGFS ro,_netdev,nofail,noauto,x-systemd.automount,x-systemd.idle-timeout=10min,allow_other,cache_dir=$work/cache 0 0" \
    > "$work/fstab"
mount --fstab "$work/fstab" "$mnt"
expect_mounted_read_only
[ -f "$mnt/$registry/demo/hello/1.0/linux-amd64.tar" ] || fail "no linux-amd64.tar below the mount of every registry"
unmount

# The program's exit code comes through, and so does its sentence.
status=0
mount -t "fuse.$REGFS" none "$mnt" -o "frobnicate=1" 2> "$work/stderr" || status=$?
[ $status -eq 2 ] || fail "an unknown option gave exit code $status"
grep -q "'frobnicate'" "$work/stderr" || fail "the unknown option is not named: $(cat "$work/stderr")"
