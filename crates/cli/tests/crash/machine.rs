//! What the kernel holds for an engine: processes, mounts, control groups, interfaces, descriptors.
//!
//! Invariant: looks only; everything is found by the names of one engine's data directory, so that drills side by side and
//! other engines of the machine do not disturb each other.

use std::fs;
use std::path::Path;

/// A process, and no later one of the same id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    started_at: String,
}

impl Process {
    /// Whether it has not ended.
    pub(crate) fn is_alive(&self) -> bool {
        look(self.pid).is_some_and(|found| found.process == *self && !found.is_zombie)
    }
}

/// A task's shim with the container it runs, as a killed engine left them.
#[derive(Clone, Debug)]
pub(crate) struct Left {
    pub(crate) task: String,
    pub(crate) container: Option<Process>,
}

struct Found {
    process: Process,
    parent: u32,
    is_zombie: bool,
}

fn look(pid: u32) -> Option<Found> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let process = Process { pid, started_at: (*fields.get(19)?).to_owned() };
    Some(Found { process, parent: fields.get(1)?.parse().ok()?, is_zombie: *fields.first()? == "Z" })
}

fn pids() -> impl Iterator<Item = u32> {
    names(Path::new("/proc")).into_iter().filter_map(|name| name.parse().ok())
}

fn names(folder: &Path) -> Vec<String> {
    fs::read_dir(folder).into_iter().flatten().flatten().filter_map(|it| it.file_name().into_string().ok()).collect()
}

/// The task whose shim a process is, among those of an instance.
fn task_of_shim(pid: u32, instance: &str) -> Option<String> {
    let command = String::from_utf8(fs::read(format!("/proc/{pid}/cmdline")).ok()?).ok()?;
    let mut words = command.split('\0').skip(1);
    let folder = (words.next() == Some("shim")).then(|| words.next()).flatten()?;
    folder.strip_prefix(&format!("/run/neargate/{instance}/tasks/")).map(str::to_owned)
}

/// What runs without its engine.
pub(crate) fn left(instance: &str) -> Vec<Left> {
    let all: Vec<Found> = pids().filter_map(look).filter(|found| !found.is_zombie).collect();
    let shim = |found: &&Found| task_of_shim(found.process.pid, instance).is_some();
    let shims: Vec<&Found> = all.iter().filter(shim).collect();
    // A child that has not become its program yet looks like its shim.
    let is_own = |found: &&&Found| !shims.iter().any(|shim| shim.process.pid == found.parent);
    shims
        .iter()
        .filter(is_own)
        .filter_map(|shim| {
            let task = task_of_shim(shim.process.pid, instance)?;
            let container = all.iter().find(|found| found.parent == shim.process.pid).map(|it| it.process.clone());
            Some(Left { task, container })
        })
        .collect()
}

/// Everything that is left of an engine on the machine: nothing, once it has been stopped.
///
/// A network namespace lives by a pin, which is a mount, by a process, which is in a control group, or by a descriptor of a
/// shim; none of them is left, so none of its namespaces is, nor what interfaces were in them. The numbers of namespaces
/// are not compared: the kernel gives them out again.
pub(crate) fn traces(instance: &str, data_dir: &Path, tasks: &[String]) -> Vec<String> {
    let mut found = vec![];
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let data_dir = data_dir.display().to_string();
    let is_ours = |line: &&str| line.contains(instance) || line.contains(&data_dir);
    found.extend(mounts.lines().filter(is_ours).map(|line| format!("mount {line}")));
    found.extend(pids().filter(|pid| task_of_shim(*pid, instance).is_some()).map(|pid| format!("shim {pid}")));
    let root = Path::new("/sys/fs/cgroup");
    let hierarchies = names(root).into_iter().map(|name| root.join(name)).chain([root.to_owned()]);
    let groups = hierarchies.map(|hierarchy| hierarchy.join("neargate").join(instance));
    found.extend(groups.filter(|group| group.exists()).map(|group| format!("control group {}", group.display())));
    let links = names(Path::new("/sys/class/net")).into_iter();
    let of_task = |name: &String| name.strip_prefix("ng").is_some_and(|id| tasks.iter().any(|it| it.ends_with(id)));
    found.extend(links.filter(of_task).map(|name| format!("interface {name}")));
    let run = Path::new("/run/neargate").join(instance);
    found.extend(run.exists().then(|| format!("directory {}", run.display())));
    found
}

/// The open descriptors of a process.
pub(crate) fn descriptors(pid: u32) -> Vec<String> {
    let folder = format!("/proc/{pid}/fd");
    let links = names(Path::new(&folder)).into_iter().filter_map(|name| fs::read_link(format!("{folder}/{name}")).ok());
    let mut all: Vec<String> = links
        // Folders and the numbers of things without a name differ from engine to engine.
        .filter_map(|link| link.file_name().map(|name| name.to_string_lossy().into_owned()))
        .map(|name| name.split_once(":[").map_or(name.clone(), |(kind, _)| kind.to_owned()))
        .collect();
    all.sort();
    all
}

/// The files below a folder, but for images, containers' own files and pinned namespaces, that hold one of these texts.
pub(crate) fn files_that_hold(folder: &Path, texts: &[&str]) -> Vec<String> {
    let mut found = vec![];
    for name in names(folder) {
        let path = folder.join(&name);
        let Ok(kind) = fs::symlink_metadata(&path).map(|it| it.file_type()) else { continue };
        if kind.is_dir() && !["images", "storage", "root", "net"].contains(&name.as_str()) {
            found.extend(files_that_hold(&path, texts));
        } else if kind.is_file() && name != "storage.ext4" {
            // One that is gone meanwhile holds nothing.
            let content = match fs::read(&path) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                content => content.unwrap_or_else(|error| panic!("{}: {error}", path.display())),
            };
            let holds = |text: &&&str| content.windows(text.len()).any(|part| part == text.as_bytes());
            found.extend(texts.iter().find(holds).map(|text| format!("`{text}` in {}", path.display())));
        }
    }
    found
}
