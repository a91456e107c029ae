#!/bin/sh
# Makes the extension "vector" available to the newest PostgreSQL server installed here. Does nothing where it is already.
#
#   pgvector.sh            installs it, as root or by sudo; 111 if that failed
#   pgvector.sh --check    0 if it is there, 1 if not
#
# Takes the distribution's package where there is one. Debian 12 has none: there it is built from the source package of
# Debian 13, which the machine's own mirror also carries, in a package list of its own, so that the machine's sources
# stay as they are. Needs a C compiler, make and dpkg-dev.
set -eu

die () { printf 'pgvector: %s\n' "$*" >&2; exit 111; }

major=0
for dir in /usr/lib/postgresql/*/bin/initdb; do
    dir=${dir%/bin/initdb}
    n=${dir##*/}
    case $n in *[!0-9]*) continue ;; esac
    [ "$n" -le "$major" ] || major=$n
done
[ "$major" -gt 0 ] || die "no PostgreSQL server is installed"

[ ! -f "/usr/share/postgresql/$major/extension/vector.control" ] || exit 0
[ "${1-}" != --check ] || exit 1

if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "this needs root, and there is no sudo here"
    exec sudo -- sh "$0"
fi

export DEBIAN_FRONTEND=noninteractive
apt-get update || echo "update failed: going on with the lists at hand"
if apt-cache show "postgresql-$major-pgvector" >/dev/null 2>&1; then
    exec apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends --no-remove "postgresql-$major-pgvector"
fi

# shellcheck disable=SC2016  # the format is apt's
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -n 1)
[ "$mirror" ] || die "no package postgresql-$major-pgvector here: install pgvector by hand"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' HUP INT TERM
cd "$tmp"

# The archive's signature is checked against Debian's keys, and the source's digests against the signed list.
mkdir -p lists/partial cache/archives/partial
echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >newer.list
newer () {
    apt-get -o APT::Sandbox::User=root -o Dir::State::Lists="$tmp/lists" -o Dir::Cache="$tmp/cache" \
        -o Dir::Etc::SourceList="$tmp/newer.list" -o Dir::Etc::SourceParts=/dev/null "$@"
}
newer update
newer source --download-only pgvector
dpkg-source --no-check -x pgvector_*.dsc source

# The server's headers are unpacked rather than installed: their package would bring a whole LLVM with it.
apt-get -o APT::Sandbox::User=root download "postgresql-server-dev-$major"
dpkg -x postgresql-server-dev-*.deb headers

# OPTFLAGS: no -march=native, or a machine made from this one's disk may lack the instructions.
make -C source -j2 install OPTFLAGS='' with_llvm=no PG_CONFIG="/usr/lib/postgresql/$major/bin/pg_config" \
    COPT="-I$tmp/headers/usr/include/postgresql/$major/server"
