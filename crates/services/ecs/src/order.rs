//! What the ECS service orders from whoever runs tasks, and what it hears back.
//!
//! Both are kept in the journal, so their form is part of the data directory's format.

use neargate_kernel::Interface;
use serde::{Deserialize, Serialize};

/// The driver that carries out [`Order`]s.
pub const DRIVER: &str = "tasks";

/// One order about one task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "kebab-case")]
pub enum Order {
    /// Run the task; the order stands until the task is removed.
    Run(Box<TaskOrder>),
    /// Start a container that waited for another.
    Start {
        /// The task.
        task: String,
        /// The container.
        container: String,
    },
    /// Stop containers: the stop signal, then SIGKILL.
    Stop {
        /// The task.
        task: String,
        /// The containers, in the order of the list.
        containers: Vec<String>,
    },
    /// Take away everything that is left of the task.
    Remove {
        /// The task.
        task: String,
    },
}

impl Order {
    /// The task it is about.
    pub fn task(&self) -> &str {
        match self {
            Self::Run(order) => &order.task,
            Self::Start { task, .. } | Self::Stop { task, .. } | Self::Remove { task } => task,
        }
    }
}

/// The task that an effect's order is about, without reading the whole order.
pub fn task_of(effect: &neargate_kernel::Effect) -> Option<&str> {
    effect.order.get("task")?.as_str()
}

/// A task to run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskOrder {
    /// The task's id.
    pub task: String,
    /// CPU of the task, in units of 1/1024 vCPU.
    pub cpu_units: u32,
    /// Memory of the task.
    pub memory_mib: u32,
    /// Ephemeral storage.
    pub ephemeral_gib: u32,
    /// `X86_64` or `ARM64`.
    pub architecture: String,
    /// Whether the task definition says the architecture; else it is the default.
    #[serde(default)]
    pub is_architecture_given: bool,
    /// Its network interface.
    pub interface: Interface,
    /// Its containers.
    pub containers: Vec<ContainerOrder>,
}

/// A container of a task: the task definition with the overrides applied. What is absent comes from the image.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ContainerOrder {
    /// Its name.
    pub name: String,
    /// The image's reference as the task definition has it.
    pub image: String,
    /// Replaces the image's entry point.
    pub entry_point: Option<Vec<String>>,
    /// Replaces the image's command.
    pub command: Option<Vec<String>>,
    /// Added to the image's environment, later ones winning.
    pub environment: Vec<(String, String)>,
    /// Replaces the image's user.
    pub user: Option<String>,
    /// Replaces the image's working directory.
    pub working_directory: Option<String>,
    /// Relative share of the task's CPU; 0 is none of its own.
    pub cpu_units: u32,
    /// Hard memory limit; 0 is none but the task's.
    pub memory_mib: u32,
    /// Memory that is kept for it.
    pub memory_reservation_mib: u32,
    /// Seconds between the stop signal and SIGKILL.
    pub stop_timeout_s: u32,
    /// Whether the root file system is read-only.
    pub readonly_root: bool,
    /// Whether a small init process is PID 1.
    pub init: bool,
    /// Name, soft and hard limit.
    pub ulimits: Vec<(String, u64, u64)>,
    /// Capabilities added.
    pub capabilities_add: Vec<String>,
    /// Capabilities dropped.
    pub capabilities_drop: Vec<String>,
    /// Path, size in MiB, options.
    pub tmpfs: Vec<(String, u32, Vec<String>)>,
    /// Kernel parameters.
    pub system_controls: Vec<(String, String)>,
    /// Whether it starts with the task, or waits for [`Order::Start`].
    pub start_on_launch: bool,
}

/// What became of an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "news", rename_all = "kebab-case")]
pub enum News {
    /// The images are being looked up.
    PullStarted,
    /// The images are here.
    PullStopped {
        /// Container name and image digest.
        digests: Vec<(String, String)>,
    },
    /// A container cannot be made: its image cannot be had, or nothing says what to run. None of the task's has started.
    CannotMake {
        /// The container.
        container: String,
        /// AWS's text.
        reason: String,
        /// For the user.
        hint: String,
    },
    /// A container runs.
    Started {
        /// The container.
        container: String,
        /// Its process on this machine.
        pid: u32,
    },
    /// A container could not be started.
    CannotStart {
        /// The container.
        container: String,
        /// AWS's text.
        reason: String,
        /// The exit code, where one is known.
        exit_code: Option<i32>,
        /// For the user.
        hint: Option<String>,
    },
    /// A container was to stop before it had started, and never started.
    NeverStarted {
        /// The container.
        container: String,
        /// AWS's text, for where nobody had wanted it to stop.
        reason: String,
    },
    /// A container wrote lines, which come as the report's payload: [`neargate_kernel::Lines`] by process time, oldest
    /// first, those of no length left out.
    Output {
        /// The container.
        container: String,
        /// How far its output is known with these lines.
        next_offset: u64,
    },
    /// A container ended.
    Exited {
        /// The container.
        container: String,
        /// The exit code.
        exit_code: i32,
        /// Whether memory ran out.
        oom_killed: bool,
    },
    /// Something is less than was asked for.
    Remark {
        /// One line.
        text: String,
    },
    /// The task's containers were lost: their exit codes are not known.
    Lost {
        /// Why.
        reason: String,
    },
    /// The task could not be set up at all.
    CannotProvision {
        /// AWS's text.
        reason: String,
        /// For the user.
        hint: Option<String>,
    },
    /// Nothing is left of the task.
    Gone,
    /// The order was carried out; there is nothing more to say.
    Done,
}
