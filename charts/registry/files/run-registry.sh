# shellcheck shell=sh
# Runs the registry. On TERM, the registry stops after the front, which may need it to complete its requests. This shell
# exits when the kernel has sent everything that the registry has written: the pod's network disappears with its last
# process, which would cut off every slow download.

REGISTRY_PORT=5000
FRONT_PORT=8080

stop() {
  wait_until_closed "$FRONT_PORT"
  kill "$registry"
  wait "$registry"
  wait_until_sent "$REGISTRY_PORT"
  exit 0
}

# Not in the pod's specification, because the URL may contain a password.
if [ -f /etc/regmirror/proxy/proxy-url ]; then
  HTTPS_PROXY=$(cat /etc/regmirror/proxy/proxy-url)
  HTTP_PROXY=$HTTPS_PROXY
  export HTTPS_PROXY HTTP_PROXY
fi

registry serve /etc/distribution/config.yml &
registry=$!
trap stop TERM
wait "$registry"
