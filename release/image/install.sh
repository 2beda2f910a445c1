#!/bin/sh
# Installs regmirror and its dependencies for an architecture, which may be another than this machine's:
#
#     install.sh amd64|arm64 DIRECTORY-WITH-WHEEL-AND-CONSTRAINTS TARGET
set -eu

case "$1" in
    amd64) machine=x86_64 ;;
    arm64) machine=aarch64 ;;
    *) echo "unknown architecture $1: use amd64 or arm64" >&2; exit 2 ;;
esac
python3 -m pip install --quiet --disable-pip-version-check --no-cache-dir --no-compile --require-hashes \
    --only-binary=:all: --implementation cp --platform "manylinux_2_28_$machine" \
    --platform "manylinux_2_17_$machine" --platform "manylinux2014_$machine" \
    --find-links "$2" --requirement "$2/constraints.txt" --target "$3"
"$(dirname "$0")/prepare.sh" "$3"
