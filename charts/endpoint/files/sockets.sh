# shellcheck shell=sh
# Helpers of run-registry.sh and run-front.sh; templates/deployment.yaml puts this file in front of them.

# TCP states as /proc/net/tcp shows them (Linux: include/net/tcp_states.h).
ESTABLISHED=01 FIN_WAIT1=04 CLOSE_WAIT=08 LAST_ACK=09 LISTEN=0A CLOSING=0B

# wait_while PORT STATES: returns when no socket with this local port is in one of the states.
wait_while() {
  local_port=$(printf '%04X' "$1")
  while grep -qsE ":$local_port [0-9A-F]+:[0-9A-F]+ ($2) " /proc/net/tcp /proc/net/tcp6; do
    sleep 1
  done
}

# wait_until_closed PORT: returns when no process holds a socket of the port.
wait_until_closed() {
  wait_while "$1" "$ESTABLISHED|$CLOSE_WAIT|$LISTEN"
}

# wait_until_sent PORT: returns when the kernel has no data left to send for sockets that their process has closed.
wait_until_sent() {
  wait_while "$1" "$FIN_WAIT1|$LAST_ACK|$CLOSING"
}
