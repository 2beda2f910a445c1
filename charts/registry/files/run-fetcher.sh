# shellcheck shell=sh
# Runs the fetcher. On TERM, it stops after the front, which may need it to complete its requests.

FRONT_PORT=8080

# Left by a container that was killed; the startup probe waits for it.
rm -f /run/regmirror/fetcher.sock

stop() {
  wait_until_closed "$FRONT_PORT"
  kill "$fetcher"
  wait "$fetcher"
  exit 0
}

python3 -m fetcher /run/regmirror /var/lib/regmirror/layers --registry-port 5000 \
  --size "$LAYER_BYTES" --layers "$LAYERS" --upstream "${UPSTREAM-}" --credential-helper "${CREDENTIAL_HELPER-}" \
  --ca /etc/regmirror/ca/ca.crt --proxy /etc/regmirror/proxy/proxy-url &
fetcher=$!
trap stop TERM
wait "$fetcher"
