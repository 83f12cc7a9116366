# Units of systemd: groups below a delegated unit, whose limits hold; else in a scope; nothing is left when a unit stops.
export HOME=/root NO_COLOR=1 PATH=/usr/bin
failures=0
check() {
  case "$3" in
    *"$2"*) echo "ok: $1" ;;
    *) echo "FAILED: $1: expected \`$2\`, got: $3"; failures=$((failures + 1)) ;;
  esac
}
groups() { find "$1" -name memory.max -path '*/neargate/*' 2>/dev/null | while read -r f; do dirname "$f"; done; }
wait_for() { i=0; while [ $i -lt 60 ] && ! neargate clock --port "$1" >/dev/null 2>&1; do i=$((i + 1)); sleep 1; done; }

systemd-run --quiet --unit=delegated --property=Delegate=yes --property=MemoryMax=200M --property=MemorySwapMax=0 --setenv=HOME=/root \
  /usr/bin/neargate up /vm/app --port 4710 --data-dir /var/delegated 2>&1
wait_for 4710; sleep 6
neargate run sleeper --port 4710 >/dev/null 2>&1; sleep 5
check "groups below the delegated unit" /sys/fs/cgroup/system.slice/delegated.service/neargate/ "$(groups /sys/fs/cgroup | head -1)"
neargate run sleeper --port 4710 --wait --command tail /dev/zero >/dev/null 2>&1
check "the unit's memory bounds a task that may have more" 137 "$?"
peak=$(cat /sys/fs/cgroup/system.slice/delegated.service/memory.peak)
# The kernel charges in batches: a few pages above the limit are no more than that.
check "the unit has had its 200 MiB and no more ($peak bytes)" yes "$([ "$peak" -le 209780736 ] && echo yes)"
systemctl stop delegated
check "nothing is left when the unit stops" none "$(ps | grep -v grep | grep -E 'sleep 1000|neargate shim' || echo none)"
check "no group is left" none "$(groups /sys/fs/cgroup | grep . || echo none)"

systemd-run --quiet --unit=plain --setenv=HOME=/root /usr/bin/neargate up /vm/app --port 4711 --data-dir /var/plain 2>&1
wait_for 4711; sleep 6
neargate run sleeper --port 4711 >/dev/null 2>&1; sleep 5
check "a scope of systemd's where the unit is not delegated" .scope/neargate/ "$(groups /sys/fs/cgroup | head -1)"
check "systemd knows the scope" neargate- "$(systemctl list-units --type=scope --no-legend --no-pager 2>&1)"
systemctl stop plain
check "nothing is left when that unit stops" none "$(ps | grep -v grep | grep -E 'sleep 1000|neargate shim' || echo none)"
sleep 2
check "the scope is gone" none "$(find /sys/fs/cgroup -name 'neargate-*.scope' | grep . || echo none)"
echo "$failures failed"
exit "$failures"
