# shellcheck shell=sh
# Runs as PID 1 of the lab's PID, network and mount namespaces: sets them up, then holds them.
#   sh sandbox.sh STATE RUN PAUSE INTERFACE ADDRESS DOCKER_IO SERVICES
# Prints "ready" when the rest of the lab can start. When it ends, everything in the namespaces ends.
set -eu
state=$1 run=$2 pause=$3 interface=$4 address=$5 docker_io=$6 services=$7

# hide DIRECTORY KEPT...: replaces the host's directory with an empty one, in which only KEPT are still visible.
# With -c, mount does not resolve "./x": it is relative to the working directory, which is still the host's directory.
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

# The kubelet, containerd and the CNI plugins write to fixed paths below these; nothing of it reaches the host.
cache=${pause%/*/*/*}
hide /run "$run" "$state" "$cache"
hide /var/lib "$state" "$cache"
mount -n --bind "$state/logs" /var/log

# These may be links to files below /run, which is hidden now.
for name in hosts resolv.conf; do
    target=$(readlink -m "/etc/$name")
    mkdir -p "${target%/*}"
    [ -e "$target" ] || : > "$target"
    mount -n --bind "$state/$name" "$target"
done

# The kubelet changes these settings of the whole machine unless they are already set, so show it that they are.
for setting in "$state"/sysctl/*; do
    mount -n --bind "$setting" "/proc/sys/$(basename "$setting" | tr . /)"
done

# The mounts of a pod are visible to the other processes of the lab, and not to the host.
mount -n --make-rshared /

ip link set lo up
ip link add "$interface" type bridge
ip address add "$address" dev "$interface"
ip address add "$docker_io" dev "$interface"
ip link set "$interface" up
ip route add "$services" dev "$interface"
echo 1 > /proc/sys/net/ipv4/ip_forward

echo ready
exec "$pause" > /dev/null 2>&1 < /dev/null
