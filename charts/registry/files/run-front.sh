# shellcheck shell=sh
# Runs nginx, the front. On TERM or QUIT, nginx completes the requests in progress. This shell exits when the
# kernel has sent everything that nginx has written (see run-registry.sh).

FRONT_PORT=8080

# A kernel without IPv6 refuses an IPv6 address, and a cluster may have no IPv4 addresses.
if [ -e /proc/net/if_inet6 ]; then
  listen="[::]:$FRONT_PORT ipv6only=off"
else
  listen=$FRONT_PORT
fi
echo "listen $listen;" > /var/cache/nginx/listen.conf

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
