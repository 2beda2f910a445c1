#!/bin/sh
# Builds Helm from its pinned sources: build.sh PROGRAM. GOARCH is the architecture.
set -eu

version=$(go list -m -f '{{.Version}}' helm.sh/helm/v4)
go build -trimpath -buildvcs=false -o "$1" \
    -ldflags "-s -w -X helm.sh/helm/v4/internal/version.version=$version" helm.sh/helm/v4/cmd/helm
