//! What differs between a container of ours and one under runc, and why.
//!
//! Invariant: a difference that is not here fails the test; so does an entry that is no difference any more.

/// One kind of difference.
#[derive(Debug)]
pub(crate) struct Difference {
    /// Names of findings; `*` at the end stands for any rest.
    pub(crate) keys: &'static [&'static str],
    /// Ours; `*` is any.
    pub(crate) ours: &'static str,
    /// Theirs; `*` is any.
    pub(crate) theirs: &'static str,
    /// On which control group versions.
    pub(crate) versions: &'static [u8],
    /// Whether it is there on every machine; one that is listed and not there fails the test then.
    pub(crate) always: bool,
    /// Why it is so.
    pub(crate) reason: &'static str,
}

impl Difference {
    /// Whether this is why two findings differ.
    pub(crate) fn explains(&self, key: &str, ours: &str, theirs: &str) -> bool {
        let fits = |pattern: &str, text: &str| match pattern.strip_suffix('*') {
            Some(start) => text.starts_with(start),
            None => pattern == text,
        };
        self.keys.iter().any(|pattern| fits(pattern, key)) && fits(self.ours, ours) && fits(self.theirs, theirs)
    }
}

const BOTH: &[u8] = &[1, 2];

/// The list.
pub(crate) const DIFFERENCES: &[Difference] = &[
    Difference {
        keys: &[
            "call 041", "call 166", "call 237", "call 238", "call 239", "call 272", "call 428", "call 431", "call 438",
            "call 442",
        ],
        ours: "EPERM",
        theirs: "EINVAL",
        versions: BOTH,
        always: true,
        reason: "socket of no family, umount2, mbind, set_mempolicy, get_mempolicy, unshare, open_tree, fsconfig, pidfd_getfd, mount_setattr: moby's profile refuses what the capabilities do not allow, containers-common leaves it to the kernel",
    },
    Difference {
        keys: &["call 165"],
        ours: "EPERM",
        theirs: "EFAULT",
        versions: BOTH,
        always: true,
        reason: "mount: as umount2",
    },
    Difference {
        keys: &["call 308"],
        ours: "EPERM",
        theirs: "EBADF",
        versions: BOTH,
        always: false,
        reason: "setns: as umount2",
    },
    Difference {
        keys: &["call 250"],
        ours: "EPERM",
        theirs: "error 95",
        versions: BOTH,
        always: true,
        reason: "keyctl: moby's profile refuses all that has to do with keys",
    },
    Difference {
        keys: &["call 248", "call 249", "call 425", "call 426", "call 427"],
        ours: "EPERM",
        theirs: "ENOSYS",
        versions: BOTH,
        always: true,
        reason: "add_key, request_key, io_uring: both refuse, moby's profile with EPERM",
    },
    Difference {
        keys: &[
            "call 156", "call 174", "call 177", "call 18*", "call 236", "call 337", "call 338", "call 339", "call 34*",
            "call 35*", "call 36*", "call 37*", "call 38*", "call 39*", "call 40*", "call 41*", "call 420", "call 421",
            "call 422", "call 423", "call 443", "call 450", "call 459", "call 460", "call 461",
        ],
        ours: "EPERM",
        theirs: "ENOSYS",
        versions: BOTH,
        always: true,
        reason: "calls that Linux no longer has, numbers without a call, quotactl_fd, set_mempolicy_home_node, lsm: both refuse, moby's profile with EPERM",
    },
    Difference {
        keys: &["call 336"],
        ours: "EPERM",
        theirs: "ENOSYS",
        versions: BOTH,
        always: false,
        reason: "uprobe, where the kernel does not have it: no call of programs, both refuse; newer kernels ask no filter about it",
    },
    Difference {
        keys: &["call 278"],
        ours: "EINVAL",
        theirs: "EPERM",
        versions: BOTH,
        always: true,
        reason: "vmsplice: moby's profile allows it",
    },
    Difference {
        keys: &["call 333"],
        ours: "EFAULT",
        theirs: "EPERM",
        versions: BOTH,
        always: true,
        reason: "io_pgetevents: moby's profile allows it",
    },
    Difference {
        keys: &["call 435"],
        ours: "ENOSYS",
        theirs: "error 7",
        versions: BOTH,
        always: true,
        reason: "clone3: its flags are in memory, where a filter cannot look; ENOSYS makes C libraries take clone",
    },
    Difference {
        keys: &["call 449", "call 45*", "call 46*"],
        ours: "*",
        theirs: "ENOSYS",
        versions: BOTH,
        always: true,
        reason: "calls that are newer than this containers-common: cachestat, fchmodat2, futex_wait, mseal, statmount, setxattrat and their kin",
    },
    Difference {
        keys: &["call 135"],
        ours: "done",
        theirs: "ENOSYS",
        versions: BOTH,
        always: true,
        reason: "personality: the upper half of the argument, which the kernel does not look at, is not compared",
    },
    Difference {
        keys: &["personality 0x40000"],
        ours: "EPERM",
        theirs: "ENOSYS",
        versions: BOTH,
        always: true,
        reason: "both refuse, moby's profile with EPERM",
    },
    Difference {
        keys: &[
            "socket 12*",
            "socket 19*",
            "socket 20*",
            "socket 23*",
            "socket 25*",
            "socket 34*",
            "socket 37*",
            "socket 38*",
            "socket 40*",
            "socket 46*",
        ],
        ours: "EPERM",
        theirs: "*",
        versions: BOTH,
        always: true,
        reason: "families that programs do not need, AF_ALG and AF_VSOCK among them: moby's profile refuses them",
    },
    Difference {
        keys: &["clone *", "unshare *"],
        ours: "EPERM",
        theirs: "*",
        versions: BOTH,
        always: true,
        reason: "no new namespaces, of users above all, without CAP_SYS_ADMIN: moby's profile",
    },
    Difference {
        keys: &["keyring"],
        ours: "EPERM",
        theirs: "done",
        versions: BOTH,
        always: true,
        reason: "keyctl, again",
    },
    Difference {
        keys: &["mount /"],
        ours: "overlay rw,nodev,relatime",
        theirs: "*",
        versions: BOTH,
        always: true,
        reason: "layers; a device node made in a file system of the container's cannot be opened",
    },
    Difference {
        keys: &["mount /dev"],
        ours: "tmpfs rw,nosuid,nodev",
        theirs: "tmpfs rw,nosuid",
        versions: BOTH,
        always: true,
        reason: "the same in /dev: where the kernel takes no device filter, it is this that keeps nodes from being opened",
    },
    Difference {
        keys: &[
            "mount /dev/full",
            "mount /dev/null",
            "mount /dev/random",
            "mount /dev/tty",
            "mount /dev/urandom",
            "mount /dev/zero",
        ],
        ours: "tmpfs rw,nosuid,noexec,relatime",
        theirs: "(none)",
        versions: BOTH,
        always: true,
        reason: "the container's own nodes, single files of a file system that it does not see",
    },
    Difference {
        keys: &["mount /etc/hostname", "mount /etc/hosts", "mount /etc/resolv.conf"],
        ours: "tmpfs rw,nosuid,nodev,noexec,relatime",
        theirs: "*",
        versions: BOTH,
        always: true,
        reason: "the container's own files, at most 1 MiB together",
    },
    Difference {
        keys: &["mount /usr", "mount /probe"],
        ours: "*",
        theirs: "*",
        versions: BOTH,
        always: true,
        reason: "a volume is nodev, too",
    },
    Difference {
        keys: &["mount /proc/*", "mount /sys/firmware", "mount /sys/devices/*"],
        ours: "tmpfs *",
        theirs: "tmpfs *",
        versions: BOTH,
        always: true,
        reason: "what masks is nosuid, nodev and noexec besides",
    },
    Difference {
        keys: &["node *"],
        ours: "made, not opened: Permission denied (os error 13)",
        theirs: "*",
        versions: BOTH,
        always: true,
        reason: "nodev answers EACCES, the device control group EPERM; runc lets a new null device be opened",
    },
    Difference {
        keys: &["control groups", "mount /sys/fs/cgroup/*"],
        ours: "*",
        theirs: "*",
        versions: &[1],
        always: true,
        reason: "only the hierarchies that limit a task are shown",
    },
    Difference {
        keys: &["kernel's /sys/fs/cgroup", "mount /sys/fs/cgroup"],
        ours: "*",
        theirs: "*",
        versions: &[1],
        always: true,
        reason: "the directory above them is read-only",
    },
    Difference {
        keys: &["descriptor 0"],
        ours: "/dev/null",
        theirs: "pipe",
        versions: BOTH,
        always: true,
        reason: "`runc run` copies its standard input into a pipe; container engines give `/dev/null`",
    },
    Difference {
        keys: &["oom_score_adj"],
        ours: "500",
        theirs: "0",
        versions: BOTH,
        always: true,
        reason: "where the machine's memory ends, containers go before engine and shims; on Fargate a task has a machine",
    },
    Difference {
        keys: &["status SigIgn"],
        ours: "*",
        theirs: "*",
        versions: BOTH,
        always: false,
        reason: "no signal is ignored from the start; under runc those are that its caller ignores",
    },
];

/// The first keys of those that are none where `runc` makes the container for us.
pub(crate) const NOT_WITH_OCI: &[&str] =
    &["call 135", "mount /dev", "mount /dev/full", "mount /proc/*", "control groups", "kernel's /sys/fs/cgroup"];

/// Those that are there only where it does.
pub(crate) const WITH_OCI: &[Difference] = &[Difference {
    keys: &["call 135"],
    ours: "EPERM",
    theirs: "ENOSYS",
    versions: BOTH,
    always: true,
    reason: "personality: both refuse, moby's profile with EPERM",
}];
