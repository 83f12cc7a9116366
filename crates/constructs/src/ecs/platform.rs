//! What tasks run on.

use neargate_l1::ecs::task_definition as l1;

/// The platform that Fargate runs tasks on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FargatePlatformVersion {
    /// The newest.
    Latest,
    /// 1.4.0.
    Version1_4,
    /// 1.3.0, for tasks that still need it.
    Version1_3,
}

impl FargatePlatformVersion {
    /// The name in APIs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Latest => "LATEST",
            Self::Version1_4 => "1.4.0",
            Self::Version1_3 => "1.3.0",
        }
    }
}

/// The processor that a task needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CpuArchitecture {
    /// 64-bit x86.
    X86_64,
    /// 64-bit Arm.
    Arm64,
}

/// The operating system that a task needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are Amazon ECS's")]
pub enum OperatingSystemFamily {
    Linux,
    WindowsServer2019Core,
    WindowsServer2019Full,
    WindowsServer2022Core,
    WindowsServer2022Full,
}

impl OperatingSystemFamily {
    fn as_str(self) -> &'static str {
        match self {
            Self::Linux => "LINUX",
            Self::WindowsServer2019Core => "WINDOWS_SERVER_2019_CORE",
            Self::WindowsServer2019Full => "WINDOWS_SERVER_2019_FULL",
            Self::WindowsServer2022Core => "WINDOWS_SERVER_2022_CORE",
            Self::WindowsServer2022Full => "WINDOWS_SERVER_2022_FULL",
        }
    }
}

/// What a task needs to run on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RuntimePlatform {
    /// Default: x86.
    pub cpu_architecture: Option<CpuArchitecture>,
    /// Default: Linux.
    pub operating_system_family: Option<OperatingSystemFamily>,
}

impl RuntimePlatform {
    pub(super) fn render(self) -> l1::RuntimePlatform {
        l1::RuntimePlatform {
            cpu_architecture: self.cpu_architecture.map(|cpu| match cpu {
                CpuArchitecture::X86_64 => "X86_64".into(),
                CpuArchitecture::Arm64 => "ARM64".into(),
            }),
            operating_system_family: self.operating_system_family.map(|family| family.as_str().into()),
        }
    }
}
