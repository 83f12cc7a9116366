#!/bin/sh
# The root's first process: mounts what a Linux system has, runs /vm/main, reports its exit code and ends the guest.
# Where systemd is there it does that itself, and runs this script again as a unit.
export PATH=/usr/bin HOME=/root
mount -t devtmpfs devtmpfs /dev 2>/dev/null
if [ "$1" != unit ]; then
  [ -e /vm/systemd ] && exec /usr/lib/systemd/systemd --unit=vm.service
  mount -t proc proc /proc
  mount -t sysfs sysfs /sys
  mkdir -p /dev/pts /dev/shm
  mount -t devpts devpts /dev/pts
  mount -t tmpfs -o mode=1777 tmpfs /dev/shm
  mount -t tmpfs -o mode=0755 tmpfs /run
  mount -t cgroup2 -o nsdelegate cgroup2 /sys/fs/cgroup
fi
stty -F /dev/hvc0 -opost -echo
chmod 1777 /tmp
hostname guest
ip link set lo up
ulimit -Hn 1048576
modprobe loop
read -r nonce </vm/nonce
sh /vm/main </dev/null >/dev/hvc0 2>&1
echo "$nonce $?" >/dev/hvc0
sync
poweroff -f
