#!/bin/sh
# Prepares a directory of installed packages for the image: prepare.sh DIRECTORY
set -eu

# What is never read: the asynchronous client of Kubernetes, and the descriptions of services. Kept: S3,
# and the services that boto3's credential providers call.
rm -rf "$1/kubernetes/aio"
if [ -d "$1/botocore/data" ]; then
    find "$1/botocore/data" -mindepth 1 -maxdepth 1 -type d \
        ! -name s3 ! -name signin ! -name sso ! -name sso-oidc ! -name sts -exec rm -r {} +
fi
# Programs are in /usr/local/bin.
rm -rf "$1/bin"
# Without time stamps: the same sources make the same bytes, and Python never looks for a newer source.
python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash -s "$1" -p /opt/regmirror "$1"
