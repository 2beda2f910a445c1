# shellcheck shell=sh
# Runs before run-front.sh: writes the upstreams of nginx. nginx looks up their addresses again whenever the answer of
# DNS expires, but needs a name server for that and does not add the cluster's domain to a name.

name_server=$(sed -n 's/^nameserver //p' /etc/resolv.conf | head -n 1)
case $name_server in *:*) name_server="[$name_server]" ;; esac
# The first domain is that of the namespace: NAMESPACE.svc.cluster.local.
domain=$(sed -n 's/^search \([^ ]*\).*/\1/p' /etc/resolv.conf)

{
  echo "resolver $name_server;"
  # Each is NAME:PORT.
  for service in $SERVICES; do
    name=${service%:*}
    echo "upstream $name {"
    echo "  zone $name 128k;"
    echo "  server $name.$domain:${service#*:} resolve max_fails=0;"
    echo "  keepalive 64;"
    echo "  keepalive_requests 100000;"
    echo "}"
  done
} > /var/cache/nginx/upstreams.conf

# shellcheck disable=SC2034 # run-front.sh reads it
LISTEN_OPTION=ssl
