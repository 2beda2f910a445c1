# shellcheck shell=sh
# Runs as process 1 of the lab's own process, network and mount namespaces, prepares them, and then only holds them:
#   sh enclosure.sh STATE RUN PAUSE INTERFACE ADDRESS SERVICES
# It prints "ready" when the rest of the lab may start. With its death everything in the namespaces is gone.
set -eu
state=$1 run=$2 pause=$3 interface=$4 address=$5 services=$6

# hide DIRECTORY KEPT...: an empty directory in the place of the host's, in which only KEPT are what they were.
# `-c` leaves "./x" alone: it is looked up from the working directory, which is still the covered one.
hide() {
    hidden=$1
    shift
    cd "$hidden"
    mount -n -t tmpfs -o mode=755 lab "$hidden"
    for kept in "$@"; do
        case $kept in "$hidden"/*)
            mkdir -p "$kept"
            mount -nc --bind "./${kept#"$hidden"/}" "$kept"
        esac
    done
    cd /
}

# The kubelet, containerd and the CNI plugins write to fixed places below these: none of it reaches the host.
cache=${pause%/*/*/*}
hide /run "$run" "$state" "$cache"
hide /var/lib "$state" "$cache"
mount -n --bind "$state/logs" /var/log

# These may be links to files below /run, which are covered by now.
for name in hosts resolv.conf; do
    target=$(readlink -m "/etc/$name")
    mkdir -p "${target%/*}"
    [ -e "$target" ] || : > "$target"
    mount -n --bind "$state/$name" "$target"
done

# The kubelet sets these for the whole machine, unless it finds them set: it is shown that they are.
for setting in "$state"/sysctl/*; do
    mount -n --bind "$setting" "/proc/sys/$(basename "$setting" | tr . /)"
done

# What a pod mounts is seen by the other processes of the lab, and by none of the host.
mount -n --make-rshared /

ip link set lo up
ip link add "$interface" type bridge
ip address add "$address" dev "$interface"
ip link set "$interface" up
ip route add "$services" dev "$interface"
echo 1 > /proc/sys/net/ipv4/ip_forward

echo ready
exec "$pause" > /dev/null 2>&1 < /dev/null
