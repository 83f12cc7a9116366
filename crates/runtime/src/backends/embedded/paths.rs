//! Where a task's things are, and what its kernel objects are called.
//!
//! ```text
//! <run>/                 tmpfs: tasks/<task>/{task.json, lock, shim.json, ctl, shim.log}
//!                        seccomp/<capabilities>      filters of system calls
//!                        net/{<vpc>, <vpc>.lock}     the VPC's router, a pinned network namespace
//! <data>/tasks/<task>/   c/<index>/{root, bundle, spool, exit.json}, storage.ext4, storage/c/<index>/{upper, work}
//! <data>/storage/        templates of ephemeral storage, by size
//! <run>/groups           where version 2 control groups were made, a line for each place
//! cgroups                neargate/<instance>/<task>/<index>
//! ```
//!
//! Invariant: every name derives from the instance id, the task id and the container's place in the task, so that what
//! a crash leaves can be found again without any record of it.

use std::path::{Path, PathBuf};

use crate::spec::TaskId;

/// An instance's directories.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Layout {
    /// Names the instance's control groups.
    pub(crate) instance: String,
    /// The instance's directory on tmpfs.
    pub(crate) run_dir: PathBuf,
    /// The instance's directory on a disk.
    pub(crate) data_dir: PathBuf,
    /// The group below which version 2 control groups are made; nothing is the root of the hierarchy.
    #[serde(default)]
    pub(crate) group_base: Option<PathBuf>,
    /// The OCI runtime that makes the containers; nothing is the shim itself.
    #[serde(default)]
    pub(crate) runtime: Option<PathBuf>,
}

impl Layout {
    pub(crate) fn tasks_run_dir(&self) -> PathBuf {
        self.run_dir.join("tasks")
    }

    pub(crate) fn tasks_data_dir(&self) -> PathBuf {
        self.data_dir.join("tasks")
    }

    /// The empty file system that a task's storage of that size begins as.
    pub(crate) fn storage_template(&self, gib: u32) -> PathBuf {
        self.data_dir.join("storage").join(format!("{gib}-gib.ext4"))
    }

    /// Storage that no task has yet.
    pub(crate) fn storage_ready_dir(&self) -> PathBuf {
        self.data_dir.join("storage/ready")
    }

    pub(crate) fn groups_record(&self) -> PathBuf {
        self.run_dir.join("groups")
    }

    pub(crate) fn net_dir(&self) -> PathBuf {
        self.run_dir.join("net")
    }

    pub(crate) fn filters_dir(&self) -> PathBuf {
        self.run_dir.join("seccomp")
    }

    pub(crate) fn task(&self, task: &TaskId) -> TaskPaths {
        TaskPaths { run: self.tasks_run_dir().join(task.as_str()), data: self.tasks_data_dir().join(task.as_str()) }
    }
}

/// A task's directories.
#[derive(Clone, Debug)]
pub(crate) struct TaskPaths {
    /// On tmpfs.
    pub(crate) run: PathBuf,
    /// On disk.
    pub(crate) data: PathBuf,
}

impl TaskPaths {
    pub(crate) fn intent(&self) -> PathBuf {
        self.run.join("task.json")
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.run.join("lock")
    }

    pub(crate) fn shim_record(&self) -> PathBuf {
        self.run.join("shim.json")
    }

    pub(crate) fn control(&self) -> PathBuf {
        self.run.join("ctl")
    }

    pub(crate) fn shim_log(&self) -> PathBuf {
        self.run.join("shim.log")
    }

    pub(crate) fn container(&self, index: usize) -> ContainerPaths {
        let place = Path::new("c").join(index.to_string());
        ContainerPaths { dir: self.data.join(&place), storage: self.storage().join(place) }
    }

    /// The file that holds the task's ephemeral storage.
    pub(crate) fn storage_file(&self) -> PathBuf {
        self.data.join("storage.ext4")
    }

    /// Where the task's shim mounts it.
    pub(crate) fn storage(&self) -> PathBuf {
        self.data.join("storage")
    }
}

/// A container's directories: on the disk, and in the task's ephemeral storage.
#[derive(Clone, Debug)]
pub(crate) struct ContainerPaths {
    dir: PathBuf,
    storage: PathBuf,
}

impl ContainerPaths {
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn upper(&self) -> PathBuf {
        self.storage.join("upper")
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.storage.join("work")
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.dir.join("root")
    }

    /// Where the keeper mounts what an OCI runtime is told.
    pub(crate) fn bundle(&self) -> PathBuf {
        self.dir.join("bundle")
    }

    pub(crate) fn spool(&self) -> PathBuf {
        self.dir.join("spool")
    }

    pub(crate) fn exit_record(&self) -> PathBuf {
        self.dir.join("exit.json")
    }
}
