# Where people run it, as far as it needs no systemd: control groups at the root, in a container, on an overlay; other users.
modprobe loop; modprobe overlay

# The root of the hierarchy: a task has its limits, and running out of memory is told.
up=$(neargate up /vm/app --detach --port 4700 --data-dir /var/root-place 2>&1); check "up as root" "export AWS_ENDPOINT_URL" "$up"
neargate run sleeper --port 4700 >/dev/null 2>&1
wait_for has_group /sys/fs/cgroup
task=$(groups /sys/fs/cgroup | head -1)
check "task group at the root" /sys/fs/cgroup/neargate/ "$task"
check "memory of a task" 536870912 "$(cat "$task/memory.max" 2>&1)"
check "swap of a task" 0 "$(cat "$task/memory.swap.max" 2>&1)"
check "processes of a task" yes "$([ "$(cat "$task/pids.max")" -le 4096 ] && echo yes)"
check "cpu of a task" "25000 100000" "$(cat "$task/cpu.max" 2>&1)"
neargate run sleeper --port 4700 --wait --command sh -c 'tail /dev/zero >/dev/null; echo status $?; exit 9' >/tmp/child 2>&1
check "out of memory of a child" 9 "$?"
check "out of memory of a child, in its parent's eyes" "status 137" "$(cat /tmp/child)"
neargate run sleeper --port 4700 --wait --command tail /dev/zero >/tmp/first 2>&1
check "out of memory of process 1" 137 "$?"
check "out of memory of process 1, told" OutOfMemory "$(cat /tmp/first)"
neargate down --port 4700 >/dev/null 2>&1
check "no group is left by down" none "$(groups /sys/fs/cgroup || echo none)"

# An ordinary user, and root without one of its rights: refused in doctor's words, before anything is made.
for wrapper in "setpriv --reuid=1000 --regid=1000 --clear-groups" "setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin"; do
  case "$wrapper" in *reuid*) who="user 1000" home=/home/user ;; *) who="root without CAP_SYS_ADMIN" home=/root ;; esac
  words=$(HOME=$home $wrapper neargate doctor 2>&1 | grep -o 'containers need root.*' | head -1 | cut -d'(' -f1)
  check "$who: doctor tells" "containers need root" "$words"
  for command in "try /vm/app" "up /vm/app --port 4701 --data-dir /tmp/refused" "up /vm/app --detach --port 4701 --data-dir /tmp/refused"; do
    answer=$(HOME=$home $wrapper neargate $command 2>&1); code=$?
    check "$who: $command" 2 "$code"
    check "$who: $command, in doctor's words" "error[NG-E0240]: $words" "$(echo "$answer" | head -1)"
  done
  check "$who: nothing made" none "$(ls -d /tmp/refused /tmp/neargate-* $home/.local/share/neargate/*/journal 2>/dev/null || echo none)"
  # An engine without an app serves all but containers.
  (cd /mnt && HOME=$home $wrapper neargate up --detach --port 4701 --data-dir /tmp/calls-only >/dev/null 2>&1)
  answer=$(HOME=$home $wrapper neargate run sleeper --port 4701 2>&1); code=$?
  check "$who: run" 2 "$code"
  check "$who: run, in doctor's words" "error[NG-E0240]" "$(echo "$answer" | head -1)"
  check "$who: run, in doctor's words" "$words" "$(echo "$answer" | head -1)"
  HOME=$home $wrapper neargate down --port 4701 >/dev/null 2>&1
  rm -rf /tmp/calls-only
done

# A privileged container: a control group namespace whose top holds the engine, an overlay as root, the device nodes that
# were there when it was made.
mkdir -p /sys/fs/cgroup/box /var/box/upper /var/box/work /var/box/root
mount -t overlay -o lowerdir=/,upperdir=/var/box/upper,workdir=/var/box/work overlay /var/box/root
cat >/vm/inside <<'INSIDE'
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tmpfs -o dev tmpfs /dev; mount -t tmpfs tmpfs /run; mount -t tmpfs -o mode=1777 tmpfs /tmp
mkdir /dev/pts /dev/shm /dev/net; mount -t devpts -o newinstance,ptmxmode=0666 devpts /dev/pts; ln -s pts/ptmx /dev/ptmx
for node in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0 loop-control:10:237; do
  set -- $(echo "$node" | tr : ' '); mknod -m 666 "/dev/$1" c "$2" "$3"
done
export HOME=/root
echo "root is $(stat -f -c %T /)"
cat /sys/fs/cgroup/cgroup.type >/dev/null 2>&1 && echo "an own hierarchy whose top holds $(wc -l </sys/fs/cgroup/cgroup.procs) processes"
neargate doctor
echo "doctor ended with $?"
neargate up /vm/app --detach --port 4702 --data-dir /var/on-overlay 2>&1
echo "up ended with $?"
neargate run sleeper --port 4702 --wait --command sh -c 'echo a task runs on the overlay' 2>&1
neargate run sleeper --port 4702 --wait --command tail /dev/zero 2>&1
echo "out of memory there: $?"
echo "groups of processes: $(cat /proc/[0-9]*/cgroup | sort -u | tr '\n' ' ')"
neargate down --port 4702 >/dev/null 2>&1
INSIDE
answer=$(unshare --pid --fork sh -c 'echo 0 >/sys/fs/cgroup/box/cgroup.procs; exec unshare --cgroup --mount --net chroot /var/box/root sh -c "ip link set lo up; sh /vm/inside"' 2>&1)
echo "$answer" | sed 's/^/    /'
check "container: its root is an overlay" "root is overlay" "$answer"
check "container: the top of its own hierarchy holds processes" "an own hierarchy whose top holds" "$answer"
check "container: doctor" "doctor ended with 0" "$answer"
check "container: a task with its data on the overlay" "a task runs on the overlay" "$answer"
check "container: its limits hold" "out of memory there: 137" "$answer"
check "container: the engine's processes are in a leaf" "0::/neargate-engine" "$answer"
finish
