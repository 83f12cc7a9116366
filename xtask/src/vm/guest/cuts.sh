# One boot of the drill of power cuts: an engine on the disk that forgets, and a client that tells what was acknowledged.
export HOME=/root NO_COLOR=1 XDG_STATE_HOME=/mnt/state
modprobe loop; modprobe overlay
log() { tail -n 5 /mnt/data/engine.log | tr -d '\0'; }
boot=$(sed 's/.*drill.boot=\([0-9]*\).*/\1/' /proc/cmdline)
last=$(sed -n 's/.*drill.last=1.*/last/p' /proc/cmdline)
mount -t ext4 /dev/vdb /mnt || { echo "the disk cannot be mounted"; dmesg | tail -5; exit 1; }
echo starting
up=$(neargate up /vm/cuts --detach --port 4720 --data-dir /mnt/data 2>&1) ||
  { echo "the engine does not start: $up"; log; exit 1; }
xtask vm client 4720 "$boot" $last || { log; exit 1; }
echo end
sleep 1000
