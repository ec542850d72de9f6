#!/bin/sh
# The first process of the node: in namespaces of its own for processes, mounts and the network, it starts what makes a
# Kubernetes node. When it ends, however it ends, the kernel ends every process of the node, containers too, and takes
# its mounts, interfaces and firewall rules away.
#
# From the environment: DIRECTORY with the files of real-node-files.ts, BIN with the programs of Kubernetes, CNI with the
# network plugins, NODE_ADDRESS, CGROUP.
set -eu

# What the programs of a node write, at the places where they write it by default; none of it is the machine's.
for place in /run /var/lib /var/log; do mount -t tmpfs tmpfs "$place"; done
mkdir -p /run/node /run/lock /run/containerd /var/lib/kubelet
mount --bind "$DIRECTORY" /run/node
ln -s "$CNI" /run/cni-bin
cd /run/node

# kubelet sets these of the whole machine, unless they are set already: it sees what it wants to see.
seen() {
  [ -e "/proc/sys/$1" ] || return 0
  mkdir -p "/run/sysctl/${1%/*}"
  echo "$2" >"/run/sysctl/$1"
  mount --bind "/run/sysctl/$1" "/proc/sys/$1"
}
seen vm/overcommit_memory 1
seen vm/panic_on_oom 0
seen kernel/panic 10
seen kernel/panic_on_oops 1
seen kernel/keys/root_maxkeys 1000000
seen kernel/keys/root_maxbytes 25000000

# The other end of this cable is in the hands of the tests (real-node.ts).
until ip link show eth0 >/dev/null 2>&1; do sleep 0.05; done
ip link set lo up
ip address add "$NODE_ADDRESS/30" dev eth0
ip link set eth0 up
# To wherever: a connection to a Service needs a route before kube-proxy's rules lead it elsewhere. Nobody answers there.
ip route add default dev eth0
echo 1 >/proc/sys/net/ipv4/ip_forward

# What a program says goes to its log; that it has ended is said in a file that the tests look at.
run() {
  name=$1
  shift
  { "$@" >"logs/$name.log" 2>&1 || true; echo "$name" >>ended; } &
}
answers() { "$BIN/kubectl" --kubeconfig admin.kubeconfig get --raw /readyz >/dev/null 2>&1; }

run containerd containerd --config containerd.toml
run etcd "$BIN/etcd" --data-dir=etcd --unsafe-no-fsync --log-level=error
# shellcheck disable=SC2046 # a flag on each line, without spaces
run kube-apiserver "$BIN/kube-apiserver" $(cat kube-apiserver.flags)
until answers; do sleep 0.1; done
run kube-controller-manager "$BIN/kube-controller-manager" --kubeconfig=admin.kubeconfig --leader-elect=false --secure-port=0 \
  --use-service-account-credentials --service-account-private-key-file=accounts.key --root-ca-file=ca.crt
run kube-scheduler "$BIN/kube-scheduler" --kubeconfig=admin.kubeconfig --leader-elect=false --secure-port=0
run kube-proxy "$BIN/kube-proxy" --config=kube-proxy.yaml
run kubelet "$BIN/kubelet" --config=kubelet.yaml --kubeconfig=kubelet.kubeconfig --hostname-override=node \
  --node-ip="$NODE_ADDRESS" --cgroup-root="$CGROUP"
wait
