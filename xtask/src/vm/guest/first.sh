#!/bin/busybox sh
# The first process: inserts the modules of the disk and goes to the root that is on it.
b=/bin/busybox
$b mount -t devtmpfs devtmpfs /dev
$b mount -t proc proc /proc
for module in /modules/*.ko; do $b insmod "$module"; done
$b mount -t ext4 /dev/vda /root
$b umount /proc
exec $b switch_root /root /vm/init
