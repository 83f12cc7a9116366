# What the scenarios share: checks that are counted, waiting with a bound, and where groups lie.
export HOME=/root NO_COLOR=1 PATH=/usr/bin
failures=0
check() { # what, expected, found
  case "$3" in
    *"$2"*) echo "ok: $1" ;;
    *) echo "FAILED: $1: expected \`$2\`, got: $3"; failures=$((failures + 1)) ;;
  esac
}
# Looks again, for a minute and a half at most, until a command succeeds.
wait_for() { i=0; until "$@" >/dev/null 2>&1; do i=$((i + 1)); [ $i -lt 300 ] || return 1; sleep 0.3; done; }
# Task groups below a directory: 32 hexadecimal digits below an instance's.
groups() { find "$1" -type d -path '*/neargate/*' 2>/dev/null | grep -E '/neargate/[^/]+/[0-9a-f]{32}$'; }
has_group() { groups "$1" | grep -q .; }
has_none() { ! has_group "$1"; }
finish() { echo "$failures failed"; exit "$failures"; }
