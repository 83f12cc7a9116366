//! Control groups: a parent per task with the task's size, a child per container.
//!
//! Version 1 (one hierarchy per controller, also beside a version 2 without controllers) and version 2. A process joins
//! a version 1 group by writing `0` to `tasks` as its only thread, and is cloned right into a version 2 group: both
//! spare the kernel's global lock and a grace period of several milliseconds that a write to `cgroup.procs` costs.
//!
//! Invariant: a group is named from instance, task and container index alone.
//!
//! Invariant: a missing controller is a remark, never a failure.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::devices;
use super::paths::Layout;
use crate::spec::TaskId;
use crate::spec::{ContainerSpec, TaskSpec};

const PARENT: &str = "neargate";
/// How often a group is made again whose parent has gone meanwhile.
const MAKE_RETRIES_MAX: u32 = 100;
const CPU_PERIOD_US: u64 = 100_000;
const CPU_UNITS_PER_CPU: u64 = 1024;
const MIB: u64 = 1024 * 1024;
const CONTROLLERS_V1: &[&str] = &["cpu", "cpuacct", "memory", "pids", "devices"];

/// Fargate gives a task a machine: as many processes as Linux lets one of that much memory have.
const PROCESSES_PER_MIB: u64 = 8;
/// And never more than that, which is the usual number of process ids.
const PROCESSES_MAX: u64 = 32_768;
/// The hierarchies of this machine that are of use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hierarchies {
    /// Version 1: controller and where it is mounted.
    V1(Vec<(&'static str, PathBuf)>),
    /// Version 2: mounted here, or the group below which an instance's groups are made.
    V2(PathBuf),
    /// None.
    Absent,
}

impl Hierarchies {
    /// Reads the mount table of this process.
    pub(crate) fn detect() -> Self {
        Self::parse(&fs::read_to_string("/proc/self/mountinfo").unwrap_or_default())
    }

    /// The hierarchies, with the place for an instance's groups.
    pub(crate) fn of(layout: &Layout) -> Self {
        match (Self::detect(), &layout.group_base) {
            (Self::V2(_), Some(base)) => Self::V2(base.clone()),
            (found, _) => found,
        }
    }

    fn parse(mountinfo: &str) -> Self {
        let mut v1: Vec<(&'static str, PathBuf)> = Vec::new();
        let mut v2 = None;
        for line in mountinfo.lines() {
            let Some((before, after)) = line.split_once(" - ") else { continue };
            let Some(mount_point) = before.split(' ').nth(4) else { continue };
            let mut after = after.split(' ');
            match after.next() {
                Some("cgroup2") => v2 = Some(PathBuf::from(mount_point)),
                Some("cgroup") => {
                    let options = after.nth(1).unwrap_or("");
                    for controller in CONTROLLERS_V1 {
                        if options.split(',').any(|o| o == *controller) && !v1.iter().any(|(c, _)| c == controller) {
                            v1.push((controller, PathBuf::from(mount_point)));
                        }
                    }
                }
                _ => {}
            }
        }
        match (v1.is_empty(), v2) {
            (false, _) => Self::V1(v1),
            (true, Some(mount_point)) => Self::V2(mount_point),
            (true, None) => Self::Absent,
        }
    }

    /// The directories below which an instance's groups lie, each once.
    fn roots(&self) -> Vec<&Path> {
        let mut roots: Vec<&Path> = match self {
            Self::V1(mounts) => mounts.iter().map(|(_, path)| path.as_path()).collect(),
            Self::V2(path) => vec![path],
            Self::Absent => Vec::new(),
        };
        roots.dedup();
        roots
    }

    /// The directories that hold the groups of an instance's tasks.
    pub(crate) fn instance_dirs(&self, instance: &str) -> Vec<PathBuf> {
        self.roots().into_iter().map(|root| root.join(PARENT).join(instance)).collect()
    }

    /// The directories of a task.
    fn task_dirs(&self, instance: &str, task: &TaskId) -> Vec<PathBuf> {
        self.instance_dirs(instance).into_iter().map(|dir| dir.join(task.as_str())).collect()
    }
}

/// The directories that hold, or have held, the groups of an instance's tasks.
pub(crate) fn instance_dirs(layout: &Layout) -> Vec<PathBuf> {
    let found = Hierarchies::detect();
    let mut dirs = found.instance_dirs(&layout.instance);
    if let Hierarchies::V1(_) = found {
        // An OCI runtime makes groups in all of them.
        dirs.extend(mounted().into_iter().map(|root| root.join(PARENT).join(&layout.instance)));
        dirs.sort();
        dirs.dedup();
    }
    if let Hierarchies::V2(_) = found {
        let places = recorded(layout).into_iter().map(Hierarchies::V2);
        dirs.extend(places.flat_map(|place| place.instance_dirs(&layout.instance)));
        dirs.dedup();
    }
    dirs
}

/// Where hierarchies are mounted, of whatever use.
fn mounted() -> Vec<PathBuf> {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let lines = table.lines().filter_map(|line| line.split_once(" - "));
    let groups = lines.filter(|(_, after)| after.starts_with("cgroup"));
    groups.filter_map(|(before, _)| before.split(' ').nth(4)).map(PathBuf::from).collect()
}

/// The directories that hold, or have held, a task's groups.
pub(crate) fn task_dirs(layout: &Layout, task: &TaskId) -> Vec<PathBuf> {
    instance_dirs(layout).into_iter().map(|dir| dir.join(task.as_str())).collect()
}

/// A task's group.
#[derive(Debug)]
pub(crate) struct TaskCgroup {
    hierarchies: Hierarchies,
    layout: Layout,
    task: TaskId,
}

impl TaskCgroup {
    /// Makes the task's group with its limits; answers with what could not be limited.
    pub(crate) fn create(hierarchies: Hierarchies, layout: &Layout, spec: &TaskSpec) -> (Self, Vec<String>) {
        let instance = layout.instance.as_str();
        let group = Self { hierarchies, layout: layout.clone(), task: spec.task_id.clone() };
        let mut remarks = Vec::new();
        if let Hierarchies::V2(root) = &group.hierarchies {
            for dir in [root.clone(), root.join(PARENT), root.join(PARENT).join(instance)] {
                let _ = make_group(&dir);
                enable_controllers(&dir, &mut remarks);
            }
        }
        for dir in group.dirs() {
            if let Err(e) = make_group(&dir) {
                remarks.push(format!("no control group `{}`: {e}; the task is not limited there", dir.display()));
            }
        }
        if layout.runtime.is_some() {
            // An OCI runtime makes groups below these, in every hierarchy, and does not try again.
            task_dirs(layout, &spec.task_id).iter().for_each(|dir| drop(make_group(dir)));
        }
        group.limit(spec, &mut remarks);
        if let Hierarchies::V2(_) = &group.hierarchies {
            group.dirs().iter().for_each(|dir| enable_controllers(dir, &mut remarks));
            // An OCI runtime has its own. File systems without devices are left where the kernel takes no filter.
            let guarded =
                group.dirs().into_iter().filter(|_| group.layout.runtime.is_none()).map(|dir| devices::guard(&dir));
            let text = |e| format!("access to devices is not filtered by the task's control group: {e}");
            remarks.extend(guarded.filter_map(Result::err).map(text));
        }
        if group.hierarchies == Hierarchies::Absent {
            remarks.push("no control groups are mounted: cpu and memory are not limited".to_owned());
        }
        (group, remarks)
    }

    fn dirs(&self) -> Vec<PathBuf> {
        self.hierarchies.task_dirs(&self.layout.instance, &self.task)
    }

    fn limit(&self, spec: &TaskSpec, remarks: &mut Vec<String>) {
        let quota = u64::from(spec.cpu_units) * CPU_PERIOD_US / CPU_UNITS_PER_CPU;
        let bytes = u64::from(spec.memory_mib) * MIB;
        let processes = processes_max(spec.memory_mib).to_string();
        let mut settings = Vec::new();
        match &self.hierarchies {
            Hierarchies::V1(mounts) => {
                settings.push(("pids", "pids.max", processes));
                // An OCI runtime decides about devices, in the containers' own groups.
                if self.layout.runtime.is_none() && mounts.iter().any(|(name, _)| *name == "devices") {
                    settings.push(("devices", "devices.deny", "a".to_owned()));
                    settings.extend(devices::rules().into_iter().map(|rule| ("devices", "devices.allow", rule)));
                }
                if quota > 0 {
                    settings.push(("cpu", "cpu.cfs_quota_us", quota.to_string()));
                }
                if bytes > 0 {
                    settings.push(("memory", "memory.limit_in_bytes", bytes.to_string()));
                }
            }
            _ => {
                settings.push(("", "pids.max", processes));
                if quota > 0 {
                    settings.push(("", "cpu.max", format!("{quota} {CPU_PERIOD_US}")));
                }
                if bytes > 0 {
                    settings.push(("", "memory.max", bytes.to_string()));
                    settings.push(("", "memory.swap.max", "0".to_owned()));
                }
            }
        }
        self.write_all(None, &settings, remarks);
        self.limit_swap(None, bytes);
    }

    /// Version 1 counts memory and swap together, where the kernel counts swap at all.
    fn limit_swap(&self, index: Option<usize>, bytes: u64) {
        let Hierarchies::V1(mounts) = &self.hierarchies else { return };
        let Some((_, root)) = mounts.iter().find(|(name, _)| *name == "memory") else { return };
        let file = self.dir_below(root, index).join("memory.memsw.limit_in_bytes");
        if bytes > 0 && file.exists() {
            // More than the memory's limit is no failure, only less strict.
            let _ = fs::write(file, bytes.to_string());
        }
    }

    fn dir_below(&self, root: &Path, index: Option<usize>) -> PathBuf {
        let task = root.join(PARENT).join(&self.layout.instance).join(self.task.as_str());
        index.map_or(task.clone(), |index| task.join(index.to_string()))
    }

    /// Makes a container's group.
    pub(crate) fn container(&self, index: usize, spec: &ContainerSpec) -> (ContainerCgroup, Vec<String>) {
        let mut remarks = Vec::new();
        let dirs: Vec<PathBuf> = self.dirs().into_iter().map(|dir| dir.join(index.to_string())).collect();
        for dir in &dirs {
            if let Err(e) = fs::create_dir(dir)
                && e.kind() != io::ErrorKind::AlreadyExists
            {
                remarks.push(format!("container `{}`: no control group: {e}", spec.name));
            }
        }
        let shares = u64::from(spec.cpu_units).clamp(2, 262_144);
        let hard = u64::from(spec.memory_mib) * MIB;
        let soft = u64::from(spec.memory_reservation_mib) * MIB;
        let v1 = matches!(self.hierarchies, Hierarchies::V1(_));
        let (cpu, memory) = if v1 { ("cpu", "memory") } else { ("", "") };
        let mut settings = Vec::new();
        if v1 {
            settings.push((cpu, "cpu.shares", shares.to_string()));
        } else {
            settings.push((cpu, "cpu.weight", (1 + (shares - 2) * 9999 / 262_142).to_string()));
        }
        if hard > 0 {
            settings.push((memory, if v1 { "memory.limit_in_bytes" } else { "memory.max" }, hard.to_string()));
        }
        if soft > 0 {
            settings.push((memory, if v1 { "memory.soft_limit_in_bytes" } else { "memory.low" }, soft.to_string()));
        }
        self.write_all(Some(index), &settings, &mut remarks);
        self.limit_swap(Some(index), hard);
        (ContainerCgroup { hierarchies: self.hierarchies.clone(), task_dirs: self.dirs(), index }, remarks)
    }

    fn write_all(&self, index: Option<usize>, settings: &[(&str, &str, String)], remarks: &mut Vec<String>) {
        for (controller, file, value) in settings {
            let root = match &self.hierarchies {
                Hierarchies::V1(mounts) => mounts.iter().find(|(name, _)| name == controller).map(|(_, path)| path),
                Hierarchies::V2(path) => Some(path),
                Hierarchies::Absent => continue,
            };
            let written = root
                .ok_or(io::ErrorKind::NotFound.into())
                .and_then(|root| fs::write(self.dir_below(root, index).join(file), value));
            if let Err(e) = written {
                remarks.push(format!("limit `{file}` = {value} is not in force: {e}"));
            }
        }
    }

    /// Removes the task's groups; processes in them are killed first.
    pub(crate) fn remove(&self) {
        remove_task_groups(&task_dirs(&self.layout, &self.task));
    }
}

/// How many processes and threads a task may have: as on a machine of its size, and never more than half of this one's.
fn processes_max(memory_mib: u32) -> u64 {
    let of_size = if memory_mib == 0 { PROCESSES_MAX } else { u64::from(memory_mib) * PROCESSES_PER_MIB };
    let number = |file: &str| fs::read_to_string(file).ok().and_then(|text| text.trim().parse::<u64>().ok());
    let here = ["/proc/sys/kernel/pid_max", "/proc/sys/kernel/threads-max"].into_iter().filter_map(number).min();
    of_size.min(PROCESSES_MAX).min(here.map_or(u64::MAX, |here| here / 2))
}

/// Makes a group and those above it. An instance that ends removes the group above all instances where it is empty, perhaps
/// between two of the steps here.
fn make_group(dir: &Path) -> io::Result<()> {
    let mut made = fs::create_dir_all(dir);
    for _ in 0..MAKE_RETRIES_MAX {
        match &made {
            Err(error) if error.kind() == io::ErrorKind::NotFound => made = fs::create_dir_all(dir),
            _ => break,
        }
    }
    made
}

fn enable_controllers(dir: &Path, remarks: &mut Vec<String>) {
    let available = fs::read_to_string(dir.join("cgroup.controllers")).unwrap_or_default();
    for controller in ["cpu", "memory", "pids"] {
        let there = available.split_whitespace().any(|name| name == controller);
        if !there || fs::write(dir.join("cgroup.subtree_control"), format!("+{controller}")).is_err() {
            let text = format!("control group `{}` does not hand on the `{controller}` controller", dir.display());
            if !remarks.contains(&text) {
                remarks.push(text);
            }
        }
    }
}

/// A container's group, also usable in the container's child.
#[derive(Clone, Debug)]
pub(crate) struct ContainerCgroup {
    hierarchies: Hierarchies,
    task_dirs: Vec<PathBuf>,
    index: usize,
}

impl ContainerCgroup {
    fn dirs(&self) -> impl Iterator<Item = PathBuf> {
        self.task_dirs.iter().map(|dir| dir.join(self.index.to_string()))
    }

    /// Moves the calling process, which has one thread, into its version 1 groups.
    pub(crate) fn join(&self) -> io::Result<()> {
        if matches!(self.hierarchies, Hierarchies::V1(_)) {
            for dir in self.dirs().filter(|dir| dir.exists()) {
                fs::write(dir.join("tasks"), "0")?;
            }
        }
        Ok(())
    }

    /// The version 2 directory, for cloning right into the group.
    pub(crate) fn clone_target(&self) -> Option<fs::File> {
        match self.hierarchies {
            Hierarchies::V2(_) => self.dirs().next().and_then(|dir| fs::File::open(dir).ok()),
            _ => None,
        }
    }

    /// The group's path below the hierarchies' mount points, as an OCI runtime takes it; nothing where there are none.
    pub(crate) fn path_in_hierarchy(&self) -> Result<Option<PathBuf>, String> {
        let Some(dir) = self.dirs().next() else { return Ok(None) };
        let path = match &self.hierarchies {
            Hierarchies::V1(mounts) => mounts.iter().find_map(|(_, root)| dir.strip_prefix(root).ok()),
            Hierarchies::V2(_) => dir.strip_prefix("/sys/fs/cgroup").ok(),
            Hierarchies::Absent => return Ok(None),
        };
        let path =
            path.ok_or_else(|| format!("an OCI runtime looks below `/sys/fs/cgroup`, not for `{}`", dir.display()));
        path.map(|path| Some(Path::new("/").join(path)))
    }

    /// SIGKILL to every process of the group.
    pub(crate) fn kill(&self) {
        self.dirs().for_each(|dir| kill_group(&dir));
    }

    /// The group's directories and where the container sees them.
    pub(crate) fn visible(&self) -> Vec<(PathBuf, String)> {
        match &self.hierarchies {
            Hierarchies::V1(mounts) => {
                let names = mounts.iter().map(|(name, root)| (root, *name));
                let below = |root: &PathBuf| self.dirs().find(|dir| dir.starts_with(root));
                names.filter_map(|(root, name)| Some((below(root)?, format!("/sys/fs/cgroup/{name}")))).collect()
            }
            Hierarchies::V2(_) => self.dirs().map(|dir| (dir, "/sys/fs/cgroup".to_owned())).collect(),
            Hierarchies::Absent => Vec::new(),
        }
        .into_iter()
        .filter(|(dir, _)| dir.exists())
        .collect()
    }

    /// How often the kernel has killed a process of the group for want of memory.
    pub(crate) fn oom_kills(&self) -> u64 {
        let count = |dir: PathBuf| {
            let text = ["memory.events", "memory.oom_control"]
                .iter()
                .find_map(|file| fs::read_to_string(dir.join(file)).ok())
                .unwrap_or_default();
            let line = text.lines().find_map(|line| line.strip_prefix("oom_kill "));
            line.and_then(|number| number.trim().parse::<u64>().ok())
        };
        self.dirs().find_map(count).unwrap_or(0)
    }
}

/// Kills what is in a task's groups (and their children), then removes them.
pub(crate) fn remove_task_groups(task_dirs: &[PathBuf]) {
    for dir in task_dirs {
        let mut groups: Vec<PathBuf> =
            fs::read_dir(dir).into_iter().flatten().flatten().map(|e| e.path()).filter(|p| p.is_dir()).collect();
        groups.push(dir.clone());
        for group in groups {
            remove_group(&group);
        }
    }
}

/// A group stays busy for a moment after its last process has ended; killed processes take a moment to end.
fn remove_group(group: &Path) {
    for attempt in 0..200_u32 {
        match fs::remove_dir(group) {
            Ok(()) => return,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return,
            Err(_) => kill_group(group),
        }
        if attempt > 0 {
            std::thread::sleep(std::time::Duration::from_millis(u64::from(attempt.min(10))));
        }
    }
}

/// SIGKILL to every process of a group.
pub(crate) fn kill_group(group: &Path) {
    if fs::write(group.join("cgroup.kill"), "1").is_ok() {
        return;
    }
    for pid in fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default().lines() {
        if let Ok(pid) = pid.parse::<i32>()
            && pid > 0
        {
            let _ = crate::sys::kill(pid, libc::SIGKILL);
        }
    }
}

/// The places that the instance has used since the machine was started.
pub(super) fn recorded(layout: &Layout) -> Vec<PathBuf> {
    let text = fs::read_to_string(layout.groups_record()).unwrap_or_default();
    text.lines().map(PathBuf::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_made_while_another_instance_removes_what_they_share() {
        let root = std::env::temp_dir().join(format!("neargate-groups-{}", std::process::id()));
        let shared = root.join(PARENT);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..2000 {
                    let _ = fs::remove_dir(&shared);
                    std::thread::sleep(std::time::Duration::from_micros(50));
                }
            });
            for at in 0..2000 {
                let instance = shared.join(at.to_string());
                make_group(&instance.join("task")).unwrap();
                fs::remove_dir(instance.join("task")).unwrap();
                fs::remove_dir(instance).unwrap();
            }
        });
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn hierarchies_are_read_from_the_mount_table() {
        let v1 = "30 28 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                  31 28 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n\
                  32 28 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
        let cpu = PathBuf::from("/sys/fs/cgroup/cpu,cpuacct");
        let expected = vec![("memory", PathBuf::from("/sys/fs/cgroup/memory")), ("cpu", cpu.clone()), ("cpuacct", cpu)];
        assert_eq!(Hierarchies::parse(v1), Hierarchies::V1(expected));
        assert_eq!(Hierarchies::parse(v1).instance_dirs("i").len(), 2);
        let v2 = "26 22 0:23 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
        assert_eq!(Hierarchies::parse(v2), Hierarchies::V2(PathBuf::from("/sys/fs/cgroup")));
        assert_eq!(Hierarchies::parse(""), Hierarchies::Absent);
    }

    fn spec() -> TaskSpec {
        let mut container = ContainerSpec::new("main", vec![PathBuf::from("/layer")], Vec::new());
        (container.cpu_units, container.memory_mib, container.memory_reservation_mib) = (128, 256, 64);
        let network = crate::spec::TaskNetwork {
            vpc_id: "vpc-1".to_owned(),
            vpc_cidr: "10.0.0.0/16".parse().unwrap(),
            eni_id: "eni-1".to_owned(),
            private_ip: "10.0.1.7".parse().unwrap(),
            subnet_cidr: "10.0.1.0/24".parse().unwrap(),
            mac: "02:00:0a:00:01:07".to_owned(),
            hostname: "host".to_owned(),
        };
        TaskSpec {
            format: crate::spec::SPEC_FORMAT,
            task_id: TaskId::parse(&"a".repeat(32)).unwrap(),
            network,
            cpu_units: 512,
            memory_mib: 1024,
            ephemeral_gib: 20,
            containers: vec![container],
            spool_key: crate::secret::SpoolKey::not_given(),
            labels: Vec::new(),
        }
    }

    /// The limits as files in a directory that stands in for the mounted hierarchies.
    fn limits(hierarchies: impl Fn(&Path) -> Hierarchies) -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        let spec = spec();
        let layout = Layout {
            instance: "i".to_owned(),
            run_dir: dir.path().join("run"),
            data_dir: dir.path().join("data"),
            group_base: None,
            runtime: None,
        };
        let (task, remarks) = TaskCgroup::create(hierarchies(dir.path()), &layout, &spec);
        let unfiltered = remarks.iter().any(|remark| remark.starts_with("access to devices is not filtered"));
        assert_eq!(unfiltered, matches!(task.hierarchies, Hierarchies::V2(_)), "{remarks:?}");
        let (_, remarks) = task.container(0, &spec.containers[0]);
        assert_eq!(remarks, Vec::<String>::new());
        let mut found = Vec::new();
        let mut dirs = vec![dir.path().to_owned()];
        while let Some(next) = dirs.pop() {
            for entry in fs::read_dir(&next).unwrap().map(|entry| entry.unwrap().path()) {
                if entry.is_dir() {
                    dirs.push(entry);
                } else {
                    let name = entry.strip_prefix(dir.path()).unwrap().display().to_string();
                    found.push(
                        format!("{} = {}", name, fs::read_to_string(&entry).unwrap()).replace(&"a".repeat(32), "T"),
                    );
                }
            }
        }
        found.sort();
        found
    }

    #[test]
    fn a_task_has_as_many_processes_as_a_machine_of_its_size() {
        let here = |file: &str| fs::read_to_string(file).unwrap().trim().parse::<u64>().unwrap() / 2;
        let half = here("/proc/sys/kernel/pid_max").min(here("/proc/sys/kernel/threads-max"));
        for (memory_mib, expected) in [(512, 4096), (1024, 8192), (8192, 32_768), (122_880, 32_768), (0, 32_768)] {
            assert_eq!(processes_max(memory_mib), half.min(expected), "{memory_mib} MiB");
        }
    }

    #[test]
    fn a_task_and_its_containers_are_limited_in_both_versions() {
        assert_eq!(
            limits(|root| Hierarchies::V1(
                ["cpu", "memory", "pids", "devices"].map(|name| (name, root.join(name))).to_vec()
            )),
            [
                "cpu/neargate/i/T/0/cpu.shares = 128",
                "cpu/neargate/i/T/cpu.cfs_quota_us = 50000",
                "devices/neargate/i/T/devices.allow = c 136:* rwm",
                "devices/neargate/i/T/devices.deny = a",
                "memory/neargate/i/T/0/memory.limit_in_bytes = 268435456",
                "memory/neargate/i/T/0/memory.soft_limit_in_bytes = 67108864",
                "memory/neargate/i/T/memory.limit_in_bytes = 1073741824",
                "pids/neargate/i/T/pids.max = 8192",
            ]
        );
        assert_eq!(
            limits(|root| Hierarchies::V2(root.to_owned())),
            [
                "neargate/i/T/0/cpu.weight = 5",
                "neargate/i/T/0/memory.low = 67108864",
                "neargate/i/T/0/memory.max = 268435456",
                "neargate/i/T/cpu.max = 50000 100000",
                "neargate/i/T/memory.max = 1073741824",
                "neargate/i/T/memory.swap.max = 0",
                "neargate/i/T/pids.max = 8192",
            ]
        );
    }

    #[test]
    fn an_oci_runtime_finds_a_group_or_it_is_said_that_it_does_not() {
        let path = |found: &str| {
            let hierarchies = Hierarchies::V2(found.into());
            ContainerCgroup { hierarchies, task_dirs: vec![Path::new(found).join("T")], index: 2 }.path_in_hierarchy()
        };
        assert_eq!(path("/sys/fs/cgroup/a"), Ok(Some("/a/T/2".into())));
        assert_eq!(path("/mnt"), Err("an OCI runtime looks below `/sys/fs/cgroup`, not for `/mnt/T/2`".to_owned()));
    }
}
