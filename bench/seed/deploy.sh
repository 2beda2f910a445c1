#!/bin/sh
# The seven steps of the recipe of 2020, in sequence; each waits until its pods are ready. The namespace exists and contains
# the host's certificate; the directory contains the values and the Ingress, which the reader of the recipe edits.
set -eu
chart=$1 namespace=$2
deploy() { helm upgrade --install "$1" "$chart" --namespace "$namespace" --values "$2" --wait --timeout 3m >/dev/null; }

deploy redis redis.json
deploy docker-registry registry.json
openssl req -new -newkey rsa:4096 -days 5000 -nodes -x509 -subj "/C=DE/ST=BW/L=Mannheim/O=ACME/CN=docker-auth" \
  -keyout tls.key -out tls.crt 2>/dev/null
kubectl --namespace "$namespace" create secret tls auth-credentials --cert=tls.crt --key=tls.key >/dev/null
deploy docker-auth auth.json
kubectl --namespace "$namespace" apply --filename ingress.json >/dev/null
deploy docker-registry registry-with-auth.json
