# SPDX-License-Identifier: MIT
# Sourced by the tests beside it and by demo.sh: a private directory, and servers that live and end with
# the script. Whatever way the script ends, what it started is ended and what it mounted is unmounted,
# and nothing else is touched.
set -euo pipefail

source_directory=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/regfs-XXXXXX")
# Nobody's login is used here.
unset REGISTRY_AUTH_FILE DOCKER_AUTH_CONFIG REGFS_USERNAME REGFS_PASSWORD
export DOCKER_CONFIG=$work/docker-config XDG_CONFIG_HOME=$work/config
children=()  # process ids, oldest first

trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# cleanup runs once, at the end, and keeps the exit status.
cleanup() {
  local status=$? index
  trap - EXIT HUP INT TERM
  set +e
  if [ $status -ne 0 ] && [ $status -ne 77 ]; then
    echo "${0##*/}: ended with status $status" >&2
    [ ! -s "$work/regfs.log" ] || tail -n 20 "$work/regfs.log" >&2
  fi
  unmount_below 'fuse.*'
  for ((index = ${#children[@]} - 1; index >= 0; --index)); do end_process "${children[index]}"; done
  # A daemon that has left the terminal is known by the private directory in its arguments.
  wait_until 10 no_process_of "$work" || kill -KILL $(processes_of "$work") 2> /dev/null
  unmount_below '*'  # an engine may leave its own directory mounted on itself
  rm -rf --one-file-system "$work"
  exit $status
}

# unmount_below TYPE: what is mounted below the private directory, the newest first.
unmount_below() {
  local mount type
  while read -r _ mount type _; do
    [[ $mount == "$work"/* && $type == $1 ]] || continue
    fusermount3 -u -z "$mount" 2> /dev/null || umount -l "$mount"
  done < <(tac /proc/self/mounts)
}

end_process() {
  kill "$1" 2> /dev/null || return 0
  wait_until 10 is_gone "$1" || kill -KILL "$1" 2> /dev/null
}

# A child that nobody has waited for is gone, too.
is_gone() { ! kill -0 "$1" 2> /dev/null || grep -q '^State:.Z' "/proc/$1/status" 2> /dev/null; }

# /proc is asked, not the file system: a dead mount does not answer.
is_mounted() { grep -qF " $1 fuse" /proc/self/mounts; }

# wait_until SECONDS COMMAND...: 1 when the command has not succeeded by then.
wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    [ $SECONDS -lt $deadline ] || return 1
    sleep 0.1
  done
}

# processes_of WORD: ids of the processes that have the word in their arguments, this script's aside.
processes_of() {
  local directory
  for directory in /proc/[0-9]*; do
    [ "${directory#/proc/}" = $$ ] && continue
    if tr '\0' ' ' 2> /dev/null < "$directory/cmdline" | grep -qF -- "$1"; then echo "${directory#/proc/}"; fi
  done 2> /dev/null
}
no_process_of() { [ -z "$(processes_of "$1")" ]; }

skip() {
  echo "skipped: $*"
  exit 77
}

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

# need TOOL...
need() {
  local tool
  for tool in "$@"; do
    command -v "$tool" > /dev/null || skip "$tool is not installed (scripts/install-dependencies.sh --tests)"
  done
}

need_fuse() {
  [ -w /dev/fuse ] || skip "/dev/fuse is missing or may not be opened"
  need fusermount3
}

# start_registry: a real one on a free loopback port; sets `registry` (HOST:PORT).
start_registry() {
  serve_registry registry
  registry=$served
}

# start_private_registry HTPASSWD-LINE: the same images, for who is in that line; sets `private` (HOST:PORT).
start_private_registry() {
  echo "$1" > "$work/htpasswd"
  serve_registry private "auth: {htpasswd: {realm: regfs, path: $work/htpasswd}}"
  private=$served
}

# serve_registry NAME [CONFIGURATION-LINE]: sets `served` (HOST:PORT).
serve_registry() {
  local log=$work/$1.log
  cat > "$work/$1.yml" << EOF
version: 0.1
log: {level: info}
storage: {filesystem: {rootdirectory: $work/registry}}
http: {addr: "127.0.0.1:0"}
${2-}
EOF
  : > "$log"
  docker-registry serve "$work/$1.yml" >> "$log" 2>&1 &
  children+=($!)
  # It chooses the port itself, so that no two tests can meet, and says in its log which.
  wait_until 20 grep -q 'listening on' "$log" || fail "docker-registry: $(tail -n 3 "$log")"
  served=127.0.0.1:$(sed -n 's/.*listening on [^ ]*:\([0-9]*\)".*/\1/p' "$log")
}

# push_sample TAG...: the sample image as demo/hello; $work/platforms gets NAME MANIFEST CONFIG lines.
push_sample() {
  "$source_directory/scripts/sample-image.sh" "http://$registry" demo/hello "$@" > "$work/platforms"
}

# start_dockerd: a private Docker engine; sets DOCKER_HOST. 1 when none can run here.
start_dockerd() {
  [ "$(id -u)" = 0 ] || return 1
  mkdir "$work/docker"
  dockerd --iptables=false --bridge=none --storage-driver vfs --data-root "$work/docker/data" \
      --exec-root "$work/docker/run" --pidfile "$work/docker/pid" -H "unix://$work/docker/sock" \
      > "$work/docker.log" 2>&1 &
  local pid=$!
  children+=($pid)
  export DOCKER_HOST=unix://$work/docker/sock
  wait_until 60 docker_answers_or_ended $pid
  # An engine may answer and yet be unable to unpack anything, in a plain chroot for one.
  tar -cf - -T /dev/null | docker import - probe > /dev/null 2>> "$work/docker.log" &&
      docker image rm probe > /dev/null
}
docker_answers_or_ended() { is_gone "$1" || docker version > /dev/null 2>&1; }

# start_containerd: a private containerd, which ctr_here speaks to. 1 when none can run here.
start_containerd() {
  mkdir "$work/containerd"
  cat > "$work/containerd/config.toml" << END
version = 2
root = "$work/containerd/root"
state = "$work/containerd/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "$work/containerd/sock"
END
  containerd --config "$work/containerd/config.toml" > "$work/containerd.log" 2>&1 &
  local pid=$!
  children+=($pid)
  wait_until 30 containerd_answers_or_ended $pid
  ctr_here version > /dev/null 2>> "$work/containerd.log"
}
containerd_answers_or_ended() { is_gone "$1" || ctr_here version > /dev/null 2>&1; }
ctr_here() { ctr --address "$work/containerd/sock" "$@"; }

# mount_regfs ARGUMENT...: mounts at $work/mnt with a cache of its own; $REGFS is the program.
mount_regfs() {
  mkdir -p "$work/mnt"
  "${REGFS:-regfs}" --cache-dir "$work/cache" --log-file "$work/regfs.log" "$@" "$work/mnt"
}

unmount_regfs() {
  fusermount3 -u "$work/mnt"
  wait_until 10 no_process_of "$work/cache" || fail "regfs is still running after fusermount3 -u"
}
