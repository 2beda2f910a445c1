# shellcheck shell=sh
# Runs nginx, the front. On TERM or QUIT, nginx completes the requests in progress. This shell exits when the
# kernel has sent everything that nginx has written: the pod's network disappears with its last process, which would cut
# off every slow download.

FRONT_PORT=8080

# A kernel without IPv6 refuses an IPv6 address, and a cluster may have no IPv4 addresses.
if [ -e /proc/net/if_inet6 ]; then
  listen="[::]:$FRONT_PORT ipv6only=off"
else
  listen=$FRONT_PORT
fi
# The kernel's memory for data that a client has not read yet counts as memory of this container. Without sndbuf, it
# grows to megabytes per connection.
echo "listen $listen ${LISTEN_OPTION-} backlog=4096 sndbuf=64k;" > /var/cache/nginx/listen.conf

# Left by a container that was killed.
rm -f /run/regmirror/token-check.sock

stop() {
  kill -QUIT "$nginx"
  wait "$nginx"
  wait_until_sent "$FRONT_PORT"
  exit 0
}

nginx -e stderr -c /etc/regmirror/front/nginx.conf -g "daemon off;" &
nginx=$!
trap stop TERM QUIT
wait "$nginx"
