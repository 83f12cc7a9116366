# Where people run it, as far as it needs no systemd: control groups at the root, in a container, on an overlay; other users.
export HOME=/root NO_COLOR=1
failures=0
check() { # what, expected, found
  case "$3" in
    *"$2"*) echo "ok: $1" ;;
    *) echo "FAILED: $1: expected \`$2\`, got: $3"; failures=$((failures + 1)) ;;
  esac
}
groups() { find "$1" -mindepth 3 -name memory.max -path '*/neargate/*' 2>/dev/null | while read -r f; do dirname "$f"; done; }

# The root of the hierarchy: a task has its limits, and running out of memory is told.
up=$(neargate up /vm/app --detach --port 4700 --data-dir /var/root-place 2>&1); check "up as root" "export AWS_ENDPOINT_URL" "$up"
neargate run sleeper --port 4700 >/dev/null 2>&1
sleep 5
task=$(groups /sys/fs/cgroup | grep -E '/[0-9a-f]{32}$' | head -1)
check "task group at the root" /sys/fs/cgroup/neargate/ "$task"
check "memory of a task" 1073741824 "$(cat "$task/memory.max" 2>&1)"
check "swap of a task" 0 "$(cat "$task/memory.swap.max" 2>&1)"
check "cpu of a task" "50000 100000" "$(cat "$task/cpu.max" 2>&1)"
neargate run sleeper --port 4700 --wait --command sh -c 'tail /dev/zero >/dev/null; echo status $?; exit 9' >/tmp/child 2>&1
check "out of memory of a child" "9" "$?"
check "out of memory of a child, in its parent's eyes" "status 137" "$(cat /tmp/child)"
neargate run sleeper --port 4700 --wait --command tail /dev/zero >/tmp/first 2>&1
check "out of memory of process 1" "137" "$?"
check "out of memory of process 1, told" "OutOfMemory" "$(cat /tmp/first)"
neargate down --port 4700 >/dev/null 2>&1
check "groups after down" "none" "$(groups /sys/fs/cgroup | grep . || echo none)"

# An ordinary user, and root without one of its rights.
for wrapper in "setpriv --reuid=1000 --regid=1000 --clear-groups" "setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin"; do
  for command in "try /vm/app" "up /vm/app --port 4701 --data-dir /tmp/refused"; do
    answer=$(HOME=/home/user $wrapper neargate $command 2>&1); code=$?
    check "$wrapper: $command" 2 "$code"
    check "$wrapper: $command, told first" "error[NG-E0240]: containers need root" "$(echo "$answer" | head -1)"
  done
done
check "nothing made" none "$(ls -d /tmp/refused /tmp/neargate-* 2>/dev/null || echo none)"

# A privileged container: a control group namespace whose top holds the engine, and an overlay as root.
mkdir -p /sys/fs/cgroup/box /var/box/upper /var/box/work /var/box/root
mount -t overlay -o lowerdir=/,upperdir=/var/box/upper,workdir=/var/box/work overlay /var/box/root
cat >/vm/inside <<'INSIDE'
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t devtmpfs devtmpfs /dev; mount -t tmpfs tmpfs /run; mount -t tmpfs -o mode=1777 tmpfs /tmp
export HOME=/root
neargate doctor
echo "doctor ended with $?"
neargate up /vm/app --port 4702 --data-dir /var/on-overlay 2>&1 &
up=$!
sleep 8
if kill -0 $up 2>/dev/null; then neargate run sleeper --port 4702 --wait --command sh -c 'echo it runs' 2>&1; neargate down --port 4702 >/dev/null 2>&1; else wait $up; echo "up ended with $?"; ls -d /var/on-overlay 2>/dev/null; fi
neargate up /vm/app --detach --port 4703 --data-dir /tmp/on-tmpfs >/dev/null 2>&1
neargate run sleeper --port 4703 --wait --command sh -c 'echo a task runs on tmpfs' 2>&1
neargate down --port 4703 >/dev/null 2>&1
cat /proc/self/cgroup
INSIDE
answer=$(unshare --pid --fork sh -c 'echo 0 >/sys/fs/cgroup/box/cgroup.procs; exec unshare --cgroup --mount --net chroot /var/box/root sh -c "ip link set lo up; sh /vm/inside"' 2>&1)
echo "$answer" | sed 's/^/    /'
check "container: doctor" "doctor ended with 0" "$answer"
check "container: a task below the top" "a task runs on tmpfs" "$answer"
check "container: the engine's processes are in a leaf" "0::/neargate-engine" "$answer"
case "$answer" in
  *"it runs"*) echo "ok: container: data on its own root runs" ;;
  *) check "container: data on its own root is refused" "up ended with 2" "$answer"
     check "container: and said first" "NG-E0240" "$answer" ;;
esac
echo "$failures failed"
exit "$failures"
