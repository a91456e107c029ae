#!/usr/bin/env bash
# Does what a newcomer does on a bare machine: in a clean container with git and nothing else, runs the checkout's HEAD.
#
#   try.sh SUITE [COMMAND...]     try.sh bookworm     try.sh trixie ./newsmill run --once     try.sh ubuntu:24.04
#
# SUITE is a Debian suite or a whole image name; COMMAND, ./newsmill test by default, runs at the top of the checkout.
# Leaves with COMMAND's exit code, or with 77 (skipped) where there is no Docker engine.
set -euo pipefail

[ $# -ge 1 ] || { sed -n '4p' "$0" >&2; exit 100; }
case $1 in *:*) image=$1 ;; *) image=debian:$1-slim ;; esac
shift
[ $# -gt 0 ] || set -- ./newsmill test

docker info >/dev/null 2>&1 || { echo "skipped: no Docker engine"; exit 77; }

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
tmp=$(mktemp -d)
container=
trap 'rm -rf "$tmp"; [ -z "$container" ] || docker rm -f "$container" >/dev/null' EXIT

git clone -q --no-hardlinks "$root" "$tmp/newsmill"

terminal=()
[ ! -t 0 ] || [ ! -t 1 ] || terminal=(-it)
container=$(docker create "${terminal[@]}" -w /root "$image" bash -c '
    set -e
    apt-get -qq update
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends git >/dev/null
    cd newsmill
    status=0
    time "$@" || status=$?
    exit "$status"
' try "$@")
docker cp "$tmp/newsmill" "$container:/root/newsmill" >/dev/null
if [ ${#terminal[@]} -gt 0 ]; then
    docker start -ai "$container"
else
    docker start -a "$container" &      # in the background: a signal then ends us at once, and the trap the container
    wait $!
fi
