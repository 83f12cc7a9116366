#!/usr/bin/env bash
# containers-common 0.50.1 (Debian golang-github-containers-common 0.50.1+ds1-4): the default seccomp profile of podman and buildah.
#
# It is commonly taken to be Docker's default profile under another name. Seen in the file itself:
# - what is not listed fails with ENOSYS (38), not EPERM: `io_uring_setup` looks like an old kernel, not like a refusal;
# - mount, umount2, pivot_root, move_mount, unshare, keyctl, syslog and reboot are allowed without any condition on capabilities, in the
#   same plain list as `read`: the kernel's own capability checks alone decide (moby's profile ties each to a capability or leaves it out);
# - setns is in that list and also in a pair of rules that allow it with CAP_SYS_ADMIN and answer EPERM without;
# - a netlink audit socket without CAP_AUDIT_WRITE fails with EINVAL (22), userfaultfd with EPERM (1).
#
# Needs apt-get, dpkg-deb and python3. Fails if any of it changes.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get -o APT::Sandbox::User=root download -qq golang-github-containers-common=0.50.1+ds1-4
dpkg-deb -x golang-github-containers-common_*.deb root
python3 - root/usr/share/containers/seccomp.json <<'PY'
import json, sys
profile = json.load(open(sys.argv[1]))
def rules(call):
    keys = ("action", "errnoRet", "includes", "excludes", "args")
    return [{k: rule[k] for k in keys if rule.get(k)} for rule in profile["syscalls"] if call in rule["names"]]
ALLOW = {"action": "SCMP_ACT_ALLOW"}
assert (profile["defaultAction"], profile["defaultErrnoRet"]) == ("SCMP_ACT_ERRNO", 38), "default"
assert rules("io_uring_setup") == [], "io_uring_setup"
for call in ("mount", "umount2", "pivot_root", "move_mount", "unshare", "keyctl", "syslog", "reboot", "read"):
    assert rules(call) == [ALLOW], (call, rules(call))
caps = {"caps": ["CAP_SYS_ADMIN"]}
assert rules("setns") == [
    ALLOW, {**ALLOW, "includes": caps}, {"action": "SCMP_ACT_ERRNO", "errnoRet": 1, "excludes": caps}
], rules("setns")
audit = [rule for rule in rules("socket") if rule["action"] == "SCMP_ACT_ERRNO"]
assert [(rule["errnoRet"], rule["excludes"]["caps"]) for rule in audit] == [(22, ["CAP_AUDIT_WRITE"])], audit
assert rules("userfaultfd") == [{"action": "SCMP_ACT_ERRNO", "errnoRet": 1}], rules("userfaultfd")
print("containers-common 0.50.1: default ENOSYS; mount, unshare, keyctl, reboot … allowed plainly; setns thrice")
PY
