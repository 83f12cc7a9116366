# Units of systemd: groups below a delegated unit, whose limits hold; else in a scope; else at the root; nothing is left.
is_ready() { grep -q ready "/var/$1.log"; }
leftovers() { ps | grep -v grep | grep -E 'sleep 1000|neargate shim' || echo none; }
# Starts the engine in a unit of that name with further options of systemd-run, and a task in it.
start() { # name, port, options
  name=$1 port=$2; shift 2
  systemd-run --quiet --unit="$name" --setenv=HOME=/root "--property=StandardOutput=file:/var/$name.log" "--property=StandardError=file:/var/$name.log" "$@" \
    /usr/bin/neargate up /vm/app --port "$port" --data-dir "/var/data-$name" 2>&1
  wait_for is_ready "$name" || tail -5 "/var/$name.log"
  neargate run sleeper --port "$port" >/dev/null 2>&1
  wait_for has_group /sys/fs/cgroup
}

start delegated 4710 --property=Delegate=yes --property=MemoryMax=200M --property=MemorySwapMax=0
check "groups below the delegated unit" /sys/fs/cgroup/system.slice/delegated.service/neargate/ "$(groups /sys/fs/cgroup | head -1)"
neargate run sleeper --port 4710 --wait --command tail /dev/zero >/dev/null 2>&1
check "the unit's memory bounds a task that may have more" 137 "$?"
peak=$(cat /sys/fs/cgroup/system.slice/delegated.service/memory.peak)
# The kernel charges in batches: a few pages above the limit are no more than that.
check "the unit has had its 200 MiB and no more ($peak bytes)" yes "$([ "$peak" -le 209780736 ] && echo yes)"
systemctl stop delegated
check "nothing is left when the unit stops" none "$(leftovers)"
check "no group is left" none "$(groups /sys/fs/cgroup || echo none)"

start plain 4711
check "a scope of systemd's where the unit is not delegated" .scope/neargate/ "$(groups /sys/fs/cgroup | head -1)"
check "systemd knows the scope" neargate- "$(systemctl list-units --type=scope --no-legend --no-pager 2>&1)"
check "the scope is delegated" yes "$(systemctl show --property=Delegate --value 'neargate-*.scope' 2>&1)"
check "the scope hands its controllers on" "536870912" "$(cat "$(groups /sys/fs/cgroup | head -1)/memory.max")"
systemctl stop plain
no_scope() { [ -z "$(find /sys/fs/cgroup -name 'neargate-*.scope')" ]; }
check "nothing is left when that unit stops" none "$(leftovers)"
wait_for no_scope
check "the scope is gone" none "$(find /sys/fs/cgroup -name 'neargate-*.scope' | grep . || echo none)"

# From a shell: a scope that is not delegated.
systemd-run --scope --quiet --unit=shell neargate up /vm/app --port 4712 --data-dir /var/data-shell >/var/shell.log 2>&1 &
wait_for is_ready shell || tail -5 /var/shell.log
neargate run sleeper --port 4712 >/dev/null 2>&1
wait_for has_group /sys/fs/cgroup
check "the engine is in the shell's scope" shell.scope "$(cat /proc/[0-9]*/cgroup | sort -u)"
check "its tasks are in a scope of their own" .scope/neargate/ "$(groups /sys/fs/cgroup | grep -v shell.scope | head -1)"
neargate down --port 4712 >/dev/null 2>&1
wait
wait_for no_scope
check "nothing is left by down" none "$(leftovers)"
check "that scope is gone too" none "$(find /sys/fs/cgroup -name 'neargate-*.scope' | grep . || echo none)"

# Where systemd gives no scope the root of the hierarchy is left.
mkdir /vm/less
for program in /usr/bin/*; do case "$program" in */systemd-run) ;; *) ln -s "$program" /vm/less/ ;; esac; done
start alone 4713 --setenv=PATH=/vm/less
check "the root where systemd gives no scope" /sys/fs/cgroup/neargate/ "$(groups /sys/fs/cgroup | head -1)"
systemctl stop alone
check "nothing is left by that unit" none "$(leftovers)"
check "no group is left at the root" none "$(groups /sys/fs/cgroup || echo none)"
finish
